import { describe, expect, it } from "vitest";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { buildActivationGraph } from "../../src/graph/activation-graph.ts";
import { toCsr } from "../../src/graph/csr.ts";
import { buildWeightGraph } from "../../src/graph/weight-graph.ts";
import { runLesions } from "../../src/network/lesions.ts";
import type { Layer, Network } from "../../src/network/network.ts";
import { recordUnits } from "../../src/network/record.ts";
import {
  exportBytes,
  exportData,
  exportNames,
  loadExport,
  referenceOf,
  silencedIn,
  unreadBy,
} from "../support/exports.ts";
import { runModel } from "../support/models.ts";
import { claimedInfluences, observeInfluences, observeWrongSites } from "./observe.ts";

const WIDTH = 24;
const HIDDEN = 40;
const BLOCKS = [0, 1];

/** A transformer's layers in order, each with the layers that it reads; `stream` is what was written so far. */
function expectedTransformer(
  kind: "fused" | "split" | "gated",
  first: readonly [string, number] | null,
): { names: string[]; units: number[]; reads: Record<string, string[]> } {
  const names: string[] = [];
  const units: number[] = [];
  const reads: Record<string, string[]> = {};
  const stream: string[] = [];
  const add = (name: string, size: number, from: readonly string[]) => {
    names.push(name);
    units.push(size);
    reads[name] = [...from];
    return name;
  };
  if (first) stream.push(add(...first, []));
  for (const block of BLOCKS) {
    const attention = kind === "split" ? ["query", "key", "value"] : ["qkv"];
    for (const name of attention) add(`${name}${block}`, kind === "split" ? WIDTH : 3 * WIDTH, stream);
    stream.push(add(`proj${block}`, WIDTH, [`${attention.at(-1)}${block}`]));
    const hidden = kind === "gated" ? ["gate", "up"] : ["fc1"];
    for (const name of hidden) add(`${name}${block}`, HIDDEN, stream);
    stream.push(
      add(
        `fc2${block}`,
        WIDTH,
        hidden.map((name) => `${name}${block}`),
      ),
    );
  }
  return { names, units, reads };
}

/** Names of the layers that each layer reads, in order, with the layers renamed. */
function readsOf({ layers, connections }: Network, names: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    layers.map((_, target) => [
      names[target] ?? "",
      connections
        .filter((one) => one.target === target && one.source >= 0)
        .map(({ source }) => source)
        .sort((a, b) => a - b)
        .map((source) => names[source] ?? ""),
    ]),
  );
}

const layerAt = (network: Network, number: number): Layer => network.layers.at(number) as Layer;

