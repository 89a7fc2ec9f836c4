/** Bootstrap intervals of lesions: they hold what a network does to all inputs as often as they say. */
import { describe, expect, it } from "vitest";
import { runJointLesions } from "../../src/network/joint-lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { OutcomeDetail } from "../../src/network/outcome-details.ts";
import { changeIntervals } from "../../src/scores/intervals.ts";
import { openMeanBootstrap } from "../../src/scores/mean-bootstrap.ts";
import type { Interval } from "../../src/statistics/bootstrap.ts";
import { rng } from "../../src/statistics/rng.ts";
import { calibrationData, calibrationNetwork, Family } from "../support/calibration.ts";

const POPULATION = 6000;
const SAMPLE = 120;
const SAMPLES = 300;

/**
 * What a percentile interval of a mean covers: it is as wide as 1.96 sd / sqrt(n) with sd over n, not n - 1, and the mean
 * over that has Student's distribution with n - 1 = 119 degrees of freedom (SciPy: 2 t.cdf(1.96 sqrt(119 / 120), 119) - 1).
 */
const COVERAGE = 0.9467;

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value / values.length, 0);

/** A lesion's details of some of the inputs. */
function partOf(detail: OutcomeDetail, inputs: readonly number[]): OutcomeDetail {
  const pick = (values: Uint8Array) => Uint8Array.from(inputs, (input) => values[input] as number);
  return {
    ...detail,
    lossIncreases: Float64Array.from(inputs, (input) => detail.lossIncreases[input] as number),
    isCorrect: pick(detail.isCorrect),
    isCorrectIntact: pick(detail.isCorrectIntact),
  };
}

/** Change of the mean class accuracy. */
function meanChange({ isCorrect, isCorrectIntact }: OutcomeDetail, labels: Int32Array): number {
  const classes = [...new Set(labels)];
  return meanOf(
    classes.map((c) => {
      const own = [...labels.keys()].filter((input) => labels[input] === c);
      return meanOf(own.map((input) => (isCorrect[input] as number) - (isCorrectIntact[input] as number)));
    }),
  );
}

describe("bootstrap intervals", () => {
  it("of loss, class accuracy and synergy cover what all inputs have", async () => {
    const bytes = calibrationNetwork();
    const network = await loadNetworkBytes(bytes, "calibration");
    const data = await calibrationData(bytes, 3, POPULATION);
    const [first, second] = ["a", "b"].map((name) => ({
      layer: layerNamed(network, name),
      units: Int32Array.of(0, 3, 5, 8),
    }));
    if (first === undefined || second === undefined) throw new Error("two layers");
    const { details } = await runJointLesions(network, [[first], [second], [first, second]], data);
    const [one, other, both] = details as [OutcomeDetail, OutcomeDetail, OutcomeDetail];
    const synergies = both.lossIncreases.map(
      (increase, input) =>
        increase - (one.lossIncreases[input] as number) - (other.lossIncreases[input] as number),
    );
    const truth = {
      loss: meanOf(one.lossIncreases),
      accuracy: meanChange(one, data.labels),
      synergy: meanOf(synergies),
    };
    expect(truth.accuracy).toBeLessThan(-0.05);
    expect(Math.abs(truth.synergy)).toBeGreaterThan(0.01);
    const missed = { loss: 0, accuracy: 0, synergy: 0 };
    const isIn = ({ low, high }: Interval, value: number) => low <= value && value <= high;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const random = rng(sample, "sample");
      const inputs = Array.from({ length: SAMPLE }, () => random.integer(POPULATION));
      const labels = Int32Array.from(inputs, (input) => data.labels[input] as number);
      const bootstrap = openMeanBootstrap(inputs.length, () => rng(sample, "bootstrap"));
      const [found] = await changeIntervals([partOf(one, inputs)], labels, bootstrap);
      const own = Float64Array.from(inputs, (input) => synergies[input] as number);
      const [synergy] = await bootstrap.intervals(Float32Array.from(own), 1);
      await bootstrap.dispose();
      if (found === undefined || synergy === undefined) throw new Error("no interval");
      if (!isIn(found.lossIncrease, truth.loss)) missed.loss++;
      if (!isIn(found.meanChange, truth.accuracy)) missed.accuracy++;
      if (!isIn(synergy, truth.synergy)) missed.synergy++;
    }
    const family = new Family(6);
    for (const [name, count] of Object.entries(missed)) {
      family.expectRare(count, SAMPLES, 1 - COVERAGE, `${name} missed`);
      family.expectRare(SAMPLES - count, SAMPLES, COVERAGE, `${name} covered`);
    }
    family.expectComplete();
  });
});
