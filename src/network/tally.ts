import type { Network } from "./network.ts";
import { type LabelledInputs, type Outcome, OutcomeTally, outcomesOf, type Sums } from "./outcomes.ts";
import { taskOf } from "./task.ts";

/** Sums what a network makes of its inputs in many runs, one run a slot. */
export interface Tally {
  /** Counts `rows` inputs from number `first` on; their answers start at `offset` of `values`. */
  count(slot: number, values: Float32Array, offset: number, first: number, rows: number): void;
  readonly sums: Sums;
  /** Terms of a slot's loss in one run of all inputs. */
  readonly terms: number;
  /** The outcomes of all slots over all inputs, each run `runs` times; default once. */
  outcomes(runs?: number): Outcome[];
}

/** The tally of the network's task: right answers and cross-entropy, or squared errors. */
export function createTally(network: Network, data: LabelledInputs, slots: number): Tally {
  const { name, answers, width } = taskOf(network);
  if (name === "regression") return createErrorTally(targetsOf(data), width, data.count, slots);
  const tally = new OutcomeTally(slots, width);
  return {
    count(slot, values, offset, first, rows) {
      tally.count(slot, values, offset, data.labels, first * answers, rows * answers);
    },
    ...endOf(tally.sums, data.count * answers),
  };
}

/** What a regression is to predict, inputs x outputs; whole numbers of the data pass as class numbers elsewhere. */
export function targetsOf({ targets, labels }: LabelledInputs): Float32Array {
  return targets ?? Float32Array.from(labels);
}

/** Loss = mean over inputs and outputs of the squared error; nothing is right or wrong. */
function createErrorTally(targets: Float32Array, width: number, inputs: number, slots: number): Tally {
  const errors = new Float64Array(slots);
  const sums: Sums = { classes: 0, correct: new Int32Array(), loss: errors };
  return {
    count(slot, values, offset, first, rows) {
      let sum = 0;
      for (let i = 0; i < rows * width; i++) {
        sum += ((values[offset + i] as number) - (targets[first * width + i] as number)) ** 2;
      }
      errors[slot] = (errors[slot] as number) + sum;
    },
    ...endOf(sums, inputs * width),
  };
}

const endOf = (sums: Sums, terms: number): Omit<Tally, "count"> => ({
  sums,
  terms,
  outcomes: (runs = 1) => outcomesOf(sums, terms * runs, runs),
});

/** Variance of a regression's targets, mean over its outputs: the loss of the best constant prediction. */
export function targetVariance(targets: Float32Array, width: number): number {
  const rows = targets.length / width;
  let total = 0;
  for (let output = 0; output < width; output++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) sum += targets[row * width + output] as number;
    for (let row = 0; row < rows; row++) {
      squares += ((targets[row * width + output] as number) - sum / rows) ** 2;
    }
    total += squares / rows;
  }
  return total / width;
}
