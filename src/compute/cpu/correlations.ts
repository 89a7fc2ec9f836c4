/**
 * Squared correlations of units over samples (method note 3.6): rows standardised to mean 0 and length 1, so that the
 * correlation matrix is Z Z^T. Only the panels left of the diagonal are multiplied; squares, clipping, the mirror
 * image and the zero diagonal belong to the epilogue of each panel, which writes the result once.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import type { Matmul } from "./matmul.ts";
import { rankerFor } from "./ranks.ts";

/**
 * Columns of one product. All rows below the diagonal are its left factor, the larger one (see `Matmul`): a product of
 * 4096 x 128 runs at 202 GFLOP/s where one of 256 x 4096 runs at 180, and only 3 % of it lies above the diagonal.
 */
const PANEL_COLUMNS = 128;
/** Rows and columns of the rectangles that are mirrored at once: 8 kB, so that both images stay in the fast caches. */
const MIRROR_ROWS = 128;
const MIRROR_COLUMNS = 16;
/** Rows standardised between two looks at the abort signal. */
const STANDARDISE_ROWS = 256;

/** See `Compute.correlations`. `values` is units x samples; it is standardised in place, a large array less. */
export async function correlations(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
): Promise<Correlations> {
  const steps = Math.ceil(units / STANDARDISE_ROWS) + Math.ceil(units / PANEL_COLUMNS);
  const counter = new StepCounter("correlations", steps, options);
  const isDead = new Uint8Array(units);
  const standardise = makeStandardiser(samples, method);
  for (let first = 0; first < units; first += STANDARDISE_ROWS) {
    const end = Math.min(units, first + STANDARDISE_ROWS);
    standardise(values, first, end, isDead);
    counter.advance(1);
  }

  const result = new Float32Array(units * units);
  const panel = new Float32Array(units * Math.min(PANEL_COLUMNS, units));
  for (let first = 0; first < units; first += PANEL_COLUMNS) {
    const rows = units - first;
    const columns = Math.min(PANEL_COLUMNS, rows);
    const rest = values.subarray(first * samples, units * samples);
    const product = panel.subarray(0, rows * columns);
    await matmul.multiply(
      "ABt",
      { rows, columns: samples, values: rest },
      { rows: columns, columns: samples, values: rest.subarray(0, columns * samples) },
      product,
    );
    writePanel(result, units, first, columns, product);
    counter.advance(1);
  }
  return { units, values: result, isDead };
}

/**
 * A function that standardises the rows of units first ... end - 1 (mean 0, length 1). Rows that cannot be correlated,
 * as their values are all equal or not all finite, become zeros and are marked in `isDead`.
 */
function makeStandardiser(
  samples: number,
  method: CorrelationMethod,
): (values: Float32Array, first: number, end: number, isDead: Uint8Array) => void {
  const rank = method === "spearman" ? rankerFor(samples) : undefined;
  return (values, first, end, isDead) => {
    for (let unit = first; unit < end; unit++) {
      const row = values.subarray(unit * samples, (unit + 1) * samples);
      let mean = rowMean(row);
      let isAlive = Number.isFinite(mean);
      if (isAlive && rank !== undefined) {
        rank(row, row);
        // Ties keep the sum of the ranks.
        mean = (samples + 1) / 2;
      }
      isAlive &&= scaleRow(row, mean);
      if (!isAlive) {
        row.fill(0);
        isDead[unit] = 1;
      }
    }
  };
}

/**
 * Mean in float64; not finite if and only if one of the values is not, as float32 terms cannot overflow the sum. Four
 * sums at once, because one would wait for each addition before the next.
 */
function rowMean(row: Float32Array): number {
  const { length } = row;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    a += row[i] as number;
    b += row[i + 1] as number;
    c += row[i + 2] as number;
    d += row[i + 3] as number;
  }
  for (; i < length; i++) a += row[i] as number;
  return (a + b + (c + d)) / length;
}

/** Replaces values by their deviations from the mean, scaled to length 1; false if all values are equal. */
function scaleRow(row: Float32Array, mean: number): boolean {
  if (isConstant(row)) return false;
  const { length } = row;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const first = (row[i] as number) - mean;
    const second = (row[i + 1] as number) - mean;
    const third = (row[i + 2] as number) - mean;
    const fourth = (row[i + 3] as number) - mean;
    a += first * first;
    b += second * second;
    c += third * third;
    d += fourth * fourth;
  }
  for (; i < length; i++) a += ((row[i] as number) - mean) ** 2;
  const scale = 1 / Math.sqrt(a + b + (c + d));
  for (i = 0; i < length; i++) row[i] = ((row[i] as number) - mean) * scale;
  return true;
}

function isConstant(row: Float32Array): boolean {
  const first = row[0];
  for (let i = 1; i < row.length; i++) if (row[i] !== first) return false;
  return true;
}

/**
 * Squares a panel (units first ... units - 1 against units first ... first + columns - 1) into both triangles of
 * `result`; what the panel holds above the diagonal may differ in the last bit and is not read.
 */
function writePanel(
  result: Float32Array,
  units: number,
  first: number,
  columns: number,
  panel: Float32Array,
): void {
  const rows = units - first;
  for (let row = 0; row < rows; row += MIRROR_ROWS) {
    const rowEnd = Math.min(rows, row + MIRROR_ROWS);
    for (let column = 0; column < Math.min(columns, rowEnd); column += MIRROR_COLUMNS) {
      const columnEnd = Math.min(columns, column + MIRROR_COLUMNS);
      for (let i = row; i < rowEnd; i++) {
        const from = i * columns;
        const to = (first + i) * units + first;
        const end = Math.min(columnEnd, i);
        for (let j = column; j < end; j++) {
          const value = panel[from + j] as number;
          const square = value * value;
          result[to + j] = panel[from + j] = square > 1 ? 1 : square;
        }
      }
      for (let j = column; j < columnEnd; j++) {
        const to = (first + j) * units + first;
        for (let i = Math.max(row, j + 1); i < rowEnd; i++) result[to + i] = panel[i * columns + j] as number;
      }
    }
  }
}
