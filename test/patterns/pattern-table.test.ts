import { describe, expect, it } from "vitest";
import {
  BOX_STATISTICS,
  boxStatistics,
  classMix,
  describePatterns,
  globalOutliers,
  patternAgreement,
  quantile,
} from "../../src/patterns/pattern-table.ts";

const found = {
  labels: Int32Array.of(0, 0, 1, -1, 1, 0, 0),
  probabilities: Float32Array.of(0.5, 1, 1, 0, 0.25, 1, 0.75),
  outlierScores: Float32Array.of(0.5, 0.2, 0, 0.9, 0.75, 0.1, 0.3),
  persistence: Float64Array.of(0.6, 0.2),
  hasSplit: true,
  duplicates: 0,
};

describe("patterns", () => {
  it("have members, typical and boundary ones, classes and mistakes", () => {
    const labels = Int32Array.of(3, 3, 1, 0, 2, 3, 1);
    const predictions = Int32Array.of(3, 1, 1, 0, 1, 3, 1);
    const [first, second] = describePatterns(found, { labels, predictions });
    expect(Array.from(first?.members ?? [])).toEqual([0, 1, 5, 6]);
    // Rows 1 and 5 are as probable; 5 is the lesser outlier.
    expect(Array.from(first?.exemplars ?? [])).toEqual([5, 1, 6, 0]);
    expect(Array.from(first?.boundary ?? [])).toEqual([0, 6, 1, 5]);
    expect(first?.meanProbability).toBe((0.5 + 1 + 1 + 0.75) / 4);
    expect(first?.classes).toMatchObject({ majority: 3, purity: 0.75 });
    expect(first?.classes?.entropy).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 12);
    expect(first?.predictions).toMatchObject({ majority: 1, purity: 0.5 });
    expect(first?.misclassified).toBe(0.25);
    // As many of two classes: the first of them.
    expect(second?.classes).toMatchObject({ majority: 1, purity: 0.5 });
    expect(second?.misclassified).toBe(0.5);
    const unlabelled = describePatterns(found, { labels: null, predictions: null })[0];
    expect(unlabelled).toMatchObject({ classes: null, predictions: null, misclassified: Number.NaN });
  });

  it("are pure with an entropy of 0, or mixed with that of their shares", () => {
    const classes = Int32Array.of(2, 2, 2, 0, 1, 2);
    expect(classMix(Int32Array.of(0, 1, 2), classes)).toMatchObject({ majority: 2, purity: 1, entropy: 0 });
    const mixed = classMix(Int32Array.of(3, 4, 5), classes);
    expect(Array.from(mixed.counts)).toEqual([1, 1, 1]);
    expect(mixed.entropy).toBeCloseTo(Math.log(3), 12);
  });

  it("name the inputs beyond the 0.95 quantile of outlier scores, the strongest first", () => {
    const scores = Float32Array.from({ length: 41 }, (_, i) => i / 40);
    const { threshold, rows } = globalOutliers({ ...found, outlierScores: scores });
    expect(threshold).toBeCloseTo(0.95, 6);
    expect(Array.from(rows)).toEqual([40, 39]);
  });
});

describe("agreement with classes", () => {
  // scikit-learn's adjusted_mutual_info_score of the same labels.
  it("counts noise as one group, or leaves it out", () => {
    const patterns = Int32Array.of(0, 0, 0, 1, 1, -1, -1, 2, 2, 2);
    const classes = Int32Array.of(0, 0, 1, 1, 1, 2, 0, 2, 2, 2);
    const { withNoise, withoutNoise } = patternAgreement(patterns, classes);
    expect(withNoise).toBeCloseTo(0.40577818863462317, 10);
    expect(withoutNoise).toBeCloseTo(0.6598363252848236, 10);
  });

  it("is 1 for classes found as they are, and undefined with a single class or without patterns", () => {
    const classes = Int32Array.of(0, 0, 1, 1);
    expect(patternAgreement(Int32Array.of(1, 1, 0, 0), classes)).toEqual({ withNoise: 1, withoutNoise: 1 });
    const noise = new Int32Array(4).fill(-1);
    expect(patternAgreement(noise, classes)).toEqual({ withNoise: 0, withoutNoise: Number.NaN });
    const same = new Int32Array(4);
    expect(patternAgreement(classes, same)).toEqual({ withNoise: Number.NaN, withoutNoise: Number.NaN });
  });
});

describe("box statistics", () => {
  it("are exact over a pattern's members, unit by unit", () => {
    // Unit 0 of members 0 ... 8 and 100 has an outlier; unit 1 is constant; row 10 is not a member.
    const rows = [...Array.from({ length: 9 }, (_, i) => [i, 5]), [100, 5], [-1000, -1000]];
    const members = Int32Array.from({ length: 10 }, (_, row) => row);
    const boxes = boxStatistics(Float32Array.from(rows.flat()), 2, [{ members }]);
    const box = (unit: number) =>
      Object.fromEntries(BOX_STATISTICS.map((name, at) => [name, boxes[unit * 8 + at]]));
    // numpy.quantile([0 ... 8, 100], [.25, .75]) = 2.25, 6.75.
    expect(box(0)).toEqual({
      min: 0,
      lower: 0,
      q1: 2.25,
      mean: Math.fround(13.6),
      q3: 6.75,
      upper: 13.5,
      max: 100,
      iqr: 4.5,
    });
    expect(box(1)).toEqual({ min: 5, lower: 5, q1: 5, mean: 5, q3: 5, upper: 5, max: 5, iqr: 0 });
  });

  it("interpolate quantiles between neighbours", () => {
    expect(quantile([1, 2], 0.25)).toBe(1.25);
    expect(quantile([7], 0.75)).toBe(7);
  });
});
