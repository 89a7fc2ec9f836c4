import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/network/outcomes.ts";
import { baselineOf, damageOf } from "../../src/scores/damage.ts";

const outcome = (correct: readonly number[], loss: number): Outcome => ({
  correct: Int32Array.from(correct),
  loss,
  runs: 1,
});

describe("damageOf", () => {
  it("gives the statistics of method note 6.3", () => {
    // Classes of 10, 20 and 10 inputs; class accuracies 0.9, 0.8, 1 fall to 0.4, 0.8, 0.9.
    const counts = Int32Array.of(10, 20, 10);
    const baseline = baselineOf(outcome([9, 16, 10], 0.25), counts, false);
    expect([...baseline.classAccuracy]).toEqual([0.9, 0.8, 1]);
    const damage = damageOf(outcome([4, 16, 9], 1.5), baseline);
    expect(damage.accuracy).toBeCloseTo(29 / 40, 12);
    expect([...damage.classAccuracy]).toEqual([0.4, 0.8, 0.9]);
    // The mean over classes, not over inputs.
    expect(damage.meanClassAccuracy).toBeCloseTo(0.7, 12);
    expect(damage.meanChange).toBeCloseTo(-0.2, 12);
    // Changes -0.5, 0, -0.1 relative to -0.2: 2.5, 0, 0.5.
    expect(damage.classRange).toBeCloseTo(2.5, 12);
    expect(damage.loss).toBe(1.5);
    expect(damage.lossIncrease).toBeCloseTo(1.25, 12);
  });

  it("measures the range of improvements as well, and where some classes improve", () => {
    const counts = Int32Array.of(10, 10);
    const baseline = baselineOf(outcome([5, 5], 1), counts, false);
    // Changes 0.3, 0.1: relative 1.5, 0.5.
    expect(damageOf(outcome([8, 6], 1), baseline).classRange).toBeCloseTo(1, 12);
    // Changes -0.4, 0.2, mean -0.1: relative 4, -2.
    expect(damageOf(outcome([1, 7], 1), baseline).classRange).toBeCloseTo(6, 12);
  });

  it("skips classes without inputs", () => {
    const baseline = baselineOf(outcome([9, 0, 6], 0.5), Int32Array.of(10, 0, 10), true);
    const damage = damageOf(outcome([5, 0, 0], 2), baseline);
    expect(damage.classAccuracy[1]).toBeNaN();
    expect(damage.meanClassAccuracy).toBeCloseTo(0.25, 12);
    expect(damage.meanChange).toBeCloseTo(-0.5, 12);
    // Changes -0.4 and -0.6.
    expect(damage.classRange).toBeCloseTo(0.4, 12);
    // tau = 2 sqrt((0.9 * 0.1 + 0.6 * 0.4) / 10 / 2^2).
    expect(baseline.noiseFloor).toBeCloseTo(2 * Math.sqrt(0.33 / 10 / 4), 12);
  });

  it("has no range where the mean change is within the noise floor, strictly below it", () => {
    const counts = Int32Array.of(100, 100);
    // tau = 2 sqrt((0.8 * 0.2 + 0.5 * 0.5) / 100 / 4) = 0.064.
    const strict = baselineOf(outcome([80, 50], 1), counts, true);
    const paper = baselineOf(outcome([80, 50], 1), counts, false);
    expect(strict.noiseFloor).toBeCloseTo(2 * Math.sqrt(0.41 / 400), 12);
    expect(paper.noiseFloor).toBe(0);
    const below = outcome([70, 48], 1);
    expect(damageOf(below, strict).classRange).toBeNaN();
    // Changes -0.1 and -0.02, mean -0.06.
    expect(damageOf(below, paper).classRange).toBeCloseTo(0.08 / 0.06, 12);
    expect(damageOf(outcome([70, 47], 1), strict).classRange).toBeCloseTo(0.07 / 0.065, 12);
    // Improvements have the same floor.
    expect(damageOf(outcome([86, 55], 1), strict).classRange).toBeNaN();
  });

  it("has no range in protocol paper where the changes cancel, whatever their rounding", () => {
    // 0.9 - 0.8 and 0.7 - 0.8 do not cancel in floating point.
    const baseline = baselineOf(outcome([8, 8, 3], 1), Int32Array.of(10, 10, 10), false);
    const damage = damageOf(outcome([9, 7, 3], 1), baseline);
    expect(damage.meanChange).toBe(0);
    expect(damage.classRange).toBeNaN();
    const uneven = baselineOf(outcome([1, 2, 3], 1), Int32Array.of(3, 6, 12), false);
    // Changes 1/3, -1/6, -2/12.
    expect(damageOf(outcome([2, 1, 1], 1), uneven).classRange).toBeNaN();
  });

  it("gives equal statistics where the same losses fall on other classes", () => {
    // Ties must stay ties, or chance decides about p (method note 10, B8).
    const counts = new Int32Array(10).fill(97);
    const baseline = baselineOf(outcome(new Array(10).fill(96), 1), counts, false);
    const correct = [96, 3, 51, 77, 13, 90, 88, 20, 41, 65];
    const first = damageOf(outcome(correct, 1), baseline);
    for (let turn = 1; turn < 10; turn++) {
      const turned = [...correct.slice(turn), ...correct.slice(0, turn)];
      const other = damageOf(outcome(turned, 1), baseline);
      expect(other.meanClassAccuracy).toBe(first.meanClassAccuracy);
      expect(other.meanChange).toBe(first.meanChange);
      expect(other.classRange).toBe(first.classRange);
    }
  });

  it("of no lesion is none", () => {
    const baseline = baselineOf(outcome([7, 3], 0.75), Int32Array.of(9, 11), true);
    const damage = damageOf(outcome([7, 3], 0.75), baseline);
    expect(damage).toMatchObject({ meanChange: 0, lossIncrease: 0, loss: 0.75 });
    expect(damage.classRange).toBeNaN();
  });
});
