import { expect, it } from "vitest";
import { buildBackward } from "../../../src/network/backward/build-backward.ts";
import { loadModelBytes } from "../../../src/network/load-model.ts";
import { encodePart, indexModel } from "../../../src/network/model-graph.ts";
import { probeNetwork } from "../../../src/network/probe.ts";
import { makeUntypedValueInfo, makeValueInfo } from "../../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../../src/runtime/session.ts";
import { type Sketch, sketch } from "../../support/models.ts";

/** Gradient of one input, given what comes in at the output. */
async function gradientOf(
  shape: readonly number[],
  draw: (model: Sketch) => string,
  x: readonly number[],
  seed: readonly number[],
): Promise<number[]> {
  const model = sketch(shape);
  const output = draw(model);
  const graph = indexModel(loadModelBytes(model.encode(output), "ties"));
  const probe = await probeNetwork(graph, null);
  const dims = probe.values.get(output)?.shape ?? [];
  const backward = buildBackward({ graph, probe }, new Map([[output, "seed"]]), ["x"]);
  const gradient = backward.gradients.get("x") ?? "";
  const both = encodePart(graph, {
    nodes: [...graph.nodes, ...backward.nodes],
    initializers: [...graph.initializers.values(), ...backward.initializers],
    inputs: [...graph.inputs, makeValueInfo("seed", dims)],
    outputs: [makeUntypedValueInfo(gradient)],
  });
  const session = await Session.create(both, { label: "ties", isOneShot: true });
  const made = await session.run({
    x: floatTensor(Float32Array.from(x), [1, ...shape]),
    seed: floatTensor(Float32Array.from(seed), dims),
  });
  await session.dispose();
  return Array.from(floatValues(made[gradient], gradient));
}

const pooled = (attributes: Readonly<Record<string, readonly bigint[]>>) => (model: Sketch) =>
  model.node("MaxPool", [model.input], attributes);

// What PyTorch 1.13 gives for max_pool2d, adaptive_max_pool2d, relu, maximum, amax and clamp.
it.each([
  {
    title: "max pooling gives all to the first of equal values, row by row",
    shape: [1, 2, 4],
    draw: pooled({ kernel_shape: [2n, 2n], strides: [2n, 2n] }),
    x: [5, 5, 1, 2, 5, 5, 2, 2],
    seed: [3, 4],
    expected: [3, 0, 0, 4, 0, 0, 0, 0],
  },
  {
    title: "overlapping windows share a maximum",
    shape: [1, 1, 4],
    draw: pooled({ kernel_shape: [1n, 2n] }),
    x: [1, 7, 7, 7],
    seed: [1, 2, 4],
    expected: [0, 3, 4, 0],
  },
  {
    title: "negative maxima beside padding",
    shape: [1, 1, 3],
    draw: pooled({ kernel_shape: [1n, 2n], strides: [1n, 2n], pads: [0n, 1n, 0n, 0n] }),
    x: [-3, -2, -2],
    seed: [1, 2],
    expected: [1, 2, 0],
  },
  {
    title: "global max pooling gives all to the first",
    shape: [1, 1, 3],
    draw: (model: Sketch) => model.node("GlobalMaxPool", [model.input]),
    x: [1, 2, 2],
    seed: [6],
    expected: [0, 6, 0],
  },
  {
    title: "ReLU at 0 is 0",
    shape: [3],
    draw: (model: Sketch) => model.node("Relu", [model.input]),
    x: [-1, 0, 1],
    seed: [2, 3, 4],
    expected: [0, 0, 4],
  },
  {
    title: "Max shares between equal values",
    shape: [2],
    draw: (model: Sketch) => model.node("Max", [model.input, model.floats("other", [2], [1, 3])]),
    x: [1, 4],
    seed: [2, 3],
    expected: [1, 3],
  },
  {
    title: "ReduceMax shares between equal values",
    shape: [4],
    draw: (model: Sketch) => model.node("ReduceMax", [model.input], { axes: [1n] }),
    x: [3, 1, 3, 3],
    seed: [6],
    expected: [2, 0, 2, 2],
  },
  {
    title: "Clip lets through at its limits",
    shape: [4],
    draw: (model: Sketch) =>
      model.node("Clip", [model.input, model.floats("low", [], [-1]), model.floats("high", [], [1])]),
    x: [-2, -1, 1, 2],
    seed: [1, 2, 3, 4],
    expected: [0, 2, 3, 0],
  },
])("$title", async ({ shape, draw, x, seed, expected }) => {
  expect(await gradientOf(shape, draw, x, seed)).toEqual(expected);
});