describe("networks as exporters write them", () => {
  it.each(exportNames)("%s: ONNX Runtime gives PyTorch's logits", async (name) => {
    const { x, shape, logits } = referenceOf(name);
    const found = await runModel(exportBytes(name), Float32Array.from(x), shape);
    // Two float32 implementations of a few layers.
    logits.forEach((value, i) => {
      expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThan(2e-4);
    });
  });

  it.each([
    ["vit-composed", "fused", ["patches", WIDTH], "class token"],
    ["vit-operators", "split", ["patches", WIDTH], "mean"],
    ["vit-dynamo", "fused", ["patches", WIDTH], "class token"],
    ["encoder", "fused", ["embed", WIDTH], "mean"],
    ["gpt-addmm", "fused", null, "tokens"],
    ["gpt-dynamo", "fused", null, "tokens"],
    ["llama", "gated", null, "tokens"],
  ] as const)("%s: every reader of the stream reads all its writers", async (name, kind, first, end) => {
    const network = await loadExport(name);
    const expected = expectedTransformer(kind, first);
    const writers = [...(first ? [first[0]] : []), "proj0", "fc20", "proj1", "fc21"];
    // A class token starts as a constant: what the patches write reaches it through attention only.
    expected.reads.head = end === "class token" ? writers.slice(1) : writers;
    const names = [...expected.names, "head"];
    expect(network.layers.map(({ units }) => units)).toEqual([...expected.units, end === "tokens" ? 12 : 4]);
    expect(readsOf(network, names)).toEqual(expected.reads);
    expect(network.layers.map(({ isLogits }) => isLogits)).toEqual(names.map((one) => one === "head"));
    // The product of queries and keys, once a block, and nothing else.
    expect(network.skipped.map(({ operator, reason }) => `${operator}: ${reason}`)).toEqual(
      BLOCKS.map(() => "MatMul: it sums products of units (queries and keys), which are not followed"),
    );
  });

  it.each(["mobile", "dense-concat", "shuffle"])(
    "%s: connections are as ONNX Runtime shows them",
    async (name) => {
      const network = await loadExport(name);
      expect(network.skipped).toEqual([]);
      expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
      expect(await observeWrongSites(network)).toEqual([]);
    },
  );

  it("counts a MobileNet's layers, with squeeze-and-excitation beside them", async () => {
    const network = await loadExport("mobile-squeeze");
    // Stem; expand, depthwise, squeeze, excite, project of three blocks; head.
    const units = [8, 24, 24, 4, 24, 8, 24, 24, 4, 24, 12, 36, 36, 4, 36, 12, 4];
    expect(network.layers.map((layer) => layer.units)).toEqual(units);
    const block = (start: number, stream: number[]) => [
      ...stream.map((from) => [from, start]),
      [start, start + 1],
      [start + 1, start + 2],
      [start + 2, start + 3],
      [start + 1, start + 4],
    ];
    const expected = [...block(1, [0]), ...block(6, [0, 5]), ...block(11, [10]), [10, 16], [15, 16]];
    const found = network.connections
      .filter(({ source }) => source >= 0)
      .map(({ source, target }) => [source, target]);
    const byTarget = (a: number[], b: number[]) => (a[1] ?? 0) - (b[1] ?? 0) || (a[0] ?? 0) - (b[0] ?? 0);
    expect(found.sort(byTarget)).toEqual(expected.sort(byTarget));
    expect(network.skipped.map(({ reason }) => reason)).toEqual(
      [0, 1, 2].map(() => "its gate's units are not connected to what they gate"),
    );
  });
});

describe("the weight graph of a transformer", () => {
  it.each(["vit-composed", "vit-operators", "vit-dynamo", "gpt-addmm", "gpt-dynamo", "llama"])(
    "%s: is that of the parameters in float64",
    async (name) => {
      const { degrees = [], products = [] } = referenceOf(name);
      const compute = await createCpuCompute();
      try {
        const graph = await buildWeightGraph(await loadExport(name), compute);
        const { rowStart, column, weight } = toCsr(graph.matrix);
        expect(rowStart.length - 1).toBe(degrees.length);
        degrees.forEach((degree, node) => {
          let [sum, product] = [0, 0];
          for (let at = rowStart[node] as number; at < (rowStart[node + 1] as number); at++) {
            sum += weight[at] as number;
            product += (weight[at] as number) / (1 + (column[at] as number));
          }
          expect(Math.abs(sum - degree)).toBeLessThanOrEqual(1e-5 * degree);
          expect(Math.abs(product - (products[node] as number))).toBeLessThanOrEqual(
            1e-5 * (products[node] as number),
          );
        });
      } finally {
        await compute.dispose();
      }
    },
  );
});

describe("the graphs of a vision transformer", () => {
  it("hold every layer with tokens, not the head", async () => {
    const network = await loadExport("vit-composed");
    const compute = await createCpuCompute();
    try {
      const weights = await buildWeightGraph(network, compute);
      const activations = await buildActivationGraph(network, exportData("vit-composed", 30, 4), compute);
      const hidden = network.layers.slice(0, -1).map(({ name, units }) => ({ name, units }));
      expect(weights.layers).toEqual(hidden);
      expect(activations.layers).toEqual(hidden);
      expect(activations.matrix.size).toBe(hidden.reduce((sum, { units }) => sum + units, 0));
    } finally {
      await compute.dispose();
    }
  });
});

