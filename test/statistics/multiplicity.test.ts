import { describe, expect, it } from "vitest";
import { bhAdjust, bhThreshold, byAdjust, byThreshold } from "../../src/statistics/multiplicity.ts";
import { rng } from "../../src/statistics/rng.ts";

// The 15 p-values of Benjamini & Hochberg 1995, section 3.2: four are significant at 0.05.
const published = [
  0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
  0.759, 1,
];

describe("false discovery rate", () => {
  it("finds the published four", () => {
    expect(bhThreshold(published, 0.05)).toBe(0.0095);
    // 0.05 / (15 * 3.318) = 0.0010046 per rank, so the first two and 0.0019 <= 0.00301 pass.
    expect(byThreshold(published, 0.05)).toBe(0.0019);
  });

  it("has no threshold where nothing passes (oracle 10)", () => {
    expect(bhThreshold([0.2, 0.6, 1], 0.05)).toBeNull();
    expect(byThreshold([0.2, 0.6, 1], 0.05)).toBeNull();
    expect(bhThreshold([], 0.05)).toBeNull();
    expect(bhThreshold([Number.NaN], 0.05)).toBeNull();
  });

  it("takes the largest passing p even where smaller ones fail their own rank", () => {
    expect(bhThreshold([0.04, 0.045, 0.049], 0.05)).toBe(0.049);
  });

  it("leaves NaN out of the number of tests and keeps it", () => {
    const withGaps = [Number.NaN, ...published, Number.NaN];
    expect(bhThreshold(withGaps, 0.05)).toBe(0.0095);
    const adjusted = bhAdjust(withGaps);
    expect(adjusted[0]).toBeNaN();
    expect(adjusted[16]).toBeNaN();
    expect(adjusted.slice(1, 16)).toEqual(bhAdjust(published));
  });

  it("adjusts to min over larger ranks of p m / rank, in the order of the input", () => {
    const random = rng(7, "multiplicity test");
    for (let repeat = 0; repeat < 50; repeat++) {
      const ps = Array.from({ length: 1 + random.integer(12) }, () => (1 + random.integer(20)) / 20);
      const harmonic = ps.reduce((sum, _, i) => sum + 1 / (i + 1), 0);
      const bh = bhAdjust(ps);
      const by = byAdjust(ps);
      for (const [test, p] of ps.entries()) {
        // Brute force over all cut points v >= p: the rate at which "all p <= v" would be called significant.
        const rates = ps
          .filter((v) => v >= p)
          .map((v) => (v * ps.length) / ps.filter((other) => other <= v).length);
        expect(bh[test]).toBeCloseTo(Math.min(1, ...rates), 12);
        expect(by[test]).toBeCloseTo(Math.min(1, ...rates.map((rate) => rate * harmonic)), 12);
      }
    }
  });

  it("calls the same tests significant by threshold and by adjusted p", () => {
    const threshold = bhThreshold(published, 0.05) ?? 0;
    expect([...bhAdjust(published)].map((q) => q <= 0.05)).toEqual(published.map((p) => p <= threshold));
  });
});
