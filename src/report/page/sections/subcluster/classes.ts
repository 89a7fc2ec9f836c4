/** What the lesion does to each class, and how well the subcluster tells each class from the others. */
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { decimals, digits, formatP, percent } from "../../format.ts";
import { drawClasses } from "./class-chart.ts";
import { type ClassRow, classRows, mostChanged } from "./class-rows.ts";
import { signedPoints } from "./measures.ts";
import { part } from "./part.ts";
import type { Subject } from "./subject.ts";

/** Classes that are drawn: those that change most, where there are more. */
const MOST = 30;

export function classPart(context: Context, { entry }: Subject): HTMLElement | null {
  const { scores } = context.data;
  if (entry === null || scores === null) return null;
  const rows = classRows(entry, scores, context.className);
  if (rows.length === 0) return null;
  const shown = mostChanged(rows, MOST);
  const left = rows.length - shown.length;
  const hasImportance = entry.importance !== undefined;
  const width = Math.min(860, Math.max(320, document.documentElement.clientWidth - 72));
  const caption = [
    hasImportance
      ? "Change of each class's accuracy when these units are lesioned; hollow bars lie within the noise of so many inputs. "
      : null,
    rows.some(({ auroc }) => auroc !== null)
      ? "AUROC: how well the units' common activity tells a class from all others, .5 = not at all; below, the units are low for it. "
      : null,
    left > 0 ? `${left} classes that change less are in the table only.` : null,
  ];
  return part(
    "classes",
    "Class by class",
    figure(drawClasses(shown, width), { name: "class profile", caption }),
    h("details", {}, h("summary", {}, `All ${rows.length} classes as a table`), table(rows, hasImportance)),
    aside(entry),
  );
}

function table(rows: readonly ClassRow[], hasImportance: boolean): HTMLElement {
  const heads = ["class", ...(hasImportance ? ["intact", "lesioned", "change"] : []), "AUROC"];
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Classes" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(({ name, before, after, change, auroc }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            hasImportance
              ? [h("td", {}, percent(before)), h("td", {}, percent(after)), h("td", {}, signedPoints(change))]
              : null,
            h("td", {}, decimals(auroc, 2)),
          ),
        ),
      ),
    ),
  );
}

/** How concentrated the damage is, and what is left with these units alone. */
function aside({ importance }: NonNullable<Subject["entry"]>): Child {
  if (importance === undefined) return null;
  const { specialisation, gini } = importance.profile;
  const { keepOnly } = importance;
  return h(
    "div",
    { class: "two" },
    h(
      "div",
      { class: "card" },
      h("h3", {}, "How special it is"),
      h(
        "p",
        {},
        specialisation === null
          ? "No class falls beyond the noise, so there is no profile to be special."
          : `Specialisation ${digits(specialisation, 2)} on a scale from 0 (all classes alike) to 1 (a single class); Gini coefficient ${digits(gini, 2)}.`,
      ),
    ),
    keepOnly
      ? h(
          "div",
          { class: "card" },
          h("h3", {}, "With these units alone"),
          h(
            "p",
            {},
            `All other units of the layer lesioned, the network is right on ${percent(keepOnly.accuracy)} (loss ${digits(keepOnly.loss)}).`,
          ),
          h(
            "p",
            { class: "soft small" },
            `Against random groups of this size: p ${formatP(keepOnly.p.accuracy)} by accuracy, ${formatP(keepOnly.p.loss)} by loss.`,
          ),
        )
      : null,
  );
}
