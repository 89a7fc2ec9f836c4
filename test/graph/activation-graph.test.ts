import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { buildActivationGraph, correlateUnits } from "../../src/graph/activation-graph.ts";
import { toCsr } from "../../src/graph/csr.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { InputSource } from "../../src/network/outcomes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { expectRefusal, randomData, sketch } from "../support/models.ts";
import { denseOf } from "../support/random-graph.ts";

type Nested = number | readonly Nested[];

interface Fixture {
  readonly inputs: Nested[];
  readonly kernels: Nested[];
  readonly biases: Nested[];
  readonly norms?: Nested[][];
  readonly spearman: number[][];
  readonly pearson?: number[][];
}

const fixtures = JSON.parse(
  await readFile(new URL("../fixtures/activation-graph.json", import.meta.url), "utf8"),
) as Record<"mlp" | "cnn", Fixture>;

const flatten = (nested: Nested | undefined): number[] =>
  typeof nested === "number" ? [nested] : (nested ?? []).flatMap(flatten);

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

function sourceOf(values: Float32Array, size: number): InputSource {
  return {
    count: values.length / size,
    batch: (start, count) => values.slice(start * size, (start + count) * size),
  };
}

const inputsOf = ({ inputs }: Fixture, size: number) => sourceOf(Float32Array.from(flatten(inputs)), size);

/** 4-6-5-3 with ReLU. */
function mlpModel({ kernels, biases }: Fixture): Uint8Array {
  const model = sketch([4]);
  const widths = [4, 6, 5, 3];
  let value = model.input;
  for (let i = 0; i < 3; i++) {
    const weight = model.floats(`w${i}`, [widths[i + 1] as number, widths[i] as number], flatten(kernels[i]));
    const bias = model.floats(`b${i}`, [widths[i + 1] as number], flatten(biases[i]));
    value = model.node("Gemm", [value, weight, bias], { transB: 1n }, { name: `dense${i}` });
    if (i < 2) value = model.node("Relu", [value]);
  }
  return model.encode(value);
}

/** conv a - batch norm - SiLU - max pool - conv b - ReLU - batch norm - mean - dense. */
function cnnModel({ kernels, biases, norms = [] }: Fixture): Uint8Array {
  const model = sketch([1, 6, 6]);
  const conv = (from: string, i: number, dims: readonly number[]) => {
    const weight = model.floats(`w${i}`, dims, flatten(kernels[i]));
    const bias = model.floats(`b${i}`, [dims[0] as number], flatten(biases[i]));
    return model.node("Conv", [from, weight, bias], {}, { name: `conv${i}` });
  };
  const norm = (from: string, i: number) => {
    const parameters = (norms[i] ?? []).map((row, part) => {
      const values = flatten(row);
      return model.floats(`n${i}.${part}`, [values.length], values);
    });
    return model.node("BatchNormalization", [from, ...parameters], { epsilon: 1e-3 });
  };
  const a = norm(conv("x", 0, [4, 1, 3, 3]), 0);
  const active = model.node("Mul", [a, model.node("Sigmoid", [a])]);
  const pooled = model.node("MaxPool", [active], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
  const b = norm(model.node("Relu", [conv(pooled, 1, [3, 4, 2, 2])]), 1);
  const mean = model.node("Flatten", [model.node("GlobalAveragePool", [b])]);
  return model.encode(model.dense(mean, "head", 3, 2));
}

const adjacencyOf = ({ matrix }: UnitGraph) => {
  const dense = denseOf(matrix.size, matrix.blocks);
  return Array.from({ length: matrix.size }, (_, row) => [
    ...dense.subarray(row * matrix.size, (row + 1) * matrix.size),
  ]);
};

/** Contract: every squared correlation within 2e-4 of scipy's. */
function expectCorrelations(found: number[][], expected: readonly (readonly number[])[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(Math.abs((found[i]?.[j] as number) - value), `entry ${i}, ${j}`).toBeLessThanOrEqual(2e-4);
    });
  });
}

