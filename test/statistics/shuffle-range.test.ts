import { describe, expect, it } from "vitest";
import { rng } from "../../src/statistics/rng.ts";
import { shuffleRange } from "../../src/statistics/shuffle-range.ts";

describe("shuffleRange", () => {
  it("makes every arrangement equally often", () => {
    for (const size of [3, 4, 5]) {
      const random = rng(0, "shuffle test", size);
      const counts = new Map<string, number>();
      const arrangements = [6, 24, 120][size - 3] as number;
      const draws = 200 * arrangements;
      for (let draw = 0; draw < draws; draw++) {
        const values = Int32Array.from({ length: size + 2 }, (_, i) => i);
        shuffleRange(values, 1, size + 1, random);
        expect([values[0], values[size + 1]]).toEqual([0, size + 1]);
        const key = values.join(" ");
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      expect(counts.size).toBe(arrangements);
      const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
      const freedom = arrangements - 1;
      // Beyond four standard deviations of chi-square once in ten thousand.
      expect(Math.abs(chiSquare - freedom)).toBeLessThan(4 * Math.sqrt(2 * freedom));
    }
  });

  it("moves every value of a long range anywhere", () => {
    // Beyond 65,536 values exchanges are drawn one by one.
    for (const size of [1000, 65537]) {
      const random = rng(1, "shuffle test");
      const values = Int32Array.from({ length: size }, (_, i) => i);
      shuffleRange(values, 0, size, random);
      expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      // Correlation of value and place: standard deviation 1 / sqrt(size).
      const mean = (size - 1) / 2;
      const product = values.reduce((sum, value, place) => sum + (value - mean) * (place - mean), 0);
      expect(Math.abs(product / ((size * (size * size - 1)) / 12))).toBeLessThan(4 / Math.sqrt(size));
      expect(values.filter((value, place) => value === place).length).toBeLessThan(8);
    }
  });

  it("leaves empty and single ranges alone", () => {
    const values = Int32Array.of(3, 1, 2);
    shuffleRange(values, 1, 1, rng(0, "x"));
    shuffleRange(values, 2, 3, rng(0, "x"));
    expect([...values]).toEqual([3, 1, 2]);
  });
});
