/** What the scoreboard's numbers mean, in sentences. No DOM. */
import type { NetworkEntry, ScoresDocument } from "../../../scores-document.ts";
import { count, plural } from "../../format.ts";
import type { MeasureChoice } from "../../measures.ts";
import type { PictureView } from "./places.ts";

/** How many subclusters stand out by one measure. */
export function countSentence({ kind, label }: MeasureChoice, row: NetworkEntry): string {
  const { tested, significant, significantBH } = row;
  if (tested === 0) return `No subcluster could be tested for ${kind} (${label}).`;
  const isOne = significant <= 1;
  const stands =
    kind === "importance"
      ? `${isOne ? "does" : "do"} more harm (${label}) when lesioned than random sets`
      : `${isOne ? "is" : "are"} more coherent (${label}) than random sets`;
  const alike = `of ${isOne ? "its" : "their"} layer and size`;
  const of = `of ${plural(tested, "subcluster")} tested`;
  if (significant === 0 && significantBH === 0) {
    return `None ${of} ${stands} ${alike}, by Benjamini-Yekutieli or by Benjamini-Hochberg.`;
  }
  const lenient =
    significantBH === significant
      ? "as many by Benjamini-Hochberg"
      : `${count(significantBH)} by the more lenient Benjamini-Hochberg`;
  return `${significant === 0 ? "None" : count(significant)} ${of} ${stands} ${alike} by Benjamini-Yekutieli, ${lenient}.`;
}

/** What was left out, and how to read the verdicts. */
export function caveats(
  scores: ScoresDocument,
  measures: readonly (readonly [MeasureChoice, NetworkEntry])[],
): readonly string[] {
  const { filtered, shuffles } = scores;
  const undefinedOnes = measures.flatMap(([{ label, name }, { undefinedP }]) =>
    undefinedP === 0
      ? []
      : [
          `${plural(undefinedP, "subcluster")} ${undefinedP === 1 ? "has" : "have"} no p for ${label}${
            name === "classRange" ? ": the change is within the noise of so many inputs" : ""
          }.`,
        ],
  );
  return [
    "A q of at most .05 counts as significant: of those so named, no more than one in twenty is expected to be chance. Benjamini-Yekutieli holds whatever depends on what, Benjamini-Hochberg only where the tests do not pull against each other.",
    `What is not significant may still matter to the network: random sets of the same layer and size, ${count(shuffles)} of them, just matter as much.`,
    ...undefinedOnes,
    ...(filtered > 0
      ? [
          `${plural(filtered, "subcluster")} of a single unit or of nearly a whole layer ${filtered === 1 ? "was" : "were"} not tested.`,
        ]
      : []),
  ];
}

/** What the picture shows, how its nulls are drawn, and what it leaves out. */
export function pictureCaption({ importance, coherence, scale }: PictureView, missing: number): string {
  const isStrip = importance === null || coherence === null;
  const what = isStrip
    ? "Every mark is a subcluster, in the row of its layer."
    : "Every mark is a subcluster: to the right it matters more, higher up its units act more as one.";
  const chance = {
    z: "Grey: where nine in ten random sets of the same layer and size lie (median over subclusters); lines show the same for a mark that is pointed at or, where there is room, selected.",
    effect:
      "1 is no more than chance, 2 is all of it. Grey: where nine in ten random sets lie (median over subclusters); lines show the same for a mark that is pointed at or, where there is room, selected.",
    amount:
      "Lines: where nine in ten random sets of the same layer and size lie, from their 5 % to their 95 % quantile; where there are many marks, only for the one that is pointed at.",
  }[scale];
  const left =
    missing === 0
      ? ""
      : ` ${plural(missing, "subcluster")} cannot be shown: undefined for these measures on this scale.`;
  return `${what} ${chance}${left}`;
}
