import { describe, expect, it } from "vitest";
import { centerP, rankP } from "../../src/statistics/rank-p.ts";
import { rng } from "../../src/statistics/rng.ts";

const nullOf = (...values: number[]) => new Float64Array(values);

describe("rankP", () => {
  it("counts more extreme null values on the side asked for", () => {
    const values = nullOf(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(rankP(7.5, values, "upper", "strict")).toEqual({ p: 0.3, hits: 2, valid: 9 });
    expect(rankP(7.5, values, "lower", "strict")).toEqual({ p: 0.8, hits: 7, valid: 9 });
    expect(rankP(10, values, "upper", "aware").p).toBe(0.1);
    expect(rankP(0, values, "upper", "aware").p).toBe(1);
  });

  it("counts equal values only where ties are aware", () => {
    const equal = new Float64Array(19).fill(0.5);
    for (const tail of ["upper", "lower"] as const) {
      expect(rankP(0.5, equal, tail, "aware").p).toBe(1);
      expect(rankP(0.5, equal, tail, "strict").p).toBe(1 / 20);
    }
    expect(rankP(2, nullOf(1, 2, 2, 3), "upper", "aware").p).toBe(4 / 5);
    expect(rankP(2, nullOf(1, 2, 2, 3), "upper", "strict").p).toBe(2 / 5);
  });

  it("drops NaN null values and has no p for a NaN value", () => {
    const half = nullOf(1, Number.NaN, 3, Number.NaN, 5, Number.NaN);
    expect(rankP(4, half, "upper", "aware")).toEqual({ p: 2 / 4, hits: 1, valid: 3 });
    expect(rankP(Number.NaN, nullOf(1, 2), "upper", "aware").p).toBeNaN();
  });

  it("has no p where too few null values are valid", () => {
    const half = nullOf(1, Number.NaN, 3, Number.NaN, 5, Number.NaN, Number.NaN);
    expect(rankP(4, half, "upper", "aware", { minimumValid: 3.5 }).p).toBeNaN();
    expect(rankP(4, half, "upper", "aware", { minimumValid: 3 }).p).toBe(0.5);
    expect(rankP(4, nullOf(Number.NaN), "upper", "aware").p).toBeNaN();
    expect(rankP(4, nullOf(), "upper", "aware").p).toBeNaN();
  });

  it("orders infinities like numbers", () => {
    const values = nullOf(Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY);
    expect(rankP(Number.POSITIVE_INFINITY, values, "upper", "aware").p).toBe(0.5);
    expect(rankP(Number.POSITIVE_INFINITY, values, "upper", "strict").p).toBe(0.25);
  });

  it("is uniform over 1/(n+1) ... 1 when value and null are drawn alike", () => {
    const random = rng(3, "rank-p test");
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 20_000; draw++) {
      const values = Float64Array.from({ length: 9 }, () => random.uniform());
      const cell = Math.round(rankP(random.uniform(), values, "lower", "aware").p * 10) - 1;
      counts[cell] = (counts[cell] as number) + 1;
    }
    // Binomial standard deviation 42; 5 of them.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(212);
  });
});

describe("centerP", () => {
  it("takes the centre of the cell", () => {
    expect(centerP(1 / 20, 19)).toBeCloseTo(0.025, 15);
    expect(centerP(1, 19)).toBeCloseTo(0.975, 15);
  });
});
