import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rankRelations } from "../../src/statistics/rank-relations.ts";
import { rng } from "../../src/statistics/rng.ts";

const { ranks } = JSON.parse(
  readFileSync(new URL("../fixtures/populations.json", import.meta.url), "utf8"),
) as { ranks: Record<string, number[]> & Record<string, number> };
const values = ["a", "b", "c"].map((name) => Float64Array.from(ranks[name] as unknown as number[]));

describe("rank relations", () => {
  it("are scipy's Spearman correlations, ties and all, and those of what a third quantity leaves", () => {
    const found = rankRelations(
      [values],
      [
        { first: 0, second: 1 },
        { first: 0, second: 2 },
        { first: 1, second: 2 },
        { first: 0, second: 1, given: 2 },
        { first: 1, second: 2, given: 0 },
      ],
      10,
      rng(0, "test"),
    );
    const expected = ["ab", "ac", "bc", "abGivenC", "bcGivenA"].map((name) => ranks[name] as number);
    found.forEach(({ rho, count }, i) => {
      expect(rho).toBeCloseTo(expected[i] as number, 12);
      expect(count).toBe(40);
    });
  });

  it("are undefined where a quantity does not vary, or is the one that is held fixed", () => {
    const flat = new Float64Array(40).fill(3);
    const [a = flat] = values;
    const [withFlat, ofItself] = rankRelations(
      [[a, flat, a]],
      [
        { first: 0, second: 1 },
        { first: 0, second: 2, given: 2 },
      ],
      5,
      rng(0, "test"),
    );
    for (const relation of [withFlat, ofItself]) {
      expect(relation?.rho).toBeNaN();
      expect(relation?.interval.low).toBeNaN();
    }
  });

  it("of strata leave differences between them out", () => {
    // Falling within each, but one stratum lies far above the other.
    const low = [Float64Array.of(1, 2, 3, 4, 5), Float64Array.of(5, 4, 3, 2, 1)];
    const high = low.map((quantity) => quantity.map((value) => value + 100));
    const [relation] = rankRelations([low, high], [{ first: 0, second: 1 }], 20, rng(0, "test"));
    expect(relation?.count).toBe(10);
    for (const value of [relation?.rho, relation?.interval.low, relation?.interval.high]) {
      expect(value).toBeCloseTo(-1, 12);
    }
  });

  it("have intervals that hold the true correlation about as often as they should", () => {
    // For normal pairs Spearman's is 6 / pi asin(rho / 2).
    const rho = 0.5;
    const truth = (6 / Math.PI) * Math.asin(rho / 2);
    let hits = 0;
    for (let trial = 0; trial < 200; trial++) {
      const random = rng(trial, "normal pairs");
      const x = Float64Array.from({ length: 60 }, () => random.normal());
      const y = x.map((value) => rho * value + Math.sqrt(1 - rho * rho) * random.normal());
      const [relation] = rankRelations([[x, y]], [{ first: 0, second: 1 }], 200, rng(trial, "draws"));
      const { low = 1, high = -1 } = relation?.interval ?? {};
      if (low <= truth && truth <= high) hits++;
    }
    // 190 expected; a percentile interval of so few things is a little narrow. Four standard errors below 93 %.
    expect(hits).toBeGreaterThan(171);
    expect(hits).toBeLessThan(200);
  });
});
