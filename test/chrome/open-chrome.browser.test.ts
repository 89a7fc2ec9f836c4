/** Analyses in headless Chrome against those of this process, within the contract's tolerances. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenedChrome, openChrome } from "../../src/chrome/open-chrome.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { loadDataset } from "../../src/data/dataset.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { analyze, coherence, weightGraph } from "../../src/library.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import type { Progress } from "../../src/progress.ts";
import { COHERENCE_NAMES } from "../../src/scores/coherence-measures.ts";
import { catchError } from "../support/catch-error.ts";
import { ROOT, temporaryFolder, writePlanted } from "../support/cli.ts";
import { exportData, loadExport } from "../support/exports.ts";
import { randomData, sketch } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";
import { plantedRoles } from "../support/population-nets.ts";

let chrome: OpenedChrome;
let cpu: Engine;
beforeAll(async () => {
  cpu = localEngine(await createCpuCompute());
  chrome = await openChrome();
});
afterAll(async () => {
  await chrome?.engine.dispose();
  await cpu?.dispose();
});

const example = (name: string): string => join(ROOT, "examples", name);

/** Convolutions with a batch norm, pooling and a dense head. */
function smallCnn(): Promise<Network> {
  const model = sketch([1, 8, 8], { seed: 5 });
  let value = model.conv(model.input, { name: "conv1", inputs: 1, units: 12 });
  value = model.node("Relu", [model.batchNorm(value, "norm", 12)]);
  value = model.node("MaxPool", [value], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
  value = model.node("Relu", [model.conv(value, { name: "conv2", inputs: 12, units: 16 })]);
  value = model.dense(model.node("Flatten", [value]), "head", 16 * 16, 4);
  return loadNetworkBytes(model.encode(value), "cnn.onnx");
}

/** Largest difference between two graphs of the same units and blocks. */
function largestDifference(
  found: UnitGraph,
  expected: UnitGraph,
  difference: (a: number, b: number) => number,
): number {
  const shapes = ({ layers, layer, unit, parts, kind, scope, facts, matrix }: UnitGraph) => ({
    ...{ layers, layer, unit, parts, kind, scope, facts },
    blocks: matrix.blocks.map((block) => ({ ...block, values: null })),
  });
  expect(shapes(found)).toEqual(shapes(expected));
  let largest = 0;
  expected.matrix.blocks.forEach((block, number) => {
    const twin = found.matrix.blocks[number];
    if (block.shape === "sparse" || twin === undefined || twin.shape === "sparse") {
      throw new Error("found a sparse block, expected dense ones");
    }
    expect(twin.values).toHaveLength(block.values.length);
    block.values.forEach((value, at) => {
      largest = Math.max(largest, difference(twin.values[at] as number, value));
    });
  });
  return largest;
}

const relative = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / Math.abs(b));
const absolute = (a: number, b: number) => Math.abs(a - b);

/** How one analysis is made on both sides. */
interface Case {
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly correlation?: "spearman" | "pearson";
  readonly k: number;
}

/** The contract: weights within 1e-5, relative; squared correlations within 2e-4. Returns both graphs. */
async function expectSameGraph(
  { engine }: OpenedChrome,
  network: Network,
  data: LabelledInputs,
  options: Case,
) {
  const expected = await cpu.unitGraph(network, data, options);
  const found = await engine.unitGraph(network, data, options);
  if (options.kind === "weights") expect(largestDifference(found, expected, relative)).toBeLessThan(1e-5);
  else expect(largestDifference(found, expected, absolute)).toBeLessThan(2e-4);
  return { found, expected };
}

/** The contract: n-cut and modularity within 1 %. Returns the partition of the CPU. */
async function expectSameQuality(
  { engine }: OpenedChrome,
  graphs: { readonly found: UnitGraph; readonly expected: UnitGraph },
  k: number,
): Promise<Partition> {
  const settings = { method: "spectral", k, seed: 0 } as const;
  const partition = await cpu.partition(graphs.expected, settings);
  const { quality } = await engine.partition(graphs.found, settings);
  for (const measure of ["ncut", "modularity"] as const) {
    const [want, got] = [partition.quality?.[measure] as number, quality?.[measure] as number];
    expect(relative(got, want), `${measure}: found ${got}, expected ${want}`).toBeLessThan(0.01);
  }
  return partition;
}