describe("buildActivationGraph", () => {
  it.each(["spearman", "pearson"] as const)(
    "gives scipy's squared %s correlations of an MLP's hidden sums",
    async (correlation) => {
      const fixture = fixtures.mlp;
      const network = await loadNetworkBytes(mlpModel(fixture), "mlp");
      const graph = await buildActivationGraph(network, inputsOf(fixture, 4), compute, { correlation });
      expect(graph).toMatchObject({ kind: "activations", scope: "global" });
      // Neither inputs nor logits; unit 2 of the first layer never varies.
      expect(graph.layers).toEqual([
        { name: "dense0", units: 6 },
        { name: "dense1", units: 5 },
      ]);
      expect([...graph.layer]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
      expect([...graph.unit]).toEqual([0, 1, 3, 4, 5, 0, 1, 2, 3, 4]);
      expect(graph.parts).toEqual([{ nodeStart: 0, nodeCount: 10, keeps: [0, 1] }]);
      expectCorrelations(adjacencyOf(graph), fixture[correlation] ?? []);
      expect(graph.facts).toMatchObject({ correlation, samples: 40, deadUnits: 1 });
    },
  );

  it("gives scipy's of a convolutional network's summed absolute maps", async () => {
    const fixture = fixtures.cnn;
    const network = await loadNetworkBytes(cnnModel(fixture), "cnn");
    const graph = await buildActivationGraph(network, inputsOf(fixture, 36), compute);
    expect(graph.layers).toEqual([
      { name: "conv0", units: 4 },
      { name: "conv1", units: 3 },
    ]);
    expect(graph.matrix.size).toBe(7);
    expectCorrelations(adjacencyOf(graph), fixture.spearman);
  });

  it("splits a local graph into one part per layer, with the global graph's weights", async () => {
    const fixture = fixtures.mlp;
    const network = await loadNetworkBytes(mlpModel(fixture), "mlp");
    const graph = await buildActivationGraph(network, inputsOf(fixture, 4), compute, { scope: "local" });
    expect(graph.parts).toEqual([
      { nodeStart: 0, nodeCount: 5, keeps: [0] },
      { nodeStart: 5, nodeCount: 5, keeps: [1] },
    ]);
    const expected = fixture.spearman.map((row, i) =>
      row.map((value, j) => (Math.floor(i / 5) === Math.floor(j / 5) ? value : 0)),
    );
    expectCorrelations(adjacencyOf(graph), expected);
  });

  it("takes a seeded subset of distinct inputs, and memory of one batch", async () => {
    const fixture = fixtures.mlp;
    const network = await loadNetworkBytes(mlpModel(fixture), "mlp");
    const data = randomData(300, [4], 2);
    const asked = async (seed: number) => {
      const inputs: number[] = [];
      const source: InputSource = {
        count: 300,
        batch(start, count) {
          for (let i = 0; i < count; i++) inputs.push(start + i);
          return data.batch(start, count);
        },
      };
      const graph = await buildActivationGraph(network, source, compute, { samples: 50, seed });
      return { inputs, adjacency: adjacencyOf(graph), facts: graph.facts };
    };
    const [first, again, other] = [await asked(1), await asked(1), await asked(2)];
    expect(first.inputs).toHaveLength(50);
    expect(new Set(first.inputs).size).toBe(50);
    expect(again).toEqual(first);
    expect(other.inputs).not.toEqual(first.inputs);
    expect(first.facts).toMatchObject({ samples: 50 });
    // Not just the first inputs: 50 of 300 reach into every third.
    for (const third of [0, 1, 2]) {
      expect(first.inputs.some((input) => Math.floor(input / 100) === third)).toBe(true);
    }
    // The graph is that of these inputs alone.
    const alone = Float32Array.from(first.inputs.flatMap((input) => [...data.batch(input, 1)]));
    const expected = await buildActivationGraph(network, sourceOf(alone, 4), compute);
    expect(first.adjacency).toEqual(adjacencyOf(expected));
  });

  it("takes all inputs where there are no more than asked for", async () => {
    const network = await loadNetworkBytes(mlpModel(fixtures.mlp), "mlp");
    const data = randomData(50, [4], 2);
    const graph = await buildActivationGraph(network, data, compute, { samples: 50 });
    expect(graph.facts).toMatchObject({ samples: 50 });
    expect(adjacencyOf(graph)).toEqual(adjacencyOf(await buildActivationGraph(network, data, compute)));
  });

  it("refuses a network without hidden units", async () => {
    const model = sketch([4]);
    const network = await loadNetworkBytes(model.encode(model.dense("x", "only", 4, 3)), "linear");
    await expectRefusal(() => buildActivationGraph(network, randomData(9, [4], 2), compute), /^E_GRAPH_/);
  });
});

describe("correlateUnits", () => {
  const random = rng(3, "recorded");
  const rows = (units: number, samples: number, dead: readonly number[]) =>
    Float32Array.from({ length: units * samples }, (_, i) =>
      dead.includes(Math.floor(i / samples)) ? 0.25 : random.normal(),
    );

  it("leaves a wholly dead layer without nodes in both scopes", async () => {
    const layers = [
      { name: "a", units: 3 },
      { name: "b", units: 2 },
      { name: "c", units: 2 },
    ];
    const values = rows(7, 30, [1, 3, 4]);
    const global = await correlateUnits(layers, values.slice(), 30, compute, { from: "elsewhere" });
    expect([...global.layer]).toEqual([0, 0, 2, 2]);
    expect([...global.unit]).toEqual([0, 2, 0, 1]);
    expect(global.facts).toMatchObject({ from: "elsewhere", deadUnits: 3, samples: 30 });
    const local = await correlateUnits(layers, values.slice(), 30, compute, {}, { scope: "local" });
    expect([...local.layer]).toEqual([0, 0, 2, 2]);
    expect(local.parts).toEqual([
      { nodeStart: 0, nodeCount: 2, keeps: [0] },
      { nodeStart: 2, nodeCount: 0, keeps: [1] },
      { nodeStart: 2, nodeCount: 2, keeps: [2] },
    ]);
    const whole = adjacencyOf(global);
    expect(adjacencyOf(local)).toEqual(
      whole.map((row, i) => row.map((value, j) => (Math.floor(i / 2) === Math.floor(j / 2) ? value : 0))),
    );
  });

  it("permutes with the units and does not depend on their scale", async () => {
    const values = rows(6, 40, []);
    const order = [3, 1, 5, 0, 4, 2];
    const moved = Float32Array.from(
      order.flatMap((unit) => [...values.subarray(unit * 40, (unit + 1) * 40)].map((value) => 8 * value)),
    );
    const layers = [{ name: "a", units: 6 }];
    const before = adjacencyOf(await correlateUnits(layers, values, 40, compute, {}));
    const after = adjacencyOf(await correlateUnits(layers, moved, 40, compute, {}));
    expectCorrelations(
      after,
      order.map((i) => order.map((j) => before[i]?.[j] as number)),
    );
  });

  it("refuses too few samples and too few units that vary", async () => {
    const layers = [{ name: "a", units: 3 }];
    await expectRefusal(() => correlateUnits(layers, rows(3, 1, []), 1, compute, {}), "E_GRAPH_SAMPLES");
    await expectRefusal(() => correlateUnits(layers, rows(3, 20, [0, 2]), 20, compute, {}), "E_GRAPH_DEAD");
  });

  it.each(["global", "local"] as const)(
    "keeps an edge that either end lists among its strongest (%s)",
    async (scope) => {
      const layers = [
        { name: "a", units: 9 },
        { name: "b", units: 14 },
      ];
      const values = rows(23, 30, [4, 11]);
      const whole = await correlateUnits(layers, values.slice(), 30, compute, {}, { scope });
      const all = adjacencyOf(whole);
      const isListed = all.map((row) => {
        const order = [...row.keys()].sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
        return new Set(order.slice(0, 3).filter((column) => (row[column] as number) > 0));
      });
      const expected = all.map((row, i) =>
        row.map((value, j) => (isListed[i]?.has(j) || isListed[j]?.has(i) ? value : 0)),
      );
      const graph = await correlateUnits(layers, values.slice(), 30, compute, {}, { scope, topK: 3 });
      expect(adjacencyOf(graph)).toEqual(expected);
      expect({ ...graph, matrix: null, facts: null }).toEqual({ ...whole, matrix: null, facts: null });
      // The rows are those of a CSR: ascending, in both directions.
      const { weight } = toCsr(graph.matrix);
      expect(weight.length).toBe(expected.flat().filter((value) => value > 0).length);
      const pairs = all.flatMap((row, i) => row.filter((value, j) => j < i && value > 0)).length;
      expect(graph.facts).toMatchObject({ topK: 3, droppedEdges: pairs - weight.length / 2, deadUnits: 2 });
    },
  );

  it("is the whole graph where no unit has more edges than it keeps", async () => {
    const layers = [{ name: "a", units: 6 }];
    const values = rows(6, 40, []);
    const whole = await correlateUnits(layers, values.slice(), 40, compute, {});
    const graph = await correlateUnits(layers, values, 40, compute, {}, { topK: 5 });
    expect(adjacencyOf(graph)).toEqual(adjacencyOf(whole));
    expect(graph.facts).toMatchObject({ topK: 5, droppedEdges: 0 });
  });

  it("refuses more units than the memory holds correlations of, and names the way out", async () => {
    const layers = [{ name: "a", units: 3_000_000 }];
    const error = await catchError(() => correlateUnits(layers, new Float32Array(6_000_000), 2, compute, {}));
    expect(error.code).toBe("E_GRAPH_SIZE");
    expect(error.message).toMatch(
      /found 3000000 units, whose correlations take 36000\.0 GB, expected at most the/,
    );
    expect(error.hint).toContain("--top-k");
  });
});
