import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { rankerFor } from "../../src/compute/cpu/ranks.ts";
import { rng } from "../../src/statistics/rng.ts";
import { generator } from "../support/reference-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

function pearsonSquared(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return (ab * ab) / (aa * bb);
}

/** The rows of test/fixtures/correlation-references.py. */
function referenceRows(units: number, samples: number, seed: number): Float32Array {
  const uniform = generator(seed);
  const shared = Array.from({ length: samples }, () => uniform() - 0.5);
  return Float32Array.from({ length: units * samples }, (_, at) =>
    Math.max(0, uniform() - 0.5 + (shared[at % samples] as number) * (Math.floor(at / samples) % 3)),
  );
}

describe("correlations", () => {
  const references = JSON.parse(
    readFileSync(new URL("../fixtures/correlation-references.json", import.meta.url), "utf8"),
  ) as Record<"spearman" | "pearson", number[]>;

  test.each(["spearman", "pearson"] as const)("%s agrees with scipy and numpy", async (method) => {
    const { values } = await compute.correlations(referenceRows(6, 500, 7), 6, 500, method);
    references[method].forEach((reference, at) => {
      // Rows are standardised to float32: 500 products of 6e-8 each. The contract asks for 2e-4.
      expect(values[at]).toBeCloseTo(at % 7 === 0 ? 0 : reference, 5);
    });
  });

  test.each([1, 2, 15, 17, 128, 129, 300])("%i units: both triangles, zero diagonal", async (units) => {
    const samples = 40;
    const random = rng(units, "rows");
    const rows = Float32Array.from({ length: units * samples }, () => random.normal());
    const { values, isDead } = await compute.correlations(rows.slice(), units, samples, "pearson");
    expect(isDead.every((dead) => dead === 0)).toBe(true);
    for (let i = 0; i < units; i++) {
      expect(values[i * units + i]).toBe(0);
      for (let j = 0; j < i; j++) {
        if (values[i * units + j] !== values[j * units + i]) expect.fail(`not symmetric at ${i}, ${j}`);
      }
    }
    for (let pair = 0; pair < Math.min(50, units * (units - 1)); pair++) {
      const i = random.integer(units);
      const j = (i + 1 + random.integer(units - 1)) % units;
      const row = (unit: number) => rows.subarray(unit * samples, (unit + 1) * samples);
      expect(values[i * units + j]).toBeCloseTo(pearsonSquared(row(i), row(j)), 5);
    }
  });

  test("Spearman is Pearson of the ranks, and keeps no trace of a monotone map", async () => {
    const rows = referenceRows(5, 300, 11);
    const spearman = await compute.correlations(rows.slice(), 5, 300, "spearman");
    const ranks = new Float32Array(rows.length);
    const rank = rankerFor(300);
    for (let unit = 0; unit < 5; unit++) {
      rank(rows.subarray(unit * 300, (unit + 1) * 300), ranks.subarray(unit * 300, (unit + 1) * 300));
    }
    expect((await compute.correlations(ranks, 5, 300, "pearson")).values).toEqual(spearman.values);
    const mapped = rows.map((value) => Math.exp(value));
    expect((await compute.correlations(mapped, 5, 300, "spearman")).values).toEqual(spearman.values);
  });

  test.each(["spearman", "pearson"] as const)("%s: units that do not vary are dead", async (method) => {
    const samples = 50;
    const rows = referenceRows(6, samples, 3);
    rows.fill(0.1, samples, 2 * samples);
    rows[2 * samples + 7] = Number.NaN;
    rows[3 * samples + 9] = Number.POSITIVE_INFINITY;
    const { values, isDead } = await compute.correlations(rows.slice(), 6, samples, method);
    expect([...isDead]).toEqual([0, 1, 1, 1, 0, 0]);
    for (let i = 0; i < 6; i++) {
      for (const dead of [1, 2, 3]) {
        expect(values[i * 6 + dead]).toBe(0);
        expect(values[dead * 6 + i]).toBe(0);
      }
    }
    expect(values[4 * 6 + 5]).toBeGreaterThan(0);
  });

  test("copies correlate fully and never above 1; a sign makes no difference", async () => {
    const row = Float32Array.from({ length: 1000 }, rng(0, "copies").normal);
    const rows = Float32Array.from([...row, ...row, ...row.map((value) => -3 * value)]);
    const { values } = await compute.correlations(rows.slice(), 3, 1000, "pearson");
    for (const at of [1, 2, 5]) {
      expect(values[at]).toBeLessThanOrEqual(1);
      expect(values[at]).toBeGreaterThan(1 - 1e-5);
    }
  });

  test("an aborted signal stops the work", async () => {
    const signal = AbortSignal.abort();
    const run = compute.correlations(referenceRows(6, 50, 1), 6, 50, "pearson", { signal });
    await expect(run).rejects.toMatchObject({ code: "E_INTERRUPTED" });
  });
});
