import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { agreementOf } from "../../src/partition/compare.ts";
import type { Partition } from "../../src/partition/partition.ts";
import {
  findActivationPatterns,
  findPatterns,
  type RecordedInputs,
} from "../../src/patterns/find-patterns.ts";
import type { LayerPatterns } from "../../src/patterns/layer-patterns.ts";
import { permuteUnits, randomUnits } from "../../src/patterns/pattern-nulls.ts";
import type { PatternOptions } from "../../src/patterns/pattern-settings.ts";
import { rng } from "../../src/statistics/rng.ts";
import { exportData, loadExport } from "../support/exports.ts";
import { expectRefusal, sketch } from "../support/models.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute?.dispose());

const GROUPS = 3;
const SIZE = 6;

/** Inputs around three places, 40 of each; `spread` 0 puts them there. */
function groupedInputs(spread: number, seed = 1): LabelledInputs & { readonly values: Float32Array } {
  const random = rng(seed, "grouped inputs");
  const count = GROUPS * 40;
  const labels = random.shuffle(Int32Array.from({ length: count }, (_, i) => i % GROUPS));
  const values = Float32Array.from({ length: count * SIZE }, (_, at) => {
    const isOn = (at % SIZE) % GROUPS === labels[Math.floor(at / SIZE)];
    return (isOn ? 1 : 0) + spread * random.normal();
  });
  const batch = (start: number, rows: number) => values.slice(start * SIZE, (start + rows) * SIZE);
  return { count, labels, values, batch };
}

/** hidden: a copy of the inputs and, in the units behind, numbers that do not depend on the groups; head: a class each. */
function plantedNetwork(): Promise<Network> {
  const model = sketch([SIZE]);
  const identity = Array.from({ length: 2 * SIZE * SIZE }, (_, at) => {
    const [unit, from] = [Math.floor(at / SIZE), at % SIZE];
    if (unit < SIZE) return unit === from ? 1 : 0;
    // Sums over the groups: every input has about the same.
    return Math.floor(from / GROUPS) === unit % 2 ? 1 + unit / 100 : 0;
  });
  const weights = model.floats("hidden.weight", [2 * SIZE, SIZE], identity);
  const hidden = model.node("Relu", [
    model.node(
      "Gemm",
      [model.input, weights, model.floats("hidden.bias", [2 * SIZE], new Float32Array(2 * SIZE).fill(2))],
      { transB: 1n },
      { name: "hidden" },
    ),
  ]);
  const head = Array.from({ length: GROUPS * 2 * SIZE }, (_, at) => {
    const [group, unit] = [Math.floor(at / (2 * SIZE)), at % (2 * SIZE)];
    return unit < SIZE && unit % GROUPS === group ? 4 : 0;
  });
  const made = model.node(
    "Gemm",
    [
      hidden,
      model.floats("head.weight", [GROUPS, 2 * SIZE], head),
      model.floats("head.bias", [GROUPS], new Float32Array(GROUPS)),
    ],
    { transB: 1n },
    { name: "head" },
  );
  return loadNetworkBytes(model.encode(made), "planted.onnx");
}

/** Patterns of a third of a group at least: blobs of 40 have no such parts. */
const SETTINGS: PatternOptions = { minClusterSize: 14, nulls: 4, splits: 2, shuffles: 9 };

const halves: Partition = {
  layers: [{ name: "hidden", labels: Int32Array.from({ length: 2 * SIZE }, (_, u) => (u < SIZE ? 0 : 1)) }],
  clusters: 2,
  method: { name: "external" },
  quality: null,
};

function layerNamed(
  layers: readonly LayerPatterns[],
  name: string,
  cluster: number | null = null,
): LayerPatterns {
  const found = layers.find((one) => one.layer === name && one.cluster === cluster);
  if (found === undefined) throw new Error(`found no ${name} ${cluster}`);
  return found;
}

