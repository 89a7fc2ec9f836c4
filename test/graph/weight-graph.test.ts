import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { buildWeightGraph, type WeightGraphOptions } from "../../src/graph/weight-graph.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import { partitionQuality } from "../../src/partition/quality.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  batchNormScale,
  edited,
  expectRefusal,
  type Sketch,
  sketch,
  weightsOf,
  withWeights,
} from "../support/models.ts";
import { denseOf } from "../support/random-graph.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

/** Float32 sums of a few hundred terms, against float64 (contract, "Numbers that must hold"). */
const RELATIVE = 1e-5;

const graphOf = async (model: Uint8Array, options?: WeightGraphOptions): Promise<UnitGraph> =>
  buildWeightGraph(await loadNetworkBytes(model, "drawn"), compute, options);

type Matrix = readonly (readonly number[])[];

/** The whole adjacency matrix, by definition of the blocks. */
function adjacencyOf({ matrix }: UnitGraph): number[][] {
  const dense = denseOf(matrix.size, matrix.blocks);
  return Array.from({ length: matrix.size }, (_, row) => [
    ...dense.subarray(row * matrix.size, (row + 1) * matrix.size),
  ]);
}

/** Edges from one layer's units (rows) to another's (columns) in a global graph. */
function edgesBetween(graph: UnitGraph, from: string, to: string): number[][] {
  const nodesOf = (name: string) => {
    const layer = graph.layers.findIndex((candidate) => candidate.name === name);
    const nodes = [...graph.layer.keys()].filter((node) => graph.layer[node] === layer);
    return nodes.sort((a, b) => (graph.unit[a] as number) - (graph.unit[b] as number));
  };
  const adjacency = adjacencyOf(graph);
  return nodesOf(from).map((row) =>
    nodesOf(to).map((column) => {
      expect(adjacency[row]?.[column]).toBe(adjacency[column]?.[row]);
      return adjacency[row]?.[column] as number;
    }),
  );
}

