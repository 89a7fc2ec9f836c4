/** Slow checks with real networks and digits, where the folder that holds them is there. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../src/compute/compute.ts";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { loadDataset } from "../src/data/dataset.ts";
import { reshapeInputs } from "../src/data/reshape-inputs.ts";
import { extractCluster } from "../src/extract/extract-cluster.ts";
import { buildUnitGraph } from "../src/graph/build-unit-graph.ts";
import type { UnitGraph } from "../src/graph/unit-graph.ts";
import { evaluateNetwork } from "../src/network/evaluate.ts";
import { runLesions } from "../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../src/network/network.ts";
import { partitionGraph } from "../src/partition/partition-graph.ts";
import { decodeModel } from "../src/runtime/onnx.ts";
import { rng } from "../src/statistics/rng.ts";
import { edited, runModel, weightsOf, withWeights } from "./support/models.ts";

const SHARED = new URL("../../shared/", import.meta.url);
const isThere = existsSync(new URL("models/mnist-mlp.onnx", SHARED));
const LESION_INPUTS = 200;
const EXTRACT_INPUTS = 60;
const CLASSES = 10;

/** How a lesion is made by editing weights, after the place where the layer's output ends. */
type Edit = "own weights" | "batch norm" | "reader";

interface Case {
  readonly name: string;
  readonly data: string;
  readonly skip: number;
  readonly take: number;
  readonly correct: number;
  readonly nodes: { readonly weights: number; readonly activations: number };
  /** Layers to lesion; of a reader or batch norm the name of that node. */
  readonly lesions: readonly (readonly [layer: string, edit: Edit, node?: string])[];
}

const BLOCK = "/body/body.2";

const CASES: readonly Case[] = [
  {
    name: "mnist-mlp",
    data: "t10k-images-idx3-ubyte.gz",
    skip: 8000,
    take: 2000,
    correct: 1931,
    nodes: { weights: 784 + 4 * 256 + 10, activations: 4 * 256 },
    lesions: [
      ["/1/Gemm", "own weights"],
      ["/5/Gemm", "reader", "/7/Gemm"],
      ["/7/Gemm", "own weights"],
    ],
  },
  {
    name: "mnist-cnn",
    data: "t10k-images-idx3-ubyte.gz",
    skip: 8000,
    take: 2000,
    correct: 1978,
    nodes: { weights: 160, activations: 160 },
    lesions: [
      ["/0/Conv", "reader", "/3/Conv"],
      ["/3/Conv", "own weights"],
      ["/6/Conv", "reader", "/9/Gemm"],
      ["/9/Gemm", "own weights"],
    ],
  },
  {
    name: "cifar-vgg",
    data: "cifar10-test-4000.npz",
    skip: 0,
    take: 1000,
    correct: 788,
    nodes: { weights: 448, activations: 448 },
    lesions: [
      ["/3/Conv", "reader", "/7/Conv"],
      ["/14/Conv", "reader", "/17/Conv"],
      ["/17/Conv", "reader", "/22/Gemm"],
      ["/22/Gemm", "own weights"],
    ],
  },
  {
    name: "cifar-resnet",
    data: "cifar10-test-4000.npz",
    skip: 0,
    take: 1000,
    correct: 691,
    nodes: { weights: 560, activations: 560 },
    lesions: [
      ["/stem/Conv", "own weights"],
      [`${BLOCK}/c1/Conv`, "reader", `${BLOCK}/c2/Conv`],
      [`${BLOCK}/c2/Conv`, "own weights"],
      [`${BLOCK}/sc/sc.0/Conv`, "own weights"],
    ],
  },
  {
    name: "cifar-resnet-unfused",
    data: "cifar10-test-4000.npz",
    skip: 0,
    take: 1000,
    correct: 691,
    nodes: { weights: 560, activations: 560 },
    lesions: [
      ["/stem/Conv", "batch norm", "/bn/BatchNormalization"],
      [`${BLOCK}/c1/Conv`, "reader", `${BLOCK}/c2/Conv`],
      [`${BLOCK}/c2/Conv`, "batch norm", `${BLOCK}/b2/BatchNormalization`],
      [`${BLOCK}/sc/sc.0/Conv`, "batch norm", `${BLOCK}/sc/sc.1/BatchNormalization`],
    ],
  },
];

const readModel = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`models/${name}.onnx`, SHARED)));

async function load({ name, data, skip, take }: Case) {
  const bytes = await readModel(name);
  const network = await loadNetworkBytes(bytes, name);
  const dataset = await loadDataset(new URL(`data/${data}`, SHARED).pathname, { skip, take });
  return { bytes, network, data: reshapeInputs(dataset, network.inputShape) };
}