describe("planted patterns", () => {
  it("are found in every layer and in the cluster that has them", async () => {
    const network = await plantedNetwork();
    const data = groupedInputs(0.08);
    const options = { ...SETTINGS, partition: halves };
    const { layers, flow, inputs, predictions } = await findPatterns(compute, network, data, options);
    expect(Array.from(inputs)).toEqual(Array.from({ length: 120 }, (_, i) => i));
    // The head gives each group its class.
    expect(predictions).toEqual(data.labels);
    expect(layers.map(({ layer, cluster }) => [layer, cluster])).toEqual([
      ["hidden", null],
      ["hidden", 0],
      ["hidden", 1],
      ["head", null],
    ]);
    for (const found of [
      layerNamed(layers, "hidden"),
      layerNamed(layers, "hidden", 0),
      layerNamed(layers, "head"),
    ]) {
      expect(found.patterns).toHaveLength(GROUPS);
      expect(agreementOf(found.labels, data.labels).ami).toBe(1);
      expect(found.classAgreement?.withoutNoise).toBe(1);
      expect(found.classAgreement?.withNoise).toBeGreaterThan(0.75);
      expect(found.predictionAgreement).toEqual(found.classAgreement);
      for (const { classes, misclassified, members, exemplars } of found.patterns) {
        expect(classes).toMatchObject({ purity: 1, entropy: 0 });
        expect(misclassified).toBe(0);
        expect(Array.from(exemplars).every((row) => members.includes(row))).toBe(true);
      }
      expect(found.counts.half).toMatchObject({ inputs: 60, patterns: GROUPS });
      expect(found.stability?.ami).toBeGreaterThan(0.6);
      expect(found.permuted?.patterns.observed).toBe(GROUPS);
      if (found.layer === "head") continue;
      // The head's three units, each of them high or low, have eight places even where they are permuted.
      expect(found.permuted?.patterns.max).toBeLessThan(GROUPS);
      expect(found.continuum).toEqual([]);
    }
    const blind = layerNamed(layers, "hidden", 1);
    expect(blind.continuum).not.toEqual([]);
    expect(blind.classAgreement?.withNoise).toBeLessThan(0.2);
    expect(blind.random).toMatchObject({ draws: 9, inputs: 120, ami: { p: 1 } });
    expect(layerNamed(layers, "hidden").random).toBeNull();
    expect(flow?.flows).toHaveLength(1);
    expect(flow?.purity).toBe(1);
  });

  it("keep their inputs where the noise is next to none, and not where it drowns them", async () => {
    const network = await plantedNetwork();
    const data = groupedInputs(0.08);
    const kept = async (noise: number) => {
      const { layers } = await findPatterns(compute, network, data, {
        ...SETTINGS,
        layers: ["hidden"],
        nulls: 0,
        splits: 0,
        noise,
      });
      return layerNamed(layers, "hidden").noiseAgreement;
    };
    const quiet = await kept(1e-6);
    expect(quiet).toMatchObject({ tried: 120, kept: 1, share: 1e-6 });
    expect(quiet?.inputs).toBeGreaterThan(60);
    expect((await kept(1))?.kept).toBeLessThan(0.4);
    expect(await kept(0)).toBeNull();
  });

  it("are the same for the same seed, whatever else is asked for", async () => {
    const network = await plantedNetwork();
    const data = groupedInputs(0.08);
    const options = { ...SETTINGS, samples: 90, seed: 3 };
    const all = await findPatterns(compute, network, data, options);
    expect(await findPatterns(compute, network, data, options)).toEqual(all);
    const one = await findPatterns(compute, network, data, { ...options, layers: ["head"] });
    expect(one.layers[0]).toEqual(layerNamed(all.layers, "head"));
    expect(one.flow).toBeNull();
    const other = await findPatterns(compute, network, data, { ...options, seed: 4 });
    expect(other.inputs).not.toEqual(all.inputs);
    const cluster = await findPatterns(compute, network, data, { ...options, partition: halves, cluster: 0 });
    expect(cluster.layers.map((found) => [found.layer, found.cluster])).toEqual([["hidden", 0]]);
  });

  it("are one per class behind a softmax that is sure", async () => {
    const data = groupedInputs(0.08);
    const values = Float32Array.from({ length: data.count * GROUPS }, (_, at) => {
      const row = Math.floor(at / GROUPS);
      const logits = Array.from(
        { length: GROUPS },
        (_, group) => 6 * (data.values[row * SIZE + group] as number),
      );
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      return Math.exp(logits[at % GROUPS] as number) / total;
    });
    const found = await findActivationPatterns(compute, recorded(values, GROUPS, data.labels), SETTINGS);
    expect(found.layers[0]?.patterns).toHaveLength(GROUPS);
    expect(found.layers[0]?.classAgreement?.withoutNoise).toBe(1);
    expect(found.layers[0]).toMatchObject({ predictionAgreement: null, noiseAgreement: null, random: null });
  });
});

function recorded(values: Float32Array, units: number, labels: Int32Array | null): RecordedInputs {
  return { name: "recorded", samples: values.length / units, units, values, labels };
}

