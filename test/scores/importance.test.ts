import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { BrodmannError } from "../../src/errors.ts";
import { buildWeightGraph } from "../../src/graph/weight-graph.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { partitionGraph } from "../../src/partition/partition-graph.ts";
import type { Progress } from "../../src/progress.ts";
import {
  type Importance,
  type ImportanceOptions,
  type SubclusterImportance,
  scoreImportance,
} from "../../src/scores/importance.ts";
import { IMPORTANCE_NAMES, type ImportanceName } from "../../src/scores/importance-measures.ts";
import { drawNullSets, type Protocol } from "../../src/scores/nulls.ts";
import { formatScores } from "../../src/scores/scores-file.ts";
import { rng } from "../../src/statistics/rng.ts";
import { expectRefusal, randomData, sketch, weightsOf, withWeights } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";

const INPUTS = 6;
const WIDTHS = { a: 10, b: 8 } as const;
const CLASSES = 4;

/** 6-10-8-4 with ReLU; small biases, so that all classes occur. */
function mlp(): Uint8Array {
  const model = sketch([INPUTS], { seed: 5 });
  const a = model.node("Relu", [model.dense("x", "a", INPUTS, WIDTHS.a)]);
  const b = model.node("Relu", [model.dense(a, "b", WIDTHS.a, WIDTHS.b)]);
  const bytes = model.encode(model.dense(b, "logits", WIDTHS.b, CLASSES));
  return ["a.bias", "b.bias", "logits.bias"].reduce(
    (changed, name) => withWeights(changed, name, (_, old) => old / 5),
    bytes,
  );
}

interface Lesion {
  readonly layer: string;
  readonly units: Int32Array;
}

/** Logits of one input in float64, with units of a layer silenced. */
function forwardOf(model: Uint8Array) {
  const layers = ["a", "b", "logits"].map((name) => ({
    name,
    weights: Array.from(weightsOf(model, `${name}.weight`)),
    biases: Array.from(weightsOf(model, `${name}.bias`)),
  }));
  return (input: ArrayLike<number>, lesion?: Lesion): number[] => {
    let values = Array.from(input);
    for (const { name, weights, biases } of layers) {
      const sums = biases.map((bias, unit) =>
        values.reduce((sum, value, i) => sum + value * (weights[unit * values.length + i] as number), bias),
      );
      values = name === "logits" ? sums : sums.map((sum) => Math.max(0, sum));
      if (lesion?.layer === name) values = values.map((value, u) => (lesion.units.includes(u) ? 0 : value));
    }
    return values;
  };
}

/** Inputs whose labels are mostly what the network says. */
function labelled(model: Uint8Array, count: number): LabelledInputs & { readonly values: Float32Array } {
  const forward = forwardOf(model);
  const data = randomData(count, [INPUTS], CLASSES);
  const random = rng(0, "flipped labels");
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const logits = forward(data.values.subarray(i * INPUTS, (i + 1) * INPUTS));
    return random.uniform() < 0.15 ? random.integer(CLASSES) : logits.indexOf(Math.max(...logits));
  });
  return { ...data, labels };
}

const partitionOf = (layers: Readonly<Record<string, readonly number[]>>): Partition => ({
  layers: Object.entries(layers).map(([name, labels]) => ({ name, labels: Int32Array.from(labels) })),
  clusters: 1 + Math.max(...Object.values(layers).flat()),
  method: { name: "by hand" },
  quality: null,
});

const PARTITION = partitionOf({
  a: [0, 0, 2, 1, 1, 0, 2, -1, 1, 3],
  b: [1, 1, 0, 0, 1, 0, 1, 0],
  logits: [0, 0, 1, 1],
});
/** What is tested of it, by first unit: cluster 3 of layer a is a single unit. */
const TESTED = {
  a: [
    { cluster: 0, units: [0, 1, 5] },
    { cluster: 2, units: [2, 6] },
    { cluster: 1, units: [3, 4, 8] },
  ],
  b: [
    { cluster: 1, units: [0, 1, 4, 6] },
    { cluster: 0, units: [2, 3, 5, 7] },
  ],
} as const;
const ELIGIBLE = { a: [0, 1, 2, 3, 4, 5, 6, 8, 9], b: [0, 1, 2, 3, 4, 5, 6, 7] } as const;

