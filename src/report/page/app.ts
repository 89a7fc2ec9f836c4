/** The page: a bar, the overview's sections, and the page of a subcluster. */
import type { ReportData } from "../report-data.ts";
import { type Context, contextOf, type Section } from "./context.ts";
import { h } from "./dom.ts";
import { headline } from "./sections/headline.ts";
import { lesions } from "./sections/lesions.ts";
import { map } from "./sections/map.ts";
import { patterns } from "./sections/patterns.ts";
import { populations } from "./sections/populations.ts";
import { provenance } from "./sections/provenance.ts";
import { quality } from "./sections/quality.ts";
import { scoreboard } from "./sections/scoreboard.ts";
import { subclusterPage } from "./sections/subcluster/page.ts";
import { openStore, type Route, sectionAddress } from "./store.ts";
import { themeSwitch } from "./theme.ts";

const SECTIONS: readonly Section[] = [
  headline,
  map,
  scoreboard,
  lesions,
  populations,
  patterns,
  quality,
  provenance,
];

/** Draws a report into `root`, in place of what is there. */
export function showReport(root: HTMLElement, data: ReportData): void {
  const store = openStore();
  const context = contextOf(data, store);
  const drawn = SECTIONS.flatMap((section) => drawSection(section, context));
  const overview = h(
    "main",
    { id: "overview" },
    drawn.map(({ element }) => element),
  );
  const detail = h("main", { id: "detail", hidden: true });
  root.replaceChildren(bar(context, drawn), overview, detail);
  let shown: Route | null = null;
  store.watch(({ route }) => {
    overview.hidden = route.page !== "overview";
    detail.hidden = route.page !== "subcluster";
    if (route.page === "subcluster" && !isSame(route, shown)) {
      detail.replaceChildren(subclusterPage(context, route.layer, route.cluster));
      scrollTo(0, 0);
      detail.querySelector<HTMLElement>("h1")?.focus();
    }
    if (route.page === "overview" && route.section !== null) {
      document.getElementById(route.section)?.scrollIntoView();
    }
    shown = route;
  });
  document.title = `${data.name} – Brodmann`;
}

const isSame = (one: Route, other: Route | null): boolean => JSON.stringify(one) === JSON.stringify(other);

interface Drawn {
  readonly section: Section;
  readonly element: HTMLElement;
}

/** A section that fails says so in its place; the others are drawn. */
function drawSection(section: Section, context: Context): Drawn[] {
  const { id, title } = section;
  let content: HTMLElement | null;
  try {
    content = section.render(context);
  } catch (error) {
    console.error(error);
    content = h(
      "p",
      { class: "empty", role: "alert" },
      `This part could not be drawn: ${error instanceof Error ? error.message : error}.`,
    );
  }
  if (content === null) return [];
  const heading = h("h2", { id: `${id}-title` }, title);
  const element = h("section", { id, "aria-labelledby": `${id}-title`, tabindex: -1 }, heading, content);
  return [{ section, element }];
}

function bar({ data }: Context, drawn: readonly Drawn[]): HTMLElement {
  return h(
    "header",
    { class: "bar" },
    h(
      "a",
      { class: "brand", href: "#/" },
      h("strong", {}, "Brodmann"),
      h("span", { class: "name" }, data.name),
    ),
    h(
      "nav",
      { "aria-label": "Sections" },
      drawn.map(({ section: { id, title } }) => h("a", { href: sectionAddress(id) }, title)),
    ),
    themeSwitch(),
  );
}