/** The same partition on both sides: the lesions' counts are compared set by set. */
async function expectSameScores(
  { engine }: OpenedChrome,
  network: Network,
  data: LabelledInputs,
  partition: Partition,
): Promise<void> {
  const options = { protocol: "paper", shuffles: 1, seed: 1 } as const;
  const want = await cpu.importance(network, data, partition, options);
  const got = await engine.importance(network, data, partition, options);
  expect(got.baseline.outcome.correct).toEqual(want.baseline.outcome.correct);
  expect(got.baseline.outcome.loss).toBeCloseTo(want.baseline.outcome.loss, 5);
  expect(got.subclusters.map(({ units }) => units)).toEqual(want.subclusters.map(({ units }) => units));
  expect(got.subclusters.length).toBeGreaterThan(1);
  // An input whose two best logits are nearly equal may turn; that is rare.
  let turned = 0;
  got.subclusters.forEach(({ damage }, number) => {
    const twin = want.subclusters[number]?.damage;
    turned += Math.abs(damage.accuracy - (twin?.accuracy ?? Number.NaN)) * data.count;
    expect(damage.loss).toBeCloseTo(twin?.loss ?? Number.NaN, 4);
  });
  expect(turned).toBeLessThan(1.5);
}

const KINDS_AND_SCOPES = (["weights", "activations"] as const).flatMap((kind) =>
  (["global", "local"] as const).map((scope) => ({ kind, scope })),
);

describe("the example's network", () => {
  let network: Network;
  let digits: LabelledInputs;
  let few: LabelledInputs;
  beforeAll(async () => {
    network = await loadNetwork(example("mnist-mlp.onnx"));
    // One rank that turns changes a correlation by up to 24 / T^2: nothing beside the tolerance at T = 1000.
    digits = await loadDataset(example("mnist-digits.npz"), { take: 1000 });
    few = await loadDataset(example("mnist-digits.npz"), { take: 200 });
  });

  it.each(KINDS_AND_SCOPES)("$kind, $scope: as on the CPU", async ({ kind, scope }) => {
    const options = { kind, scope, k: scope === "global" ? 16 : 4 };
    const graphs = await expectSameGraph(chrome, network, digits, options);
    const partition = await expectSameQuality(chrome, graphs, options.k);
    await expectSameScores(chrome, network, few, partition);
    const degrees = await cpu.degrees(graphs.expected);
    (await chrome.engine.degrees(graphs.found)).forEach((degree, node) => {
      expect(relative(degree, degrees[node] as number)).toBeLessThan(1e-3);
    });
  });
});

describe("a small convolutional network", () => {
  const data = randomData(120, [1, 8, 8], 4);
  // So few inputs that a single turned rank shows.
  const correlation = "pearson";

  it.each(KINDS_AND_SCOPES)("$kind, $scope: as on the CPU", async (options) => {
    const network = await smallCnn();
    const graphs = await expectSameGraph(chrome, network, data, { ...options, correlation, k: 3 });
    await expectSameScores(chrome, network, data, await expectSameQuality(chrome, graphs, 3));
  });

  it("runs on the WebGPU provider of ONNX Runtime as well, on the device of our kernels", async () => {
    const other = await openChrome({ networks: "webgpu" });
    try {
      expect(other.page.runtime.networks).toBe("webgpu");
      const network = await smallCnn();
      const options = { kind: "activations", scope: "global", correlation, k: 2 } as const;
      const { expected } = await expectSameGraph(other, network, data, options);
      const partition = await cpu.partition(expected, { method: "random", k: 2 });
      await expectSameScores(other, network, data, partition);
    } finally {
      await other.engine.dispose();
    }
  });
});