/** Statistics of method note 6.3 and 6.4 by definition, in float64. */
function referenceOf(model: Uint8Array, data: LabelledInputs & { readonly values: Float32Array }) {
  const forward = forwardOf(model);
  const run = (lesion?: Lesion) => {
    const correct = new Array<number>(CLASSES).fill(0);
    const all = new Array<number>(CLASSES).fill(0);
    let loss = 0;
    data.labels.forEach((label, i) => {
      const logits = forward(data.values.subarray(i * INPUTS, (i + 1) * INPUTS), lesion);
      const best = Math.max(...logits);
      all[label] = (all[label] as number) + 1;
      if (logits.indexOf(best) === label) correct[label] = (correct[label] as number) + 1;
      loss += Math.log(logits.reduce((sum, z) => sum + Math.exp(z - best), 0)) + best - (logits[label] ?? 0);
    });
    return {
      accuracies: correct.map((c, k) => c / (all[k] as number)),
      correct,
      all,
      loss: loss / data.count,
    };
  };
  const intact = run();
  const tau =
    (2 / CLASSES) *
    Math.sqrt(intact.accuracies.reduce((sum, a, c) => sum + (a * (1 - a)) / (intact.all[c] as number), 0));
  const lesion = (layer: string, units: Int32Array, protocol: Protocol) => {
    const { accuracies, correct, loss } = run({ layer, units });
    const changes = accuracies.map((accuracy, c) => accuracy - (intact.accuracies[c] as number));
    const meanChange = changes.reduce((sum, change) => sum + change, 0) / CLASSES;
    const relative = changes.map((change) => change / meanChange);
    const isNoise = Math.abs(meanChange) < (protocol === "strict" ? tau : 1e-12);
    return {
      accuracies,
      accuracy: correct.reduce((sum, c) => sum + c, 0) / data.count,
      mean: accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / CLASSES,
      meanChange,
      range: isNoise ? Number.NaN : Math.max(...relative) - Math.min(...relative),
      loss,
      lossIncrease: loss - intact.loss,
    };
  };
  return { intact, lesion };
}

type Statistics = ReturnType<ReturnType<typeof referenceOf>["lesion"]>;

/** Larger = more extreme, and the amount that effects compare. */
const STATISTIC: Readonly<Record<ImportanceName, (s: Statistics) => number>> = {
  accuracy: (s) => -s.mean,
  classRange: (s) => s.range,
  loss: (s) => s.lossIncrease,
};
const AMOUNT: Readonly<Record<ImportanceName, (s: Statistics) => number>> = {
  accuracy: (s) => -s.meanChange,
  classRange: (s) => s.range,
  loss: (s) => s.lossIncrease,
};

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor, Math.ceil].map(
    (round) => sorted[round((sorted.length - 1) / 2)] as number,
  );
  return ((low as number) + (high as number)) / 2;
};
const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function expectNumber(found: number, expected: number, digits = 4): void {
  if (Number.isNaN(expected)) expect(found).toBeNaN();
  else expect(found).toBeCloseTo(expected, digits);
}

