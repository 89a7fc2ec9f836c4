/**
 * Squared correlations of units over samples (method note 3.6): rows standardised to mean 0 and length 1, so that the
 * correlation matrix is Z Z^T. Squares, clipping, the mirror image and the zero diagonal belong to the epilogue of each
 * panel of the product, which writes the result once.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import { multiplyPanels, type ProductPanel, panelSteps } from "./correlation-panels.ts";
import type { Matmul } from "./matmul.ts";

/** Rows and columns of the rectangles that are mirrored at once: 8 kB, so that both images stay in the fast caches. */
const MIRROR_ROWS = 128;
const MIRROR_COLUMNS = 16;

/** See `Compute.correlations`. `values` is units x samples; it is standardised in place, a large array less. */
export async function correlations(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
): Promise<Correlations> {
  const counter = new StepCounter("correlations", panelSteps(units), options);
  const result = new Float32Array(units * units);
  const isDead = await multiplyPanels(matmul, values, units, samples, method, counter, (panel) => {
    writePanel(result, units, panel);
  });
  return { units, values: result, isDead };
}

/**
 * Squares a panel into both triangles of `result`; what the panel holds above the diagonal may differ in the last bit
 * and is not read.
 */
function writePanel(
  result: Float32Array,
  units: number,
  { firstRow, rows, firstColumn, columns, product }: ProductPanel,
): void {
  // Rows of the panel count from its first column, so that the diagonal is where both numbers are equal.
  const skipped = firstRow - firstColumn;
  for (let row = skipped; row < skipped + rows; row += MIRROR_ROWS) {
    const rowEnd = Math.min(skipped + rows, row + MIRROR_ROWS);
    for (let column = 0; column < Math.min(columns, rowEnd); column += MIRROR_COLUMNS) {
      const columnEnd = Math.min(columns, column + MIRROR_COLUMNS);
      for (let i = row; i < rowEnd; i++) {
        const from = (i - skipped) * columns;
        const to = (firstColumn + i) * units + firstColumn;
        const end = Math.min(columnEnd, i);
        for (let j = column; j < end; j++) {
          const value = product[from + j] as number;
          const square = value * value;
          result[to + j] = product[from + j] = square > 1 ? 1 : square;
        }
      }
      for (let j = column; j < columnEnd; j++) {
        const to = (firstColumn + j) * units + firstColumn;
        for (let i = Math.max(row, j + 1); i < rowEnd; i++) {
          result[to + i] = product[(i - skipped) * columns + j] as number;
        }
      }
    }
  }
}
