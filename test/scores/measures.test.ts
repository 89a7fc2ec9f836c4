import { describe, expect, it } from "vitest";
import { effectsOf, networkRow, type Verdict } from "../../src/scores/measures.ts";
import { rng } from "../../src/statistics/rng.ts";

const verdict = (p: number, valid: number, effect: number): Verdict => ({
  p,
  valid,
  effect,
  difference: 0,
  z: 0,
  amount: 0,
  quantiles: [],
});

describe("effectsOf", () => {
  it("compares with the mean of the null", () => {
    // r = 2, sd = sqrt(((1 - 2)^2 + 0 + (3 - 2)^2) / 3).
    const effects = effectsOf(6, [1, 2, 3]);
    expect(effects.effect).toBeCloseTo(12 / 8, 12);
    expect(effects.difference).toBeCloseTo(4, 12);
    expect(effects.z).toBeCloseTo(4 / Math.sqrt(2 / 3), 12);
  });

  it("drops undefined null values and has no z without spread", () => {
    expect(effectsOf(3, [Number.NaN, 1, Number.NaN, 1])).toEqual({
      effect: 1.5,
      difference: 2,
      z: Number.NaN,
    });
  });

  it("has no effect where either side is not a loss", () => {
    expect(effectsOf(-1, [1, 2]).effect).toBeNaN();
    expect(effectsOf(0, [1, 2]).effect).toBeNaN();
    expect(effectsOf(1, [-1, -2]).effect).toBeNaN();
    expect(effectsOf(-3, [-1, -2]).effect).toBeNaN();
    expect(effectsOf(Number.NaN, [1, 2]).effect).toBeNaN();
    expect(effectsOf(1, [Number.NaN]).effect).toBeNaN();
  });

  it("is 1 against itself", () => {
    expect(effectsOf(0.7, [0.7, 0.7]).effect).toBe(1);
  });
});

describe("networkRow", () => {
  it("is the published aggregation in protocol paper", () => {
    // Method note 12, oracle 4: n = 19, p = .05, .10, .50.
    const row = networkRow(
      [verdict(0.05, 19, 1.2), verdict(0.1, 19, 1), verdict(0.5, 19, 0.5)],
      null,
      rng(0),
    );
    expect(row.fisherStatistic).toBeCloseTo(2.341196, 6);
    expect(row.fisherP).toBeCloseTo(0.0291136, 7);
    expect(row.permutationP).toBeNaN();
    expect(row.effect).toBeCloseTo(0.9, 12);
    // s.e.m. with n - 1: sd = sqrt((0.09 + 0.01 + 0.16) / 2).
    expect(row.effectError).toBeCloseTo(Math.sqrt(0.13 / 3), 12);
    expect(row).toMatchObject({ tested: 3, undefinedP: 0, undefinedEffect: 0, significant: 0 });
  });

  it("leaves undefined subclusters out, counts them, and centres p by its own number of null values", () => {
    const row = networkRow(
      [verdict(0.2, 4, Number.NaN), verdict(Number.NaN, 3, 2), verdict(0.001, 999, 1.5)],
      null,
      rng(0),
    );
    const logs = [0.2 - 1 / 10, 0.001 - 1 / 2000].map((q) => -Math.log(q));
    expect(row.fisherStatistic).toBeCloseTo(((logs[0] as number) + (logs[1] as number)) / 2, 10);
    expect(row).toMatchObject({ tested: 2, undefinedP: 1, undefinedEffect: 1, effect: 1.75 });
    // Benjamini-Yekutieli of two: .001 * 2 * 1.5 = .003 and .2 * 1.5 = .3.
    expect(row.significant).toBe(1);
  });

  it("takes the permutation p of the strata", () => {
    const stratum = (values: readonly number[]) => ({ sizes: [2], values: Float64Array.from(values) });
    const extreme = Array.from({ length: 200 }, (_, b) => (b === 0 ? 5 : (b % 97) / 97));
    const verdicts = [verdict(0.005, 199, 1), verdict(0.005, 199, 1)];
    const row = networkRow(verdicts, [stratum(extreme), stratum(extreme)], rng(0, "row"));
    // Both strata draw the extreme arrangement in 1 of 40,000.
    expect(row.permutationP).toBeLessThan(0.001);
    const same = networkRow(verdicts, [stratum(new Array(200).fill(1))], rng(0, "row"));
    expect(same.permutationP).toBe(1);
  });
});
