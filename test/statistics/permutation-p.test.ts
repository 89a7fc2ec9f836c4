import { describe, expect, it } from "vitest";
import { fisherP } from "../../src/statistics/fisher.ts";
import { permutationP, type Stratum } from "../../src/statistics/permutation-p.ts";
import { centerP, rankP } from "../../src/statistics/rank-p.ts";
import { type Rng, rng } from "../../src/statistics/rng.ts";

const sizes = [2, 3, 3, 5, 8, 3];
const units = 24;

/** A layer of the method note's oracle 8: unit effects are squared exponentials, sets partition the layer. */
function nullStratum(arrangements: number, random: Rng, isTied: boolean): Stratum {
  const effect = Float64Array.from({ length: units }, () => Math.log(1 - random.uniform()) ** 2);
  const values = new Float64Array(arrangements * sizes.length);
  for (let b = 0; b < arrangements; b++) {
    random.shuffle(effect);
    let unit = 0;
    for (const [i, size] of sizes.entries()) {
      let sum = 0;
      for (let taken = 0; taken < size; taken++) sum += effect[unit++] as number;
      values[b * sizes.length + i] = isTied ? Math.floor(sum / 3) : sum;
    }
  }
  return { sizes, values };
}

/** Steps 1 and 2 of section 8.2, counted out. */
function bruteForceTable({ sizes: all, values }: Stratum): number[] {
  const columns = all.length;
  const table: number[] = [];
  for (let b = 0; b < values.length / columns; b++) {
    let total = 0;
    for (let i = 0; i < columns; i++) {
      const pool = [...values].filter((v, k) => all[k % columns] === all[i] && !Number.isNaN(v));
      const own = values[b * columns + i] as number;
      const p = pool.filter((v) => v >= own).length / pool.length;
      total += Number.isNaN(own) ? 1 : -Math.log(p - 1 / (2 * pool.length));
    }
    table.push(total);
  }
  return table;
}

describe("permutationP", () => {
  it("agrees with all combinations of arrangements counted out", () => {
    const random = rng(1, "permutation test");
    const strata = [nullStratum(5, random, false), nullStratum(6, random, true)];
    (strata[0] as Stratum).values[8] = Number.NaN;
    const [first, second] = strata.map(bruteForceTable) as [number[], number[]];
    const observed = (first[0] as number) + (second[0] as number);
    const sums = first.flatMap((a) => second.map((b) => a + b));
    const exact = sums.filter((sum) => sum >= observed - 1e-9).length / sums.length;
    const result = permutationP(strata, 200_000, rng(2, "draws"));
    expect(result.statistic).toBeCloseTo(observed, 8);
    // Standard error of a share of 200,000 draws: 0.0011 at most.
    expect(Math.abs(result.p - exact)).toBeLessThan(0.005);
  });

  it("cannot go below the share of the true arrangement in one stratum, and can in several", () => {
    const values = new Float64Array(20 * 3);
    values.fill(5, 0, 3);
    for (let i = 3; i < values.length; i++) values[i] = (i * 7919) % 4;
    const stratum: Stratum = { sizes: [2, 2, 4], values };
    const one = permutationP([stratum], 9999, rng(0, "one"));
    expect(one.p).toBeGreaterThan(0.04);
    expect(one.p).toBeLessThan(0.06);
    expect(permutationP([stratum, stratum, stratum], 9999, rng(0, "three")).p).toBeLessThan(0.002);
  });

  it("is 1 where all values are equal, and undefined where no true value is", () => {
    const equal: Stratum = { sizes: [2, 3], values: new Float64Array(40).fill(0.25) };
    expect(permutationP([equal, equal], 99, rng(0)).p).toBe(1);
    const gaps = new Float64Array(40).fill(1);
    gaps.fill(Number.NaN, 0, 2);
    const undefinedTrue: Stratum = { sizes: [2, 3], values: gaps };
    expect(permutationP([undefinedTrue], 99, rng(0)).p).toBeNaN();
    expect(permutationP([undefinedTrue, equal], 99, rng(0)).p).not.toBeNaN();
    expect(permutationP([], 99, rng(0)).p).toBeNaN();
    expect(permutationP([{ sizes: [], values: new Float64Array(0) }], 99, rng(0)).p).toBeNaN();
  });

  it("gives the same p for the same stream, any increasing transform, any order of subclusters", () => {
    const strata = [0, 1, 2].map((layer) => nullStratum(30, rng(4, layer), false));
    const reference = permutationP(strata, 999, rng(9, "draws"));
    expect(permutationP(strata, 999, rng(9, "draws"))).toEqual(reference);
    const cubed = strata.map((s) => ({ sizes: s.sizes, values: s.values.map((v) => v ** 3) }));
    expect(permutationP(cubed, 999, rng(9, "draws"))).toEqual(reference);
    const reversed = strata.map((s) => ({
      sizes: [...sizes].reverse(),
      values: s.values.map((_, k) => {
        const row = Math.floor(k / sizes.length);
        return s.values[row * sizes.length + (sizes.length - 1 - (k % sizes.length))] as number;
      }),
    }));
    expect(permutationP(reversed, 999, rng(9, "draws")).p).toBe(reference.p);
  });

  it("refuses values that do not fill whole arrangements", () => {
    expect(() => permutationP([{ sizes: [2, 3], values: new Float64Array(5) }], 9, rng(0))).toThrowError(
      /multiple of 2/,
    );
  });

  for (const isTied of [false, true]) {
    it(`is calibrated under the null with dependent sets, ${isTied ? "with" : "without"} ties (oracle 8)`, () => {
      const random = rng(11, "calibration", String(isTied));
      const experiments = 600;
      let significant = 0;
      let fisherBelow = 0;
      for (let experiment = 0; experiment < experiments; experiment++) {
        const strata = [0, 1, 2, 3].map(() => nullStratum(100, random, isTied));
        if (permutationP(strata, 499, random).p <= 0.05) significant++;
        if (!isTied && fisherP(strata.flatMap(centeredRanks)) < 0.1) fisherBelow++;
      }
      // Nominal 0.05; standard error 0.009.
      expect(significant / experiments).toBeGreaterThan(0.025);
      expect(significant / experiments).toBeLessThan(0.08);
      // Sets that partition a layer are negatively dependent, so Fisher's chi-square p is hardly ever small.
      expect(fisherBelow / experiments).toBeLessThan(0.01);
    });
  }
});

/** The reported p of each true subcluster against the pool of its size, centred. */
function centeredRanks({ values }: Stratum): number[] {
  return sizes.map((size, i) => {
    const pool = values.filter((_, k) => k >= sizes.length && sizes[k % sizes.length] === size);
    const { p, valid } = rankP(values[i] as number, pool, "upper", "aware");
    return centerP(p, valid);
  });
}