describe("recordings of units with a token axis", () => {
  it.each([
    ["vit-composed", -3],
    ["vit-operators", -3],
    ["vit-dynamo", -3],
    ["gpt-addmm", -3],
    ["gpt-dynamo", -3],
    ["llama", -4],
    ["encoder", 3],
  ])("%s: are sums of |x| over tokens", async (name, number) => {
    const { x, shape, hidden = [] } = referenceOf(name);
    const network = await loadExport(name);
    await expectSums(network, layerAt(network, number), x, shape, hidden);
  });

  it("also where the exporter puts tokens in front of the batch and folds both", async () => {
    const { x, shape, attention = [] } = referenceOf("encoder");
    const network = await loadExport("encoder");
    await expectSums(network, layerAt(network, 2), x, shape, attention);
  });

  async function expectSums(
    network: Network,
    layer: Layer,
    x: number[],
    shape: number[],
    expected: number[],
  ) {
    const [count = 0, ...rest] = shape;
    const size = rest.reduce((product, extent) => product * extent, 1);
    const batch = (start: number, rows: number) =>
      Float32Array.from(x.slice(start * size, (start + rows) * size));
    const { values } = await recordUnits(network, [layer], { count, batch }, "preActivation");
    expect(values).toHaveLength(expected.length);
    expected.forEach((sum, at) => {
      const [input, unit] = [Math.floor(at / layer.units), at % layer.units];
      expect(Math.abs((values[unit * count + input] as number) - sum)).toBeLessThan(1e-4 * (1 + sum));
    });
  }
});

describe("lesions of exported networks equal a full re-run with zeroed weights", () => {
  const CLASSES = 4;
  const mostOf = (layer: Layer) =>
    Int32Array.from({ length: layer.units }, (_, unit) => unit).filter((unit) => unit % 4 !== 0);

  /** Counts and loss by ONNX Runtime alone. */
  async function rerun(name: string, bytes: Uint8Array, count: number) {
    const data = exportData(name, count, CLASSES);
    const logits = await runModel(bytes, data.values, [count, ...referenceOf(name).shape.slice(1)]);
    const correct = new Int32Array(CLASSES);
    let loss = 0;
    data.labels.forEach((label, i) => {
      const row = Array.from(logits.subarray(i * CLASSES, (i + 1) * CLASSES));
      const best = Math.max(...row);
      if (row.indexOf(best) === label) correct[label] = (correct[label] as number) + 1;
      loss +=
        best + Math.log(row.reduce((sum, value) => sum + Math.exp(value - best), 0)) - (row[label] ?? 0);
    });
    return { correct, loss: loss / count };
  }

  async function expectLesion(name: string, number: number, reader: number | null) {
    const bytes = exportBytes(name);
    const network = await loadExport(name);
    const layer = layerAt(network, number);
    const units = mostOf(layer);
    const edited =
      reader === null
        ? silencedIn(bytes, network, layer, units)
        : unreadBy(bytes, network, layer, layerAt(network, reader), units);
    const data = exportData(name, 50, CLASSES);
    const [intact, found] = await runLesions(network, layer, [new Int32Array(), units], data);
    const expected = await rerun(name, edited, 50);
    expect([...(found?.correct ?? [])]).toEqual([...expected.correct]);
    expect(found?.loss).toBeCloseTo(expected.loss, 5);
    expect(Math.abs(expected.loss - (intact?.loss ?? 0))).toBeGreaterThan(1e-3);
  }

  it.each([
    ["vit-composed", "hidden neurons, Gelu by Erf", 3, 4],
    ["vit-composed", "queries, keys and values", 1, null],
    ["vit-composed", "what a block writes", 4, null],
    ["vit-operators", "hidden neurons, Gelu by Tanh", 5, 6],
    ["vit-operators", "values", 3, 4],
    ["vit-dynamo", "hidden neurons, Gelu operator", 7, 8],
    ["encoder", "hidden neurons", 3, 4],
    ["encoder", "tokens in front of the batch", 2, null],
    ["encoder", "queries, keys and values", 1, null],
    ["mobile", "depthwise", 2, 3],
    ["mobile", "what a block writes", 3, null],
    ["mobile-squeeze", "squeezed channels", 3, 4],
    ["mobile-squeeze", "gated channels", 2, null],
    ["dense-concat", "a concatenated layer", 1, null],
    ["shuffle", "grouped, then shuffled", 1, 2],
  ] as const)("%s: %s", (name, _, number, reader) => expectLesion(name, number, reader));
});
