import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bootstrap, percentileInterval } from "../../src/statistics/bootstrap.ts";
import { rng } from "../../src/statistics/rng.ts";
import { spearman } from "../../src/statistics/spearman.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/lesion-statistics.json", import.meta.url), "utf8"),
);

describe("bootstrap", () => {
  it("has numpy's percentiles", () => {
    const { draws, values, percentiles } = fixture.bootstrap;
    const means = Float64Array.from(draws as number[][], (draw) =>
      draw.reduce((sum, input) => sum + values[input] / draw.length, 0),
    );
    const { low, high } = percentileInterval(means);
    expect(low).toBeCloseTo(percentiles[0], 12);
    expect(high).toBeCloseTo(percentiles[1], 12);
    expect(percentileInterval(Float64Array.of(3, Number.NaN))).toEqual({ low: 3, high: 3 });
    expect(percentileInterval(new Float64Array()).low).toBeNaN();
    expect(percentileInterval(Float64Array.of(Infinity, Infinity))).toEqual({
      low: Infinity,
      high: Infinity,
    });
  });

  it("has SciPy's interval of a mean, to the error of its draws", () => {
    const sample = fixture.bootstrap.sample as number[];
    const means = new Float64Array(4000);
    bootstrap(sample.length, means.length, rng(0, "bootstrap"), (counts, draw) => {
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sample.length);
      means[draw] = counts.reduce((sum, count, i) => sum + count * (sample[i] as number), 0) / sample.length;
    });
    const { low, high } = percentileInterval(means);
    // The mean has a standard deviation of 0.057, its 2.5 % quantile an error of 0.0024 over 4,000 draws.
    expect(Math.abs(low - fixture.bootstrap.low)).toBeLessThan(0.008);
    expect(Math.abs(high - fixture.bootstrap.high)).toBeLessThan(0.008);
  });
});

describe("spearman", () => {
  it("is SciPy's", () => {
    for (const { a, b, rho } of fixture.spearman) expect(spearman(a, b)).toBeCloseTo(rho, 12);
  });

  it("is undefined where one list does not vary, and drops what is not known", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(spearman([], [])).toBeNaN();
    expect(spearman([1, 2, Number.NaN, 3], [3, 2, 0, 1])).toBe(-1);
  });
});
