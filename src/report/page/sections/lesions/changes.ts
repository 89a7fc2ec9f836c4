/** What lesions do to classes, as a table of changes: its columns, their order, its scale. No DOM. */
import type { ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";

/** A subcluster with the change of each class's accuracy by its lesion. */
export interface LesionColumn {
  readonly entry: SubclusterEntry;
  readonly layerNumber: number;
  /** By label; null without inputs of the class. */
  readonly changes: readonly (number | null)[];
  /** By label: whether the change is within the noise of so many inputs. */
  readonly isNoise: readonly boolean[];
}

export function lesionColumns(
  { subclusters, baseline }: ScoresDocument,
  layerNumber: (name: string) => number,
): readonly LesionColumn[] {
  const intact = baseline?.classAccuracy ?? [];
  return subclusters.flatMap((entry) => {
    const { importance } = entry;
    if (!importance) return [];
    const changes = intact.map((before, label) => {
      const after = importance.classAccuracy[label] ?? null;
      return before === null || after === null ? null : after - before;
    });
    const isNoise = intact.map((_, label) => importance.profile.classDrop[label] === 0);
    return [{ entry, layerNumber: layerNumber(entry.layer), changes, isNoise }];
  });
}

/** The classes to show, by label, and how many are left out: those that change least, where there are too many. */
export function shownClasses(
  columns: readonly LesionColumn[],
  most: number,
): { readonly labels: readonly number[]; readonly left: number } {
  const count = Math.max(0, ...columns.map(({ changes }) => changes.length));
  const largest = Array.from({ length: count }, (_, label) => ({
    label,
    // -1 where no lesion has a change of it: a class without inputs.
    change: Math.max(-1, ...columns.map(({ changes }) => Math.abs(changes[label] ?? -1))),
  })).filter(({ label }) => columns.some(({ changes }) => typeof changes[label] === "number"));
  const labels = largest
    .sort((a, b) => b.change - a.change || a.label - b.label)
    .slice(0, most)
    .map(({ label }) => label)
    .sort((a, b) => a - b);
  return { labels, left: largest.length - labels.length };
}

/** By layer, then cluster. */
export const byLayer = (columns: readonly LesionColumn[]): readonly LesionColumn[] =>
  [...columns].sort((a, b) => a.layerNumber - b.layerNumber || a.entry.cluster - b.entry.cluster);

/**
 * Alike ones side by side: from the one whose lesion changes most, always the nearest to either end of the row so far. Lesions
 * that change nothing beyond the noise come last, by layer.
 */
export function bySimilarity(columns: readonly LesionColumn[]): readonly LesionColumn[] {
  const vectors = new Map(columns.map((column) => [column, profile(column)]));
  const sizes = new Map(columns.map((column) => [column, distance(vectors.get(column) ?? [], [])]));
  const size = (column: LesionColumn): number => sizes.get(column) ?? 0;
  const left = byLayer(columns.filter((column) => size(column) > 0));
  const idle = byLayer(columns.filter((column) => size(column) === 0));
  const start = left.reduce<LesionColumn | null>((a, b) => (a === null || size(b) > size(a) ? b : a), null);
  if (start === null) return idle;
  const row = [start];
  const rest = new Set(left);
  rest.delete(start);
  while (rest.size > 0) {
    const [first, last] = [vectors.get(row[0] as LesionColumn), vectors.get(row.at(-1) as LesionColumn)];
    let best: { readonly column: LesionColumn; readonly far: number; readonly isFirst: boolean } | null =
      null;
    for (const column of rest) {
      const vector = vectors.get(column) ?? [];
      const [toFirst, toLast] = [distance(vector, first ?? []), distance(vector, last ?? [])];
      const far = Math.min(toFirst, toLast);
      if (best === null || far < best.far) best = { column, far, isFirst: toFirst < toLast };
    }
    if (best === null) break;
    if (best.isFirst) row.unshift(best.column);
    else row.push(best.column);
    rest.delete(best.column);
  }
  return [...row, ...idle];
}

/** Changes beyond the noise. */
const profile = ({ changes, isNoise }: LesionColumn): number[] =>
  changes.map((change, label) => (isNoise[label] ? 0 : (change ?? 0)));

function distance(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += ((one[at] ?? 0) - (other[at] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** Steps of colour on either side of 0. */
export const STEPS = 8;

const LIMITS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];

/** The change at which the colour is strongest: 99 % of the cells lie within it; and how many lie beyond. */
export function scaleOf(
  columns: readonly LesionColumn[],
  labels: readonly number[],
): { readonly limit: number; readonly beyond: number } {
  const sizes = columns
    .flatMap(({ changes }) => labels.flatMap((label) => Math.abs(changes[label] ?? 0)))
    .sort((a, b) => a - b);
  const reach = sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 0;
  const limit = LIMITS.find((each) => each >= reach) ?? 1;
  return { limit, beyond: sizes.filter((size) => size > limit).length };
}

/** Step of colour of a change: 0 around 0, negative where accuracy falls. */
export const stepOf = (change: number, limit: number): number =>
  Math.max(-STEPS, Math.min(STEPS, Math.round((change / limit) * STEPS))) + 0;
