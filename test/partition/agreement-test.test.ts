import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { testAgreement } from "../../src/partition/agreement-test.ts";
import { agreementOf } from "../../src/partition/compare.ts";
import type { ShuffleTest } from "../../src/partition/partition.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { partitionOf } from "../support/unit-graphs.ts";

interface Null {
  readonly name: string;
  readonly layers: readonly { readonly a: number[]; readonly b: number[] }[];
  readonly withinLayers: Figures;
  readonly freely: Figures;
}
interface Figures {
  readonly ami: { mean: number; sd: number; p: number };
  readonly ari: { mean: number; sd: number; p: number };
}
const { cases }: { cases: Null[] } = JSON.parse(
  readFileSync(new URL("../fixtures/agreement-nulls.json", import.meta.url), "utf8"),
);

/** Largest distance between the distribution of p and the uniform one, where p is too small. */
function excess(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(...sorted.map((p, i) => (i + 1) / sorted.length - p));
}
/** Kolmogorov's bound at 0.1 %, one-sided. */
const bound = (count: number) => Math.sqrt(Math.log(1000) / (2 * count));

describe("testAgreement", () => {
  it.each(cases)("is near scikit-learn's indices over all arrangements: $name", (item) => {
    const first = partitionOf(...item.layers.map(({ a }) => a));
    const second = partitionOf(...item.layers.map(({ b }) => b));
    const shuffles = 20_000;
    const { overall, layers } = testAgreement(first, second, shuffles, 1);
    for (const name of ["withinLayers", "freely"] as const) {
      for (const index of ["ami", "ari"] as const) {
        const { mean, sd, p, z } = overall[name][index];
        const exact = item[name][index];
        const error = 4.5 / Math.sqrt(shuffles);
        expect(Math.abs(mean - exact.mean)).toBeLessThan(error * exact.sd + 1e-9);
        expect(Math.abs(sd - exact.sd)).toBeLessThan(error * 3 * exact.sd + 1e-9);
        expect(Math.abs(p - exact.p)).toBeLessThan(error * Math.sqrt(exact.p * (1 - exact.p)) + 2 / shuffles);
        if (exact.sd > 0) expect(z).toBeCloseTo((overall[index] - mean) / sd, 9);
        else expect(z).toBeNaN();
      }
      // Over free permutations both indices are 0 on average.
      if (item.freely.ami.sd > 0) expect(Math.abs(item.freely.ami.mean)).toBeLessThan(1e-9);
    }
    layers.forEach((layer, number) => {
      const { a, b } = item.layers[number] as Null["layers"][number];
      expect(layer).toMatchObject(agreementOf(Int32Array.from(a), Int32Array.from(b)));
    });
  });

  it("has uniform p for unrelated partitions, also where both follow the layers", () => {
    const random = rng(0, "independent partitions");
    const draw = (followsLayers: boolean) =>
      partitionOf(
        ...[0, 1, 2].map((layer) =>
          Array.from({ length: 40 }, () =>
            followsLayers && random.uniform() < 0.7 ? layer : random.integer(5) - 1,
          ),
        ),
      );
    const count = 250;
    const p = new Map<string, number[]>();
    const note = (name: string, { ami, ari }: ShuffleTest) => {
      for (const [index, test] of Object.entries({ ami, ari })) {
        p.set(`${name} ${index}`, [...(p.get(`${name} ${index}`) ?? []), test.p]);
      }
    };
    for (let run = 0; run < count; run++) {
      const plain = testAgreement(draw(false), draw(false), 99, run);
      note("plain within", plain.overall.withinLayers);
      note("plain free", plain.overall.freely);
      note("layer", plain.layers[1]?.shuffled as ShuffleTest);
      const layered = testAgreement(draw(true), draw(true), 99, run);
      note("layered within", layered.overall.withinLayers);
      note("layered free", layered.overall.freely);
    }
    for (const name of ["plain within", "plain free", "layer", "layered within"]) {
      for (const index of ["ami", "ari"]) {
        const values = p.get(`${name} ${index}`) ?? [];
        expect(excess(values), `${name} ${index}`).toBeLessThan(bound(count));
        // Not too large either, but for the step of 1 / 100.
        expect(excess(values.map((value) => 1.01 - value))).toBeLessThan(bound(count) + 0.01);
      }
    }
    // What both owe to the layers is beyond chance where labels may go anywhere.
    expect(Math.max(...(p.get("layered free ami") ?? []))).toBe(0.01);
  });

  it("has small p for planted agreement, whatever the clusters' names, and leaves out units in no cluster", () => {
    const random = rng(1, "planted agreement");
    const a = [0, 1].map(() => Array.from({ length: 60 }, () => random.integer(5) - 1));
    const b = a.map((labels) =>
      labels.map((label) => (random.uniform() < 0.35 ? random.integer(5) - 1 : label < 0 ? -1 : 3 - label)),
    );
    const { overall, layers } = testAgreement(partitionOf(...a), partitionOf(...b), 999);
    expect(overall.withinLayers.ami.p).toBe(0.001);
    expect(overall.freely.ari.p).toBe(0.001);
    expect(overall.withinLayers.ami.z).toBeGreaterThan(5);
    for (const { shuffled } of layers) expect(shuffled.ami.p).toBe(0.001);
    const both = a.flat().filter((label, u) => label >= 0 && (b.flat()[u] as number) >= 0).length;
    expect(overall.units).toBe(both);
    expect(overall.units + overall.onlyFirst + overall.onlySecond + overall.neither).toBe(120);
    expect(testAgreement(partitionOf(...a), partitionOf(...b), 999).overall).toEqual(overall);
  });

  it("has p 1 where every arrangement agrees as well, and none in a layer without common units", () => {
    const { overall, layers } = testAgreement(
      partitionOf([0, 0, 0, 0], [0, 0, -1], [0]),
      partitionOf([0, 1, 2, 2], [-1, -1, 2], [2]),
      99,
    );
    expect(layers[0]?.shuffled).toMatchObject({
      ami: { mean: 0, sd: 0, z: Number.NaN, p: 1 },
      ari: { p: 1 },
    });
    expect(layers[1]?.shuffled).toMatchObject({ ami: { p: Number.NaN }, ari: { p: Number.NaN } });
    expect(layers[2]?.shuffled).toMatchObject({ ami: { mean: 1, p: 1 }, ari: { mean: 1, p: 1 } });
    expect(overall.withinLayers.ami.p).toBe(1);
  });

  it("refuses partitions without a common unit", async () => {
    const error = await catchError(() => testAgreement(partitionOf([0, -1]), partitionOf([-1, 0]), 9));
    expect(error).toMatchObject({ code: "E_PARTITION_DISJOINT" });
  });
});