/** The model with the weights of some of `width` units zeroed by hand, at the node of that name. */
function zeroed(bytes: Uint8Array, units: Int32Array, width: number, edit: Edit, node: string): Uint8Array {
  const own = withOwnWeights(bytes, node);
  if (edit === "reader") {
    return withWeights(own, `${node}/own1`, (i, old, [, inputs = 1, ...space]) => {
      const taps = space.reduce((product, extent) => product * extent, 1);
      // A flattened channel is as many features as it has positions.
      const perUnit = inputs / width;
      return units.includes(Math.floor((Math.floor(i / taps) % inputs) / perUnit)) ? 0 : old;
    });
  }
  return [`${node}/own1`, `${node}/own2`].reduce(
    (changed, name) =>
      withWeights(changed, name, (i, old, dims) => {
        const size = dims.slice(1).reduce((product, extent) => product * extent, 1);
        return units.includes(Math.floor(i / size)) ? 0 : old;
      }),
    own,
  );
}

/** A node's inputs 1 and 2 as initializers of its own: equal ones (two batch norms' beta) are stored once. */
function withOwnWeights(bytes: Uint8Array, name: string): Uint8Array {
  return edited(bytes, ({ graph }) => {
    const node = graph?.node.find((candidate) => candidate.name === name);
    if (!graph || !node) throw new Error(`no node ${name}`);
    node.input = node.input.map((value, i) => {
      if (i === 0 || i > 2) return value;
      const copied = graph.node.find(({ opType, output }) => opType === "Identity" && output[0] === value);
      const tensor = graph.initializer.find((candidate) => candidate.name === (copied?.input[0] ?? value));
      if (tensor === undefined) throw new Error(`no initializer ${value}`);
      graph.initializer.push({ ...tensor, name: `${name}/own${i}` });
      return `${name}/own${i}`;
    });
  });
}

/** Edges of a graph as "layer unit layer unit" -> weight. */
function edgesOf({ matrix, layer, unit }: UnitGraph): Map<string, number> {
  const edges = new Map<string, number>();
  for (const block of matrix.blocks) {
    if (block.shape !== "between") throw new Error("found another block, expected one between layers");
    block.values.forEach((value, i) => {
      const row = block.rowStart + Math.floor(i / block.columnCount);
      const column = block.columnStart + (i % block.columnCount);
      edges.set(`${layer[row]} ${unit[row]} ${layer[column]} ${unit[column]}`, value);
    });
  }
  return edges;
}

const title = isThere
  ? "shared networks"
  : "shared networks (SKIPPED: no folder ../shared beside the checkout)";

