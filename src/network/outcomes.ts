import { BrodmannError } from "../errors.ts";
import { makeNode, type NodeProto } from "../runtime/onnx.ts";
import type { Network } from "./network.ts";
import { taskOf } from "./task.ts";

/** Inputs of a network, read batch by batch. */
export interface InputSource {
  readonly count: number;
  /** Inputs start ... start + count - 1, row-major. */
  batch(start: number, count: number): Float32Array;
}

/** Inputs with what the network is to make of them. */
export interface LabelledInputs extends InputSource {
  /** Class of each input, or inputs x tokens with the token that comes next; empty where `targets` are no classes. */
  readonly labels: Int32Array;
  /** Numbers that a regression is to predict, inputs x outputs; null or absent where the data hold class numbers. */
  readonly targets?: Float32Array | null | undefined;
}

/** What a network makes of labelled inputs: counts per class and the loss, no logits. */
export interface Outcome {
  /** Right answers (inputs, or tokens of next-token prediction) of each class, over all runs; empty in a regression. */
  readonly correct: Int32Array;
  /** Mean cross-entropy in nats, or the mean squared error of a regression. */
  readonly loss: number;
  /** How often every input was run: several times where lesions resample, else once. */
  readonly runs: number;
}

/** Number of classes, 0 for a regression; errors as `taskOf`. */
export function classCount(network: Network): number {
  const { name, width } = taskOf(network);
  return name === "regression" ? 0 : width;
}

/** Shape of the logits of so many inputs. */
export function logitShape(network: Network, inputs: number): number[] {
  const { shape = [], rowsPerInput = 1 } = network.probe.values.get(network.logits) ?? {};
  return [inputs * rowsPerInput, ...shape.slice(1)];
}

/** Answers of each class. Throws `E_INPUT_LABELS` for labels out of range or fewer than two classes. */
export function countClasses(labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes);
  if (classes === 0) return counts;
  labels.forEach((label, input) => {
    if (label < 0 || label >= classes) {
      throw new BrodmannError(
        "E_INPUT_LABELS",
        `label of input ${input}: found ${label}, expected 0 to ${classes - 1} (the network has ${classes} classes)`,
        { hint: "Pass the labels that the network was trained with." },
      );
    }
    counts[label] = (counts[label] as number) + 1;
  });
  if (counts.filter((count) => count > 0).length < 2) {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      "labels: found inputs of fewer than two classes, expected at least two",
      {
        hint: "Pass inputs of several classes; sorted data need --take large enough or a shuffle.",
      },
    );
  }
  return counts;
}

/** Name of the value that `logProbabilityNode` makes. */
export const LOG_PROBABILITIES = "brodmann/log_probabilities";

/**
 * Appends log-probabilities: their vectorised kernel is several times faster than exponentials in JavaScript.
 * A regression's predictions stay as they are.
 */
export function logProbabilityNode(network: Network): NodeProto {
  const { name } = taskOf(network);
  if (name === "regression") return makeNode("Identity", [network.logits], [LOG_PROBABILITIES]);
  const rank = network.probe.values.get(network.logits)?.shape.length ?? 2;
  const axis = name === "next-token" ? BigInt(rank - 1) : 1n;
  return makeNode("LogSoftmax", [network.logits], [LOG_PROBABILITIES], { axis });
}

/** The first class of the largest log-probability from `at` on; -1 where it is not a number, which is no answer. */
export function bestClass(logProbabilities: Float32Array, at: number, classes: number): number {
  let best = 0;
  let bestValue = logProbabilities[at] as number;
  for (let c = 1; c < classes; c++) {
    const value = logProbabilities[at + c] as number;
    if (value > bestValue) {
      bestValue = value;
      best = c;
    }
  }
  return Number.isNaN(bestValue) ? -1 : best;
}

/** Sums over inputs, one slot for each of several runs of them. */
export interface Sums {
  readonly classes: number;
  /** Slots x classes: right answers. */
  readonly correct: Int32Array;
  /** Sum of the losses of each slot. */
  readonly loss: Float64Array;
}

/** The outcomes that sums amount to, the loss of a slot being a sum of `terms` terms over `runs` runs of the inputs. */
export function outcomesOf({ classes, correct, loss }: Sums, terms: number, runs: number): Outcome[] {
  return Array.from(loss, (sum, slot) => ({
    correct: correct.slice(slot * classes, (slot + 1) * classes),
    loss: sum / terms,
    runs,
  }));
}

/** Sums outcomes of many runs of the same inputs, one run a slot. */
export class OutcomeTally {
  readonly sums: Sums;

  constructor(slots: number, classes: number) {
    this.sums = { classes, correct: new Int32Array(slots * classes), loss: new Float64Array(slots) };
  }

  /**
   * Counts `rows` inputs of a slot; `offset` is where their log-probabilities start (rows x classes), `first`
   * the number of the first input.
   */
  count(
    slot: number,
    logProbabilities: Float32Array,
    offset: number,
    labels: Int32Array,
    first: number,
    rows: number,
  ): void {
    const { classes, correct, loss: losses } = this.sums;
    let loss = 0;
    let at = offset;
    for (let row = 0; row < rows; row++) {
      const label = labels[first + row] as number;
      const best = bestClass(logProbabilities, at, classes);
      loss -= logProbabilities[at + label] as number;
      if (best === label) {
        const cell = slot * classes + label;
        correct[cell] = (correct[cell] as number) + 1;
      }
      at += classes;
    }
    losses[slot] = (losses[slot] as number) + loss;
  }

  /** The outcomes of all slots over `inputs` inputs, each run `runs` times. */
  outcomes(inputs: number, runs: number = 1): Outcome[] {
    return outcomesOf(this.sums, inputs * runs, runs);
  }
}