describe("scoreImportance against the method note by hand", () => {
  const model = mlp();
  const data = labelled(model, 90);
  const reference = referenceOf(model, data);

  it.each<[Protocol, number]>([
    ["strict", 199],
    ["paper", 19],
  ])("%s", async (protocol, shuffles) => {
    const network = await loadNetworkBytes(model, "mlp");
    const scores = await scoreImportance(network, data, PARTITION, { protocol, shuffles, seed: 3 });
    expect(scores).toMatchObject({ protocol, shuffles, seed: 3, inputs: 90, filtered: 1 });
    expect([...scores.baseline.outcome.correct]).toEqual(reference.intact.correct);
    expect([...scores.baseline.classCounts]).toEqual(reference.intact.all);
    expect(scores.baseline.outcome.loss).toBeCloseTo(reference.intact.loss, 5);
    // In the order of layers and cluster ids.
    expect(scores.subclusters.map(({ layer, cluster }) => [layer, cluster])).toEqual([
      ["a", 0],
      ["a", 1],
      ["a", 2],
      ["b", 0],
      ["b", 1],
    ]);

    const rows: Record<ImportanceName, { q: number[]; effects: number[]; strata: number[][][] }> = {
      accuracy: { q: [], effects: [], strata: [] },
      classRange: { q: [], effects: [], strata: [] },
      loss: { q: [], effects: [], strata: [] },
    };
    for (const name of ["a", "b"] as const) {
      const tested = TESTED[name].map(({ cluster, units }) => ({ cluster, units: Int32Array.from(units) }));
      const layer = {
        layer: 0,
        name,
        layerUnits: WIDTHS[name],
        eligible: Int32Array.from(ELIGIBLE[name]),
        tested,
        filtered: [],
      };
      const nulls = drawNullSets(layer, protocol, shuffles, 3).map((units) =>
        reference.lesion(name, units, protocol),
      );
      const trueOnes = tested.map(({ units }) => reference.lesion(name, units, protocol));
      tested.forEach(({ cluster, units }, number) => {
        const found = scores.subclusters.find((entry) => entry.layer === name && entry.cluster === cluster);
        if (found === undefined) throw new Error(`no subcluster ${cluster} in ${name}`);
        const expected = trueOnes[number] as Statistics;
        expect([...found.units]).toEqual([...units]);
        expect(found.layerUnits).toBe(WIDTHS[name]);
        expect(found.damage.accuracy).toBeCloseTo(expected.accuracy, 12);
        expected.accuracies.forEach((accuracy, c) => {
          expect(found.damage.classAccuracy[c]).toBeCloseTo(accuracy, 12);
        });
        expect(found.damage.meanClassAccuracy).toBeCloseTo(expected.mean, 10);
        expectNumber(found.damage.classRange, expected.range, 8);
        expect(found.damage.loss).toBeCloseTo(expected.loss, 5);
        // Strict: all random sets of this size in the layer. Paper: those drawn for this subcluster.
        const mine = nulls.filter((_, i) =>
          protocol === "paper"
            ? i % tested.length === number
            : tested[i % tested.length]?.units.length === units.length,
        );
        expect(mine).toHaveLength(
          protocol === "paper"
            ? 19
            : 199 * tested.filter((other) => other.units.length === units.length).length,
        );
        for (const measure of IMPORTANCE_NAMES) {
          const verdict = found.verdicts[measure];
          const t = STATISTIC[measure](expected);
          const valid = mine.map(STATISTIC[measure]).filter((value) => !Number.isNaN(value));
          // Class accuracies are counts, so equal means are equal to rounding; losses are never this close.
          // Strict: ranked with the other true subclusters of its size, which belong to the true arrangement.
          const others = trueOnes.filter(
            (_, other) =>
              protocol === "strict" && other !== number && tested[other]?.units.length === units.length,
          );
          const ranked = [...valid, ...others.map(STATISTIC[measure])].filter((v) => !Number.isNaN(v));
          const more = ranked.filter((v) => v > t + 1e-9).length;
          const equal = ranked.filter((v) => Math.abs(v - t) <= 1e-9).length;
          const hits = protocol === "strict" ? more + equal : more;
          const isDefined = !Number.isNaN(t) && ranked.length >= (protocol === "strict" ? shuffles / 2 : 1);
          expect(verdict.valid).toBe(ranked.length);
          expectNumber(verdict.p, isDefined ? (1 + hits) / (ranked.length + 1) : Number.NaN, 12);
          const amounts = mine.map(AMOUNT[measure]).filter((value) => !Number.isNaN(value));
          const [amount, r] = [AMOUNT[measure](expected), average(amounts)];
          expectNumber(verdict.effect, amount > 0 && r > 0 ? (2 * amount) / (amount + r) : Number.NaN);
          expectNumber(verdict.difference, amount - r);
          const sd = Math.sqrt(average(amounts.map((value) => (value - r) ** 2)));
          expectNumber(verdict.z, (amount - r) / sd, 3);
          expectNumber(verdict.amount, amount);
          expect(verdict.quantiles).toHaveLength(amounts.length === 0 ? 0 : 21);
          if (amounts.length > 0) {
            expectNumber(verdict.quantiles[0] as number, Math.min(...amounts));
            expectNumber(verdict.quantiles[20] as number, Math.max(...amounts));
            expectNumber(verdict.quantiles[10] as number, medianOf(amounts));
          }
          if (!Number.isNaN(verdict.p)) rows[measure].q.push(verdict.p - 1 / (2 * (ranked.length + 1)));
          if (!Number.isNaN(verdict.effect)) rows[measure].effects.push(verdict.effect);
        }
      });
      for (const measure of IMPORTANCE_NAMES) {
        const all = [...trueOnes, ...nulls].map(STATISTIC[measure]);
        rows[measure].strata.push(
          Array.from({ length: 1 + shuffles }, (_, b) =>
            all.slice(b * tested.length, (b + 1) * tested.length),
          ),
        );
      }
    }
    for (const measure of IMPORTANCE_NAMES) {
      const { q, effects, strata } = rows[measure];
      const row = scores.network[measure];
      expect(row.tested).toBe(q.length);
      expect(row.undefinedP).toBe(5 - q.length);
      expect(row.undefinedEffect).toBe(5 - effects.length);
      expectNumber(row.fisherStatistic, average(q.map((value) => -Math.log(value))), 10);
      expectNumber(row.effect, average(effects), 10);
      if (protocol === "paper") {
        expect(row.permutationP).toBeNaN();
        continue;
      }
      const expected = permutationReference(strata, [TESTED.a, TESTED.b]);
      // Two samples of 9,999 permutations each.
      const error = Math.sqrt((2 * expected * (1 - expected)) / 9999) + 1e-4;
      expect(Math.abs(row.permutationP - expected)).toBeLessThan(5 * error);
    }
    // The case must hold the things it is to test.
    const strictly = protocol === "strict";
    expect(rows.accuracy.q.length).toBe(5);
    expect(rows.accuracy.effects.length).toBeGreaterThan(2);
    if (strictly) expect(rows.classRange.q.length).toBeGreaterThan(0);
  });

  /** Method note 8.2, steps 1 to 5, with random numbers of its own. */
  function permutationReference(
    strata: readonly (readonly (readonly number[])[])[],
    tested: readonly (readonly { readonly units: readonly number[] }[])[],
  ): number {
    const tables = strata.map((arrangements, g) => {
      const sizes = (tested[g] ?? []).map(({ units }) => units.length);
      return arrangements.map((row) =>
        row.reduce((sum, t, i) => {
          if (Number.isNaN(t)) return sum + 1;
          const pool = arrangements.flatMap((other) =>
            other.filter((value, j) => sizes[j] === sizes[i] && !Number.isNaN(value)),
          );
          const p = pool.filter((value) => value >= t - 1e-9).length / pool.length;
          return sum - Math.log(p - 1 / (2 * pool.length));
        }, 0),
      );
    });
    const observed = tables.reduce((sum, table) => sum + (table[0] as number), 0);
    const random = rng(99, "reference permutations");
    let hits = 0;
    for (let c = 0; c < 9999; c++) {
      const total = tables.reduce((sum, table) => sum + (table[random.integer(table.length)] as number), 0);
      if (total >= observed - 1e-9) hits++;
    }
    return (1 + hits) / 10_000;
  }
});

