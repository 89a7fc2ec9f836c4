import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rowsOfUnits, unitResponses } from "../../src/populations/unit-responses.ts";
import { classAurocs } from "../../src/statistics/auroc.ts";

const { auroc } = JSON.parse(
  readFileSync(new URL("../fixtures/populations.json", import.meta.url), "utf8"),
) as { auroc: { labels: number[]; activations: number[][]; aurocs: number[][] } };

const countsOf = (labels: readonly number[], classes: number) =>
  Int32Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length);

const responsesTo = (rows: readonly (readonly number[])[], labels: readonly number[], classes = 3) =>
  unitResponses(
    { units: rows.length, inputs: labels.length, values: Float32Array.from(rows.flat()) },
    { labels: Int32Array.from(labels), counts: countsOf(labels, classes) },
  );

describe("unit responses", () => {
  it("have scikit-learn's AUROC of the best and of the worst class", () => {
    const found = responsesTo(auroc.activations, auroc.labels);
    auroc.aurocs.forEach((expected, unit) => {
      const [most, least] = [Math.max(...expected), Math.min(...expected)];
      expect(found.auroc[unit]).toBeCloseTo(most, 12);
      expect(found.aurocClass[unit]).toBe(expected.indexOf(most));
      expect(found.leastAuroc[unit]).toBeCloseTo(least, 12);
      expect(found.leastAurocClass[unit]).toBe(expected.indexOf(least));
    });
  });

  it("follow the formulas on a layer worked by hand", () => {
    // Means of unit 0: 4, 1, 0; of unit 1, which is negative: -1, -3, -2. Unit 2 never answers.
    const labels = [0, 0, 1, 1, 2, 2];
    const found = responsesTo(
      [
        [3, 5, 2, 0, 0, 0],
        [-1, -1, -4, -2, -2, -2],
        [0, 0, 1e-9, 0, 0, 0],
        [7, 7, 7, 7, 7, 7],
      ],
      labels,
    );
    expect(Array.from(found.isDead)).toEqual([0, 0, 1, 0]);
    expect(Array.from(found.profiles.subarray(0, 6))).toEqual([4, 1, 0, -1, -3, -2]);
    expect(found.magnitude[0]).toBeCloseTo(10 / 6);
    expect(found.relativeMagnitude[0]).toBeCloseTo(10 / 6 / 7);
    expect(found.relativeMagnitude[3]).toBe(1);
    expect(Array.from(found.peak.subarray(0, 2))).toEqual([4, -1]);
    // (4 - 0.5) / 4.5, and (-1 + 2.5) / 3.5.
    expect(found.selectivity[0]).toBeCloseTo(7 / 9);
    expect(found.selectivity[1]).toBeCloseTo(1.5 / 3.5);
    // (1 - (10/6)^2 / (38/6)) / (5/6), and 0 for a unit that answers to all alike.
    expect(found.sparseness[0]).toBeCloseTo((1 - 100 / 36 / (38 / 6)) / (5 / 6));
    expect(found.sparseness[3]).toBeCloseTo(0);
    expect([found.auroc[3], found.selectivity[3]]).toEqual([0.5, 0]);
    for (const values of [found.magnitude, found.auroc, found.selectivity, found.sparseness]) {
      expect(values[2]).toBeNaN();
    }
    expect(found.aurocClass[2]).toBe(-1);
  });

  it("know units that are not finite as dead, and classes without inputs as undefined", () => {
    const labels = [0, 0, 2, 2];
    const found = responsesTo(
      [
        [1, Number.NaN, 2, 3],
        [1, Number.POSITIVE_INFINITY, 2, 3],
        [0, 1, 2, 3],
      ],
      labels,
    );
    expect(Array.from(found.isDead)).toEqual([1, 1, 0]);
    expect(found.profiles[2 * 3 + 1]).toBeNaN();
    expect(found.auroc[2]).toBe(1);
    expect(found.aurocClass[2]).toBe(2);
    expect(found.selectivity[2]).toBeCloseTo(2 / 3);
  });

  it("do not change with the scale of a unit, but for its magnitude", () => {
    const [row = []] = auroc.activations;
    const found = responsesTo([row, row.map((value) => 8 * value)], auroc.labels);
    for (const values of [found.auroc, found.selectivity, found.sparseness]) {
      expect(values[1]).toBeCloseTo(values[0] as number, 12);
    }
    expect(found.magnitude[1]).toBeCloseTo(8 * (found.magnitude[0] as number), 10);
  });

  it("read recordings by unit", () => {
    const rows = rowsOfUnits(
      {
        inputs: 2,
        columns: 2,
        values: Float32Array.of(1, 2, 3, 4),
        columnUnit: Int32Array.of(2, 0),
        columnStatistic: ["mean", "mean"],
      },
      3,
    );
    expect(Array.from(rows.values)).toEqual([2, 4, 0, 0, 1, 3]);
  });
});

describe("AUROC", () => {
  it("is undefined for classes without inputs and with all of them", () => {
    const found = classAurocs(Float32Array.of(1, 2), Int32Array.of(0, 0), Int32Array.of(2, 0));
    expect(Array.from(found)).toEqual([Number.NaN, Number.NaN]);
  });
});
