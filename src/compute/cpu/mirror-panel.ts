import type { ProductPanel } from "./correlation-panels.ts";

/** Rows and columns of the rectangles that are mirrored at once: 8 kB, so that both images stay in the fast caches. */
const MIRROR_ROWS = 128;
const MIRROR_COLUMNS = 16;

/** Turns the products of one row with columns `firstColumn` on, at `start` ... `end - 1`, into what is written, in place. */
export type ConvertRun = (
  product: Float32Array,
  start: number,
  end: number,
  row: number,
  firstColumn: number,
) => void;

/**
 * Writes a panel, converted, into both triangles of `result`, count x count; what the panel holds above the diagonal may
 * differ in the last bit and is not read, and the diagonal stays as it is.
 */
export function mirrorPanel(
  result: Float32Array,
  count: number,
  { firstRow, rows, firstColumn, columns, product }: ProductPanel,
  convert: ConvertRun,
): void {
  // Rows of the panel count from its first column, so that the diagonal is where both numbers are equal.
  const skipped = firstRow - firstColumn;
  for (let row = skipped; row < skipped + rows; row += MIRROR_ROWS) {
    const rowEnd = Math.min(skipped + rows, row + MIRROR_ROWS);
    for (let column = 0; column < Math.min(columns, rowEnd); column += MIRROR_COLUMNS) {
      const columnEnd = Math.min(columns, column + MIRROR_COLUMNS);
      for (let i = row; i < rowEnd; i++) {
        const from = (i - skipped) * columns;
        const to = (firstColumn + i) * count + firstColumn;
        const end = Math.min(columnEnd, i);
        if (column >= end) continue;
        convert(product, from + column, from + end, firstColumn + i, firstColumn + column);
        for (let j = column; j < end; j++) result[to + j] = product[from + j] as number;
      }
      for (let j = column; j < columnEnd; j++) {
        const to = (firstColumn + j) * count + firstColumn;
        for (let i = Math.max(row, j + 1); i < rowEnd; i++) {
          result[to + i] = product[(i - skipped) * columns + j] as number;
        }
      }
    }
  }
}