describe("scoreImportance", () => {
  const model = mlp();
  const data = labelled(model, 60);
  const score = async (partition: Partition, options: ImportanceOptions = {}, bytes = model) =>
    scoreImportance(await loadNetworkBytes(bytes, "mlp"), data, partition, options);

  it("gives the same bytes for the same seed, and other random sets for another", async () => {
    const [first, again, other] = [
      await score(PARTITION, { seed: 1 }),
      await score(PARTITION, { seed: 1 }),
      await score(PARTITION, { seed: 2 }),
    ];
    expect(formatScores(again)).toBe(formatScores(first));
    expect(other.subclusters.map(({ damage }) => damage)).toEqual(
      first.subclusters.map(({ damage }) => damage),
    );
    expect(other.subclusters.map(({ verdicts }) => verdicts)).not.toEqual(
      first.subclusters.map(({ verdicts }) => verdicts),
    );
  });

  it.each(["strict", "paper"] as const)(
    "renames nothing but ids when clusters are renamed (%s)",
    async (protocol) => {
      const names = [3, 0, 1, 2];
      const renamed: Partition = {
        ...PARTITION,
        layers: PARTITION.layers.map(({ name, labels }) => ({
          name,
          labels: labels.map((label) => (label < 0 ? -1 : (names[label] as number))),
        })),
      };
      const [before, after] = [await score(PARTITION, { protocol }), await score(renamed, { protocol })];
      expect(after.network).toEqual(before.network);
      for (const subcluster of before.subclusters) {
        const { layer, cluster } = subcluster;
        const same = after.subclusters.find(
          (other) => other.layer === layer && other.cluster === names[cluster],
        );
        expect(same).toEqual({ ...subcluster, cluster: names[cluster] });
      }
    },
  );

  it("gives the same statistics whatever the order of a layer's units", async () => {
    const order = rng(0, "order").shuffle([...Array(WIDTHS.a).keys()]);
    const rows = ["a.weight", "a.bias"].reduce((bytes, name) => {
      const old = weightsOf(bytes, name);
      const size = old.length / WIDTHS.a;
      return withWeights(
        bytes,
        name,
        (i) => old[(order[Math.floor(i / size)] as number) * size + (i % size)] as number,
      );
    }, model);
    const old = weightsOf(model, "b.weight");
    const permuted = withWeights(
      rows,
      "b.weight",
      (i) => old[i - (i % WIDTHS.a) + (order[i % WIDTHS.a] as number)] as number,
    );
    const moved = partitionOf({
      a: order.map((unit) => PARTITION.layers[0]?.labels[unit] ?? -1),
      b: [...(PARTITION.layers[1]?.labels ?? [])],
    });
    const [before, after] = [await score(PARTITION), await score(moved, {}, permuted)];
    for (const [i, { damage, layer, cluster }] of before.subclusters.entries()) {
      const other = after.subclusters[i] as SubclusterImportance;
      expect([other.layer, other.cluster]).toEqual([layer, cluster]);
      expect(other.damage.classAccuracy).toEqual(damage.classAccuracy);
      expect(other.damage.loss).toBeCloseTo(damage.loss, 5);
    }
    // The layer whose units stayed has the same random sets as well.
    const pOf = ({ subclusters }: Importance) =>
      subclusters.filter(({ layer }) => layer === "b").map(({ verdicts }) => verdicts.accuracy.p);
    expect(pOf(after)).toEqual(pOf(before));
  });

  it("gives p = 1 where every lesion does the same (strict), and 1 / (n + 1) by the paper's rule", async () => {
    // Method note 12, oracle 9: nothing reads layer b.
    const deaf = withWeights(model, "logits.weight", () => 0);
    const strict = await score(PARTITION, {}, deaf);
    const paper = await score(PARTITION, { protocol: "paper" }, deaf);
    for (const { verdicts } of strict.subclusters) {
      expect(verdicts.accuracy.p).toBe(1);
      expect(verdicts.loss.p).toBe(1);
      expect(verdicts.classRange.p).toBeNaN();
      expect(verdicts.accuracy.effect).toBeNaN();
    }
    expect(strict.network.accuracy.permutationP).toBe(1);
    expect(strict.network.classRange).toMatchObject({ tested: 0, undefinedP: 5, permutationP: Number.NaN });
    for (const { verdicts } of paper.subclusters) expect(verdicts.accuracy.p).toBe(1 / 20);
  });

  it("hands over finished layers and throws when it is interrupted", async () => {
    const controller = new AbortController();
    const layers: string[][] = [];
    let error: unknown = null;
    try {
      await score(PARTITION, {
        signal: controller.signal,
        onLayer(scores) {
          layers.push(scores.map(({ layer, cluster }) => `${layer} ${cluster}`));
          controller.abort();
        },
      });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BrodmannError);
    expect((error as BrodmannError).code).toBe("E_INTERRUPTED");
    expect(layers).toEqual([["a 0", "a 1", "a 2"]]);
    const aborted = AbortSignal.abort();
    await expect(score(PARTITION, { signal: aborted })).rejects.toMatchObject({ code: "E_INTERRUPTED" });
  });

  it("counts progress up to all lesions of all inputs", async () => {
    const seen: Progress[] = [];
    await score(PARTITION, { onProgress: (progress) => seen.push(progress) });
    // Each subcluster and its 199 random sets, and it alone against 39.
    const total = 5 * (200 + 40) * 60;
    expect(seen.every((progress) => progress.total === total)).toBe(true);
    expect(seen.at(-1)?.done).toBe(total);
    expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
  });

  it("refuses too few shuffles, foreign partitions and partitions without anything to test", async () => {
    await expectRefusal(() => score(PARTITION, { shuffles: 198 }), "E_USAGE_SHUFFLES");
    await expectRefusal(() => score(PARTITION, { protocol: "paper", shuffles: 0 }), "E_USAGE_SHUFFLES");
    await expectRefusal(() => score(PARTITION, { shuffles: 200.5 }), "E_USAGE_SHUFFLES");
    await expectRefusal(() => score(partitionOf({ a: [0, 0, 1] })), /^E_PARTITION_/);
    await expectRefusal(() => score(partitionOf({ z: [0, 0, 1] })), /^E_PARTITION_/);
    const whole = partitionOf({ a: new Array(10).fill(0), b: [0, 1, 2, 3, 4, 5, 6, 7] });
    await expectRefusal(() => score(whole), "E_PARTITION_EMPTY");
    await expectRefusal(() => score(partitionOf({ logits: [0, 0, 1, 1] })), "E_PARTITION_EMPTY");
  });

  it("takes labels of any class count, with classes missing", async () => {
    const present = { ...data, labels: data.labels.map((label) => (label === 3 ? 0 : label)) };
    const network = await loadNetworkBytes(model, "mlp");
    const scores = await scoreImportance(network, present, PARTITION);
    expect(scores.baseline.classAccuracy[3]).toBeNaN();
    for (const { damage, verdicts } of scores.subclusters) {
      expect(damage.classAccuracy[3]).toBeNaN();
      expect(damage.meanClassAccuracy).toBeGreaterThanOrEqual(0);
      expect(verdicts.accuracy.p).toBeGreaterThan(0);
    }
  });
});

