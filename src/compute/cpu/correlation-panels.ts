/**
 * The product of rows with each other in panels on and below the diagonal, one at a time, for those who write it out
 * (`correlations` of standardised rows, `distances`) and those who keep the largest of it (`topCorrelations`).
 */
import type { StepCounter } from "../../progress.ts";
import type { CorrelationMethod } from "../compute.ts";
import type { Matmul } from "./matmul.ts";
import { makeStandardiser } from "./standardise.ts";

/**
 * Columns of one product. The rows below the diagonal are its left factor, the larger one (see `Matmul`): a product of
 * 4096 x 128 runs at 202 GFLOP/s where one of 256 x 4096 runs at 180, and only 3 % of it lies above the diagonal.
 */
const PANEL_COLUMNS = 128;
/** Rows of one product at the most, which bounds a panel to 8 MB whatever the number of units. */
const PANEL_ROWS = 16384;
/** Rows standardised between two looks at the abort signal. */
const STANDARDISE_ROWS = 256;

/** A product of rows; panels come by column and then by row, and cover the lower triangle. */
export interface ProductPanel {
  /** Number of the first row; not before `firstColumn`. */
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly columns: number;
  /** Inner products, rows x columns; scratch space of whoever is given it. */
  readonly product: Float32Array;
}

/** Steps that `standardiseRows` counts. */
export function standardiseSteps(units: number): number {
  return Math.ceil(units / STANDARDISE_ROWS);
}

/** Steps that `multiplyPanels` counts. */
export function panelSteps(rows: number): number {
  let panels = 0;
  for (let first = 0; first < rows; first += PANEL_COLUMNS) panels += Math.ceil((rows - first) / PANEL_ROWS);
  return panels;
}

/**
 * Standardises `values` (units x samples) in place. Returns 1 for each unit that does not vary or is not finite; its
 * products are 0.
 */
export function standardiseRows(
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  counter: StepCounter,
): Uint8Array {
  const isDead = new Uint8Array(units);
  const standardise = makeStandardiser(samples, method);
  for (let first = 0; first < units; first += STANDARDISE_ROWS) {
    standardise(values, first, Math.min(units, first + STANDARDISE_ROWS), isDead);
    counter.advance(1);
  }
  return isDead;
}

/** Multiplies the rows of `values` (count x width) with each other and gives every panel of the product to `take`. */
export async function multiplyPanels(
  matmul: Matmul,
  values: Float32Array,
  count: number,
  width: number,
  counter: StepCounter,
  take: (panel: ProductPanel) => void,
): Promise<void> {
  const space = new Float32Array(Math.min(PANEL_ROWS, count) * Math.min(PANEL_COLUMNS, count));
  const rowsFrom = (first: number, rows: number) => ({
    rows,
    columns: width,
    values: values.subarray(first * width, (first + rows) * width),
  });
  for (let firstColumn = 0; firstColumn < count; firstColumn += PANEL_COLUMNS) {
    const columns = Math.min(PANEL_COLUMNS, count - firstColumn);
    for (let firstRow = firstColumn; firstRow < count; firstRow += PANEL_ROWS) {
      const rows = Math.min(PANEL_ROWS, count - firstRow);
      const product = space.subarray(0, rows * columns);
      await matmul.multiply("ABt", rowsFrom(firstRow, rows), rowsFrom(firstColumn, columns), product);
      take({ firstRow, rows, firstColumn, columns, product });
      counter.advance(1);
    }
  }
}
