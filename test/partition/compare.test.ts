import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agreementOf, comparePartitions } from "../../src/partition/compare.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { rng } from "../../src/statistics/rng.ts";

interface Case {
  readonly name: string;
  readonly a: number[];
  readonly b: number[];
  readonly ari: number;
  readonly ami: number;
  readonly nmi: number;
  readonly vi: number;
}

const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("../fixtures/partitions.json", import.meta.url), "utf8"),
);

function partitionOf(layers: Readonly<Record<string, readonly number[]>>): Partition {
  return {
    layers: Object.entries(layers).map(([name, labels]) => ({ name, labels: Int32Array.from(labels) })),
    clusters: 2,
    method: { name: "random" },
    quality: null,
  };
}

/** Gates et al. 2019 for disjoint clusters, by the definition: 1 - sum_v |p_uv - q_uv| / 2, averaged over u. */
function elementCentric(a: readonly number[], b: readonly number[]): number {
  const share = (labels: readonly number[], u: number, v: number) =>
    labels[u] === labels[v] ? 1 / labels.filter((label) => label === labels[u]).length : 0;
  let sum = 0;
  for (let u = 0; u < a.length; u++) {
    let distance = 0;
    for (let v = 0; v < a.length; v++) {
      if (a[u] === a[v] || b[u] === b[v]) distance += Math.abs(share(a, u, v) - share(b, u, v));
    }
    sum += 1 - distance / 2;
  }
  return sum / a.length;
}

describe("agreementOf", () => {
  it.each(cases)("agrees with scikit-learn: $name", ({ a, b, ari, ami, nmi, vi }) => {
    for (const [first, second] of [
      [a, b],
      [b, a],
    ] as const) {
      const found = agreementOf(Int32Array.from(first), Int32Array.from(second));
      expect(found.units).toBe(a.length);
      expect(found.ari).toBeCloseTo(ari, 12);
      // The logarithms of factorials of hundreds cost three digits.
      expect(found.ami).toBeCloseTo(ami, 10);
      expect(found.nmi).toBeCloseTo(nmi, 12);
      expect(found.vi).toBeCloseTo(vi, 12);
      expect(found.elementCentric).toBeCloseTo(elementCentric(first, second), 12);
    }
  });

  it("does not mind how clusters are named or units ordered", () => {
    const random = rng(0, "compare test");
    const a = Int32Array.from({ length: 200 }, () => random.integer(6) - 1);
    const b = a.map((label) => (random.uniform() < 0.4 ? random.integer(6) - 1 : label));
    const reference = agreementOf(a, b);
    const renamed = a.map((label) => (label < 0 ? -5 : 2_000_000_000 - 7 * label));
    const order = random.shuffle(Int32Array.from({ length: 200 }, (_, u) => u));
    const moved = agreementOf(
      order.map((u) => renamed[u] as number),
      order.map((u) => b[u] as number),
    );
    for (const key of Object.keys(reference) as (keyof typeof reference)[]) {
      expect(moved[key]).toBeCloseTo(reference[key], 12);
    }
    expect(agreementOf(a, renamed)).toMatchObject({ ari: 1, ami: 1, nmi: 1, vi: 0 });
  });

  it("is 0 on average for shuffled labels where it adjusts for chance", () => {
    const random = rng(1, "compare test");
    const a = Int32Array.from({ length: 60 }, (_, u) => u % 10);
    const b = Int32Array.from({ length: 60 }, (_, u) => Math.floor(u / 20));
    let ari = 0;
    let ami = 0;
    let nmi = 0;
    for (let draw = 0; draw < 2000; draw++) {
      const found = agreementOf(a, random.shuffle(b) as Int32Array);
      ari += found.ari / 2000;
      ami += found.ami / 2000;
      nmi += found.nmi / 2000;
    }
    expect(Math.abs(ari)).toBeLessThan(0.005);
    expect(Math.abs(ami)).toBeLessThan(0.005);
    expect(nmi).toBeGreaterThan(0.08);
  });

  it("leaves out and counts units that are in no cluster", () => {
    const found = agreementOf(Int32Array.of(0, 0, 1, 1, -1, 2, -1), Int32Array.of(3, 3, 5, 5, 3, -1, -1));
    expect(found).toEqual({
      units: 4,
      onlyFirst: 1,
      onlySecond: 1,
      neither: 1,
      ari: 1,
      ami: 1,
      nmi: 1,
      vi: 0,
      elementCentric: 1,
    });
  });

  it("has no index where no unit is in clusters of both", () => {
    const found = agreementOf(Int32Array.of(0, -1), Int32Array.of(-1, 0));
    expect(found).toMatchObject({
      units: 0,
      ari: Number.NaN,
      ami: Number.NaN,
      nmi: Number.NaN,
      vi: Number.NaN,
    });
    expect(agreementOf(new Int32Array(0), new Int32Array(0)).ari).toBeNaN();
  });
});

describe("comparePartitions", () => {
  it("compares per layer by name and over all units", () => {
    const first = partitionOf({ one: [0, 0, 1, 1], two: [0, 1, 0, 1], three: [0, 0] });
    const second = partitionOf({ two: [0, 0, 1, 1], one: [1, 1, 0, 0], four: [1, -1, 1] });
    const { overall, layers } = comparePartitions(first, second);
    expect(layers.map((layer) => layer.name)).toEqual(["one", "two", "three", "four"]);
    expect(layers[0]).toMatchObject({ units: 4, ari: 1, vi: 0 });
    expect(layers[1]?.ari).toBeCloseTo(-0.5, 12);
    expect(layers[2]).toMatchObject({ units: 0, onlyFirst: 2, ari: Number.NaN });
    expect(layers[3]).toMatchObject({ units: 0, onlySecond: 2, neither: 1 });
    expect(overall).toEqual(
      agreementOf(
        Int32Array.of(0, 0, 1, 1, 0, 1, 0, 1, 0, 0, -1, -1, -1),
        Int32Array.of(1, 1, 0, 0, 0, 0, 1, 1, -1, -1, 1, -1, 1),
      ),
    );
    expect(overall).toMatchObject({ units: 8, onlyFirst: 2, onlySecond: 2, neither: 1 });
  });

  it("refuses partitions of different networks", () => {
    expect(() => comparePartitions(partitionOf({ a: [0] }), partitionOf({ b: [0] }))).toThrowError(
      expect.objectContaining({ code: "E_PARTITION_LAYERS" }),
    );
    expect(() => comparePartitions(partitionOf({ a: [0] }), partitionOf({ a: [0, 1] }))).toThrowError(
      expect.objectContaining({ code: "E_PARTITION_UNITS" }),
    );
  });
});
