/** What was found of a subcluster, in plain words. */
import type { ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";
import { count, digits, formatP, percent, plural } from "../../format.ts";
import { coherenceRows, hitsOf, importanceRows, type MeasureRow, points, verdictOf } from "./measures.ts";

/** A change of accuracy below this is none for a reader. */
const NOTHING = 0.0005;

/** What the lesion does, against random groups; null where importance was not scored. */
export function lesionSentence(entry: SubclusterEntry, scores: ScoresDocument): string | null {
  const { importance, units } = entry;
  if (importance === undefined) return null;
  const rows = importanceRows(entry).rows;
  const row = rows.find(({ name }) => name === "accuracy") ?? rows.find(({ name }) => name === "loss");
  const these = units.length === 1 ? "this unit" : `these ${count(units.length)} units`;
  if (row === undefined) return `What a lesion of ${these} does could not be measured.`;
  const against = againstGroups(row, entry, scores);
  return `Lesioning ${these} ${effectOf(row, scores, importance.meanClassAccuracy)}${against === "" ? "" : `; ${against}`}.`;
}

function effectOf(
  { name, spread: { amount } }: MeasureRow,
  { baseline }: ScoresDocument,
  after: number | null,
): string {
  const change = amount ?? 0;
  if (name === "loss") {
    return change > 0 ? `adds ${digits(change)} to the loss` : "does not raise the loss";
  }
  if (Math.abs(change) < NOTHING) return "leaves the accuracy as it is";
  const before = after === null || baseline === undefined ? null : after + change;
  const way =
    before === null || after === null
      ? "mean over classes"
      : `${percent(before)} → ${percent(after)}, mean over classes`;
  return change > 0
    ? `costs ${points(change)} of accuracy (${way})`
    : `gains ${points(-change)} of accuracy (${way})`;
}

/** "2 of 199 random groups of the same size do as much (p .015)". */
export function againstGroups(row: MeasureRow, entry: SubclusterEntry, scores: ScoresDocument): string {
  if (row.p === null) return "";
  const hits = scores.sequential === true ? null : hitsOf(row.p, row.groups);
  if (hits === null || row.groups === null)
    return `p ${formatP(row.p)} against random groups of the same size`;
  const kind = siblingsOf(entry, scores) > 0 ? "groups of the same size" : "random groups of the same size";
  const verb = hits > 1 ? "do" : "does";
  const whose = hits === 0 ? "none" : count(hits);
  return `${whose} of ${count(row.groups)} ${kind} ${verb} as much (p ${formatP(row.p)})`;
}

/** Other subclusters of the layer that have as many units: they are compared with as well. */
export function siblingsOf({ layer, units, cluster }: SubclusterEntry, scores: ScoresDocument): number {
  if (scores.protocol === "paper") return 0;
  return scores.subclusters.filter(
    (other) => other.layer === layer && other.cluster !== cluster && other.units.length === units.length,
  ).length;
}

/** Whether what the lesion does holds after correction for all subclusters; null where there is no verdict. */
export function verdictSentence(entry: SubclusterEntry, scores: ScoresDocument): string | null {
  const { rows } = importanceRows(entry);
  if (rows.every(({ p }) => p === null)) return null;
  const tested = plural(scores.subclusters.length, "subcluster");
  const sure = rows.filter((row) => verdictOf(row) === "stands out");
  if (sure.length > 0) {
    const list = listOf(sure.map(({ label, q }) => `${label.toLowerCase()} (q ${formatP(q)})`));
    return `Corrected for all ${tested}, it matters more than chance: ${list}.`;
  }
  const small = rows.filter((row) => verdictOf(row) === "only before correction");
  if (small.length === 0) return "Random groups of units do as much: no sign that this one matters more.";
  const list = listOf(small.map(({ label, p }) => `${label.toLowerCase()} (p ${formatP(p)})`));
  return `Taken alone, ${list} would be more than chance; corrected for all ${tested}, it is not.`;
}

/** The class that is hit most; null where classes are unknown. */
export function classSentence(
  { importance }: SubclusterEntry,
  { baseline }: ScoresDocument,
  className: (label: number) => string,
): string | null {
  const drops = importance?.profile.classDrop ?? [];
  if (importance === undefined || drops.length === 0) return null;
  const worst = drops.reduce<number>((most, drop, at) => ((drop ?? 0) > (drops[most] ?? 0) ? at : most), 0);
  if ((drops[worst] ?? 0) <= 0) return "No class loses more accuracy than the noise.";
  const before = baseline?.classAccuracy[worst];
  const after = importance.classAccuracy[worst];
  return `Class ${className(worst)} is hit most beyond the noise: ${percent(before)} → ${percent(after)}.`;
}

/** By which measures its units belong together. */
export function coherenceSentence(entry: SubclusterEntry, scores: ScoresDocument): string | null {
  const { rows } = coherenceRows(entry, scores);
  const tested = rows.filter(({ p }) => p !== null);
  if (tested.length === 0) return null;
  const sure = tested
    .filter((row) => verdictOf(row) === "stands out")
    .map(({ label }) => label.toLowerCase());
  return sure.length === 0
    ? "No measure of coherence sets its units apart from random groups."
    : `Its units belong together by ${plural(sure.length, "measure")} of ${tested.length}: ${listOf(sure)}.`;
}

/** What the inputs that drive it have in common; null without classes. */
export function inputsSentence(
  labels: readonly (number | null)[],
  className: (label: number) => string,
): string | null {
  const times = new Map<number, number>();
  for (const label of labels) if (label !== null) times.set(label, (times.get(label) ?? 0) + 1);
  const [most] = [...times].sort(([, one], [, other]) => other - one);
  if (most === undefined) return null;
  const [label, hits] = most;
  return hits * 2 > labels.length
    ? `${hits} of the ${labels.length} inputs that drive it most are of class ${className(label)}.`
    : `The ${labels.length} inputs that drive it most are of ${plural(times.size, "class").replace("classs", "classes")}.`;
}

/** "a", "a and b", "a, b and c". */
export function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