describe("other tasks", () => {
  it("numbers to be predicted reach the page, and so does the consumer", async () => {
    const model = sketch([5]);
    const a = model.node("Relu", [model.dense("x", "a", 5, 8)]);
    const b = model.node("Relu", [model.dense(a, "b", 8, 6)]);
    const past = model.dense(a, "past", 8, 2);
    const made = model.node("Add", [past, model.dense(b, "head", 6, 2)]);
    const network = await loadNetworkBytes(model.encode(made), "forked");
    const { count, batch } = randomData(60, [5], 2);
    const targets = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i));
    const data = { count, batch, labels: new Int32Array(), targets };
    const labels = Int32Array.from({ length: 8 }, (_, unit) => unit % 2);
    const partition = { layers: [{ name: "a", labels }], clusters: 2, method: {}, quality: null };
    const options = { protocol: "paper", shuffles: 2, consumer: "past", lesion: "mean" } as const;
    const want = await cpu.importance(network, data, partition, options);
    const got = await chrome.engine.importance(network, data, partition, options);
    expect(got.task).toBe("regression");
    expect(got.r2).toBeCloseTo(want.r2 ?? Number.NaN, 5);
    expect(got.subclusters.length).toBe(2);
    got.subclusters.forEach(({ damage, flipRate }, number) => {
      expect(damage.loss).toBeCloseTo(want.subclusters[number]?.damage.loss ?? Number.NaN, 5);
      expect(flipRate).toBeNaN();
    });
  });

  it("tokens, whose number next comes for each of them", async () => {
    const network = await loadExport("gpt-addmm");
    const { count, batch } = exportData("gpt-addmm", 30, 2);
    const labels = Int32Array.from({ length: 6 * count }, (_, i) => (i * i) % 12);
    const graph = await cpu.unitGraph(network, null, { kind: "weights", scope: "global" });
    const partition = await cpu.partition(graph, { method: "random", k: 2 });
    expect(
      (await cpu.importance(network, { count, batch, labels }, partition, { protocol: "paper" })).task,
    ).toBe("next-token");
    await expectSameScores(chrome, network, { count, batch, labels }, partition);
  });
});

