import { describe, expect, it } from "vitest";
import { drawNullSets } from "../../src/scores/nulls.ts";
import type { LayerSubclusters } from "../../src/scores/subclusters.ts";

/** Units 3, 4, ... 22 of a layer of 30 are eligible; subclusters of 2, 5 and 5 of them are tested. */
function layerOf(sizes: readonly number[] = [2, 5, 5]): LayerSubclusters {
  const eligible = Int32Array.from({ length: 20 }, (_, i) => i + 3);
  let first = 0;
  const tested = sizes.map((size, cluster) => {
    first += size;
    return { cluster, units: eligible.slice(first - size, first) };
  });
  return { layer: 0, name: "a", layerUnits: 30, eligible, tested, filtered: [] };
}

describe("drawNullSets", () => {
  it.each(["strict", "paper"] as const)(
    "draws eligible units without repetition, sorted (%s)",
    (protocol) => {
      const layer = layerOf();
      const sets = drawNullSets(layer, protocol, 200, 0);
      expect(sets).toHaveLength(600);
      sets.forEach((set, i) => {
        expect(set).toHaveLength([2, 5, 5][i % 3] as number);
        expect(new Set(set).size).toBe(set.length);
        expect([...set]).toEqual([...set].sort((a, b) => a - b));
        for (const unit of set) expect(layer.eligible.includes(unit)).toBe(true);
      });
      expect([...layer.eligible]).toEqual(Array.from({ length: 20 }, (_, i) => i + 3));
    },
  );

  it("strict: the sets of one draw are disjoint, as labels are permuted", () => {
    const sets = drawNullSets(layerOf(), "strict", 300, 4);
    for (let draw = 0; draw < 300; draw++) {
      const units = sets.slice(3 * draw, 3 * draw + 3).flatMap((set) => [...set]);
      expect(new Set(units).size).toBe(12);
    }
  });

  it("paper: the sets of one draw are independent and may overlap", () => {
    const sets = drawNullSets(layerOf(), "paper", 400, 4);
    let overlaps = 0;
    for (let draw = 0; draw < 400; draw++) {
      const units = sets.slice(3 * draw, 3 * draw + 3).flatMap((set) => [...set]);
      if (new Set(units).size < 12) overlaps++;
    }
    // Chance of 12 distinct units: C(18, 5) C(13, 5) / C(20, 5)^2 = 0.0459.
    expect(overlaps / 400).toBeGreaterThan(0.92);
    expect(overlaps / 400).toBeLessThan(0.98);
  });

  it.each(["strict", "paper"] as const)("draws every unit equally often (%s)", (protocol) => {
    const draws = 4000;
    const sets = drawNullSets(layerOf(), protocol, draws, 1);
    for (const number of [0, 1, 2]) {
      const counts = new Map<number, number>();
      sets.forEach((set, i) => {
        if (i % 3 === number) for (const unit of set) counts.set(unit, (counts.get(unit) ?? 0) + 1);
      });
      const share = ([2, 5, 5][number] as number) / 20;
      const sd = Math.sqrt(draws * share * (1 - share));
      expect(counts.size).toBe(20);
      for (const count of counts.values()) expect(Math.abs(count - draws * share)).toBeLessThan(4.5 * sd);
    }
  });

  it.each(["strict", "paper"] as const)(
    "depends on seed and layer, not on how many draws follow (%s)",
    (protocol) => {
      const layer = layerOf();
      const sets = drawNullSets(layer, protocol, 30, 1);
      expect(drawNullSets(layer, protocol, 20, 1)).toEqual(sets.slice(0, 60));
      expect(drawNullSets(layer, protocol, 30, 2)).not.toEqual(sets);
      expect(drawNullSets({ ...layer, name: "b" }, protocol, 30, 1)).not.toEqual(sets);
    },
  );
});
