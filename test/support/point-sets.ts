/** Points whose distances are hard to compute in float32, and their distances in float64 by direct differences. */
import { expect } from "vitest";
import type { DistanceMetric } from "../../src/compute/compute.ts";
import { rng } from "../../src/statistics/rng.ts";

export interface PointSet {
  readonly count: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Positive values, as behind a ReLU. */
export function scattered(count: number, width: number): PointSet {
  const stream = rng(3, "points", count, width);
  const values = Float32Array.from({ length: count * width }, () => Math.max(0, stream.normal() + 0.5));
  return { count, width, values };
}

/**
 * Points in groups: distances within a group are `share` of those between groups, and of the points of a group half are in
 * pairs that are `share` closer again.
 */
export function nested(count: number, width: number, groups: number, share: number): PointSet {
  const stream = rng(4, "nested", count, width);
  const centres = Array.from({ length: groups }, () => Array.from({ length: width }, stream.normal));
  const values = new Float32Array(count * width);
  for (let point = 0; point < count; point++) {
    const isTwin = point >= 2 * groups && point % (2 * groups) >= groups;
    for (let column = 0; column < width; column++) {
      const at = point * width + column;
      const from = isTwin
        ? (values[at - groups * width] as number)
        : ((centres[point % groups] as number[])[column] as number);
      values[at] = from + (isTwin ? share ** 2 : share) * stream.normal();
    }
  }
  return { count, width, values };
}

/** Distances in float64. */
export function directDistances({ count, width, values }: PointSet, metric: DistanceMetric): Float64Array {
  const row = (point: number) => Array.from(values.subarray(point * width, (point + 1) * width));
  const lengthOf = (vector: readonly number[]) => Math.hypot(...vector);
  return Float64Array.from({ length: count * count }, (_, at) => {
    const [a, b] = [row(Math.floor(at / count)), row(at % count)];
    if (metric === "euclidean") return lengthOf(a.map((value, i) => value - (b[i] as number)));
    const [aLength, bLength] = [lengthOf(a), lengthOf(b)];
    if (aLength === 0 || bLength === 0) return aLength === bLength ? 0 : Math.PI / 2;
    const [u, v] = [a.map((value) => value / aLength), b.map((value) => value / bLength)];
    // Kahan's formula, exact at both ends.
    const apart = lengthOf(u.map((value, i) => value - (v[i] as number)));
    const together = lengthOf(u.map((value, i) => value + (v[i] as number)));
    return 2 * Math.atan2(apart, together);
  });
}

/** The contract of `Compute.distances`: each right to 1e-3 of itself, symmetric, zero diagonal. */
export function expectDistances(found: Float32Array, set: PointSet, metric: DistanceMetric): void {
  const expected = directDistances(set, metric);
  expect(found.length).toBe(expected.length);
  let worst = 0;
  for (const [at, distance] of found.entries()) {
    const right = expected[at] as number;
    // Float32 values leave angles no better than this.
    const error = Math.abs(distance - right) / Math.max(right, metric === "arccos" ? 1e-6 : 1e-30);
    if (!(error <= worst)) worst = error;
    if (distance !== found[(at % set.count) * set.count + Math.floor(at / set.count)])
      expect.fail("asymmetric");
  }
  expect(worst).toBeLessThan(1e-3);
  for (let point = 0; point < set.count; point++) expect(found[point * set.count + point]).toBe(0);
}
