/**
 * What the tests of calibration share: a tiny network, partitions that know nothing of it, lesions that are run once
 * for every set of units, and bounds for what is found.
 */
import { expect } from "vitest";
import type { LayerLesions } from "../../src/network/lesions.ts";
import type { LabelledInputs, Outcome } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { rng } from "../../src/statistics/rng.ts";
import { randomData, runModel, sketch, withWeights } from "./models.ts";

const WIDTHS = [12, 11] as const;
const INPUTS = 40;
export const CLASSES = 3;

/**
 * Sizes 4, 4, 4 and 4, 4, 3: subclusters that share random sets, and one that has its own. A layer of 12 has 34,650
 * such arrangements, which the draws of a run hardly repeat.
 */
const LABELS: Readonly<Record<string, readonly number[]>> = {
  a: [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
  b: [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2],
};

/** 4-12-11-3 with ReLU and small biases, as convolutions of single pixels. */
export function calibrationNetwork(): Uint8Array {
  const model = sketch([4, 1, 1], { seed: 1 });
  const conv = (from: string, name: string, inputs: number, units: number) =>
    model.conv(from, { name, inputs, units, kernel: [1, 1] });
  const a = model.node("Relu", [conv("x", "a", 4, WIDTHS[0])]);
  const b = model.node("Relu", [conv(a, "b", WIDTHS[0], WIDTHS[1])]);
  return ["a.bias", "b.bias", "logits.bias"].reduce(
    (changed, name) => withWeights(changed, name, (_, old) => old / 5),
    model.encode(conv(b, "logits", WIDTHS[1], CLASSES)),
  );
}

/** Inputs with labels that the network mostly gives, so that lesions can hurt. */
export async function calibrationData(
  bytes: Uint8Array,
  seed = 2,
  inputs: number = INPUTS,
): Promise<LabelledInputs> {
  const random = randomData(inputs, [4, 1, 1], CLASSES, seed);
  const logits = await runModel(bytes, random.values, [inputs, 4, 1, 1]);
  const flips = rng(0, "flips");
  const labels = random.labels.map((label, i) => {
    const row = [...logits.subarray(CLASSES * i, CLASSES * (i + 1))];
    return flips.uniform() < 0.1 ? label : row.indexOf(Math.max(...row));
  });
  return { ...random, labels };
}

/** Labels in random order within `bins` of units. */
export function randomPartition(
  seed: number,
  bins: Readonly<Record<string, readonly Int32Array[]>>,
): Partition {
  return {
    layers: Object.entries(LABELS).map(([name, own]) => {
      const shuffled = Int32Array.from(own);
      // One stream for all bins of a layer: the same order in each of them would be no random labelling.
      const random = rng(seed, "labels", name);
      for (const bin of bins[name] ?? []) {
        const order = random.shuffle(bin.slice());
        bin.forEach((unit, i) => {
          shuffled[unit] = own[order[i] as number] as number;
        });
      }
      return { name, labels: shuffled };
    }),
    clusters: 3,
    method: { name: "random" },
    quality: null,
  };
}

/** Lesions that run every set once: small layers have a few hundred sets, which thousands of draws repeat. */
export function remembered(lesions: LayerLesions): LayerLesions {
  const known = new Map<string, Outcome>();
  return {
    ...lesions,
    async run(sets, options) {
      const fresh = [...new Map(sets.map((units) => [units.join(), units]))].filter(
        ([key]) => !known.has(key),
      );
      if (fresh.length > 0) {
        const outcomes = await lesions.run(
          fresh.map(([, units]) => units),
          options,
        );
        for (const [i, [key]] of fresh.entries()) known.set(key, outcomes[i] as Outcome);
      }
      return sets.map((units) => known.get(units.join()) as Outcome);
    },
  };
}

/**
 * Bounds that one of `comparisons` true hypotheses breaks with a probability of 1 % at the most, however they depend
 * on each other (Bonferroni).
 */
export class Family {
  readonly #comparisons: number;
  #done = 0;

  constructor(comparisons: number) {
    this.#comparisons = comparisons;
  }

  get #level(): number {
    return 0.01 / this.#comparisons;
  }

  /** Expects as many comparisons as were said beforehand. */
  expectComplete(): void {
    expect(this.#done).toBe(this.#comparisons);
  }

  /**
   * Expects values whose distribution is not above the uniform one: D+ > d has a probability of exp(-2 n d^2) at the
   * most (Massart 1990, doi:10.1214/aop/1176990746), ties or not.
   */
  expectNotSmall(values: readonly number[], what: string): void {
    this.#expectBelow(this.#distance(values, 1), values.length, `${what}: too small`);
  }

  /** Expects values whose distribution is not below the uniform one; for those without ties. */
  expectNotLarge(values: readonly number[], what: string): void {
    this.#expectBelow(this.#distance(values, -1), values.length, `${what}: too large`);
  }

  /** Expects no more than chance among `trials` of probability `chance` each: the binomial's tail. */
  expectRare(count: number, trials: number, chance: number, what: string): void {
    this.#done++;
    expect(binomialTail(count, trials, chance), `${what}: ${count} of ${trials}`).toBeGreaterThan(
      this.#level,
    );
  }

  /** Expects a mean of independent values within normal bounds. */
  expectMean(values: readonly number[], mean: number, what: string): void {
    this.#done++;
    const n = values.length;
    const found = values.reduce((sum, value) => sum + value / n, 0);
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - found) ** 2, 0) / (n - 1));
    // P(|z| > t) < exp(-t^2 / 2).
    const bound = Math.sqrt(-2 * Math.log(this.#level));
    expect(Math.abs(found - mean) / (sd / Math.sqrt(n)), `${what}: ${found}`).toBeLessThan(bound);
  }

  #distance(values: readonly number[], side: 1 | -1): number {
    const sorted = [...values].sort((a, b) => a - b);
    const n = sorted.length;
    return Math.max(...sorted.map((value, i) => (side === 1 ? (i + 1) / n - value : value - i / n)));
  }

  #expectBelow(distance: number, n: number, what: string): void {
    this.#done++;
    expect(distance, what).toBeLessThan(Math.sqrt(-Math.log(this.#level) / (2 * n)));
  }
}

/** P(at least `count` of `trials`) with probability `chance` each. */
export function binomialTail(count: number, trials: number, chance: number): number {
  let term = (1 - chance) ** trials;
  let below = 0;
  for (let k = 0; k < count; k++) {
    below += term;
    term *= ((trials - k) / (k + 1)) * (chance / (1 - chance));
  }
  return 1 - below;
}
