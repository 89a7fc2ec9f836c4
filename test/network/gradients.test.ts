import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildBackward } from "../../src/network/backward/build-backward.ts";
import { extendGraph } from "../../src/network/extend-graph.ts";
import { openGradients } from "../../src/network/gradients.ts";
import { logitJacobian } from "../../src/network/logit-jacobian.ts";
import { encodePart, partOf } from "../../src/network/model-graph.ts";
import { layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import {
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  makeUntypedValueInfo,
  makeValueInfo,
} from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../src/runtime/session.ts";
import { rng } from "../../src/statistics/rng.ts";
import { loadExport, referenceOf } from "../support/exports.ts";
import { expectRefusal, sketch } from "../support/models.ts";

interface Figures {
  readonly gradient?: number[];
  readonly jacobian: number[];
  readonly layer: string;
  readonly x?: number[];
  readonly shape?: number[];
}

const figures: Readonly<Record<string, Figures>> = JSON.parse(
  readFileSync(new URL("../fixtures/networks/gradients.json", import.meta.url), "utf8"),
);
const names = Object.keys(figures);

/** Float32 sums in another order, and figures stored with five digits: parts of the largest. */
const TOLERANCE = 1e-4;

/** Largest difference as a part of the largest expected number. */
function errorOf(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest).toBeGreaterThan(0);
  return (
    expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (found[at] as number))), 0) / largest
  );
}

/** The inputs that PyTorch took. */
function inputsOf(name: string): { values: Float32Array; rows: number } {
  const { x, shape } = figures[name]?.x ? (figures[name] as Figures) : referenceOf(name);
  return { values: Float32Array.from(x ?? []), rows: shape?.[0] ?? 0 };
}

describe("gradients of whole networks against PyTorch", () => {
  it.each(names.filter((name) => figures[name]?.gradient))("%s: logits by the input", async (name) => {
    const network = await loadExport(name);
    const { values, rows } = inputsOf(name);
    const runner = await openGradients(network, "logits");
    const weights = Float32Array.from({ length: rows * runner.units }, (_, at) =>
      Math.cos((at % runner.units) + 1 + Math.floor(at / runner.units)),
    );
    const { gradient } = await runner.run(values, weights, rows);
    await runner.dispose();
    expect(errorOf(gradient, figures[name]?.gradient ?? [])).toBeLessThan(TOLERANCE);
  });

  it.each(names)("%s: logits by a layer's units", async (name) => {
    const network = await loadExport(name);
    const { layer: ending, jacobian } = figures[name] as Figures;
    const layer = network.layers.find((candidate) => candidate.name.endsWith(ending));
    const { values, rows } = inputsOf(name);
    const size = values.length / rows;
    const batch = (start: number, count: number) => values.slice(start * size, (start + count) * size);
    const found = await logitJacobian(network, layerNamed(network, layer?.name ?? ending), {
      count: rows,
      batch,
    });
    expect([found.classes * found.units, layer?.units]).toEqual([jacobian.length, found.units]);
    expect(errorOf(found.values, jacobian)).toBeLessThan(TOLERANCE);
  });
});

