import type { LayerLesions } from "../network/lesions.ts";
import type { Outcome } from "../network/outcomes.ts";
import type { Evaluate } from "./null-values.ts";

/** What a lesion does to a classifier (method note 6.3 and 6.4). */
export interface Damage {
  /** Correctly classified share of all inputs. */
  readonly accuracy: number;
  /** Correctly classified share of each class; NaN for classes without inputs. */
  readonly classAccuracy: Float64Array;
  /** Mean of the class accuracies. */
  readonly meanClassAccuracy: number;
  /** Mean change of the class accuracies. */
  readonly meanChange: number;
  /** Range over classes of the accuracy change relative to its mean; NaN where the mean change is no change. */
  readonly classRange: number;
  readonly loss: number;
  /** Increase of the loss, in nats. */
  readonly lossIncrease: number;
}

/** Accuracy and loss of the intact network, and what to compare lesions with. */
export interface Baseline {
  readonly outcome: Outcome;
  readonly classCounts: Int32Array;
  readonly classAccuracy: Float64Array;
  /** Mean changes smaller than this are noise: the class range is then undefined (strict: method note 6.4; paper: 0). */
  readonly noiseFloor: number;
}

export function baselineOf(outcome: Outcome, classCounts: Int32Array, hasNoiseFloor: boolean): Baseline {
  const classAccuracy = accuracies(outcome, classCounts);
  let variance = 0;
  let classes = 0;
  classAccuracy.forEach((accuracy, c) => {
    if (Number.isNaN(accuracy)) return;
    variance += (accuracy * (1 - accuracy)) / (classCounts[c] as number);
    classes++;
  });
  const noiseFloor = hasNoiseFloor ? 2 * Math.sqrt(variance / classes ** 2) : 0;
  return { outcome, classCounts, classAccuracy, noiseFloor };
}

/** Evaluates sets of units by what their lesion does. */
export function damagesBy(lesions: Pick<LayerLesions, "run">, baseline: Baseline): Evaluate<Damage> {
  return async (sets, options) =>
    (await lesions.run(sets, options)).map((outcome) => damageOf(outcome, baseline));
}

/** The statistics of one lesion against the baseline. */
export function damageOf(outcome: Outcome, baseline: Baseline): Damage {
  const { classCounts } = baseline;
  const { runs } = outcome;
  const classAccuracy = accuracies(outcome, classCounts);
  // Differences of counts, since differences of shares would round equal changes to unequal numbers.
  const changes = Array.from(
    outcome.correct,
    (correct, c) =>
      (correct - runs * (baseline.outcome.correct[c] as number)) / (runs * (classCounts[c] as number)),
  ).filter((change) => !Number.isNaN(change));
  const meanChange = rounded(mean(changes));
  const isNoise = meanChange === 0 || Math.abs(meanChange) < baseline.noiseFloor;
  const range = (Math.max(...changes) - Math.min(...changes)) / Math.abs(meanChange);
  return {
    accuracy: sum(outcome.correct) / (runs * sum(classCounts)),
    classAccuracy,
    meanClassAccuracy: rounded(mean(Array.from(classAccuracy).filter((accuracy) => !Number.isNaN(accuracy)))),
    meanChange,
    classRange: isNoise ? Number.NaN : range,
    loss: outcome.loss,
    lossIncrease: outcome.loss - baseline.outcome.loss,
  };
}

function accuracies({ correct, runs }: Outcome, classCounts: Int32Array): Float64Array {
  return Float64Array.from(correct, (count, c) => count / (runs * (classCounts[c] as number)));
}

/**
 * Twelve decimals: sums of the same class shares in another order stay equal, so that ties stay ties and changes
 * that cancel are zero. Means of shares of a few thousand inputs differ by far more.
 */
const rounded = (value: number): number => Math.round(value * 1e12) / 1e12 + 0;

const sum = (values: Int32Array): number => values.reduce((total, value) => total + value, 0);

const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
