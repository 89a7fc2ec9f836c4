import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { type LayerLesions, openLesions } from "../../src/network/lesions.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import { countClasses, type LabelledInputs } from "../../src/network/outcomes.ts";
import type { LesionKind } from "../../src/network/replacement.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { baselineOf, damageOf } from "../../src/scores/damage.ts";
import { dissociationsOf } from "../../src/scores/dissociations.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import {
  byMeasure,
  IMPORTANCE_NAMES,
  type ImportanceName,
  MEASURES,
  stratumOf,
  verdictsOf,
} from "../../src/scores/importance-measures.ts";
import { type Match, matchBins } from "../../src/scores/matching.ts";
import { networkRow } from "../../src/scores/measures.ts";
import { commonDraws, type DrawPlan, drawNullDamages } from "../../src/scores/null-damages.ts";
import type { Protocol } from "../../src/scores/nulls.ts";
import { adjustedByMeasure } from "../../src/scores/scores-file.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { batesCdf } from "../../src/statistics/bates.ts";
import { rng } from "../../src/statistics/rng.ts";
import { randomData, runModel, sketch, withWeights } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";

const WIDTHS = [12, 11] as const;
const CLASSES = 3;
const INPUTS = 40;

/**
 * 4-12-11-3 with ReLU and small biases, as convolutions of single pixels: their lesions share runs, which makes
 * 100,000s of them quick.
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

/** Labels that the network mostly gives, so that lesions can hurt. */
async function labelled(bytes: Uint8Array): Promise<LabelledInputs> {
  const random = randomData(INPUTS, [4, 1, 1], CLASSES, 2);
  const logits = await runModel(bytes, random.values, [INPUTS, 4, 1, 1]);
  const flips = rng(0, "flips");
  const labels = random.labels.map((label, i) => {
    const row = [...logits.subarray(CLASSES * i, CLASSES * (i + 1))];
    return flips.uniform() < 0.1 ? label : row.indexOf(Math.max(...row));
  });
  return { ...random, labels };
}