describe("null", () => {
  it("permutes every unit on its own, all of its columns alike", () => {
    const count = 50;
    const values = Float32Array.from({ length: count * 3 }, (_, at) => Math.floor(at / 3) + (at % 3) / 10);
    const unit = Int32Array.of(0, 1, 0);
    const made = permuteUnits({ values, count, unit }, 0, "layer", 1);
    const column = (from: Float32Array, at: number) =>
      Array.from({ length: count }, (_, row) => from[row * 3 + at]);
    for (const at of [0, 1, 2]) {
      expect(column(made, at)).not.toEqual(column(values, at));
      expect(column(made, at).sort()).toEqual(column(values, at).sort());
    }
    const rank = (at: number) => column(made, at).map((value) => Math.floor(value as number));
    expect(rank(2)).toEqual(rank(0));
    expect(rank(1)).not.toEqual(rank(0));
    expect(permuteUnits({ values, count, unit }, 0, "layer", 2)).not.toEqual(made);
  });

  it("has no agreement with the classes where units are permuted", async () => {
    const data = groupedInputs(0.08);
    const permuted = permuteUnits(
      { values: data.values, count: data.count, unit: Int32Array.from({ length: SIZE }, (_, u) => u) },
      5,
    );
    const found = await findActivationPatterns(compute, recorded(permuted, SIZE, data.labels), {
      minClusterSize: 5,
      nulls: 6,
      splits: 2,
    });
    const [layer] = found.layers;
    expect(Math.abs(layer?.classAgreement?.withNoise ?? 1)).toBeLessThan(0.1);
    expect(Math.abs(layer?.permuted?.ami?.mean ?? 1)).toBeLessThan(0.1);
  });

  it("warns of a continuum where units vary on their own", async () => {
    const random = rng(9);
    const values = Float32Array.from({ length: 150 * 8 }, () => random.normal());
    const found = await findActivationPatterns(compute, recorded(values, 8, null), { nulls: 8, splits: 1 });
    expect(found.layers[0]?.continuum).toContain("noise");
    expect(found.layers[0]?.continuum).toContain("null");
    expect(found.layers[0]).toMatchObject({ classAgreement: null });
    expect(found.labels).toBeNull();
  });
});

describe("random units", () => {
  it("give p by rank, ties counted, in the direction of each measure", () => {
    const clustering = (labels: readonly number[]) => ({
      labels: Int32Array.from(labels),
      probabilities: new Float32Array(6),
      outlierScores: new Float32Array(6),
      persistence: new Float64Array(Math.max(...labels) + 1),
      hasSplit: true,
      duplicates: 0,
    });
    const classes = Int32Array.of(0, 0, 0, 1, 1, 1);
    const observed = clustering([0, 0, 0, 1, 1, -1]);
    const drawn = [
      [0, 1, 2, 0, 1, 2],
      [0, 0, 1, 1, 1, 0],
      [-1, -1, -1, -1, -1, -1],
      [0, 0, 0, -1, -1, -1],
    ].map(clustering);
    const found = randomUnits(observed, drawn, classes);
    expect(found).toMatchObject({ draws: 4, inputs: 6 });
    // 3 and 2 patterns of 2; noise 0 and 0 of 1/6; of the agreements the last alone, classes and noise as they are, is larger.
    expect(found.patterns).toEqual({ observed: 2, mean: 6 / 4, p: 3 / 5 });
    expect(found.noise.p).toBe(3 / 5);
    expect(found.noise.mean).toBeCloseTo((0 + 0 + 1 + 0.5) / 4, 12);
    expect(found.ami?.p).toBe(2 / 5);
    expect(randomUnits(observed, drawn, null).ami).toBeNull();
  });
});

describe("odd inputs", () => {
  it("leave agreement undefined with a single class", async () => {
    const data = groupedInputs(0.08);
    const same = { ...data, labels: new Int32Array(data.count) };
    const { layers } = await findPatterns(compute, await plantedNetwork(), same, SETTINGS);
    const found = layerNamed(layers, "hidden");
    expect(found.patterns).toHaveLength(GROUPS);
    expect(found.classAgreement).toEqual({ withNoise: Number.NaN, withoutNoise: Number.NaN });
    expect(found.patterns.map(({ classes }) => classes?.purity)).toEqual([1, 1, 1]);
  });

  it("are all noise where every unit is constant, without a NaN in what is told of them", async () => {
    const values = new Float32Array(40 * 3).fill(2);
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const found = await findActivationPatterns(compute, recorded(values, 3, labels), { nulls: 2, splits: 2 });
    expect(found.layers[0]).toMatchObject({
      patterns: [],
      hasSplit: false,
      noise: 1,
      constantUnits: 3,
      duplicates: 39,
      classAgreement: { withNoise: 0 },
    });
    expect(found.layers[0]?.continuum).toEqual(["no split", "noise", "null"]);
    expect(found.layers[0]?.outlierScores.every(Number.isFinite)).toBe(true);
    expect(found.layers[0]?.labels.every((label) => label === -1)).toBe(true);
  });

  it("have silent units beside others", async () => {
    const data = groupedInputs(0.08);
    const values = data.values.map((value, at) => (at % SIZE === 5 ? 0 : value));
    for (const metric of ["euclidean", "arccos"] as const) {
      const options = { ...SETTINGS, metric };
      const found = await findActivationPatterns(compute, recorded(values, SIZE, data.labels), options);
      expect(found.layers[0]?.constantUnits).toBe(1);
      expect(found.layers[0]?.patterns).toHaveLength(GROUPS);
      expect(found.layers[0]?.boxes.every(Number.isFinite)).toBe(true);
    }
  });
});

