import { describe, expect, it } from "vitest";
import { quantile, quantilesOf } from "../../src/statistics/quantiles.ts";

describe("quantilesOf", () => {
  it("has NumPy's linear quantiles, whatever the order", () => {
    // numpy.quantile([1, 2, 4, 8], [0, .25, .5, .75, 1])
    expect(quantilesOf([8, 1, Number.NaN, 4, 2], 4)).toEqual([1, 1.75, 3, 5, 8]);
  });

  it("is one value throughout of one value, and nothing of none", () => {
    expect(quantilesOf([3], 2)).toEqual([3, 3, 3]);
    expect(quantilesOf([Number.NaN], 2)).toEqual([]);
    expect(quantile(new Float64Array(), 0.5)).toBeNaN();
  });

  it("keeps infinities", () => {
    expect(quantilesOf([Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY], 2)).toEqual([
      1,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});
