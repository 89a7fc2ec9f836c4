/** Agreement of units whose directions are known: class profiles, impacts, Jacobians (measures note, C2 to C4). */
import type { RunOptions } from "../progress.ts";
import { type CoherenceName, type MeasureFamily, roundedValue } from "./coherence-measures.ts";
import { evaluateEach } from "./evaluate-each.ts";

/** Directions of a layer's units. */
export interface Directions {
  readonly width: number;
  /** Units x width, each of length 1, or zeros where a unit has no direction. */
  readonly values: Float64Array;
  readonly hasDirection: Uint8Array;
}

/** Rows of `values` (units x width) as directions; one that is not longer than `floor`, or not finite, is none. */
export function directionsOf(values: Float64Array, units: number, floor: number = 0): Directions {
  const width = values.length / units;
  const directions = new Float64Array(values.length);
  const hasDirection = new Uint8Array(units);
  for (let unit = 0; unit < units; unit++) {
    const from = unit * width;
    let squares = 0;
    for (let i = from; i < from + width; i++) squares += (values[i] as number) ** 2;
    const length = Math.sqrt(squares);
    if (!(length > floor && Number.isFinite(length))) continue;
    hasDirection[unit] = 1;
    for (let i = from; i < from + width; i++) directions[i] = (values[i] as number) / length;
  }
  return { width, values: directions, hasDirection };
}

/**
 * Mean cosine of the pairs of a set's units that have a direction, from the length of the sum: |sum|^2 = m + 2 sum over
 * pairs. NaN for fewer than two. `sum` is scratch space of the directions' width.
 */
export function meanCosine(
  set: Int32Array,
  { width, values, hasDirection }: Directions,
  sum: Float64Array,
): number {
  sum.fill(0);
  let m = 0;
  for (let i = 0; i < set.length; i++) {
    const unit = set[i] as number;
    if (hasDirection[unit] === 0) continue;
    m++;
    const from = unit * width;
    for (let j = 0; j < width; j++) sum[j] = (sum[j] as number) + (values[from + j] as number);
  }
  if (m < 2) return Number.NaN;
  let squares = 0;
  for (let j = 0; j < width; j++) squares += (sum[j] as number) ** 2;
  return (squares - m) / (m * (m - 1));
}

/** The family of one cosine; without directions all its values are undefined. */
export function cosineFamily(name: CoherenceName, directions: Directions | null): MeasureFamily {
  const sum = new Float64Array(directions?.width ?? 0);
  return {
    names: [name],
    evaluate: (sets: readonly Int32Array[], options: RunOptions) =>
      evaluateEach(
        sets,
        (set) => ({
          [name]: directions === null ? Number.NaN : roundedValue(meanCosine(set, directions, sum)),
        }),
        options,
      ),
  };
}
