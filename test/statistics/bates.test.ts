import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batesCdf } from "../../src/statistics/bates.ts";

const fixture: { bates: { mean: number; k: number; p: number }[] } = JSON.parse(
  readFileSync(new URL("../fixtures/statistics.json", import.meta.url), "utf8"),
);

describe("batesCdf", () => {
  it("gives the figures of the method note for five replicates (oracle 5)", () => {
    for (const [mean, p] of [
      [0.1, 0.00026],
      [0.2, 0.008333],
      [0.3, 0.061979],
      [0.4, 0.225],
      [0.5, 0.5],
      [0.7, 0.938021],
    ] as const) {
      expect(batesCdf(mean, 5)).toBeCloseTo(p, 5);
    }
  });

  it("agrees with exact fractions, also in the lower tail and for many replicates", () => {
    for (const { mean, k, p } of fixture.bates) {
      // 1e-9 relative: the fractional part of k * mean carries its rounding to the k-th power.
      expect(batesCdf(mean, k) / p).toBeCloseTo(1, 9);
    }
  });

  it("is the identity for one replicate and stays in [0, 1]", () => {
    expect(batesCdf(0.37, 1)).toBeCloseTo(0.37, 15);
    expect(batesCdf(0, 5)).toBe(0);
    expect(batesCdf(1, 5)).toBe(1);
    expect(batesCdf(Number.NaN, 5)).toBeNaN();
    expect(() => batesCdf(0.5, 0)).toThrowError(/expected an integer from 1/);
  });
});
