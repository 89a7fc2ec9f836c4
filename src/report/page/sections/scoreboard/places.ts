/** Where subclusters stand in the picture. No DOM. */
import {
  type Adjustment,
  isSignificant,
  type Placed,
  placed,
  type Reading,
  type Scale,
} from "../../measures.ts";
import type { Row, Shown } from "./rows.ts";

/** By which of the measures shown a subcluster is significant. */
export type Standing = "both" | "important" | "coherent" | "neither";

export interface PictureView extends Shown {
  readonly scale: Scale;
  readonly by: Adjustment;
}

/** A row with its place; `y` is null in a strip. */
export interface Mark {
  readonly row: Row;
  readonly name: string;
  readonly x: Placed;
  readonly y: Placed;
  readonly standing: Standing;
}

/** The marks of a view; what is undefined on an axis has none. */
export function marksOf(rows: readonly Row[], view: PictureView): readonly Mark[] {
  return rows.flatMap((row) => {
    const x = view.importance ? at(row.importance, view.scale) : at(row.coherence, view.scale);
    const y = view.importance && view.coherence ? at(row.coherence, view.scale) : strip(row);
    if (x === null || y === null) return [];
    const isImportant = isSignificant(row.importance, view.by);
    const isCoherent = isSignificant(row.coherence, view.by);
    const standing: Standing =
      isImportant && isCoherent ? "both" : isImportant ? "important" : isCoherent ? "coherent" : "neither";
    return [{ row, name: `${row.entry.layer} · cluster ${row.entry.cluster}`, x, y, standing }];
  });
}

/** What has no p is not compared with chance: a class range within the noise. */
const at = (reading: Reading | null, scale: Scale): Placed | null =>
  reading === null || reading.p === null ? null : placed(reading, scale);

/** Along the layer, the clusters of it a little below each other. */
const strip = ({ layerNumber, entry }: Row): Placed => ({
  value: layerNumber + ((entry.cluster % 5) - 2) * 0.13,
  low: null,
  high: null,
});

interface Band {
  readonly low: number;
  readonly high: number;
}

/** Where nine in ten random sets lie on scales that all subclusters share: the median of their bounds. */
export function chanceBand(
  marks: readonly Mark[],
  scale: Scale,
): { readonly x: Band | null; readonly y: Band | null } {
  const band = (places: readonly Placed[]): Band | null => {
    const lows = places.flatMap(({ low }) => (low === null ? [] : [low]));
    const highs = places.flatMap(({ high }) => (high === null ? [] : [high]));
    return lows.length === 0 ? null : { low: median(lows), high: median(highs) };
  };
  if (scale === "amount") return { x: null, y: null };
  return { x: band(marks.map(({ x }) => x)), y: band(marks.map(({ y }) => y)) };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
