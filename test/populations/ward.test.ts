import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agreementOf } from "../../src/partition/compare.ts";
import { wardGroups } from "../../src/populations/find-populations.ts";
import { principalComponents } from "../../src/populations/principal-components.ts";
import { ward } from "../../src/populations/ward.ts";
import { rng } from "../../src/statistics/rng.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/populations.json", import.meta.url), "utf8"),
) as {
  ward: { points: number[][]; groups: number[]; labels: number[][] };
  pca: { values: number[][]; coordinates: number[][] };
};

describe("Ward's method", () => {
  it("makes scipy's groups, whatever their number", () => {
    const { points, groups, labels } = fixture.ward;
    const values = Float64Array.from(points.flat());
    groups.forEach((count, number) => {
      const found = ward(values, points.length, count);
      expect(new Set(found).size).toBe(count);
      expect(agreementOf(found, Int32Array.from(labels[number] ?? [])).ari).toBe(1);
    });
  });

  it("takes as many groups as there are rows, and equal rows", () => {
    expect(Array.from(ward(Float64Array.of(1, 2, 3), 3, 7))).toEqual([0, 1, 2]);
    expect(Array.from(ward(new Float64Array(4).fill(2), 4, 1))).toEqual([0, 0, 0, 0]);
  });

  it("leaves out units without an impact", () => {
    const profiles = Float64Array.of(0, 0, 0.1, 0, 0.1, 0.001, 0, 0, 0, 5);
    expect(Array.from(wardGroups(profiles, 5, 2))).toEqual([-1, 0, 0, -1, 1]);
    expect(Array.from(wardGroups(profiles, 5, 0))).toEqual([-1, -1, -1, -1, -1]);
  });
});

describe("principal components", () => {
  it("are scikit-learn's but for their signs", async () => {
    const { values, coordinates } = fixture.pca;
    const found = await principalComponents(
      Float32Array.from(values.flat()),
      values.length,
      4,
      rng(0, "components"),
    );
    expect(found.count).toBe(4);
    coordinates.flat().forEach((expected, at) => {
      // Float32 products, and iteration that ends before the last digits.
      expect(Math.abs(found.coordinates[at] as number)).toBeCloseTo(expected, 2);
    });
  });

  it("of data without as many directions are zero beyond them", async () => {
    const values = Float32Array.from({ length: 6 * 60 }, (_, at) => Math.floor(at / 60));
    const { coordinates, count } = await principalComponents(values, 6, 3, rng(0, "components"));
    for (let row = 0; row < 6; row++) {
      expect(Math.abs(coordinates[row * count] as number)).toBeCloseTo(
        Math.abs(row - 2.5) * Math.sqrt(60),
        3,
      );
      expect(coordinates[row * count + 1]).toBeCloseTo(0, 4);
    }
  });
});
