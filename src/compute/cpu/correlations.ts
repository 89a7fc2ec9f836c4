/**
 * Squared correlations of units over samples (method note 3.6): rows standardised to mean 0 and length 1, so that the
 * correlation matrix is Z Z^T. Only the panels right of the diagonal are multiplied; squares, clipping, the mirror
 * image and the zero diagonal belong to the epilogue of each panel, which writes the result once.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import type { Matmul } from "./matmul.ts";
import { rankerFor } from "./ranks.ts";

/** Rows of one product: large enough for full speed, small enough that little lies below the diagonal. */
const PANEL_ROWS = 256;
/** Side of the squares that are mirrored at once; 4 kB, so both images stay in the first-level cache. */
const MIRROR_SIDE = 32;
/** Rows standardised between two looks at the abort signal. */
const STANDARDISE_ROWS = 256;

/** See `Compute.correlations`. `values` is units x samples. */
export async function correlations(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
): Promise<Correlations> {
  const panels = Math.ceil(units / PANEL_ROWS);
  const counter = new StepCounter("correlations", 2 * panels, options);
  const standardised = new Float32Array(units * samples);
  const isDead = new Uint8Array(units);
  const standardise = makeStandardiser(samples, method);
  for (let first = 0; first < units; first += STANDARDISE_ROWS) {
    const end = Math.min(units, first + STANDARDISE_ROWS);
    for (let unit = first; unit < end; unit++) {
      const row = values.subarray(unit * samples, (unit + 1) * samples);
      const target = standardised.subarray(unit * samples, (unit + 1) * samples);
      if (!standardise(row, target)) {
        target.fill(0);
        isDead[unit] = 1;
      }
    }
    counter.advance(1);
  }

  const result = new Float32Array(units * units);
  const tile = new Float32Array(Math.min(PANEL_ROWS, units) * units);
  for (let first = 0; first < units; first += PANEL_ROWS) {
    const rows = Math.min(PANEL_ROWS, units - first);
    const columns = units - first;
    const rest = standardised.subarray(first * samples);
    const product = tile.subarray(0, rows * columns);
    await matmul.multiply(
      "ABt",
      { rows, columns: samples, values: rest.subarray(0, rows * samples) },
      { rows: columns, columns: samples, values: rest },
      product,
    );
    writePanel(result, units, first, rows, product);
    counter.advance(1);
  }
  return { units, values: result, isDead };
}

/**
 * A function that standardises one row of `samples` values into `target` (mean 0, length 1) and returns whether the
 * row can be correlated at all, which it cannot when its values are all equal or not finite.
 */
function makeStandardiser(
  samples: number,
  method: CorrelationMethod,
): (row: Float32Array, target: Float32Array) => boolean {
  if (method === "pearson") {
    return (row, target) => {
      const mean = rowMean(row);
      return Number.isFinite(mean) && scaleRow(row, mean, target);
    };
  }
  const rank = rankerFor(samples);
  return (row, target) => {
    if (!Number.isFinite(rowMean(row))) return false;
    rank(row, target);
    // Ties keep the sum of the ranks.
    return scaleRow(target, (samples + 1) / 2, target);
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

/** Writes deviations from the mean, scaled to length 1; false if all values are equal. `target` may be `row`. */
function scaleRow(row: Float32Array, mean: number, target: Float32Array): boolean {
  if (isConstant(row)) return false;
  const { length } = row;
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i + 2 <= length; i += 2) {
    const first = (row[i] as number) - mean;
    const second = (row[i + 1] as number) - mean;
    a += first * first;
    b += second * second;
  }
  for (; i < length; i++) a += ((row[i] as number) - mean) ** 2;
  const scale = 1 / Math.sqrt(a + b);
  for (i = 0; i + 2 <= length; i += 2) {
    target[i] = ((row[i] as number) - mean) * scale;
    target[i + 1] = ((row[i + 1] as number) - mean) * scale;
  }
  for (; i < length; i++) target[i] = ((row[i] as number) - mean) * scale;
  return true;
}

function isConstant(row: Float32Array): boolean {
  const first = row[0];
  for (let i = 1; i < row.length; i++) if (row[i] !== first) return false;
  return true;
}

/** Squares a panel (rows first ... against columns first ... units - 1) into both triangles of `result`. */
function writePanel(
  result: Float32Array,
  units: number,
  first: number,
  rows: number,
  panel: Float32Array,
): void {
  const columns = units - first;
  const square = new Float32Array(MIRROR_SIDE * MIRROR_SIDE);
  for (let row = 0; row < rows; row += MIRROR_SIDE) {
    const rowEnd = Math.min(rows, row + MIRROR_SIDE);
    // `row` on: squares left of the diagonal are mirror images.
    for (let column = row; column < columns; column += MIRROR_SIDE) {
      const columnEnd = Math.min(columns, column + MIRROR_SIDE);
      for (let i = row; i < rowEnd; i++) {
        const to = (i - row) * MIRROR_SIDE - column;
        for (let j = column; j < columnEnd; j++) {
          const value = panel[i * columns + j] as number;
          square[to + j] = Math.min(1, value * value);
        }
      }
      if (column === row) makeSymmetric(square);
      for (let i = row; i < rowEnd; i++) {
        const from = (i - row) * MIRROR_SIDE - column;
        const to = (first + i) * units + first;
        for (let j = column; j < columnEnd; j++) result[to + j] = square[from + j] as number;
      }
      for (let j = column; j < columnEnd; j++) {
        const from = j - column;
        const to = (first + j) * units + first;
        for (let i = row; i < rowEnd; i++) {
          result[to + i] = square[(i - row) * MIRROR_SIDE + from] as number;
        }
      }
    }
  }
}

/** Zeroes the diagonal and copies the upper triangle to the lower, whose entries may differ in the last bit. */
function makeSymmetric(square: Float32Array): void {
  for (let i = 0; i < MIRROR_SIDE; i++) {
    square[i * MIRROR_SIDE + i] = 0;
    for (let j = 0; j < i; j++) square[i * MIRROR_SIDE + j] = square[j * MIRROR_SIDE + i] as number;
  }
}
