import { describe, expect, it } from "vitest";
import { bhAdjust, byAdjust } from "../../src/statistics/multiplicity.ts";
import { rankP } from "../../src/statistics/rank-p.ts";
import { rng } from "../../src/statistics/rng.ts";
import { safeHits, sequentialP } from "../../src/statistics/sequential-p.ts";

const DRAWS = 99;
const HITS = safeHits(DRAWS, 0.05);

/** A true value and its null values, all alike. */
function alike(seed: number, draws: number, levels: number | null = null): [number, Float64Array] {
  const random = rng(seed, "alike");
  const draw = () => {
    const value = random.uniform();
    return levels === null ? value : Math.floor(value * levels);
  };
  return [draw(), Float64Array.from({ length: draws }, draw)];
}

describe("sequentialP", () => {
  it("stops at the last hit that it needs", () => {
    const values = Float64Array.of(1, 9, 2, Number.NaN, 8, 3, 7);
    expect(sequentialP(5, values, "upper", { hits: 2 })).toMatchObject({ p: 2 / 4, hits: 2, valid: 4 });
    expect(sequentialP(5, values, "upper", { hits: 3 })).toMatchObject({ p: 3 / 6, hits: 3, valid: 6 });
    expect(sequentialP(5, values, "upper", { hits: 4 })).toMatchObject({ p: 4 / 7, hits: 3, valid: 6 });
    expect(sequentialP(5, values, "lower", { hits: 1 })).toMatchObject({ p: 1, hits: 1, valid: 1 });
    expect(sequentialP(8, values, "upper", { hits: 2 })).toMatchObject({ p: 2 / 4, hits: 2, valid: 4 });
    expect(sequentialP(Number.NaN, values, "upper", { hits: 2 }).p).toBeNaN();
    expect(sequentialP(1, new Float64Array(), "upper", { hits: 2 }).p).toBeNaN();
  });

  it("takes the fixed part as a whole", () => {
    const values = Float64Array.of(9, 8, 1, 7, 2, 6);
    expect(sequentialP(5, values, "upper", { hits: 2, base: 4 })).toMatchObject({
      p: 4 / 5,
      hits: 3,
      valid: 4,
    });
    expect(sequentialP(5, values, "upper", { hits: 4, base: 4 })).toMatchObject({
      p: 4 / 6,
      hits: 4,
      valid: 6,
    });
    expect(sequentialP(5, values, "upper", { hits: 5, base: 4 })).toMatchObject({
      p: 5 / 7,
      hits: 4,
      valid: 6,
    });
  });

  it("takes the values of a draw as a whole, behind the true value's siblings", () => {
    // One sibling, then draws of two values.
    const values = Float64Array.of(6, 1, 9, 2, 3, 8, 4, 1, 1);
    const take = (hits: number, base = 0) => sequentialP(5, values, "upper", { hits, base, together: 2 });
    // The sibling alone: one of 2 values.
    expect(take(1)).toMatchObject({ p: 2 / 2, hits: 1, valid: 1 });
    // The second hit comes with draw 1, behind 2 values; the third with draw 3, behind 6.
    expect(take(2)).toMatchObject({ p: 2 / 2, hits: 2, valid: 3 });
    expect(take(3)).toMatchObject({ p: 3 / 6, hits: 3, valid: 7 });
    expect(take(3, 3)).toMatchObject({ p: 4 / 8, hits: 3, valid: 7 });
    expect(take(4)).toMatchObject({ p: 4 / 10, hits: 3, valid: 9 });
    // Where m draws share a level, neither what is stopped nor what is not can be at it or below.
    for (const [draws, level, together] of [
      [199, 0.05, 2],
      [199, 0.05, 30],
      [100, 0.01, 7],
    ] as const) {
      const hits = safeHits(draws, level, together);
      expect(hits / (together * draws)).toBeGreaterThan(level);
      expect((1 + hits) / (together * (draws + 1))).toBeGreaterThan(level);
    }
  });

  it.each([
    ["without a fixed part", 0, null],
    ["with a fixed part", 19, null],
    ["with ties", 19, 12],
  ] as const)("is not below uniform when all values are alike: %s", (_, base, levels) => {
    const seeds = 4000;
    const found = Array.from({ length: seeds }, (_, seed) => {
      const [value, nulls] = alike(seed, DRAWS, levels);
      return sequentialP(value, nulls, "upper", { hits: HITS, base }).p;
    });
    for (const level of [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8]) {
      const share = found.filter((p) => p <= level + 1e-12).length / seeds;
      const error = Math.sqrt((level * (1 - level)) / seeds);
      expect(share, `at ${level}`).toBeLessThan(level + 3 * error);
      // Exact on the grid 1/100 ... 5/100 of those that are drawn in full.
      if (levels === null && level <= 0.05) expect(share).toBeGreaterThan(level - 3 * error);
    }
  });

  it("never has another verdict than all draws, at 5 % or less, raw or adjusted", () => {
    let stopped = 0;
    for (const draws of [199, 250, 999]) {
      const hits = safeHits(draws, 0.05);
      for (let run = 0; run < 40; run++) {
        const tests = Array.from({ length: 12 }, (_, test) => {
          const [value, nulls] = alike(1000 * run + test, draws);
          // Half of them are remarkable.
          return [test % 2 === 0 ? value : 1 - (1 - value) ** 4 / 20, nulls] as const;
        });
        const all = tests.map(([value, nulls]) => rankP(value, nulls, "upper", "aware").p);
        const some = tests.map(([value, nulls]) => sequentialP(value, nulls, "upper", { hits }));
        stopped += some.filter(({ valid }) => valid < draws).length;
        for (const level of [0.05, 0.01, 0.005]) {
          const isSmall = (p: number) => p <= level;
          expect(some.map(({ p }) => isSmall(p))).toEqual(all.map(isSmall));
          for (const adjust of [bhAdjust, byAdjust]) {
            const adjusted = (ps: readonly number[]) => [...adjust(ps)].map(isSmall);
            expect(adjusted(some.map(({ p }) => p))).toEqual(adjusted(all));
          }
        }
      }
    }
    expect(stopped).toBeGreaterThan(500);
  });
});