function expectClose(found: Matrix, expected: Matrix): void {
  expect(found.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  found.forEach((row, i) => {
    row.forEach((value, j) => {
      const wanted = expected[i]?.[j] as number;
      expect(Math.abs(value - wanted), `entry ${i}, ${j}: ${value}, expected ${wanted}`).toBeLessThanOrEqual(
        RELATIVE * Math.abs(wanted),
      );
    });
  });
}

/** Norms of kernel slices (units x inputs x taps, as ONNX stores them), inputs x units, in float64. */
function sliceNorms(model: Uint8Array, name: string, inputs: number, norm: "l1" | "l2" = "l1"): number[][] {
  const values = weightsOf(model, `${name}.weight`);
  const units = weightsOf(model, `${name}.bias`).length;
  const taps = values.length / (units * inputs);
  return Array.from({ length: inputs }, (_, input) =>
    Array.from({ length: units }, (_unused, unit) => {
      const start = (unit * inputs + input) * taps;
      const slice = Array.from(values.subarray(start, start + taps), Math.abs);
      return norm === "l1"
        ? slice.reduce((sum, value) => sum + value, 0)
        : Math.sqrt(slice.reduce((sum, value) => sum + value * value, 0));
    }),
  );
}

const scaleRows = (matrix: Matrix, factors: readonly number[]) =>
  matrix.map((row, i) => row.map((value) => value * (factors[i] as number)));
const scaleColumns = (matrix: Matrix, factors: readonly number[]) =>
  matrix.map((row) => row.map((value, j) => value * (factors[j] as number)));

const relu = (model: Sketch, from: string) => model.node("Relu", [from]);
const head = (model: Sketch, from: string, inputs: number) =>
  model.dense(model.node("Flatten", [model.node("GlobalAveragePool", [from])]), "head", inputs, 3);

/** A dense net without activation functions of the given kernels (inputs x outputs, ONNX Gemm's own order). */
function denseNet(kernels: readonly Matrix[]): Uint8Array {
  const model = sketch([kernels[0]?.length ?? 0]);
  let value = model.input;
  kernels.forEach((kernel, i) => {
    const dims = [kernel.length, kernel[0]?.length ?? 0];
    const weight = model.floats(`w${i}`, dims, kernel.flat());
    const bias = model.floats(`b${i}`, [dims[1] as number]);
    value = model.node("Gemm", [value, weight, bias], {}, { name: `dense${i}` });
  });
  return model.encode(value);
}

describe("weight graphs of dense networks", () => {
  it.each([
    {
      title: "2-2-2",
      kernels: [
        [
          [12, -1.3],
          [0, 7.4],
        ],
        [
          [-8.9, 0.15],
          [0.23, -5.7],
        ],
      ],
      first: 0,
      ncut: 0.098897,
    },
    {
      title: "4-4-4",
      kernels: [
        [
          [5.4, 0.03, 0, 0],
          [0, 0, -0.4, 5.5],
          [-12, 0, 4.8, -0.07],
          [0, 6.3, 0.001, 7],
        ],
        [
          [-13.3, -0.4, 6, 0.1],
          [0.7, -8, 0, -5.8],
          [7.4, 0.3, -15, 0],
          [0, 0, 0, -12.3],
        ],
      ],
      first: 1,
      ncut: 0.037213,
    },
  ])("have the n-cut of method note 12, oracle $title", async ({ kernels, first, ncut }) => {
    const graph = await graphOf(denseNet(kernels));
    const labels = Int32Array.from({ length: graph.matrix.size }, (_, node) => (first + node) % 2);
    const quality = await partitionQuality(compute, graph.matrix, labels, 2);
    expect(quality.ncut).toBeCloseTo(ncut, 6);
  });

  it("hold |w| between inputs, hidden units and logits and nothing else", async () => {
    const kernels = [
      [
        [1, -2, 0],
        [-3, 4, 5],
      ],
      [[-6], [0], [7]],
    ];
    const graph = await graphOf(denseNet(kernels));
    expect(graph).toMatchObject({ kind: "weights", scope: "global" });
    expect(graph.layers).toEqual([
      { name: "x", units: 2 },
      { name: "dense0", units: 3 },
      { name: "dense1", units: 1 },
    ]);
    expect([...graph.layer]).toEqual([0, 0, 1, 1, 1, 2]);
    expect([...graph.unit]).toEqual([0, 1, 0, 1, 2, 0]);
    expect(graph.parts).toEqual([{ nodeStart: 0, nodeCount: 6, keeps: [0, 1, 2] }]);
    expect(adjacencyOf(graph)).toEqual([
      [0, 0, 1, 2, 0, 0],
      [0, 0, 3, 4, 5, 0],
      [1, 3, 0, 0, 0, 6],
      [2, 4, 0, 0, 0, 0],
      [0, 5, 0, 0, 0, 7],
      [0, 0, 6, 0, 7, 0],
    ]);
  });

  const mlp = (draw?: (model: Sketch) => void) => {
    const model = sketch([2, 3]);
    draw?.(model);
    const a = relu(model, model.dense(model.node("Flatten", ["x"]), "a", 6, 7));
    const b = model.node("Tanh", [model.batchNorm(model.dense(a, "b", 7, 5), "before", 5)]);
    const c = model.batchNorm(relu(model, model.dense(b, "c", 5, 4)), "behind", 4);
    return model.encode(model.dense(c, "logits", 4, 3));
  };

  it("count the elements of a flattened input as units and apply batch norms at their place", async () => {
    const model = mlp();
    const graph = await graphOf(model);
    expect(graph.layers.map(({ units }) => units)).toEqual([6, 7, 5, 4, 3]);
    expectClose(edgesBetween(graph, "x", "a"), sliceNorms(model, "a", 6));
    expectClose(
      edgesBetween(graph, "a", "b"),
      scaleColumns(sliceNorms(model, "b", 7), batchNormScale(model, "before")),
    );
    expectClose(edgesBetween(graph, "b", "c"), sliceNorms(model, "c", 5));
    expectClose(
      edgesBetween(graph, "c", "logits"),
      scaleRows(sliceNorms(model, "logits", 4), batchNormScale(model, "behind")),
    );
    // No edges within a layer, nor past a layer.
    const all = adjacencyOf(graph).flat();
    expect(all.filter((weight) => weight !== 0)).toHaveLength(2 * (6 * 7 + 7 * 5 + 5 * 4 + 4 * 3));
  });

  it("read alpha, untransposed kernels and MatMul", async () => {
    const model = sketch([3]);
    const a = model.node(
      "Gemm",
      ["x", model.floats("a", [3, 4]), model.floats("a.bias", [4])],
      { alpha: -0.5 },
      {
        name: "a",
      },
    );
    const b = model.node("MatMul", [relu(model, a), model.floats("b", [4, 2])], {}, { name: "b" });
    const bytes = model.encode(model.node("Add", [b, model.floats("b.bias", [2])]));
    const graph = await graphOf(bytes);
    const rows = (name: string, inputs: number, units: number, factor: number) =>
      Array.from({ length: inputs }, (_, i) =>
        Array.from(weightsOf(bytes, name).subarray(i * units, (i + 1) * units), (w) => Math.abs(w) * factor),
      );
    expectClose(edgesBetween(graph, "x", "a"), rows("a", 3, 4, 0.5));
    expectClose(edgesBetween(graph, "a", "b"), rows("b", 4, 2, 1));
  });

  it("scale with all weights", async () => {
    const model = mlp();
    const scaled = ["a", "b", "c", "logits"].reduce(
      (bytes, name) => withWeights(bytes, `${name}.weight`, (_, old) => old * 3),
      model,
    );
    expectClose(
      adjacencyOf(await graphOf(scaled)),
      adjacencyOf(await graphOf(model)).map((row) => row.map((weight) => 3 * weight)),
    );
  });

  it("ignore biases, the signs of weights and the sign of gamma", async () => {
    const model = mlp();
    const expected = adjacencyOf(await graphOf(model));
    const changes: [string, (old: number) => number][] = [
      ["a.bias", (old) => old + 5],
      ["b.weight", (old) => -old],
      ["before.gamma", (old) => -old],
      ["before.beta", (old) => old + 3],
      ["behind.gamma", (old) => -old],
      ["behind.mean", (old) => old - 2],
    ];
    for (const [name, change] of changes) {
      const changed = withWeights(model, name, (_, old) => change(old));
      expect(adjacencyOf(await graphOf(changed)), name).toEqual(expected);
    }
  });

  it("permute with a layer's units", async () => {
    const model = mlp();
    const order = rng(0, "order").shuffle([...Array(7).keys()]);
    const permuted = [
      ["a.weight", 6, 1],
      ["a.bias", 1, 1],
    ].reduce((bytes, [name, width]) => {
      const old = weightsOf(bytes, name as string);
      const size = width as number;
      return withWeights(
        bytes,
        name as string,
        (i) => old[(order[Math.floor(i / size)] as number) * size + (i % size)] as number,
      );
    }, model);
    const readers = weightsOf(model, "b.weight");
    const both = withWeights(
      permuted,
      "b.weight",
      (i) => readers[i - (i % 7) + (order[i % 7] as number)] as number,
    );
    const before = await graphOf(model);
    const after = await graphOf(both);
    const node = (number: number) =>
      before.layer[number] === 1 ? 6 + (order[before.unit[number] as number] as number) : number;
    const expected = adjacencyOf(before);
    expect(adjacencyOf(after)).toEqual(
      expected.map((row, i) => row.map((_, j) => expected[node(i)]?.[node(j)])),
    );
  });

  it("need two layers that are connected", async () => {
    const model = sketch([2, 5, 5]);
    const bytes = model.encode(
      head(model, relu(model, model.conv("x", { name: "a", inputs: 2, units: 4 })), 4),
    );
    await expectRefusal(() => graphOf(bytes), "E_GRAPH_EMPTY");
  });
});

describe("weight graphs of convolutional networks", () => {
  it.each([
    {
      norm: "l1",
      expected: [
        [10, 4],
        [7, 2],
      ],
    },
    {
      norm: "l2",
      expected: [
        [Math.sqrt(1 + 4 + 9 + 16), Math.sqrt(10)],
        [5, 2],
      ],
    },
  ] as const)("hold the $norm norm of each kernel slice", async ({ norm, expected }) => {
    const model = sketch([1, 4, 4]);
    const a = relu(model, model.conv("x", { name: "a", inputs: 1, units: 2, kernel: [1, 1] }));
    // Unit 0: slices [1 -2 3 -4] and [3 0 0 -4]; unit 1: [1 0 0 3] and [0 -2 0 0].
    const kernel = [
      [1, -2, 3, -4],
      [3, 0, 0, -4],
      [1, 0, 0, 3],
      [0, -2, 0, 0],
    ];
    const weight = model.floats("b.weight", [2, 2, 2, 2], kernel.flat());
    const b = model.node("Conv", [a, weight], { kernel_shape: [2n, 2n] }, { name: "b" });
    const graph = await graphOf(model.encode(head(model, relu(model, b), 2)), { norm });
    // The image, the dense layer and the logits are no nodes.
    expect(graph.layers).toEqual([
      { name: "a", units: 2 },
      { name: "b", units: 2 },
    ]);
    expectClose(edgesBetween(graph, "a", "b"), expected);
    expect(graph.facts).toMatchObject({ norm });
  });

  const chain = () => {
    const model = sketch([2, 8, 8]);
    const a = relu(model, model.conv("x", { name: "a", inputs: 2, units: 12 }));
    const b = model.conv(a, { name: "b", inputs: 12, units: 20, attributes: { strides: [2n, 2n] } });
    const c = model.conv(model.node("MaxPool", [relu(model, b)], { kernel_shape: [2n, 2n] }), {
      name: "c",
      inputs: 20,
      units: 16,
      kernel: [1, 3],
    });
    const flat = model.node("Flatten", [relu(model, c)]);
    return model.encode(model.dense(relu(model, model.dense(flat, "dense", 16 * 9, 10)), "logits", 10, 3));
  };

  it.each(["l1", "l2"] as const)("agree with float64 in every entry (%s)", async (norm) => {
    const model = chain();
    const graph = await graphOf(model, { norm });
    expect(graph.layers.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expectClose(edgesBetween(graph, "a", "b"), sliceNorms(model, "b", 12, norm));
    expectClose(edgesBetween(graph, "b", "c"), sliceNorms(model, "c", 20, norm));
    expect(
      edgesBetween(graph, "a", "c")
        .flat()
        .every((weight) => weight === 0),
    ).toBe(true);
  });

  it("connect grouped and depthwise convolutions with the channels of their group", async () => {
    const model = sketch([2, 6, 6]);
    const a = relu(model, model.conv("x", { name: "a", inputs: 2, units: 4 }));
    const grouped = relu(model, model.conv(a, { name: "grouped", inputs: 4, units: 6, groups: 2 }));
    const depthwise = model.conv(grouped, { name: "depthwise", inputs: 6, units: 6, groups: 6 });
    const point = relu(model, model.conv(depthwise, { name: "point", inputs: 6, units: 3, kernel: [1, 1] }));
    const bytes = model.encode(head(model, point, 3));
    const graph = await graphOf(bytes);
    // Stored as 6 units x 2 inputs of the group: units 0-2 read channels 0-1, units 3-5 channels 2-3.
    const own = sliceNorms(bytes, "grouped", 2);
    expectClose(
      edgesBetween(graph, "a", "grouped"),
      [0, 1, 2, 3].map((input) =>
        [0, 1, 2, 3, 4, 5].map((unit) =>
          Math.floor(input / 2) === Math.floor(unit / 3) ? (own[input % 2]?.[unit] as number) : 0,
        ),
      ),
    );
    const [diagonal = []] = sliceNorms(bytes, "depthwise", 1);
    expectClose(
      edgesBetween(graph, "grouped", "depthwise"),
      diagonal.map((value, i) => diagonal.map((_, j) => (i === j ? value : 0))),
    );
    expectClose(edgesBetween(graph, "depthwise", "point"), sliceNorms(bytes, "point", 6));
  });

  it("apply batch norms to the producer in front of the activation, to the consumer behind it", async () => {
    const model = sketch([2, 8, 8]);
    const conv = (from: string, name: string, inputs: number, units: number) =>
      model.conv(from, { name, inputs, units });
    const a = relu(model, conv("x", "a", 2, 4));
    const b = relu(model, model.batchNorm(conv(a, "b", 4, 5), "front", 5));
    const pooled = model.node("MaxPool", [relu(model, conv(b, "c", 5, 6))], { kernel_shape: [2n, 2n] });
    const c = model.node("Dropout", [model.batchNorm(pooled, "behind", 6)]);
    // Without an activation function on the path a batch norm counts as in front of it.
    const d = model.batchNorm(conv(c, "d", 6, 4), "bare", 4);
    const bytes = model.encode(head(model, relu(model, conv(d, "e", 4, 3)), 3));
    const graph = await graphOf(bytes);
    const scale = (name: string) => batchNormScale(bytes, name);
    expectClose(edgesBetween(graph, "a", "b"), scaleColumns(sliceNorms(bytes, "b", 4), scale("front")));
    expectClose(edgesBetween(graph, "b", "c"), sliceNorms(bytes, "c", 5));
    const behind = scaleRows(sliceNorms(bytes, "d", 6), scale("behind"));
    expectClose(edgesBetween(graph, "c", "d"), scaleColumns(behind, scale("bare")));
    expectClose(edgesBetween(graph, "d", "e"), sliceNorms(bytes, "e", 4));
    for (const name of ["front", "behind", "bare"]) {
      const flipped = withWeights(bytes, `${name}.gamma`, (_, old) => -old);
      expect(adjacencyOf(await graphOf(flipped))).toEqual(adjacencyOf(graph));
    }
  });

  /** Stem, a block with identity, a block with projection shortcut; every convolution has a batch norm. */
  const resnet = () => {
    const model = sketch([2, 6, 6]);
    const normed = (from: string, name: string, inputs: number, units: number) =>
      model.batchNorm(model.conv(from, { name, inputs, units }), `${name}.bn`, units);
    const stem = relu(model, normed("x", "stem", 2, 4));
    const b1 = normed(relu(model, normed(stem, "a1", 4, 3)), "b1", 3, 4);
    const stream = relu(model, model.node("Add", [b1, stem]));
    const b2 = normed(relu(model, normed(stream, "a2", 4, 5)), "b2", 5, 6);
    const shortcut = normed(stream, "shortcut", 4, 6);
    return model.encode(head(model, relu(model, model.node("Add", [b2, shortcut])), 6));
  };
  const NORMED = ["stem", "a1", "b1", "a2", "b2", "shortcut"];

  /** The same function without batch norm nodes: they are multiplied into the kernels and biases. */
  const fused = (model: Uint8Array) => {
    const folded = NORMED.reduce((bytes, name) => {
      const [gamma, beta, mean, variance, bias] = [
        "bn.gamma",
        "bn.beta",
        "bn.mean",
        "bn.variance",
        "bias",
      ].map((part) => [...weightsOf(model, `${name}.${part}`)]) as [
        number[],
        number[],
        number[],
        number[],
        number[],
      ];
      const factor = gamma.map((value, u) => value / Math.sqrt((variance[u] as number) + 1e-3));
      const scaled = withWeights(bytes, `${name}.weight`, (i, old, dims) => {
        const size = dims.slice(1).reduce((product, extent) => product * extent, 1);
        return old * (factor[Math.floor(i / size)] as number);
      });
      return withWeights(
        scaled,
        `${name}.bias`,
        (u) => ((bias[u] as number) - (mean[u] as number)) * (factor[u] as number) + (beta[u] as number),
      );
    }, model);
    return edited(folded, ({ graph }) => {
      if (!graph) return;
      const norms = graph.node.filter(({ opType }) => opType === "BatchNormalization");
      const inputOf = new Map(norms.map(({ input, output }) => [output[0], input[0] ?? ""]));
      graph.node = graph.node.filter((node) => !norms.includes(node));
      for (const node of graph.node) node.input = node.input.map((name) => inputOf.get(name) ?? name);
    });
  };

  it("connect whatever reads a residual stream with every layer that writes into it", async () => {
    const model = resnet();
    const graph = await graphOf(model);
    expect(graph.layers.map(({ name }) => name)).toEqual(NORMED);
    const widths: Readonly<Record<string, number>> = { a1: 4, b1: 3, a2: 4, b2: 5, shortcut: 4 };
    const connected = [
      ["stem", "a1"],
      ["a1", "b1"],
      ["stem", "a2"],
      ["b1", "a2"],
      ["a2", "b2"],
      ["stem", "shortcut"],
      ["b1", "shortcut"],
    ];
    for (const from of NORMED) {
      for (const to of NORMED.slice(NORMED.indexOf(from))) {
        const found = edgesBetween(graph, from, to);
        if (connected.some(([source, target]) => source === from && target === to)) {
          const norms = sliceNorms(model, to, widths[to] as number);
          expectClose(found, scaleColumns(norms, batchNormScale(model, `${to}.bn`)));
        } else {
          expect(
            found.flat().every((weight) => weight === 0),
            `${from} to ${to}`,
          ).toBe(true);
        }
      }
    }
  });

  it("are the same with batch norms fused into the convolutions", async () => {
    const model = resnet();
    const without = fused(model);
    const graph = await graphOf(without);
    expect(graph.layers).toEqual((await graphOf(model)).layers);
    expectClose(adjacencyOf(graph), adjacencyOf(await graphOf(model)));
  });
});

describe("local weight graphs", () => {
  it("of a chain are triples, whose middle layers keep their labels, and the outer ones at the ends", async () => {
    const kernel = (rows: number, columns: number) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_unused, j) => 100 * rows + 10 * i + j + 1),
      );
    const [w0, w1, w2, w3] = [kernel(2, 3), kernel(3, 4), kernel(4, 5), kernel(5, 2)] as const;
    const bytes = denseNet([w0, w1, w2, w3]);
    const graph = await graphOf(bytes, { scope: "local" });
    expect(graph.scope).toBe("local");
    expect(graph.layers.map(({ units }) => units)).toEqual([2, 3, 4, 5, 2]);
    expect(graph.parts).toEqual([
      { nodeStart: 0, nodeCount: 9, keeps: [0, 1] },
      { nodeStart: 9, nodeCount: 12, keeps: [2] },
      { nodeStart: 21, nodeCount: 11, keeps: [3, 4] },
    ]);
    expect(graph.matrix.size).toBe(32);
    const expected = Array.from({ length: 32 }, () => new Array<number>(32).fill(0));
    const place = (weights: Matrix, row: number, column: number) => {
      weights.forEach((line, i) => {
        line.forEach((weight, j) => {
          (expected[row + i] as number[])[column + j] = weight;
          (expected[column + j] as number[])[row + i] = weight;
        });
      });
    };
    // Layers 0 1 2 at nodes 0 2 5, layers 1 2 3 at 9 12 16, layers 2 3 4 at 21 25 30.
    place(w0, 0, 2);
    place(w1, 2, 5);
    place(w1, 9, 12);
    place(w2, 12, 16);
    place(w2, 21, 25);
    place(w3, 25, 30);
    expect(adjacencyOf(graph)).toEqual(expected);
    expect([...graph.layer.subarray(9, 21)]).toEqual([1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    expect([...graph.unit.subarray(9, 21)]).toEqual([0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4]);
  });

  it("of a residual network are a star around each layer", async () => {
    const model = sketch([2, 6, 6]);
    const conv = (from: string, name: string, inputs: number, units: number) =>
      model.conv(from, { name, inputs, units });
    const stem = relu(model, conv("x", "stem", 2, 3));
    const a = relu(model, conv(stem, "a", 3, 4));
    const stream = model.node("Add", [stem, conv(a, "b", 4, 3)]);
    const c = relu(model, conv(stream, "c", 3, 2));
    const bytes = model.encode(head(model, c, 2));
    const global = await graphOf(bytes);
    const local = await graphOf(bytes, { scope: "local" });
    expect(local.layers).toEqual(global.layers);
    const stars = local.parts.map(({ nodeStart, nodeCount, keeps }) => ({
      layers: [...new Set(local.layer.subarray(nodeStart, nodeStart + nodeCount))],
      keeps,
    }));
    // stem (0) is read by a (1) and c (3); a by b (2); b by c.
    expect(stars).toEqual([
      { layers: [0, 1, 3], keeps: [0] },
      { layers: [0, 1, 2], keeps: [1] },
      { layers: [1, 2, 3], keeps: [2] },
      { layers: [0, 2, 3], keeps: [3] },
    ]);
    // In each star only the edges of its centre, with the weights of the global graph.
    const whole = adjacencyOf(global);
    const nodeOf = new Map(
      [...global.layer.keys()].map((node) => [`${global.layer[node]} ${global.unit[node]}`, node]),
    );
    const pieces = adjacencyOf(local);
    for (const { nodeStart, nodeCount, keeps } of local.parts) {
      for (let i = 0; i < local.matrix.size; i++) {
        for (let j = nodeStart; j < nodeStart + nodeCount; j++) {
          const isInside = i >= nodeStart && i < nodeStart + nodeCount;
          const isCentral = [i, j].some((node) => keeps.includes(local.layer[node] as number));
          const [row, column] = [i, j].map((node) =>
            nodeOf.get(`${local.layer[node]} ${local.unit[node]}`),
          ) as [number, number];
          expect(pieces[i]?.[j]).toBe(isInside && isCentral ? whole[row]?.[column] : 0);
        }
      }
    }
  });
});
