import { bestClass } from "./outcomes.ts";

/** What a lesion does to every input, beside its outcome. */
export interface OutcomeDetail {
  /** Share of inputs that get another class than from the intact network. */
  readonly flipRate: number;
  /** Mean KL divergence of the lesioned network's distribution from the intact one, sum p_0 ln(p_0 / p), in nats. */
  readonly divergence: number;
  /** Increase of each input's cross-entropy, in nats; the mean over runs. */
  readonly lossIncreases: Float64Array;
  /** Runs x inputs, row-major: 1 where the lesioned network is right. */
  readonly isCorrect: Uint8Array;
  /** Inputs: 1 where the intact network is right. */
  readonly isCorrectIntact: Uint8Array;
}

/** Gathers the details of lesions, one a slot, over `runs` runs of the same inputs. */
export class DetailTally {
  readonly #classes: number;
  readonly #inputs: number;
  readonly #runs: number;
  readonly #isCorrectIntact: Uint8Array;
  readonly #slots: { flips: number; divergence: number; increases: Float64Array; isCorrect: Uint8Array }[];

  constructor(slots: number, classes: number, inputs: number, runs: number) {
    this.#classes = classes;
    this.#inputs = inputs;
    this.#runs = runs;
    this.#isCorrectIntact = new Uint8Array(inputs);
    this.#slots = Array.from({ length: slots }, () => ({
      flips: 0,
      divergence: 0,
      increases: new Float64Array(inputs),
      isCorrect: new Uint8Array(runs * inputs),
    }));
  }

  /**
   * Takes `rows` inputs from number `first` on: `lesioned` holds a slot's log-probabilities (rows x classes) from
   * `offset` on, `intact` those of the intact network from 0 on.
   */
  count(
    slot: number,
    run: number,
    lesioned: Float32Array,
    offset: number,
    intact: Float32Array,
    labels: Int32Array,
    first: number,
    rows: number,
  ): void {
    const tally = this.#slots[slot];
    if (tally === undefined) return;
    const classes = this.#classes;
    for (let row = 0; row < rows; row++) {
      const input = first + row;
      const label = labels[input] as number;
      const before = row * classes;
      const after = offset + before;
      const [answer, changed] = [bestClass(intact, before, classes), bestClass(lesioned, after, classes)];
      if (answer !== changed) tally.flips++;
      if (answer === label) this.#isCorrectIntact[input] = 1;
      if (changed === label) tally.isCorrect[run * this.#inputs + input] = 1;
      const increase = (intact[before + label] as number) - (lesioned[after + label] as number);
      tally.increases[input] = (tally.increases[input] as number) + increase / this.#runs;
      for (let c = 0; c < classes; c++) {
        const logP = intact[before + c] as number;
        const p = Math.exp(logP);
        // p ln p is 0 at p = 0, whatever the lesion makes of that class.
        if (p > 0) tally.divergence += p * (logP - (lesioned[after + c] as number));
      }
    }
  }

  details(): OutcomeDetail[] {
    const total = this.#inputs * this.#runs;
    return this.#slots.map(({ flips, divergence, increases, isCorrect }) => ({
      flipRate: flips / total,
      divergence: divergence / total,
      lossIncreases: increases,
      isCorrect,
      isCorrectIntact: this.#isCorrectIntact,
    }));
  }
}
