/** The network's rows, a measure each. */
import type { NetworkEntry, ScoresDocument } from "../../../scores-document.ts";
import { type Child, h } from "../../dom.ts";
import { decimals, formatP } from "../../format.ts";
import { IMPORTANCE_MEANINGS, measureLabel } from "../../measure-names.ts";
import { isPaper, type JudgedRow, judgeRows } from "./evidence.ts";

const MARKS = { strong: "●", weak: "○", none: "", untested: "" } as const;
const MARK_TITLES = {
  strong: "at most 5 % with the number of measures allowed for (Benjamini-Yekutieli)",
  weak: "at most 5 %, but not with the number of measures allowed for",
  none: "above 5 %",
  untested: "no subcluster has a p",
} as const;

export function rowsTable(scores: ScoresDocument): HTMLElement {
  const p = isPaper(scores) ? "Fisher's p" : "permutation p";
  const group = (title: string, rows: readonly JudgedRow[]): Child =>
    rows.length === 0
      ? null
      : h(
          "tbody",
          {},
          h("tr", { class: "group" }, h("th", { colspan: 9, scope: "rowgroup" }, title)),
          rows.map((row) => line(row)),
        );
  const heads: readonly (readonly [string, string])[] = [
    ["measure", ""],
    [
      "effect",
      "mean over subclusters, ± standard error; 1 = as random sets, 2 = all of it; entropy is coherent below 1",
    ],
    [
      p,
      isPaper(scores)
        ? "takes subclusters for independent, which they are not"
        : "of label permutations within layers",
    ],
    ["BH", "p adjusted for the measures of this group by Benjamini-Hochberg"],
    ["BY", "p adjusted for the measures of this group by Benjamini-Yekutieli"],
    [
      "significant",
      "subclusters significant at 5 % by Benjamini-Yekutieli (in brackets: by Benjamini-Hochberg)",
    ],
    ["tested", "subclusters with a p"],
    ["undefined", "subclusters without a p"],
    ["what it asks", ""],
  ];
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "The network's statistics" },
    h(
      "table",
      { class: "rows" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map(([name, title], at) =>
            h(
              "th",
              {
                scope: "col",
                title,
                class: at === 0 ? "text" : name === "what it asks" ? "text asks" : null,
              },
              name,
            ),
          ),
        ),
      ),
      group("Importance: what lesions cost", judgeRows(scores.network.importance, scores)),
      group("Coherence: do the units act as one?", judgeRows(scores.network.coherence, scores)),
    ),
  );
}

function line({ measure, row, p, evidence }: JudgedRow): HTMLElement {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, measureLabel(measure)),
    h("td", {}, effect(row)),
    h(
      "td",
      {},
      h(
        "span",
        { class: "mark", role: "img", "aria-label": MARK_TITLES[evidence], title: MARK_TITLES[evidence] },
        MARKS[evidence],
      ),
      " ",
      formatP(p),
    ),
    h("td", {}, formatP(row.bh)),
    h("td", {}, formatP(row.by)),
    h("td", {}, row.tested === 0 ? "–" : `${row.significant} (${row.significantBH})`),
    h("td", {}, row.tested),
    h("td", {}, row.undefinedP),
    h("td", { class: "text asks" }, shortMeaning(row.meaning ?? IMPORTANCE_MEANINGS[measure] ?? "")),
  );
}

const shortMeaning = (meaning: string): string => meaning.replace(/^the subcluster's units /, "its units ");

function effect({ effect: value, effectError }: NetworkEntry): Child {
  if (value === null)
    return h("span", { title: "Values around 0 have no effect; subclusters have z in its place." }, "–");
  return `${decimals(value, 2)} ± ${decimals(effectError, 2)}`;
}
