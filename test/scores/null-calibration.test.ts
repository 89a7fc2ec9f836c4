import { describe, expect, it } from "vitest";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import { rng } from "../../src/statistics/rng.ts";
import { randomData, runModel, sketch, withWeights } from "../support/models.ts";

const SEEDS = 200;
const WIDTHS = [12, 11] as const;
const CLASSES = 3;

/**
 * 4-12-11-3 with ReLU and small biases, as convolutions of single pixels: their lesions share runs, which makes
 * 200,000 of them quick.
 */
function network(): Uint8Array {
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

/** Sizes 5, 4, 3 and 6, 5 in random order: partitions that know nothing of the network. */
function randomPartition(seed: number): Partition {
  const labels = [
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2],
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
  ];
  return {
    layers: ["a", "b"].map((name, i) => ({
      name,
      labels: rng(seed, "labels", name).shuffle(Int32Array.from(labels[i] ?? [])),
    })),
    clusters: 3,
    method: { name: "random" },
    quality: null,
  };
}

/** Largest distance of the values' distribution above and below the uniform one. */
function kolmogorovSmirnov(values: readonly number[]): { above: number; below: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  return {
    above: Math.max(...sorted.map((value, i) => (i + 1) / n - value)),
    below: Math.max(...sorted.map((value, i) => value - i / n)),
  };
}

describe("with random labels in place of the partition", () => {
  it("the network's permutation p is uniform", async () => {
    const bytes = network();
    const tiny = await loadNetworkBytes(bytes, "calibration");
    const random = randomData(40, [4, 1, 1], CLASSES, 2);
    // Labels that the network mostly gives, so that lesions can hurt.
    const logits = await runModel(bytes, random.values, [40, 4, 1, 1]);
    const flips = rng(0, "flips");
    const labels = random.labels.map((label, i) => {
      const row = [...logits.subarray(CLASSES * i, CLASSES * (i + 1))];
      return flips.uniform() < 0.1 ? label : row.indexOf(Math.max(...row));
    });
    const data: LabelledInputs = { ...random, labels };
    const found: Record<"accuracy" | "loss", number[]> = { accuracy: [], loss: [] };
    for (let seed = 0; seed < SEEDS; seed++) {
      const scores = await scoreImportance(tiny, data, randomPartition(seed), { seed });
      for (const name of ["accuracy", "loss"] as const) found[name].push(scores.network[name].permutationP);
    }
    // Kolmogorov's bound at 1 %; with a uniform p the share below .05 has a standard deviation of .0154.
    const bound = 1.628 / Math.sqrt(SEEDS);
    for (const name of ["accuracy", "loss"] as const) {
      const { above, below } = kolmogorovSmirnov(found[name]);
      expect(above, `${name}: p too small`).toBeLessThan(bound);
      expect(below, `${name}: p too large`).toBeLessThan(bound);
      const share = found[name].filter((p) => p < 0.05).length / SEEDS;
      expect(share, name).toBeLessThan(0.05 + 2.33 * Math.sqrt((0.05 * 0.95) / SEEDS));
    }
  });
});
