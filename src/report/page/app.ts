/** The whole page: a bar, the overview with its sections, and the page of a subcluster. */
import type { ReportData } from "../report-data.ts";
import { followReader, sectionBar } from "./bar.ts";
import { type Context, contextOf, type Section } from "./context.ts";
import { h } from "./dom.ts";
import { describeRun } from "./sections/headline/facts.ts";
import { headline } from "./sections/headline/headline.ts";
import { lesions } from "./sections/lesions.ts";
import { map } from "./sections/map.ts";
import { patterns } from "./sections/patterns.ts";
import { populations } from "./sections/populations.ts";
import { provenance } from "./sections/provenance/provenance.ts";
import { quality } from "./sections/quality/quality.ts";
import { scoreboard } from "./sections/scoreboard.ts";
import { subclusterPage } from "./sections/subcluster/page.ts";
import { openStore, type Route } from "./store.ts";

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

/** Draws a report into `root`, in place of what is there. Gives what ends its listening to the address, for another to follow. */
export function showReport(root: HTMLElement, data: ReportData): () => void {
  const ending = new AbortController();
  const store = openStore(ending.signal);
  const context = contextOf(data, store);
  const drawn = SECTIONS.flatMap((section) => drawSection(section, context));
  const overview = h(
    "main",
    { id: "overview", tabindex: -1 },
    h("div", { class: "title" }, h("h1", {}, data.name), h("p", { class: "soft" }, describeRun(data))),
    drawn.map(({ element }) => element),
  );
  const detail = h("main", { id: "detail", tabindex: -1, hidden: true });
  const sections = drawn.map(({ section }) => section);
  const bar = sectionBar(data.name, sections, goToSection);
  root.replaceChildren(skipLink(detail, overview), bar, detail, overview);
  followReader(
    bar,
    drawn.map(({ element }) => element),
  );
  let shown: Route | null = null;
  // Where the reader was in the overview, for when a subcluster's page is closed.
  let place = 0;
  store.watch(({ route }) => {
    const isOverview = route.page === "overview";
    if (!isOverview && !overview.hidden) place = scrollY;
    const isBack = isOverview && overview.hidden;
    overview.hidden = !isOverview;
    detail.hidden = isOverview;
    document.title = isOverview
      ? `${data.name} – Brodmann`
      : `${route.layer}, cluster ${route.cluster} – ${data.name} – Brodmann`;
    if (!isOverview && !isSame(route, shown)) {
      detail.replaceChildren(subclusterPage(context, route.layer, route.cluster));
      scrollTo(0, 0);
      detail.querySelector<HTMLElement>("h1")?.focus();
    }
    if (isOverview) detail.replaceChildren();
    if (isOverview && route.section !== null) goToSection(route.section);
    else if (isBack) scrollTo({ top: place, behavior: "instant" });
    shown = route;
  });
  return () => ending.abort();
}

const isSame = (one: Route, other: Route | null): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Shows a section and lets the keyboard go on from there. */
function goToSection(id: string): void {
  const section = document.getElementById(id);
  section?.scrollIntoView();
  section?.focus({ preventScroll: true });
}

/** The first stop of the keyboard: past the bar. */
function skipLink(...pages: readonly HTMLElement[]): HTMLElement {
  return h(
    "a",
    {
      class: "skip",
      href: "#/",
      onclick: (event) => {
        event.preventDefault();
        pages.find((page) => !page.hidden)?.focus();
      },
    },
    "Skip to the content",
  );
}

interface Drawn {
  readonly section: Section;
  readonly element: HTMLElement;
}

/** A section that fails says so in its place; the others are drawn. */
function drawSection(section: Section, context: Context): Drawn[] {
  const { id, title, heading } = section;
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
  const element = h(
    "section",
    { id, "aria-labelledby": `${id}-title`, tabindex: -1 },
    h("h2", { id: `${id}-title` }, heading ?? title),
    content,
  );
  return [{ section, element }];
}
