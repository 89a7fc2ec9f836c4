/** Rows brought to mean 0 and length 1, by ranks or as they are, so that correlations are inner products. */
import type { CorrelationMethod } from "../compute.ts";
import { rankerFor } from "./ranks.ts";

/**
 * A function that standardises the rows of units first ... end - 1 (mean 0, length 1). Rows that cannot be correlated,
 * as their values are all equal or not all finite, become zeros and are marked in `isDead`.
 */
export function makeStandardiser(
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
