/** Gradients against central differences: small graphs whose operands are parts of one input. */
import { expect } from "vitest";
import { buildBackward } from "../../../src/network/backward/build-backward.ts";
import { loadModelBytes } from "../../../src/network/load-model.ts";
import { encodePart, indexModel } from "../../../src/network/model-graph.ts";
import { inputInfo } from "../../../src/network/network-input.ts";
import { probeNetwork } from "../../../src/network/probe.ts";
import { makeUntypedValueInfo, makeValueInfo } from "../../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session, type Tensor } from "../../../src/runtime/session.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { type Sketch, sketch } from "../../support/models.ts";

/** A graph to be checked: what it makes of operands of these shapes (without the batch axis). */
export interface GradientCase {
  readonly title: string;
  readonly operands: readonly (readonly number[])[];
  /** Draws the graph and returns its output. */
  readonly draw: (model: Sketch, ...operands: string[]) => string;
  readonly opset?: number;
  /** Keeps inputs in the domain of the function; default: numbers around 0, no two of them equal. */
  readonly domain?: (value: number) => number;
}

/**
 * Most error, relative to the largest derivative: outputs are float32, and (f(x + h) - f(x - h)) / 2h with h = 1/256
 * carries their rounding (6e-8 of each, over h) and h^2 / 6 of the third derivative.
 */
const TOLERANCE = 4e-3;
const STEP = 1 / 256;

/** Expects the backward graph's gradients of all operands to be the differences of the forward graph. */
export async function checkGradients({
  operands,
  draw,
  opset = 17,
  domain,
  title,
}: GradientCase): Promise<void> {
  const sizes = operands.map((shape) => shape.reduce((product, size) => product * size, 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const model = sketch([total], { opset });
  const parts = operandsOf(model, operands, sizes, opset);
  const output = draw(model, ...parts);
  const bytes = model.encode(output);
  const graph = indexModel(loadModelBytes(bytes, title));
  const probe = await probeNetwork(graph, null);
  const source = { graph, probe };
  const backward = buildBackward(source, new Map([[output, "seed"]]), parts);
  const probed = probe.values.get(output);
  const outputDims = (rows: number) =>
    (probed?.shape ?? []).map((size, axis) => (axis === probed?.batchAxis ? size * rows : size));
  const gradients = parts.map((name) => backward.gradients.get(name) ?? "");
  const both = encodePart(graph, {
    nodes: [...graph.nodes, ...backward.nodes],
    initializers: [...graph.initializers.values(), ...backward.initializers],
    inputs: [inputInfo(probe), makeValueInfo("seed", probed?.shape.map((_, axis) => `s${axis}`) ?? [])],
    outputs: [...gradients, output].map(makeUntypedValueInfo),
  });
  const random = rng(0, "gradients", title);
  const rows = 2;
  const order = random.shuffle(Int32Array.from({ length: rows * total }, (_, i) => i));
  const inputs = Float32Array.from(order, (at) => {
    const value = (at - order.length / 2 + 0.37) * Math.min(0.07, 5 / order.length);
    return domain ? domain(value) : value;
  });
  const outputSize = outputDims(rows).reduce((product, size) => product * size, 1);
  const seed = Float32Array.from({ length: outputSize }, () => random.normal());
  const made = await runOnce(both, {
    x: floatTensor(inputs, [rows, total]),
    seed: floatTensor(seed, outputDims(rows)),
  });
  const found = gradients.map((name) => floatValues(made[name], name));
  // Both rows move at once: what one input does to another one's output would show.
  const objective = await objectiveOf(bytes, output, seed, rows, total);
  const expected = await differences(objective, inputs, rows, total);
  let largest = 1e-3;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  let start = 0;
  sizes.forEach((size, operand) => {
    expect(found[operand]?.length, `${title}: size of operand ${operand}`).toBe(rows * size);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < size; i++) {
        const [is, be] = [
          found[operand]?.[row * size + i] as number,
          expected[row * total + start + i] as number,
        ];
        const message = `${title}: operand ${operand}, input ${row}, element ${i}: found ${is}, expected ${be}`;
        expect(Math.abs(is - be) / largest, message).toBeLessThan(TOLERANCE);
      }
    }
    start += size;
  });
  expect(Math.max(...expected.map(Math.abs)), `${title}: a derivative that is not 0`).toBeGreaterThan(0);
}

/** The operands as parts of the input `x` [rows, total]. */
function operandsOf(
  model: Sketch,
  operands: readonly (readonly number[])[],
  sizes: readonly number[],
  opset: number,
): string[] {
  let end = 0;
  return operands.map((shape, i) => {
    const start = end;
    end += sizes[i] as number;
    const part =
      opset >= 10
        ? model.node("Slice", [model.input, model.ints([start]), model.ints([end]), model.ints([1])])
        : model.node("Slice", [model.input], { starts: [BigInt(start)], ends: [BigInt(end)], axes: [1n] });
    return model.node("Reshape", [part, model.ints([-1, ...shape])]);
  });
}

async function runOnce(
  model: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await Session.create(model, { label: "check", threads: 1, isOneShot: true });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

type Objective = (inputs: Float32Array, copies: number) => Promise<Float64Array>;

/** For copies of the rows, one after another: the sum of the outputs times the seed, row by row. */
async function objectiveOf(
  model: Uint8Array,
  output: string,
  seed: Float32Array,
  rows: number,
  total: number,
): Promise<Objective> {
  return async (inputs, copies) => {
    const made = await runOnce(model, { x: floatTensor(inputs, [copies * rows, total]) });
    const tensor = made[output] as Tensor;
    const values = floatValues(tensor, output);
    const sums = new Float64Array(copies);
    // The batch's axis may stand behind others: entries of a copy are found by their place along that axis.
    const axis = tensor.dims.findIndex((size) => size % (copies * rows) === 0 && size > 0);
    const inner = tensor.dims.slice(axis + 1).reduce((product, size) => product * size, 1);
    const along = tensor.dims[axis] as number;
    const perCopy = along / copies;
    values.forEach((value, at) => {
      const outer = Math.floor(at / (inner * along));
      const place = Math.floor(at / inner) % along;
      const copy = Math.floor(place / perCopy);
      const own = (outer * perCopy + (place % perCopy)) * inner + (at % inner);
      sums[copy] = (sums[copy] as number) + value * (seed[own] as number);
    });
    return sums;
  };
}

async function differences(
  objective: Objective,
  inputs: Float32Array,
  rows: number,
  total: number,
): Promise<number[]> {
  const size = rows * total;
  const moved = new Float32Array(2 * size * size);
  for (let at = 0; at < size; at++) {
    moved.set(inputs, 2 * at * size);
    moved.set(inputs, (2 * at + 1) * size);
    moved[2 * at * size + at] = (inputs[at] as number) + STEP;
    moved[(2 * at + 1) * size + at] = (inputs[at] as number) - STEP;
  }
  const sums = await objective(moved, 2 * size);
  return Array.from({ length: size }, (_, at) => {
    const step = (moved[2 * at * size + at] as number) - (moved[(2 * at + 1) * size + at] as number);
    return ((sums[2 * at] as number) - (sums[2 * at + 1] as number)) / step;
  });
}