describe("other networks", () => {
  it("that read tokens and write tokens have patterns, without labels, answers or noise", async () => {
    const network = await loadExport("gpt-addmm");
    const { count, batch } = exportData("gpt-addmm", 40, 2);
    const data = { count, batch, labels: new Int32Array(6 * count) };
    const { layers, labels, predictions } = await findPatterns(compute, network, data, {
      nulls: 1,
      splits: 1,
    });
    expect({ labels, predictions }).toEqual({ labels: null, predictions: null });
    expect(layers.map(({ layer }) => layer)).toEqual(network.layers.map(({ name }) => name));
    for (const { noiseAgreement, classAgreement, predictionAgreement, labels: own } of layers) {
      expect([noiseAgreement, classAgreement, predictionAgreement]).toEqual([null, null, null]);
      expect(own).toHaveLength(40);
    }
  });

  it("that predict numbers have patterns as well", async () => {
    const network = await plantedNetwork();
    const { count, batch, values } = groupedInputs(0.08);
    const data = { count, batch, labels: new Int32Array(), targets: values.slice(0, count * GROUPS) };
    const { layers, labels } = await findPatterns(compute, network, data, SETTINGS);
    expect(labels).toBeNull();
    expect(layerNamed(layers, "hidden").patterns).toHaveLength(GROUPS);
  });
});

describe("refusals", () => {
  it("name what was found and what to do", async () => {
    const network = await plantedNetwork();
    const data = groupedInputs(0.08);
    const refused = (options: PatternOptions, code: string, inputs: LabelledInputs = data) =>
      expectRefusal(() => findPatterns(compute, network, inputs, options), code);
    expect((await refused({ layers: ["nowhere"] }, "E_NETWORK_LAYER")).hint).toContain("hidden, head");
    expect((await refused({ partition: halves, cluster: 7 }, "E_USAGE_CLUSTER")).message).toContain(
      "one of 0, 1",
    );
    const few = { ...data, count: 5, labels: data.labels.slice(0, 5) };
    expect((await refused({}, "E_INPUT_COUNT", few)).message).toMatch(/found 5 inputs, expected at least 6/);
    await refused({ minClusterSize: 1 }, "E_USAGE_PATTERNS");
    await refused({ epsilon: -1 }, "E_USAGE_PATTERNS");
    await refused({ samples: 0 }, "E_USAGE_PATTERNS");
    const many = { ...data, count: 20_000 };
    expect((await refused({ samples: 20_000 }, "E_USAGE_PATTERNS", many)).message).toContain("16384");
    await refused({ partition: halves, cluster: 0, layers: ["head"] }, "E_USAGE_CLUSTER");
  });

  it("come before maps too large to record are recorded", async () => {
    const model = sketch([1, 64, 64]);
    const made = model.conv(model.input, { name: "conv", inputs: 1, units: 64 });
    const few = model.conv(model.node("Relu", [made]), { name: "few", inputs: 64, units: 3 });
    const head = model.node("Flatten", [model.node("GlobalAveragePool", [few])]);
    const network = await loadNetworkBytes(model.encode(head), "wide.onnx");
    const count = 1000;
    const data = {
      count,
      labels: Int32Array.from({ length: count }, (_, i) => i % 3),
      batch: () => new Float32Array(),
    };
    const find = () => findPatterns(compute, network, data, { aggregate: "none" });
    const { message, hint } = await expectRefusal(find, "E_USAGE_AGGREGATE");
    expect(message).toContain("1000 inputs of 262144 numbers each in layer conv");
    expect(hint).toContain("--aggregate mean");
    expect(hint).toContain("--samples 512");
  });
});
