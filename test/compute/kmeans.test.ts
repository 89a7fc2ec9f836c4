import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute, KmeansResult } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { type Rng, rng } from "../../src/statistics/rng.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

function inertiaOf(points: Float32Array, dimensions: number, labels: ArrayLike<number>, k: number): number {
  let inertia = 0;
  for (let cluster = 0; cluster < k; cluster++) {
    const members = Array.from(labels).flatMap((label, point) => (label === cluster ? [point] : []));
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const values = members.map((point) => points[point * dimensions + dimension] as number);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      inertia += values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    }
  }
  return inertia;
}

/** `perGroup` points around each of `groups` centres far apart, far from the origin too. */
function blobs(groups: number, perGroup: number, dimensions: number, seed: number): Float32Array {
  const random = rng(seed, "blobs");
  const centres = Array.from({ length: groups * dimensions }, () => 100 + 20 * random.normal());
  return Float32Array.from({ length: groups * perGroup * dimensions }, (_, at) => {
    const group = Math.floor(at / dimensions) % groups;
    return (centres[group * dimensions + (at % dimensions)] as number) + random.normal();
  });
}

/** The solution of lowest inertia. */
async function bestOf(
  points: Float32Array,
  dimensions: number,
  k: number,
  restarts: number,
  random: Rng,
): Promise<KmeansResult> {
  const [best] = await compute.kmeans(points, dimensions, k, restarts, 1, random);
  if (best === undefined) throw new Error("k-means found no solution");
  return best;
}

describe("kmeans", () => {
  test("the best of all labellings of a tiny set", async () => {
    const points = Float32Array.from({ length: 9 * 2 }, rng(1, "tiny").normal);
    let best = Number.POSITIVE_INFINITY;
    for (let code = 0; code < 3 ** 9; code++) {
      const labels = Array.from({ length: 9 }, (_, i) => Math.floor(code / 3 ** i) % 3);
      best = Math.min(best, inertiaOf(points, 2, labels, 3));
    }
    const result = await bestOf(points, 2, 3, 50, rng(0, "k-means"));
    expect(result.inertia).toBeCloseTo(best, 5);
    expect(result.inertia).toBeCloseTo(inertiaOf(points, 2, result.labels, 3), 5);
  });

  test.each([1, 7, 63])("%i restarts find well separated groups of many points", async (restarts) => {
    const groups = 5;
    const points = blobs(groups, 900, 3, 2);
    const { labels, inertia } = await bestOf(points, 3, groups, restarts, rng(4, "k-means"));
    expect(inertia).toBeCloseTo(inertiaOf(points, 3, labels, groups), 0);
    if (restarts === 1) return;
    labels.forEach((label, point) => {
      if (label !== labels[point % groups]) expect.fail(`point ${point} left its group`);
    });
    expect(new Set(labels).size).toBe(groups);
  });

  test("a point that changes cluster never lowers the inertia: a local optimum", async () => {
    const points = Float32Array.from({ length: 60 * 2 }, rng(5, "cloud").normal);
    const { labels, inertia } = await bestOf(points, 2, 4, 20, rng(0, "k-means"));
    const sizes = new Int32Array(4);
    const centres = new Float64Array(8);
    labels.forEach((label, point) => {
      sizes[label] = (sizes[label] as number) + 1;
      for (const d of [0, 1]) {
        centres[2 * label + d] = (centres[2 * label + d] as number) + (points[2 * point + d] as number);
      }
    });
    let sum = 0;
    for (let point = 0; point < 60; point++) {
      const distances = [0, 1, 2, 3].map((c) =>
        [0, 1].reduce((total, d) => {
          const centre = (centres[2 * c + d] as number) / (sizes[c] as number);
          return total + ((points[2 * point + d] as number) - centre) ** 2;
        }, 0),
      );
      expect(distances[labels[point] as number]).toBeCloseTo(Math.min(...distances), 5);
      sum += distances[labels[point] as number] as number;
    }
    expect(inertia).toBeCloseTo(sum, 4);
  });

  test("fewer distinct points than clusters leave clusters empty", async () => {
    const points = Float32Array.from({ length: 30 }, (_, i) => i % 3);
    const { labels, inertia } = await bestOf(points, 1, 5, 10, rng(0, "k-means"));
    expect(inertia).toBeCloseTo(0, 6);
    expect(new Set(labels).size).toBe(3);
    labels.forEach((label, point) => {
      expect(label).toBe(labels[point % 3]);
    });
  });

  test("as many clusters as points, and one cluster", async () => {
    const points = Float32Array.from({ length: 12 * 4 }, rng(6, "points").normal);
    expect(new Set((await bestOf(points, 4, 12, 5, rng(0, "a"))).labels).size).toBe(12);
    const one = await bestOf(points, 4, 1, 5, rng(0, "a"));
    expect([...one.labels]).toEqual(new Array(12).fill(0));
    expect(one.inertia).toBeCloseTo(inertiaOf(points, 4, one.labels, 1), 4);
  });

  test("the same seed gives the same bytes", async () => {
    const points = Float32Array.from({ length: 500 * 4 }, rng(7, "cloud").normal);
    const first = await bestOf(points, 4, 6, 25, rng(1, "k-means"));
    expect(await bestOf(points, 4, 6, 25, rng(1, "k-means"))).toEqual(first);
  });

  test("keeps several solutions, all different, the lowest inertia first", async () => {
    const points = Float32Array.from({ length: 300 * 3 }, rng(8, "cloud").normal);
    const solutions = await compute.kmeans(points, 3, 6, 40, 5, rng(2, "k-means"));
    expect(solutions).toHaveLength(5);
    const inertias = solutions.map(({ inertia }) => inertia);
    expect(inertias).toEqual([...inertias].sort((a, b) => a - b));
    expect(new Set(inertias.map((inertia) => inertia.toPrecision(5))).size).toBe(5);
    for (const { labels, inertia } of solutions) {
      expect(inertia).toBeCloseTo(inertiaOf(points, 3, labels, 6), 3);
    }
  });

  test("an aborted signal stops the work", async () => {
    const run = compute.kmeans(blobs(3, 20, 2, 1), 2, 3, 5, 1, rng(0, "x"), { signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: "E_INTERRUPTED" });
  });
});
