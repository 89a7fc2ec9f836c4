import { afterAll, describe, expect, test } from "vitest";
import { kmeans as twin } from "../../../src/compute/cpu/kmeans.ts";
import { Matmul } from "../../../src/compute/cpu/matmul.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { kmeans } from "../../../src/compute/webgpu/kmeans.ts";
import {
  KMEANS_ACCUMULATE,
  KMEANS_ASSIGN,
  KMEANS_MOVE,
  KMEANS_NEAREST,
  KMEANS_PICK,
  KMEANS_TOTAL,
} from "../../../src/compute/webgpu/kmeans-kernels.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
// Bindings hold 600 points of up to four dimensions and two restarts; dispatches are folded into rows.
const small = useGpu({ bindingBytes: 9600, groupsPerDimension: 7 });
const hardware = useGpu({}, openAsHardware);
const matmul = new Matmul();
afterAll(() => matmul.dispose());

/** Points around `groups` centres far apart, far from the origin too. */
function blobs(count: number, groups: number, dimensions: number): Float32Array {
  const random = rng(count, "blobs", groups);
  const centres = Array.from({ length: groups * dimensions }, () => 100 + 20 * random.normal());
  return Float32Array.from({ length: count * dimensions }, (_, at) => {
    const group = Math.floor(at / dimensions) % groups;
    return (centres[group * dimensions + (at % dimensions)] as number) + random.normal();
  });
}

function cloud(count: number, dimensions: number): Float32Array {
  return Float32Array.from({ length: count * dimensions }, rng(count, "cloud").normal);
}

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

const find = (points: Float32Array, dimensions: number, k: number, restarts: number, kept = 1) =>
  kmeans(gpu(), points, dimensions, k, restarts, kept, rng(9, "k-means"));
const findOnCpu = (points: Float32Array, dimensions: number, k: number, restarts: number, kept = 1) =>
  twin(matmul, points, dimensions, k, restarts, kept, rng(9, "k-means"));

describe("kmeans", () => {
  test.each(SIZES.slice(1))("%i points in clear groups: the labels of the CPU", async (count) => {
    const k = Math.min(4, count);
    const points = blobs(count, 4, 3);
    const [found, expected] = [await find(points, 3, k, 7), await findOnCpu(points, 3, k, 7)];
    expect(found[0]?.labels).toEqual(expected[0]?.labels);
    expect(found[0]?.inertia).toBe(expected[0]?.inertia);
  });

  test("a cloud without clusters: solutions as good as the CPU's, best first, all different", async () => {
    const points = cloud(500, 4);
    const [found, expected] = [await find(points, 4, 6, 25, 5), await findOnCpu(points, 4, 6, 25, 5)];
    expect(found.length).toBe(5);
    expect(found[0]?.inertia).toBeLessThan((expected[0]?.inertia ?? 0) * 1.005);
    for (const [number, { labels, inertia }] of found.entries()) {
      expect(inertia).toBeCloseTo(inertiaOf(points, 4, labels, 6), 4);
      if (number > 0) expect(inertia).toBeGreaterThan(found[number - 1]?.inertia ?? 0);
    }
  });

  test("the best of all labellings of a tiny set", async () => {
    const points = Float32Array.from({ length: 9 * 2 }, rng(1, "tiny").normal);
    let best = Number.POSITIVE_INFINITY;
    for (let code = 0; code < 3 ** 9; code++) {
      const labels = Array.from({ length: 9 }, (_, i) => Math.floor(code / 3 ** i) % 3);
      best = Math.min(best, inertiaOf(points, 2, labels, 3));
    }
    const [result] = await find(points, 2, 3, 50);
    expect(result?.inertia).toBeCloseTo(best, 5);
    expect((await findOnCpu(points, 2, 3, 50))[0]?.inertia).toBeCloseTo(best, 5);
  });

  test("no clusters stay empty while points differ; fewer distinct points than clusters leave some", async () => {
    // Many equal points: seeds coincide and clusters run empty.
    const values = Float32Array.from({ length: 200 }, (_, i) => (i < 190 ? 0 : i - 189));
    const [spread] = await find(values, 1, 8, 10);
    expect(new Set(spread?.labels).size).toBe(8);
    const [few] = await find(Float32Array.of(1, 1, 1, 5, 5, 5), 1, 4, 5);
    expect(few?.inertia).toBe(0);
    expect(new Set(few?.labels).size).toBe(2);
  });

  test("same seed, same bytes", async () => {
    const points = cloud(300, 5);
    expect(await find(points, 5, 7, 10, 4)).toEqual(await find(points, 5, 7, 10, 4));
  });

  test("restarts in groups, folded dispatches: the same bytes", async () => {
    const points = cloud(600, 2);
    const findOn = (device: GpuDevice) => kmeans(device, points, 2, 5, 7, 4, rng(9, "k-means"));
    expect(await findOn(small())).toEqual(await findOn(gpu()));
    expect(await findOn(hardware())).toEqual(await findOn(gpu()));
  });

  test.each([
    [601, 2, 3, "kmeans/points: found a row of 9616 bytes"],
    // Ten runs of points, 35 clusters, sums of four dimensions and three counts.
    [600, 2, 35, "kmeans/partials: found a row of 9800 bytes"],
  ])("%i points beyond a binding are refused, and nothing stays behind", async (count, width, k, message) => {
    const error = await catchError(() =>
      kmeans(small(), cloud(count, width), width, k, 2, 1, rng(0, "k-means")),
    );
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toContain(message);
    expect(error.hint).toContain("--device cpu");
  });

  test("an abort ends it", async () => {
    const signal = AbortSignal.abort();
    const error = await catchError(() =>
      kmeans(gpu(), cloud(100, 2), 2, 3, 2, 1, rng(0, "k-means"), { signal }),
    );
    expect(error.code).toBe("E_INTERRUPTED");
  });
});