describe("planted functional areas", () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await createCpuCompute();
  });
  afterAll(() => compute.dispose());

  it.each([0, 1])("are found from the weights and are important (seed %i)", async (seed) => {
    const planted = plantedMlp(seed);
    const [count, size] = planted.inputShape;
    const network = await loadNetworkBytes(planted.model, "planted");
    const data: LabelledInputs = {
      count,
      labels: planted.labels,
      batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
    };
    const graph = await buildWeightGraph(network, compute);
    const partition = await partitionGraph(compute, graph, { method: "spectral", k: 2, seed });
    // The cluster of block 0, by the first hidden unit.
    const [first] = planted.layers;
    const labelsOf = (name: string) => partition.layers.find((layer) => layer.name === name)?.labels;
    const isSwapped = labelsOf("hidden1")?.[0] !== first?.blocks[0];
    for (const { name, blocks } of planted.layers) {
      expect(labelsOf(name)).toEqual(blocks.map((block) => (isSwapped ? 1 - block : block)));
    }

    const scores = await scoreImportance(network, data, partition, { seed });
    expect(scores.subclusters).toHaveLength(4);
    for (const { cluster, damage, verdicts } of scores.subclusters) {
      const block = isSwapped ? 1 - cluster : cluster;
      for (let c = 0; c < 4; c++) {
        const isOwn = Math.floor(c / 2) === block;
        if (isOwn) expect(damage.classAccuracy[c]).toBeLessThanOrEqual(0.02);
        else expect(damage.classAccuracy[c]).toBeGreaterThanOrEqual(0.98);
      }
      // Changes -1, -1, 0, 0 relative to -0.5.
      expect(damage.classRange).toBeCloseTo(2, 1);
      expect(verdicts.loss.valid).toBe(399);
      expect(verdicts.loss.effect).toBeGreaterThan(1);
    }
    // Both subclusters have 12 units and are ranked among 2 x 200 sets: none of the random ones does as much.
    const ps = scores.subclusters.map(({ verdicts }) => verdicts.loss.p);
    expect([...ps].sort()).toEqual([1 / 400, 1 / 400, 2 / 400, 2 / 400]);
    expect(scores.network.loss.permutationP).toBeLessThan(0.001);
  });
});