describe.skipIf(!isThere)(title, () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await createCpuCompute();
  });
  afterAll(() => compute.dispose());

  it.each(CASES)("$name: $correct of $take inputs are right", async (testCase) => {
    const { network, data } = await load(testCase);
    const { correct } = await evaluateNetwork(network, data);
    expect(correct.reduce((sum, count) => sum + count, 0)).toBe(testCase.correct);
  });

  it.each(CASES)("$name: graphs and partitions", async (testCase) => {
    const { network, data } = await load(testCase);
    for (const kind of ["weights", "activations"] as const) {
      const graph = await buildUnitGraph(network, data, compute, { kind, samples: 300 });
      const dead = (graph.facts.deadUnits as number | undefined) ?? 0;
      expect(graph.matrix.size + dead).toBe(testCase.nodes[kind]);
      // A few units of these networks are dead, not many.
      expect(dead).toBeLessThan(20);
      const { clusters, quality, layers } = await partitionGraph(compute, graph, {
        method: "spectral",
        k: 16,
      });
      expect(clusters).toBeGreaterThan(8);
      expect(clusters).toBeLessThanOrEqual(16);
      expect(quality?.ncut).toBeGreaterThan(0);
      expect(quality?.ncut).toBeLessThan(15);
      const labelled = layers.flatMap(({ labels }) => [...labels]).filter((label) => label >= 0);
      expect(labelled.length).toBeLessThanOrEqual(graph.matrix.size);
      expect(labelled.length).toBeGreaterThan(0.9 * graph.matrix.size);
    }
  });

  it("mnist-mlp: the weight graph is |w| in every entry", async () => {
    const bytes = await readModel("mnist-mlp");
    const network = await loadNetworkBytes(bytes, "mnist-mlp");
    const graph = await buildUnitGraph(network, null, compute);
    const { node = [] } = decodeModel(bytes).graph ?? {};
    const kernels = node
      .filter(({ opType }) => opType === "Gemm")
      .map(({ input }) => weightsOf(bytes, input[1] ?? ""));
    const edges = edgesOf(graph);
    expect(edges.size).toBe(kernels.reduce((sum, kernel) => sum + kernel.length, 0));
    let worst = 0;
    kernels.forEach((kernel, number) => {
      const inputs = number === 0 ? 784 : 256;
      kernel.forEach((weight, i) => {
        const edge = edges.get(`${number} ${i % inputs} ${number + 1} ${Math.floor(i / inputs)}`);
        worst = Math.max(worst, Math.abs((edge ?? Number.NaN) - Math.abs(weight)));
      });
    });
    expect(worst).toBe(0);
  });

  it("cifar-resnet: batch norms fused or not, the weight graph is the same within 1e-5", async () => {
    const graphOf = async (name: string) =>
      buildUnitGraph(await loadNetworkBytes(await readModel(name), name), null, compute);
    const [fused, unfused] = [await graphOf("cifar-resnet"), await graphOf("cifar-resnet-unfused")];
    expect(unfused.layers).toEqual(fused.layers);
    const [expected, found] = [edgesOf(fused), edgesOf(unfused)];
    expect(found.size).toBe(expected.size);
    const largest = Math.max(
      ...[...expected].map(([edge, value]) => Math.abs((found.get(edge) ?? Number.NaN) / value - 1)),
    );
    expect(largest).toBeLessThan(1e-5);
  });

  it.each(CASES)("$name: lesions equal full runs with zeroed weights", async (testCase) => {
    const { bytes, network, data } = await load(testCase);
    const { labels } = data;
    const some = { ...data, count: LESION_INPUTS, labels: labels.slice(0, LESION_INPUTS) };
    const values = data.batch(0, LESION_INPUTS);
    for (const [name, edit, node] of testCase.lesions) {
      const layer = layerNamed(network, name);
      const order = rng(0, "lesions", name).shuffle(Int32Array.from({ length: layer.units }, (_, u) => u));
      const sets = [1, Math.floor(layer.units / 5), Math.floor(0.7 * layer.units)].map((size) =>
        order.slice(0, size),
      );
      const outcomes = await runLesions(network, layer, sets, some);
      for (const [i, set] of sets.entries()) {
        const model = zeroed(bytes, set, layer.units, edit, node ?? name);
        const logits = await runModel(model, values, [LESION_INPUTS, ...network.inputShape]);
        const correct = new Array<number>(CLASSES).fill(0);
        const doubtful = new Array<number>(CLASSES).fill(0);
        let loss = 0;
        for (let input = 0; input < LESION_INPUTS; input++) {
          const row = [...logits.subarray(CLASSES * input, CLASSES * (input + 1))];
          const label = labels[input] as number;
          const [best = 0, second = 0] = [...row].sort((a, b) => b - a);
          if (best - second < 1e-4) doubtful[label] = (doubtful[label] as number) + 1;
          if (row.indexOf(best) === label) correct[label] = (correct[label] as number) + 1;
          loss +=
            best + Math.log(row.reduce((sum, z) => sum + Math.exp(z - best), 0)) - (row[label] as number);
        }
        const found = outcomes[i];
        correct.forEach((expected, c) => {
          const difference = Math.abs((found?.correct[c] ?? Number.NaN) - expected);
          expect(difference, `${name}, set ${i}, class ${c}`).toBeLessThanOrEqual(doubtful[c] as number);
        });
        expect(found?.loss).toBeCloseTo(loss / LESION_INPUTS, 4);
      }
      // The largest lesion must matter, or the comparison says nothing.
      const losses = outcomes.map((outcome) => outcome.loss);
      expect(Math.abs((losses[2] as number) - (losses[0] as number))).toBeGreaterThan(1e-3);
    }
  });

  it.each(CASES)("$name: an eighth of every layer as a network of its own", async (testCase) => {
    const { bytes, network, data } = await load(testCase);
    const layers = network.layers
      .filter(({ isLogits }) => !isLogits)
      .map(({ name, units }) => ({
        name,
        labels: Int32Array.from({ length: units }, (_, unit) => unit % 8),
      }));
    const partition = { layers, clusters: 8, method: { name: "test" }, quality: null };
    const some = { ...data, count: EXTRACT_INPUTS, labels: data.labels.slice(0, EXTRACT_INPUTS) };
    const found = await extractCluster(network, some, partition, 3, { shuffles: 1 });
    // Logits of these networks are a few units large.
    expect(found.logits.largestDifference).toBeLessThan(1e-4);
    expect(found.logits.largest).toBeGreaterThan(0.1);
    expect(found.bytes.length).toBeLessThan(bytes.length / 2);
    const extracted = await loadNetworkBytes(found.bytes, "extracted");
    expect(extracted.skipped).toEqual([]);
    expect(extracted.layers.slice(0, -1).map(({ units }) => units)).toEqual(
      network.layers.slice(0, -1).map(({ units }) => units / 8),
    );
  });
});

// Skipped checks must not look like passed ones.
if (!isThere)
  console.warn("test/shared-models.test.ts: skipped, there is no ../shared/models beside the checkout");