/** Sizes 5, 4, 3 and 6, 5 in random order within `bins` of units: partitions that know nothing of the network. */
function randomPartition(seed: number, bins: Readonly<Record<string, readonly Int32Array[]>>): Partition {
  const labels: Readonly<Record<string, readonly number[]>> = {
    a: [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2],
    b: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
  };
  return {
    layers: Object.entries(labels).map(([name, own]) => {
      const shuffled = Int32Array.from(own);
      for (const bin of bins[name] ?? []) {
        const order = rng(seed, "labels", name).shuffle(bin.slice());
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

interface Setting {
  readonly lesion?: LesionKind;
  readonly protocol?: Protocol;
  readonly isSequential?: boolean;
  readonly match?: Match;
  readonly seeds: number;
}

/** The p-values of random partitions, by seed. */
async function calibrate({
  lesion = "zero",
  protocol = "strict",
  isSequential = false,
  match = "size",
  seeds,
}: Setting) {
  const bytes = network();
  const tiny = await loadNetworkBytes(bytes, "calibration");
  const data = await labelled(bytes);
  const counts = countClasses(data.labels, CLASSES);
  const baseline = baselineOf(await evaluateNetwork(tiny, data), counts, protocol === "strict");
  const shuffles = protocol === "strict" ? 199 : 19;
  const opened = new Map<string, LayerLesions>();
  const bins: Record<string, readonly Int32Array[]> = {};
  for (const layer of tiny.layers.slice(0, 2)) {
    opened.set(layer.name, await openLesions(tiny, layer, data, { lesion }));
    const eligible = Int32Array.from({ length: layer.units }, (_, unit) => unit);
    bins[layer.name] = await matchBins(match, tiny, layer, eligible, data);
  }
  const rows: Record<ImportanceName, number[]> = { accuracy: [], classRange: [], loss: [] };
  const fisher: Record<ImportanceName, number[]> = { accuracy: [], classRange: [], loss: [] };
  const single: Record<ImportanceName, number[]> = { accuracy: [], classRange: [], loss: [] };
  const dissociation: number[] = [];
  let drawn = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const layers = findSubclusters(tiny, randomPartition(seed, bins));
    const base = commonDraws(isSequential, shuffles, layers.length);
    const plan: DrawPlan = { protocol, shuffles, seed, base, tests: 5 };
    const verdicts = [];
    const strata = byMeasure((): ReturnType<typeof stratumOf>[] => []);
    for (const layer of layers) {
      const lesions = opened.get(layer.name) as LayerLesions;
      const outcomes = await lesions.run(layer.tested.map(({ units }) => units));
      const damages = outcomes.map((outcome) => damageOf(outcome, baseline));
      const measures = IMPORTANCE_NAMES.map((name) => MEASURES[name]);
      const layerBins = bins[layer.name] ?? [];
      const nulls = await drawNullDamages(
        lesions,
        layer,
        damages,
        measures,
        baseline,
        plan,
        layerBins,
        () => ({}),
      );
      drawn += nulls.bySubcluster.reduce((total, sets) => total + sets.length, 0);
      verdicts.push(...damages.map((_, number) => verdictsOf(damages, number, layer, nulls, plan)));
      for (const name of IMPORTANCE_NAMES)
        strata[name].push(stratumOf(layer, damages, nulls, MEASURES[name], base));
      // The first pair of the layer, if it dissociates; else p would be 1.
      if (layer.name === "b" && protocol === "strict") {
        const [found] = dissociationsOf(layer, damages, nulls, baseline, base);
        dissociation.push(found?.p ?? 1);
      }
    }
    for (const name of IMPORTANCE_NAMES) {
      const own = verdicts.map((found) => found[name]);
      const row = networkRow(
        own,
        protocol === "strict" ? strata[name] : null,
        rng(seed, "permutation", name),
      );
      if (!Number.isNaN(row.permutationP)) rows[name].push(row.permutationP);
      if (!Number.isNaN(row.fisherP)) fisher[name].push(row.fisherP);
      const [first] = own;
      if (first !== undefined && !Number.isNaN(first.p)) single[name].push(first.p);
    }
  }
  for (const lesions of opened.values()) await lesions.dispose();
  return { rows, fisher, single, dissociation, drawn: drawn / (5 * shuffles * seeds) };
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

/** Expects no more small values than of a uniform p. */
function expectFewSmall(values: readonly number[], what: string): void {
  const n = values.length;
  const share = values.filter((p) => p <= 0.05).length / n;
  expect(share, `${what}: share below 0.05`).toBeLessThan(0.05 + 3.7 * Math.sqrt((0.05 * 0.95) / n));
}

/** Kolmogorov's one-sided bound at 1e-4, since this file compares about a hundred distributions. */
const boundOf = (values: readonly number[]): number => 2.146 / Math.sqrt(values.length);

/** Expects values not smaller than uniform ones anywhere. */
function expectNotSmall(values: readonly number[], what: string): void {
  expect(kolmogorovSmirnov(values).above, `${what}: too small`).toBeLessThan(boundOf(values));
  expectFewSmall(values, what);
}

describe("with random labels in place of the partition", () => {
  it.each<[string, Setting]>([
    ["lesions by zero", { seeds: 200 }],
    ["lesions by mean", { lesion: "mean", seeds: 100 }],
    ["lesions by resampling", { lesion: "resample", seeds: 40 }],
    ["sequential draws", { isSequential: true, seeds: 150 }],
    ["random sets matched on weight norm", { match: "norm", seeds: 100 }],
    ["random sets matched on activation", { match: "activation", seeds: 100 }],
  ])("p-values of networks, subclusters and pairs are uniform: %s", async (_, setting) => {
    const found = await calibrate(setting);
    for (const name of ["accuracy", "loss"] as const) {
      expectNotSmall(found.rows[name], `network, ${name}`);
      expect(kolmogorovSmirnov(found.rows[name]).below, name).toBeLessThan(boundOf(found.rows[name]));
      expectNotSmall(found.single[name], `subcluster, ${name}`);
    }
    // The range has no value where a lesion is harmless.
    expect(found.rows.classRange.length).toBeGreaterThan(setting.seeds / 2);
    expectNotSmall(found.rows.classRange, "network, range");
    expectNotSmall(found.single.classRange, "subcluster, range");
    expectNotSmall(found.dissociation, "dissociation");
    if (setting.seeds === 200) {
      // The plain case at Kolmogorov's bound at 1 %; with a uniform p the share below .05 has a standard deviation of .0154.
      for (const name of ["accuracy", "loss"] as const) {
        const { above, below } = kolmogorovSmirnov(found.rows[name]);
        expect(Math.max(above, below), name).toBeLessThan(1.628 / Math.sqrt(200));
        const share = found.rows[name].filter((p) => p < 0.05).length / 200;
        expect(share, name).toBeLessThan(0.05 + 2.33 * Math.sqrt((0.05 * 0.95) / 200));
      }
    }
    if (setting.isSequential) expect(found.drawn).toBeLessThan(0.4);
    else expect(found.drawn).toBe(1);
  });

  it("Fisher's p of the published procedure is not too small, nor that of five replicates", async () => {
    const { fisher } = await calibrate({ protocol: "paper", seeds: 200 });
    // Subclusters of a layer depend on each other negatively: Fisher's p is rarely small, and rarely large.
    expectFewSmall(fisher.accuracy, "accuracy");
    expectFewSmall(fisher.loss, "loss");
    const replicates = Array.from({ length: 40 }, (_, row) =>
      batesCdf(
        fisher.loss.slice(5 * row, 5 * row + 5).reduce((sum, p) => sum + p / 5, 0),
        5,
      ),
    );
    expectFewSmall(replicates, "five replicates");
  });
});

describe("sequential draws", () => {
  it("have the verdicts of the full run, subcluster by subcluster, at a fraction of its draws", async () => {
    // One layer whose clusters matter, one whose labels are random.
    const planted = plantedMlp(1);
    const [count, size] = planted.inputShape;
    const network = await loadNetworkBytes(planted.model, "planted");
    const data: LabelledInputs = {
      count,
      labels: planted.labels,
      batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
    };
    const [first] = planted.layers;
    let [drawn, significant] = [0, 0];
    for (const shuffles of [199, 999]) {
      const labels = rng(shuffles, "labels").shuffle(
        Int32Array.from({ length: 24 }, (_, i) => (i < 9 ? 2 : i < 17 ? 3 : 4)),
      );
      const partition: Partition = {
        layers: [
          { name: "hidden1", labels: first?.blocks ?? new Int32Array() },
          { name: "hidden2", labels },
        ],
        clusters: 5,
        method: {},
        quality: null,
      };
      const full = await scoreImportance(network, data, partition, { shuffles });
      const some = await scoreImportance(network, data, partition, { shuffles, isSequential: true });
      for (const name of IMPORTANCE_NAMES) {
        const isSignificant = (scores: typeof full) =>
          Array.from(adjustedByMeasure(scores.subclusters)[name].by, (q) => q <= 0.05);
        expect(isSignificant(some)).toEqual(isSignificant(full));
        significant += isSignificant(full).filter(Boolean).length;
      }
      some.subclusters.forEach(({ layer, damage, drawn: own, verdicts }, i) => {
        expect(damage).toEqual(full.subclusters[i]?.damage);
        // Clusters that matter are drawn in full, to the same p.
        if (layer === "hidden1") expect(verdicts.loss).toEqual(full.subclusters[i]?.verdicts.loss);
        drawn += own / (5 * shuffles);
      });
      expect(some.commonDraws).toBe(39);
      expect(some.network.loss.permutationP).toBeLessThan(0.05);
    }
    expect(significant).toBeGreaterThan(3);
    expect(drawn / 2).toBeLessThan(0.7);
  });

  it("fix the draws of the network's p beforehand, enough for its floor", () => {
    expect(commonDraws(false, 199, 4)).toBe(199);
    expect(commonDraws(true, 199, 4)).toBe(39);
    expect(commonDraws(true, 199, 1)).toBe(199);
    expect(commonDraws(true, 1999, 2)).toBe(44);
    expect((1 + commonDraws(true, 9999, 2)) ** 2).toBe(10_000);
  });
});
