import { BrodmannError } from "../errors.ts";
import { makeNode, type NodeProto } from "../runtime/onnx.ts";
import type { Network } from "./network.ts";

/** Inputs of a network, read batch by batch. */
export interface InputSource {
  readonly count: number;
  /** Inputs start ... start + count - 1, row-major. */
  batch(start: number, count: number): Float32Array;
}

/** Inputs with a class for each. */
export interface LabelledInputs extends InputSource {
  readonly labels: Int32Array;
}

/** What a network makes of labelled inputs: counts per class and the loss, no logits. */
export interface Outcome {
  /** Correctly classified inputs of each class, over all runs. */
  readonly correct: Int32Array;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** How often every input was run: several times where lesions resample, else once. */
  readonly runs: number;
}

/** Number of classes: the size of the logits behind the batch axis. Throws `E_NETWORK_OUTPUT` for fewer than two. */
export function classCount(network: Network): number {
  const shape = network.probe.values.get(network.logits)?.shape ?? [];
  const classes = shape.slice(1).reduce((total, size) => total * size, 1);
  const isFlat = shape.length >= 2 && shape.slice(2).every((size) => size === 1);
  if (isFlat && classes >= 2) return classes;
  throw new BrodmannError(
    "E_NETWORK_OUTPUT",
    `${network.name}: output "${network.logits}" has shape [N, ${shape.slice(1).join(", ")}], expected [N, classes] with at least 2 classes`,
    { hint: "Scores need a classifier: export it with one logit per class." },
  );
}

/** Shape of the logits of so many rows. */
export function logitShape(network: Network, rows: number): number[] {
  return [rows, ...(network.probe.values.get(network.logits)?.shape ?? []).slice(1)];
}

/** Inputs of each class. Throws `E_INPUT_LABELS` for labels out of range or fewer than two classes. */
export function countClasses(labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes);
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

/** Appends log-probabilities: their vectorised kernel is several times faster than exponentials in JavaScript. */
export function logProbabilityNode(network: Network): NodeProto {
  return makeNode("LogSoftmax", [network.logits], [LOG_PROBABILITIES], { axis: 1n });
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

/** Sums outcomes of many runs of the same inputs, one run a slot. */
export class OutcomeTally {
  readonly #classes: number;
  readonly #correct: Int32Array;
  readonly #loss: Float64Array;

  constructor(slots: number, classes: number) {
    this.#classes = classes;
    this.#correct = new Int32Array(slots * classes);
    this.#loss = new Float64Array(slots);
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
    const classes = this.#classes;
    let loss = 0;
    let at = offset;
    for (let row = 0; row < rows; row++) {
      const label = labels[first + row] as number;
      const best = bestClass(logProbabilities, at, classes);
      loss -= logProbabilities[at + label] as number;
      if (best === label) {
        const cell = slot * classes + label;
        this.#correct[cell] = (this.#correct[cell] as number) + 1;
      }
      at += classes;
    }
    this.#loss[slot] = (this.#loss[slot] as number) + loss;
  }

  /** The outcomes of all slots over `inputs` inputs, each run `runs` times. */
  outcomes(inputs: number, runs: number = 1): Outcome[] {
    return Array.from(this.#loss, (loss, slot) => ({
      correct: this.#correct.slice(slot * this.#classes, (slot + 1) * this.#classes),
      loss: loss / (inputs * runs),
      runs,
    }));
  }
}
