/** Where the cells of a heatmap lie. */
import type { Context } from "../../context.ts";
import type { LesionColumn } from "./changes.ts";

export interface Heatmap {
  readonly columns: readonly LesionColumn[];
  readonly labels: readonly number[];
  readonly limit: number;
  /** Whether columns of a layer stand together under its name. */
  readonly isByLayer: boolean;
}

export interface Layout {
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Left edges of the columns. */
  readonly starts: readonly number[];
  readonly width: number;
  readonly height: number;
}

/** Between layers. */
export const GAP = 10;
const NARROWEST = 16;

/** In the given width where that suffices; wider where columns would become too narrow. */
export function layOut(
  { className }: Context,
  { columns, labels, isByLayer }: Heatmap,
  width: number,
): Layout {
  const longest = Math.max(...labels.map((label) => className(label).length));
  const left = Math.max(56, Math.min(width < 520 ? 90 : 150, longest * 7 + 12));
  const gaps = columns.map((column, at): number =>
    isByLayer && at > 0 && column.layerNumber !== columns[at - 1]?.layerNumber ? GAP : 0,
  );
  const spaced = gaps.reduce((sum, gap) => sum + gap, 0);
  const room = (width - left - spaced - 4) / Math.max(1, columns.length);
  const cellWidth = Math.floor(Math.max(NARROWEST, Math.min(44, room)));
  let x = left;
  const starts = gaps.map((gap) => {
    x += gap;
    const start = x;
    x += cellWidth;
    return start;
  });
  const cellHeight = labels.length <= 20 ? 24 : 15;
  const top = 46;
  return {
    left,
    top,
    cellWidth,
    cellHeight,
    starts,
    width: x + 4,
    height: top + labels.length * cellHeight + 4,
  };
}