describe("the browser", () => {
  it("patterns of a network's layers and of recorded activations, as on the CPU", async () => {
    const { inputs: values, inputShape, labels, model } = plantedMlp(2);
    const [count, size] = inputShape;
    const network = await loadNetworkBytes(model, "planted.onnx");
    const batch = (start: number, rows: number) => values.slice(start * size, (start + rows) * size);
    const heard: string[] = [];
    const options = { samples: 90, nulls: 1, splits: 1, minClusterSize: 10, layers: ["hidden2", "logits"] };
    const found = await chrome.engine.patterns(
      network,
      { count, labels, batch },
      {
        ...options,
        onLayer: ({ layer }) => heard.push(layer),
      },
    );
    const expected = await cpu.patterns(network, { count, labels, batch }, options);
    expect(heard).toEqual(options.layers);
    expect(found.predictions).toEqual(expected.predictions);
    expect(found.layers.map((layer) => layer.labels)).toEqual(expected.layers.map((layer) => layer.labels));
    expect(found.layers.some(({ patterns }) => patterns.length > 1)).toBe(true);
    expect(found.flow).toEqual(expected.flow);
    const recorded = { name: "recorded", samples: count, units: size, values, labels };
    const given = { nulls: 1, splits: 1, minClusterSize: 10 };
    const [there] = (await chrome.engine.activationPatterns(recorded, given)).layers;
    const [here] = (await cpu.activationPatterns(recorded, given)).layers;
    // Entropies and agreement take logarithms, whose last bits differ between the two.
    for (const name of ["labels", "probabilities", "outlierScores", "boxes", "outliers", "counts"] as const) {
      expect(there?.[name], name).toEqual(here?.[name]);
    }
    expect(there?.permuted?.patterns).toEqual(here?.permuted?.patterns);
  });

  it("is named together with its adapter, and a software adapter is called one", () => {
    const { version } = chrome.browser;
    const { name, type } = chrome.page.adapter;
    expect(version).toMatch(/^\w+\/\d+/);
    expect(chrome.reason).toContain(`device: chrome, ${version} on ${name}`);
    expect(chrome.reason.includes("a software adapter")).toBe(type === "software");
    expect(chrome.page.runtime.networks).toBe(type === "software" ? "wasm" : "webgpu");
  });

  it("takes calls of the library, and tells how far it is", async () => {
    const files = writePlanted(temporaryFolder());
    const network = await loadNetwork(files.model);
    const seen: Progress[] = [];
    const layers: number[] = [];
    const data = await loadDataset(files.data);
    const settings = { protocol: "paper", shuffles: 2 } as const;
    const found = await analyze(network, data, {
      engine: chrome.engine,
      partition: { method: "spectral", k: 2 },
      ...settings,
      onProgress: (progress) => seen.push(progress),
      onLayer: (scores) => layers.push(scores.length),
    });
    const { partition, importance } = found;
    const onCpu = await coherence(network, data, partition, settings);
    expect(found.coherence?.subclusters).toHaveLength(onCpu.subclusters.length);
    onCpu.subclusters.forEach(({ values, units, examples }, number) => {
      const inPage = found.coherence?.subclusters[number];
      expect(inPage?.units).toEqual(units);
      expect(inPage?.examples.map(({ input }) => input)).toEqual(examples.map(({ input }) => input));
      for (const name of COHERENCE_NAMES) {
        if (Number.isNaN(values[name])) expect(inPage?.values[name], name).toBeNaN();
        else expect(inPage?.values[name], name).toBeCloseTo(values[name], 4);
      }
    });
    expect(partition.clusters).toBe(2);
    expect(layers.reduce((sum, count) => sum + count, 0)).toBe(importance?.subclusters.length);
    const lesions = seen.filter(({ phase }) => phase.startsWith("lesions of"));
    expect(lesions.at(-1)).toMatchObject({ done: lesions.at(-1)?.total });
    expect(new Set(lesions.map(({ phase }) => phase))).toEqual(
      new Set(["lesions of hidden1", "lesions of hidden2"]),
    );
  });

  it("finds the populations that this process finds", async () => {
    const { model, data } = plantedRoles();
    const network = await loadNetworkBytes(model, "roles.onnx");
    const options = { impact: "accuracy", seed: 1 } as const;
    const found = await chrome.engine.populations(network, data, options);
    const expected = await cpu.populations(network, data, options);
    expect(found.coResponse.layers).toEqual(expected.coResponse.layers);
    expect(found.impact?.coImpact.layers).toEqual(expected.impact?.coImpact.layers);
    expect(found.layers[0]?.lesions[0]?.classImpact).toEqual(expected.layers[0]?.lesions[0]?.classImpact);
    expect(found.impact?.groups.map(({ states }) => states)).toEqual(
      expected.impact?.groups.map(({ states }) => states),
    );
    expect(found.impact?.pairs[0]?.synergy).toBeCloseTo(expected.impact?.pairs[0]?.synergy ?? Number.NaN, 5);
  });

  it("gives the page's errors as they are", async () => {
    const network = await smallCnn();
    const error = await catchError(() => chrome.engine.unitGraph(network, null, { kind: "activations" }));
    expect(error.code).toBe("E_USAGE_DATA");
    expect(error.hint).toContain("--data inputs.npz");
    const graph = await weightGraph(network, { engine: chrome.engine });
    const settings = { method: "spectral", k: 10_000 } as const;
    expect((await catchError(() => chrome.engine.partition(graph, settings))).code).toBe("E_PARTITION_K");
  });

  it("gives the same bytes for the same seed", async () => {
    const network = await smallCnn();
    const data = randomData(60, [1, 8, 8], 4);
    const run = async () => {
      const graph = await chrome.engine.unitGraph(network, data, { kind: "activations" });
      return { graph, partition: await chrome.engine.partition(graph, { method: "spectral", k: 3 }) };
    };
    expect(await run()).toEqual(await run());
  });

  it("ends a call that is interrupted, and takes the next one", async () => {
    const network = await smallCnn();
    const data = randomData(100, [1, 8, 8], 4);
    const graph = await chrome.engine.unitGraph(network, null);
    const partition = await chrome.engine.partition(graph, { method: "spectral", k: 3 });
    const abort = new AbortController();
    const error = await catchError(() =>
      chrome.engine.importance(network, data, partition, {
        shuffles: 20_000,
        protocol: "paper",
        signal: abort.signal,
        onProgress: ({ done }) => {
          if (done > 0) abort.abort();
        },
      }),
    );
    expect(error.code).toBe("E_INTERRUPTED");
    expect(await chrome.engine.partition(graph, { method: "spectral", k: 3 })).toEqual(partition);
  });
});
