/**
 * What lesions of single units cost each class (populations note, FP-2 and FP-4): the profile J[u, c] that impact
 * coherence compares units by.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import type { RunOptions } from "../progress.ts";
import type { InputClasses } from "./input-classes.ts";

/** Impacts of a layer's units, units x classes; zeros for units that were not lesioned. */
export interface UnitImpacts {
  /** Fall of each class's accuracy; 0 within twice the standard error of the intact one. */
  readonly accuracy: Float64Array;
  /** Mean rise of the loss on each class's inputs; 0 within twice its standard error over them. */
  readonly loss: Float64Array;
}

/** Numbers of inputs x units that are kept at once. */
const MOST_DETAILS = 1 << 24;

/** Lesions each of the `lesioned` units of a layer of so many `units` alone. */
export async function measureImpacts(
  lesions: Pick<LayerLesions, "runDetailed">,
  lesioned: Int32Array,
  units: number,
  classes: InputClasses,
  nextOptions: () => RunOptions,
): Promise<UnitImpacts> {
  const width = classes.counts.length;
  const impacts = { accuracy: new Float64Array(units * width), loss: new Float64Array(units * width) };
  const atOnce = Math.max(1, Math.floor(MOST_DETAILS / classes.labels.length));
  for (let first = 0; first < lesioned.length; first += atOnce) {
    const some = lesioned.subarray(first, first + atOnce);
    const sets = Array.from(some, (unit) => Int32Array.of(unit));
    const { details } = await lesions.runDetailed(sets, nextOptions());
    details.forEach((detail, i) => {
      const from = (some[i] as number) * width;
      impacts.accuracy.set(accuracyImpact(detail, classes), from);
      impacts.loss.set(lossImpact(detail, classes), from);
    });
  }
  return impacts;
}

/** Fall of each class's accuracy, negative where it rises, and what is noise in it. */
export interface ClassFalls {
  /** NaN for classes without inputs. */
  readonly falls: Float64Array;
  /** Twice the standard error of each class's intact accuracy (tau, populations note, FP-2); NaN without inputs. */
  readonly noise: Float64Array;
}

/** What a lesion takes from each class's accuracy. */
export function classFalls(
  { isCorrect, isCorrectIntact }: OutcomeDetail,
  { labels, counts }: InputClasses,
): ClassFalls {
  const inputs = labels.length;
  const runs = isCorrect.length / inputs;
  const intact = new Float64Array(counts.length);
  const lost = new Float64Array(counts.length);
  for (let i = 0; i < inputs; i++) {
    const c = labels[i] as number;
    const before = isCorrectIntact[i] as number;
    intact[c] = (intact[c] as number) + before;
    // Counted in whole runs: shares of runs would round.
    for (let run = 0; run < runs; run++) {
      lost[c] = (lost[c] as number) + before - (isCorrect[run * inputs + i] as number);
    }
  }
  return {
    falls: lost.map((count, c) => count / (runs * (counts[c] as number))),
    noise: intact.map((correct, c) => {
      const inClass = counts[c] as number;
      const accuracy = correct / inClass;
      return 2 * Math.sqrt((accuracy * (1 - accuracy)) / inClass);
    }),
  };
}

/** Fall of each class's accuracy; a change within the noise of so many inputs is none (tau, populations note, FP-4). */
export function accuracyImpact(detail: OutcomeDetail, classes: InputClasses): Float64Array {
  return aboveNoise(classFalls(detail, classes));
}

/** The falls with those below the noise, and those of classes without inputs, set to 0. */
export function aboveNoise({ falls, noise }: ClassFalls): Float64Array {
  return falls.map((fall, c) => (Math.abs(fall) >= (noise[c] as number) ? fall : 0));
}

/** Mean rise of each class's loss, and its standard error over the inputs. */
export interface ClassRises {
  /** NaN for classes without inputs. */
  readonly means: Float64Array;
  /** NaN for classes of a single input, of which nothing tells how much it varies. */
  readonly errors: Float64Array;
}

/** What a lesion adds to each class's loss. */
export function classRises({ lossIncreases }: OutcomeDetail, { labels, counts }: InputClasses): ClassRises {
  const means = new Float64Array(counts.length);
  const squares = new Float64Array(counts.length);
  for (let i = 0; i < labels.length; i++) {
    const c = labels[i] as number;
    means[c] = (means[c] as number) + (lossIncreases[i] as number);
  }
  for (let c = 0; c < means.length; c++) means[c] = (means[c] as number) / (counts[c] as number);
  for (let i = 0; i < labels.length; i++) {
    const c = labels[i] as number;
    squares[c] = (squares[c] as number) + ((lossIncreases[i] as number) - (means[c] as number)) ** 2;
  }
  return {
    means,
    errors: squares.map((square, c) => {
      const inClass = counts[c] as number;
      return Math.sqrt(square / (inClass - 1) / inClass);
    }),
  };
}

/** Mean rise of each class's loss; one within twice its standard error is none. */
export function lossImpact(detail: OutcomeDetail, classes: InputClasses): Float64Array {
  return clearRises(classRises(detail, classes));
}

/** The rises with those within twice their standard error, and those of which it is not known, set to 0. */
export function clearRises({ means, errors }: ClassRises): Float64Array {
  return means.map((mean, c) => (Math.abs(mean) > 2 * (errors[c] as number) ? mean : 0));
}
