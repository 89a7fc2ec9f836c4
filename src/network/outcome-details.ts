import type { Network } from "./network.ts";
import { bestClass, type LabelledInputs } from "./outcomes.ts";
import { targetsOf } from "./tally.ts";
import { taskOf } from "./task.ts";

/** What a lesion does to every input, beside its outcome. */
export interface OutcomeDetail {
  /** Share of answers (inputs, or tokens) that become another class than the intact network's; NaN in a regression. */
  readonly flipRate: number;
  /**
   * Mean KL divergence of the lesioned network's distribution from the intact one, sum p_0 ln(p_0 / p), in nats; NaN
   * in a regression.
   */
  readonly divergence: number;
  /** Increase of each input's loss, the mean over its answers and over runs. */
  readonly lossIncreases: Float64Array;
  /** Runs x answers, row-major: 1 where the lesioned network is right; empty in a regression. */
  readonly isCorrect: Uint8Array;
  /** Answers: 1 where the intact network is right. */
  readonly isCorrectIntact: Uint8Array;
}

/** Gathers the details of lesions, one a slot, over several runs of the same inputs. */
export interface DetailTally {
  /**
   * Takes `rows` inputs from number `first` on: `lesioned` holds what a slot makes of them from `offset` on, `intact`
   * what the intact network makes of them from 0 on.
   */
  count(
    slot: number,
    run: number,
    lesioned: Float32Array,
    offset: number,
    intact: Float32Array,
    first: number,
    rows: number,
  ): void;
  details(): OutcomeDetail[];
}

/** The tally of the network's task: classes of every answer, or squared errors. */
export function createDetailTally(
  network: Network,
  data: LabelledInputs,
  slots: number,
  runs: number,
): DetailTally {
  const { name, answers, width } = taskOf(network);
  return name === "regression"
    ? createErrorDetails(targetsOf(data), width, data.count, slots, runs)
    : new ClassDetails(data.labels, slots, width, answers, runs);
}

/** Details of a regression: squared errors alone. */
function createErrorDetails(
  targets: Float32Array,
  width: number,
  inputs: number,
  slots: number,
  runs: number,
): DetailTally {
  const increases = Array.from({ length: slots }, () => new Float64Array(inputs));
  return {
    count(slot, _run, lesioned, offset, intact, first, rows) {
      const own = increases[slot];
      if (own === undefined) return;
      for (let row = 0; row < rows; row++) {
        let increase = 0;
        for (let output = 0; output < width; output++) {
          const at = row * width + output;
          const target = targets[first * width + at] as number;
          increase +=
            ((lesioned[offset + at] as number) - target) ** 2 - ((intact[at] as number) - target) ** 2;
        }
        own[first + row] = (own[first + row] as number) + increase / (width * runs);
      }
    },
    details: () =>
      increases.map((lossIncreases) => ({
        flipRate: Number.NaN,
        divergence: Number.NaN,
        lossIncreases,
        isCorrect: new Uint8Array(),
        isCorrectIntact: new Uint8Array(),
      })),
  };
}

/** Details of classes, one for each input or for each of its tokens. */
export class ClassDetails implements DetailTally {
  readonly #labels: Int32Array;
  readonly #classes: number;
  readonly #answers: number;
  readonly #runs: number;
  readonly #isCorrectIntact: Uint8Array;
  readonly #slots: { flips: number; divergence: number; increases: Float64Array; isCorrect: Uint8Array }[];

  /** `labels`: inputs x answers. */
  constructor(labels: Int32Array, slots: number, classes: number, answers: number, runs: number) {
    this.#labels = labels;
    this.#classes = classes;
    this.#answers = answers;
    this.#runs = runs;
    this.#isCorrectIntact = new Uint8Array(labels.length);
    this.#slots = Array.from({ length: slots }, () => ({
      flips: 0,
      divergence: 0,
      increases: new Float64Array(labels.length / answers),
      isCorrect: new Uint8Array(runs * labels.length),
    }));
  }

  count(
    slot: number,
    run: number,
    lesioned: Float32Array,
    offset: number,
    intact: Float32Array,
    first: number,
    rows: number,
  ): void {
    const tally = this.#slots[slot];
    if (tally === undefined) return;
    const labels = this.#labels;
    const classes = this.#classes;
    const answers = this.#answers;
    for (let row = 0; row < rows * answers; row++) {
      const token = first * answers + row;
      const input = Math.floor(token / answers);
      const label = labels[token] as number;
      const before = row * classes;
      const after = offset + before;
      const [answer, changed] = [bestClass(intact, before, classes), bestClass(lesioned, after, classes)];
      if (answer !== changed) tally.flips++;
      if (answer === label) this.#isCorrectIntact[token] = 1;
      if (changed === label) tally.isCorrect[run * labels.length + token] = 1;
      const increase = (intact[before + label] as number) - (lesioned[after + label] as number);
      tally.increases[input] = (tally.increases[input] as number) + increase / (answers * this.#runs);
      for (let c = 0; c < classes; c++) {
        const logP = intact[before + c] as number;
        const p = Math.exp(logP);
        // p ln p is 0 at p = 0, whatever the lesion makes of that class.
        if (p > 0) tally.divergence += p * (logP - (lesioned[after + c] as number));
      }
    }
  }

  details(): OutcomeDetail[] {
    const total = this.#labels.length * this.#runs;
    return this.#slots.map(({ flips, divergence, increases, isCorrect }) => ({
      flipRate: flips / total,
      divergence: divergence / total,
      lossIncreases: increases,
      isCorrect,
      isCorrectIntact: this.#isCorrectIntact,
    }));
  }
}