describe("shaders", () => {
  test.each([KMEANS_PICK, KMEANS_NEAREST, KMEANS_ASSIGN, KMEANS_ACCUMULATE, KMEANS_TOTAL, KMEANS_MOVE])(
    "$name binds what the host passes",
    expectLayout,
  );

  test("no lane races, on the interpreter", async () => {
    const constants = { WORKGROUP_SIZE: 4 };
    const points = Float32Array.of(0, 1, 10, 12);
    const padded = (values: Float32Array) =>
      values.reduce(
        (quadruples, value, at) => {
          quadruples[4 * at] = value;
          return quadruples;
        },
        new Float32Array(4 * values.length),
      );
    const chosen = Uint32Array.of(3);
    const nearest = new Float32Array(4);
    const sums = new Float32Array(2);
    await runOnInterpreter(KMEANS_NEAREST, {
      groups: 1,
      params: { count: 4, quadruples: 1, restarts: 1, points_per_run: 2, is_first: 1 },
      buffers: { points: padded(points), chosen, nearest, sums },
      constants,
    });
    expect([...nearest, ...sums]).toEqual([144, 121, 4, 0, 265, 4]);
    const centres = new Float32Array(2);
    const draws = new Uint32Array(2);
    new Float32Array(draws.buffer)[1] = 150;
    await runOnInterpreter(KMEANS_PICK, {
      groups: 1,
      params: { count: 4, dimensions: 1, clusters: 2, restarts: 1, cluster: 1, points_per_run: 2 },
      buffers: { points, nearest, draws, chosen, centres },
      constants,
    });
    expect([chosen[0], centres[1]]).toEqual([1, 1]);

    const moving = Uint32Array.of(0);
    const labels = new Uint32Array(4);
    const moves = new Float32Array(8);
    centres.set([2, 9]);
    await runOnInterpreter(KMEANS_ASSIGN, {
      groups: 1,
      params: { count: 4, quadruples: 1, clusters: 2, slots: 1, is_first: 1 },
      buffers: { points: padded(points), centres: padded(centres), moving, labels, moves },
      constants,
    });
    expect(Array.from(labels)).toEqual([0, 0, 1, 1]);
    expect(Array.from(moves)).toEqual([4, 1, 1, 1, 1, 1, 9, 1]);
    const partials = new Float32Array(2 * 2 * 4);
    await runOnInterpreter(KMEANS_ACCUMULATE, {
      groups: 2,
      params: { count: 4, dimensions: 1, clusters: 2, slots: 1, points_per_run: 2 },
      buffers: { points, moving, labels, moves, partials },
      constants,
    });
    expect(Array.from(partials)).toEqual([1, 2, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0, 22, 2, 10, 2]);
    const moved = new Float32Array(2);
    const facts = new Float32Array(8);
    const totals = new Float32Array(2 * 4);
    await runOnInterpreter(KMEANS_TOTAL, {
      groups: 2,
      params: { columns: 8, slots: 1, runs: 2 },
      buffers: { partials, totals },
      constants,
    });
    expect(Array.from(totals)).toEqual([1, 2, 5, 2, 22, 2, 10, 2]);
    await runOnInterpreter(KMEANS_MOVE, {
      groups: 1,
      params: { dimensions: 1, clusters: 2, slots: 1 },
      buffers: { totals, moving, centres, moved, facts },
      constants,
    });
    expect(Array.from(moved)).toEqual([0.5, 11]);
    expect(Array.from(facts)).toEqual([2, 5, 2, 2.25, 2, 10, 2, 4]);
  });
});