/** Two convolutions with batch norm and ReLU, pooling, and a dense head. */
async function smallNetwork(batch: string | number = "n"): Promise<Network> {
  const model = sketch([2, 6, 6], { batch });
  const relu = (value: string) => model.node("Relu", [value]);
  const first = relu(model.batchNorm(model.conv(model.input, { name: "a", inputs: 2, units: 4 }), "an", 4));
  const pooled = model.node("MaxPool", [first], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
  const second = relu(model.conv(pooled, { name: "b", inputs: 4, units: 5 }));
  const flat =
    batch === "n" ? model.node("Flatten", [second]) : model.node("Reshape", [second, model.ints([4, 45])]);
  return loadNetworkBytes(model.encode(model.dense(flat, "c", 45, 3)), "small");
}

function drawn(count: number, what: string): Float32Array {
  const random = rng(0, what);
  return Float32Array.from({ length: count }, () => random.normal());
}

describe("objectives of units", () => {
  it("is the weighted sum of |mean z| for each input, and its gradient the difference quotient", async () => {
    const network = await smallNetwork();
    const layer = layerNamed(network, "b");
    const runner = await openGradients(network, layer);
    const [rows, size] = [3, 72];
    const x = drawn(rows * size, "x");
    const weights = drawn(rows * layer.units, "w");
    const { objective, gradient } = await runner.run(x, weights, rows);
    const z = await valuesOf(network, layer.preActivation.value, x, rows);
    for (let row = 0; row < rows; row++) {
      let expected = 0;
      for (let u = 0; u < layer.units; u++) {
        const map = z.slice((row * layer.units + u) * 9, (row * layer.units + u + 1) * 9);
        const mean = map.reduce((sum, value) => sum + value, 0) / 9;
        expected += (weights[row * layer.units + u] as number) * Math.abs(mean);
      }
      expect(objective[row]).toBeCloseTo(expected, 5);
    }
    // Along a direction of its own for every input, all at once: inputs do not see one another.
    const direction = drawn(rows * size, "direction");
    const moved = (step: number) => x.map((value, at) => value + step * (direction[at] as number));
    const [up, down] = [
      await runner.run(moved(1e-3), weights, rows),
      await runner.run(moved(-1e-3), weights, rows),
    ];
    for (let row = 0; row < rows; row++) {
      const slope = ((up.objective[row] as number) - (down.objective[row] as number)) / 2e-3;
      let expected = 0;
      for (let i = row * size; i < (row + 1) * size; i++) {
        expected += (gradient[i] as number) * (direction[i] as number);
      }
      expect(Math.abs(slope - expected)).toBeLessThan(5e-3 * Math.max(1, Math.abs(expected)));
    }
    await runner.dispose();
  });

  it("averages units that several positions of a flattened value hold", async () => {
    const network = await smallNetwork();
    const layer = layerNamed(network, "b");
    expect(layer.output.map.index.length).toBe(45);
    const runner = await openGradients(network, layer, { site: "output" });
    const x = drawn(2 * 72, "x");
    const weights = drawn(2 * 5, "w");
    const { objective } = await runner.run(x, weights, 2);
    await runner.dispose();
    const values = await valuesOf(network, layer.output.value, x, 2);
    for (let row = 0; row < 2; row++) {
      let expected = 0;
      for (let at = 0; at < 45; at++) {
        expected +=
          ((weights[row * 5 + Math.floor(at / 9)] as number) * (values[row * 45 + at] as number)) / 9;
      }
      expect(objective[row]).toBeCloseTo(expected, 5);
    }
  });

  it("gives the same with a batch that the file fixes, whatever the number of inputs", async () => {
    const [free, fixed] = [await smallNetwork(), await smallNetwork(4)];
    expect(fixed.probe.fixedBatch).toBe(4);
    const x = drawn(6 * 72, "x");
    const weights = drawn(6 * 5, "w");
    const results = [];
    for (const network of [free, fixed]) {
      const runner = await openGradients(network, layerNamed(network, "b"), { site: "output" });
      results.push(await runner.run(x, weights, 6));
      await runner.dispose();
    }
    expect(errorOf(results[0]?.gradient ?? [], Array.from(results[1]?.gradient ?? []))).toBeLessThan(1e-6);
    expect(errorOf(results[0]?.objective ?? [], Array.from(results[1]?.objective ?? []))).toBeLessThan(1e-6);
  });

  it("redirects what a ReLU blocks only where it blocks all of an input's gradient", async () => {
    // z = 2 x, y = relu(z) V + b with V's first row 0, J = sum of w |y|.
    const slopes = [0, 0, 1, -2, -3, 4, 2, 1];
    const model = sketch([4]);
    const z = model.node("MatMul", [model.input, model.floats("twice", [4, 4], diagonal(4, 2))]);
    const hidden = [
      model.node("Relu", [z]),
      model.floats("slopes", [4, 2], slopes),
      model.floats("bias", [2], [9, 9]),
    ];
    const y = model.node("Gemm", hidden, {}, { name: "y" });
    const network = await loadNetworkBytes(model.encode(y), "redirected");
    const runner = await openGradients(network, layerNamed(network, "y"), { hasRedirection: true });
    const x = Float32Array.of(-1, -2, -0.5, -3, 1, -1, -1, -1, 1, -1, 0.25, -1);
    const weights = Float32Array.of(1, 0.5, 1, 0.5, 1, 0.5);
    const off = await runner.run(x, weights, 3, { redirect: false });
    const on = await runner.run(x, weights, 3, { redirect: true });
    await runner.dispose();
    // y > 0 in all rows: the gradient at the ReLU's output is V w.
    const above = [0, 1, 2, 3].map((u) => (slopes[2 * u] as number) + 0.5 * (slopes[2 * u + 1] as number));
    expect(above).toEqual([0, 0, -1, 2.5]);
    // Row 0: all units closed, row 1: open where no gradient comes in, row 2: an open unit takes some of it.
    expect(Array.from(off.gradient)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -2, 0]);
    expect(Array.from(on.gradient)).toEqual([0, 0, 0, 5, 0, 0, 0, 5, 0, 0, -2, 0]);
  });
});

const diagonal = (size: number, value: number): number[] =>
  Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? value : 0));

