import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { pairDistances } from "../../src/compute/distance-rows.ts";
import { catchError } from "../support/catch-error.ts";
import { directDistances, expectDistances, nested, type PointSet, scattered } from "../support/point-sets.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const METRICS = ["euclidean", "arccos"] as const;

describe.each(METRICS)("%s", (metric) => {
  const expectRight = async (set: PointSet) => {
    const before = set.values.slice();
    expectDistances(await compute.distances(set.values, set.count, set.width, metric), set, metric);
    expect(set.values).toEqual(before);
  };

  test.each([0, 1, 2, 15, 127, 129, 300])("%i points", (count) => expectRight(scattered(count, 20)));
  test.each([1, 2, 3, 63, 500])("%i columns", (width) => expectRight(scattered(40, width)));

  test.each([1e-1, 1e-2, 1e-3, 1e-5])("groups that are %d as wide as far apart", (share) =>
    expectRight(nested(200, 30, 3, share)),
  );

  test("far from the origin, and values of any size", async () => {
    const { count, width, values } = scattered(60, 17);
    for (const [scale, shift] of [
      [1, 1000],
      [1e-25, 0],
      [1e25, 0],
    ] as const) {
      await expectRight({ count, width, values: values.map((value) => value * scale + shift) });
    }
  });

  test("equal rows are at distance 0, rows of zeros at a right angle to others", async () => {
    const set = scattered(70, 9);
    for (const copy of [3, 40, 69]) set.values.copyWithin(copy * 9, 0, 9);
    set.values.fill(0, 5 * 9, 7 * 9);
    await expectRight(set);
    const found = await compute.distances(set.values, 70, 9, metric);
    for (const copy of [3, 40, 69]) expect(found[copy]).toBe(0);
    expect(found[5 * 70 + 6]).toBe(0);
    if (metric === "arccos") expect(found[5 * 70]).toBeCloseTo(Math.PI / 2, 6);
  });

  test("all rows equal", async () => {
    const values = new Float32Array(50 * 4).fill(0.3);
    expect((await compute.distances(values, 50, 4, metric)).every((distance) => distance === 0)).toBe(true);
  });

  test("single pairs in full precision, the same both ways", () => {
    const set = nested(30, 12, 3, 1e-4);
    const { of: pair, rounding } = pairDistances(set.values, set.width, metric);
    const expected = directDistances(set, metric);
    for (let a = 0; a < 30; a++) {
      for (let b = 0; b < 30; b++) {
        expect(pair(a, b)).toBe(pair(b, a));
        expect(Math.abs(pair(a, b) - (expected[a * 30 + b] as number))).toBeLessThan(1e-14);
      }
    }
    const rows = Array.from({ length: 30 }, (_, row) => set.values.subarray(row * 12, row * 12 + 12));
    const longest = Math.max(...rows.map((row) => Math.hypot(...row)));
    expect(rounding).toBeCloseTo(2 ** -23 * (metric === "arccos" ? 1 : longest), 14);
  });
});

test("opposite rows are at the angle pi", async () => {
  const { values } = scattered(1, 30);
  const found = await compute.distances(
    Float32Array.from([...values, ...values.map((x) => -x)]),
    2,
    30,
    "arccos",
  );
  expect(found[1]).toBeCloseTo(Math.PI, 3);
});

test("as scikit-learn's pairwise distances", async () => {
  const { points, count, width, euclidean, arccos } = JSON.parse(
    readFileSync(new URL("../fixtures/patterns.json", import.meta.url), "utf8"),
  ).distances as Record<"points" | "euclidean" | "arccos", number[]> & { count: number; width: number };
  for (const [metric, expected] of [
    ["euclidean", euclidean],
    ["arccos", arccos],
  ] as const) {
    const found = await compute.distances(Float32Array.from(points), count, width, metric);
    let at = 0;
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++)
        expect(found[a * count + b]).toBeCloseTo(expected[at++] as number, 5);
    }
  }
});

test("a value that is not finite is named", async () => {
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const { values } = scattered(10, 6);
    values[3 * 6 + 2] = bad;
    const error = await catchError(() => compute.distances(values, 10, 6, "euclidean"));
    expect(error.code).toBe("E_INPUT_VALUE");
    expect(error.message).toBe(`points: found ${bad} in row 3, column 2, expected finite numbers`);
  }
});

test("values of another shape are refused", async () => {
  const error = await catchError(() => compute.distances(new Float32Array(7), 2, 3, "arccos"));
  expect(error.code).toBe("E_INPUT_SHAPE");
});

test("progress ends at its total, and a signal stops the work", async () => {
  const { values } = scattered(300, 5);
  let last = { done: -1, total: 0 };
  const onProgress = (progress: typeof last) => {
    last = progress;
  };
  await compute.distances(values, 300, 5, "euclidean", { onProgress });
  expect(last.done).toBe(last.total);
  const run = compute.distances(values, 300, 5, "euclidean", { signal: AbortSignal.abort() });
  await expect(run).rejects.toMatchObject({ code: "E_INTERRUPTED" });
});
