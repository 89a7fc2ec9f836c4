/** Every measure with its null distribution. */
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { count, formatP } from "../../format.ts";
import { coherenceRows, importanceRows, type MeasureRow, type Measures, verdictOf } from "./measures.ts";
import { part } from "./part.ts";
import { listOf, siblingsOf } from "./sentences.ts";
import { quantileAt } from "./strip.ts";
import { drawStrip } from "./strip-drawing.ts";
import type { Subject } from "./subject.ts";

export function measuresPart({ data: { scores }, colour }: Context, subject: Subject): HTMLElement | null {
  const { entry, cluster } = subject;
  if (entry === null || scores === null) return null;
  const siblings = siblingsOf(entry, scores);
  const groups = `random groups of ${entry.units.length} units of this layer${
    siblings > 0
      ? ` (p counts the ${siblings === 1 ? "other subcluster" : `${siblings} other subclusters`} of this size as well)`
      : ""
  }`;
  return part(
    "measures",
    "Against random groups",
    h(
      "p",
      {},
      `Each strip shows what ${groups} give; the mark is this subcluster. p: the share of groups that do as much. q: corrected for all ${scores.subclusters.length} subclusters tested (Benjamini-Yekutieli).`,
    ),
    h(
      "p",
      { class: "legend", "aria-hidden": "true" },
      h("span", {}, h("span", { class: "key null" }), "random groups"),
      h("span", {}, h("span", { class: "key tail" }), "those that do as much"),
      h(
        "span",
        {},
        h("span", { class: "key mark", style: `background:${colour(cluster)}` }),
        "this subcluster",
      ),
      h("span", {}, "tick: median of random groups; dashed: 0"),
    ),
    family("Importance: what the network loses without it", importanceRows(entry), colour(cluster)),
    family("Coherence: whether its units act as one", coherenceRows(entry, scores), colour(cluster)),
  );
}

function family(heading: string, { rows, undefinedLabels }: Measures, colour: string): Child {
  if (rows.length === 0 && undefinedLabels.length === 0) return null;
  return [
    h("h3", {}, heading),
    h(
      "ul",
      { class: "measures-list" },
      rows.map((row) => measure(row, colour)),
    ),
    undefinedLabels.length === 0
      ? null
      : h(
          "p",
          { class: "soft small" },
          `Not defined for this subcluster: ${listOf(undefinedLabels.map((label) => label.toLowerCase()))}.`,
        ),
  ];
}

function measure(row: MeasureRow, colour: string): HTMLElement {
  const { label, meaning, spread, p, q, groups, format, formatBare } = row;
  const verdict = verdictOf(row);
  const known = spread.quantiles.filter((value): value is number => value !== null);
  const at = (share: number): string => formatBare(quantileAt(known, share));
  const random =
    known.length < 2
      ? ["no random groups"]
      : [`random groups ${at(0.5)}`, `90 % of them: ${at(0.05)} to ${at(0.95)}`];
  return h(
    "li",
    { class: `measure ${verdict.replaceAll(" ", "-")}` },
    h("div", { class: "what" }, h("strong", {}, label), h("span", { class: "told" }, meaning)),
    h("div", { class: "strip" }, drawStrip(row, colour)),
    h(
      "div",
      { class: "found" },
      h("strong", {}, format(spread.amount)),
      random.map((text) => h("span", { class: "told" }, text)),
    ),
    h(
      "div",
      { class: "tested" },
      h("span", { class: `verdict ${verdict.replaceAll(" ", "-")}` }, verdict),
      h(
        "span",
        { class: "told" },
        `p ${formatP(p)}, q ${formatP(q)}`,
        groups === null ? null : `, ${count(groups)} groups`,
      ),
    ),
  );
}
