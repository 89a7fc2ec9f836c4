/**
 * The product Z Z^T of standardised rows in panels on and below the diagonal, one at a time, for those who write it out
 * (`correlations`) and those who keep the largest of it (`topCorrelations`).
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
  /** Unit of the first row; not before `firstColumn`. */
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly columns: number;
  /** Correlations, rows x columns; scratch space of whoever is given it. */
  readonly product: Float32Array;
}

/** Steps that `multiplyPanels` counts. */
export function panelSteps(units: number): number {
  let panels = 0;
  for (let first = 0; first < units; first += PANEL_COLUMNS)
    panels += Math.ceil((units - first) / PANEL_ROWS);
  return Math.ceil(units / STANDARDISE_ROWS) + panels;
}

/**
 * Standardises `values` (units x samples) in place and gives every panel of the product to `take`. Returns 1 for each
 * unit that does not vary or is not finite; its products are 0.
 */
export async function multiplyPanels(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  counter: StepCounter,
  take: (panel: ProductPanel) => void,
): Promise<Uint8Array> {
  const isDead = new Uint8Array(units);
  const standardise = makeStandardiser(samples, method);
  for (let first = 0; first < units; first += STANDARDISE_ROWS) {
    const end = Math.min(units, first + STANDARDISE_ROWS);
    standardise(values, first, end, isDead);
    counter.advance(1);
  }
  const space = new Float32Array(Math.min(PANEL_ROWS, units) * Math.min(PANEL_COLUMNS, units));
  const rowsFrom = (first: number, count: number) => ({
    rows: count,
    columns: samples,
    values: values.subarray(first * samples, (first + count) * samples),
  });
  for (let firstColumn = 0; firstColumn < units; firstColumn += PANEL_COLUMNS) {
    const columns = Math.min(PANEL_COLUMNS, units - firstColumn);
    for (let firstRow = firstColumn; firstRow < units; firstRow += PANEL_ROWS) {
      const rows = Math.min(PANEL_ROWS, units - firstRow);
      const product = space.subarray(0, rows * columns);
      await matmul.multiply("ABt", rowsFrom(firstRow, rows), rowsFrom(firstColumn, columns), product);
      take({ firstRow, rows, firstColumn, columns, product });
      counter.advance(1);
    }
  }
  return isDead;
}
