/** The rows of the scoreboard: what they hold, which are shown, in what order. No DOM. */
import type { ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";
import {
  type Adjustment,
  isSignificant,
  type MeasureChoice,
  type Reading,
  readingOf,
} from "../../measures.ts";

/** The measures that the section shows now; null where a kind was not scored. */
export interface Shown {
  readonly importance: MeasureChoice | null;
  readonly coherence: MeasureChoice | null;
}

export interface Row {
  /** Its place in the document. */
  readonly number: number;
  readonly entry: SubclusterEntry;
  readonly layerNumber: number;
  readonly importance: Reading | null;
  readonly coherence: Reading | null;
  readonly worst: WorstClass | null;
}

/** The class whose accuracy falls most. */
export interface WorstClass {
  readonly label: number;
  readonly change: number;
}

/** A row for each scored subcluster. */
export function rowsOf(
  scores: ScoresDocument,
  shown: Shown,
  layerNumber: (name: string) => number,
): readonly Row[] {
  const intact = scores.baseline?.classAccuracy ?? [];
  const read = (entry: SubclusterEntry, measure: MeasureChoice | null): Reading | null =>
    measure && readingOf(entry, measure, scores);
  return scores.subclusters.map((entry, number) => ({
    number,
    entry,
    layerNumber: layerNumber(entry.layer),
    importance: read(entry, shown.importance),
    coherence: read(entry, shown.coherence),
    worst: worstClass(entry.importance?.classAccuracy ?? [], intact),
  }));
}

/** Null where no class's accuracy falls. */
export function worstClass(
  lesioned: readonly (number | null)[],
  intact: readonly (number | null)[],
): WorstClass | null {
  let worst: WorstClass | null = null;
  lesioned.forEach((accuracy, label) => {
    const before = intact[label] ?? null;
    if (accuracy === null || before === null) return;
    const change = accuracy - before;
    if (change < (worst?.change ?? 0)) worst = { label, change };
  });
  return worst;
}

/** What the table is narrowed down to; null and "" = all. */
export interface Filter {
  readonly layer: string | null;
  readonly cluster: number | null;
  readonly isSignificantOnly: boolean;
  /** Words that must all occur in a row's names. */
  readonly text: string;
}

export const NO_FILTER: Filter = { layer: null, cluster: null, isSignificantOnly: false, text: "" };

/** Whether a row is significant by one of the measures shown. */
export const isRowSignificant = (row: Row, by: Adjustment): boolean =>
  isSignificant(row.importance, by) || isSignificant(row.coherence, by);

export function filterRows(
  rows: readonly Row[],
  { layer, cluster, isSignificantOnly, text }: Filter,
  by: Adjustment,
  className: (label: number) => string,
): readonly Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (layer !== null && row.entry.layer !== layer) return false;
    if (cluster !== null && row.entry.cluster !== cluster) return false;
    if (isSignificantOnly && !isRowSignificant(row, by)) return false;
    const worst = row.worst === null ? "" : className(row.worst.label);
    const names = `${row.entry.layer} cluster ${row.entry.cluster} ${worst}`.toLowerCase();
    return words.every((word) => names.includes(word));
  });
}

export interface Order {
  readonly key: string;
  readonly isDescending: boolean;
}

/** Sorted by a column; what is undefined comes last either way, and ties stay in the document's order. */
export function sortRows(
  rows: readonly Row[],
  value: (row: Row) => number | string | null,
  isDescending: boolean,
): readonly Row[] {
  const sign = isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: value(row) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) {
        return Number(a.key === null) - Number(b.key === null) || a.row.number - b.row.number;
      }
      return sign * compare(a.key, b.key) || a.row.number - b.row.number;
    })
    .map(({ row }) => row);
}

const compare = (a: number | string, b: number | string): number =>
  typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