describe("graphs with nodes around the network", () => {
  it("carries gradients through a parametrisation in front and an objective behind", async () => {
    const network = await smallNetwork();
    const { input } = network.probe;
    // image = sigmoid(transpose(reshape(code M))) + 0.1, J = mean |z| over channels and positions of the second layer.
    const read = layerNamed(network, "b").preActivation.value;
    const axes = { axes: [1n, 2n, 3n], keepdims: 0n };
    const source = await extendGraph(network, {
      before: {
        inputs: [makeValueInfo("code", ["batch", 5])],
        initializers: [
          makeFloatTensor("code/matrix", [5, 72], drawn(360, "matrix")),
          makeFloatTensor("code/shift", [], Float32Array.of(0.1)),
          makeIntTensor("code/shape", [-1, 6, 6, 2]),
        ],
        nodes: [
          makeNode("MatMul", ["code", "code/matrix"], ["code/flat"]),
          makeNode("Reshape", ["code/flat", "code/shape"], ["code/last"]),
          makeNode("Transpose", ["code/last"], ["code/first"], { perm: [0n, 3n, 1n, 2n] }),
          makeNode("Sigmoid", ["code/first"], ["code/squashed"]),
          makeNode("Add", ["code/squashed", "code/shift"], [input]),
        ],
      },
      after: {
        nodes: [makeNode("Abs", [read], ["size"]), makeNode("ReduceMean", ["size"], ["objective"], axes)],
      },
    });
    const backward = buildBackward(source, new Map([["objective", "seed"]]), ["code"]);
    const slope = backward.gradients.get("code") ?? "";
    const part = partOf(source.graph, ["objective"], new Set(["code"]));
    const session = await Session.create(
      encodePart(source.graph, {
        nodes: [...part.nodes, ...backward.nodes],
        initializers: [...part.initializers, ...backward.initializers],
        inputs: [makeValueInfo("code", ["batch", 5]), makeValueInfo("seed", ["batch"])],
        outputs: [makeUntypedValueInfo("objective"), makeUntypedValueInfo(slope)],
      }),
      { label: "parametrised" },
    );
    const run = async (code: Float32Array) => {
      const seed = floatTensor(Float32Array.of(1, -2), [2]);
      const made = await session.run({ code: floatTensor(code, [2, 5]), seed });
      return { objective: floatValues(made.objective, "objective"), slopes: floatValues(made[slope], slope) };
    };
    const code = drawn(10, "code");
    const { slopes } = await run(code);
    for (let at = 0; at < 10; at++) {
      const row = Math.floor(at / 5);
      const moved = (step: number) => run(code.map((value, i) => (i === at ? value + step : value)));
      const [up, down] = [await moved(1 / 256), await moved(-1 / 256)];
      const quotient =
        ((up.objective[row] as number) - (down.objective[row] as number)) * 128 * (row === 0 ? 1 : -2);
      expect(Math.abs(quotient - (slopes[at] as number))).toBeLessThan(2e-3);
    }
    expect(slopes.some((value) => Math.abs(value) > 0.01)).toBe(true);
    await session.dispose();
  });
});

describe("what gradients refuse", () => {
  it("names an operator without a rule before anything runs", async () => {
    const model = sketch([4]);
    const hidden = model.dense(model.input, "a", 4, 4);
    const odd = model.node(
      "Det",
      [model.node("Reshape", [hidden, model.ints([-1, 2, 2])])],
      {},
      { name: "odd" },
    );
    const joined = model.node("Concat", [model.node("Unsqueeze", [odd, model.ints([1])]), hidden], {
      axis: 1n,
    });
    const network = await loadNetworkBytes(model.encode(model.dense(joined, "b", 5, 3)), "odd");
    const error = await expectRefusal(() => openGradients(network, "logits"), "E_NETWORK_GRADIENT");
    expect(error.message).toContain("odd (Det)");
    // In front of that node gradients are fine.
    const runner = await openGradients(network, layerNamed(network, "a"));
    await runner.dispose();
  });

  it("refuses gradients with respect to tokens", async () => {
    const network = await loadExport("gpt-addmm");
    const error = await expectRefusal(() => openGradients(network, "logits"), "E_NETWORK_GRADIENT");
    expect(error.message).toContain("INT64");
  });

  it("reports gradients that are not finite, with the input", async () => {
    const model = sketch([2]);
    const grown = model.node("Exp", [model.dense(model.input, "a", 2, 2)]);
    const network = await loadNetworkBytes(model.encode(model.dense(grown, "b", 2, 2)), "exponentials");
    const runner = await openGradients(network, "logits");
    const error = await expectRefusal(
      () => runner.run(Float32Array.of(0.1, 0.1, 900, -900), new Float32Array(4).fill(1), 2),
      "E_NETWORK_NOT_FINITE",
    );
    expect(error.message).toContain("input 1");
    await runner.dispose();
  });
});

async function valuesOf(
  network: Network,
  name: string,
  x: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const { graph, probe } = network;
  const model = encodePart(graph, {
    nodes: graph.nodes,
    initializers: [...graph.initializers.values()],
    inputs: graph.inputs,
    outputs: [makeUntypedValueInfo(name)],
  });
  const session = await Session.create(model, { label: "values", isOneShot: true });
  const outputs = await session.run({ [probe.input]: floatTensor(x, [rows, ...probe.inputShape]) });
  await session.dispose();
  return floatValues(outputs[name], name);
}
