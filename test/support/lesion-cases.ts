/** Networks of many shapes with the same lesions made by editing their weights, and what a lesion must equal. */
import { expect } from "vitest";
import type { LabelledInputs, Outcome } from "../../src/network/outcomes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { runModel, type Sketch, withWeights } from "./models.ts";

export type Data = LabelledInputs & { readonly values: Float32Array };

export const CLASSES = 3;

/** Counts and loss from logits in float64, and how many inputs of each class are too close to call. */
export function outcomeOf(
  logits: Float32Array,
  labels: Int32Array,
  classes: number = CLASSES,
): { readonly correct: Int32Array; readonly doubtful: Int32Array; readonly loss: number } {
  const correct = new Int32Array(classes);
  const doubtful = new Int32Array(classes);
  let loss = 0;
  labels.forEach((label, i) => {
    const row = [...logits.subarray(i * classes, (i + 1) * classes)];
    const [best = 0, second = 0] = [...row].sort((a, b) => b - a);
    if (best - second < 1e-4) doubtful[label] = (doubtful[label] as number) + 1;
    if (row.indexOf(best) === label) correct[label] = (correct[label] as number) + 1;
    loss += best + Math.log(row.reduce((sum, value) => sum + Math.exp(value - best), 0)) - (row[label] ?? 0);
  });
  return { correct, doubtful, loss: loss / labels.length };
}

/** Expects an outcome to equal a full run of an edited model by ONNX Runtime, to the count of inputs. */
export async function expectRerun(
  found: Outcome | undefined,
  model: Uint8Array,
  data: Data,
  dims: number[],
  batch?: number,
): Promise<void> {
  const logits = await runModel(model, data.values, [data.count, ...dims], batch);
  const expected = outcomeOf(logits, data.labels);
  for (let c = 0; c < CLASSES; c++) {
    const difference = Math.abs((found?.correct[c] ?? Number.NaN) - (expected.correct[c] as number));
    expect(difference).toBeLessThanOrEqual(expected.doubtful[c] as number);
  }
  // Losses are summed from float32 log-probabilities.
  expect(found?.loss).toBeCloseTo(expected.loss, 5);
}

/** Zeroes a unit's rows of its own kernel and bias (or gamma and beta). */
function silenced(model: Uint8Array, names: readonly string[], units: Int32Array): Uint8Array {
  return names.reduce(
    (edited, name) =>
      withWeights(edited, name, (i, old, dims) => {
        const rowSize = dims.slice(1).reduce((product, extent) => product * extent, 1);
        return units.includes(Math.floor(i / rowSize)) ? 0 : old;
      }),
    model,
  );
}

/** Zeroes the input slices of a consumer's kernel that belong to units (`channelsPerUnit` features each). */
export function unread(
  model: Uint8Array,
  name: string,
  units: Int32Array,
  channelsPerUnit: number = 1,
): Uint8Array {
  return withWeights(model, name, (i, old, [, inputs = 1, ...space]) => {
    const taps = space.reduce((product, extent) => product * extent, 1);
    const channel = Math.floor(i / taps) % inputs;
    return units.includes(Math.floor(channel / channelsPerUnit)) ? 0 : old;
  });
}

export interface Case {
  readonly title: string;
  readonly shape: readonly number[];
  readonly draw: (model: Sketch) => string;
  readonly batch?: number;
  /** For each layer: the same lesion by editing weights. */
  readonly edits: Readonly<Record<string, (model: Uint8Array, units: Int32Array) => Uint8Array>>;
}

const image = [2, 6, 6];
export const relu = (model: Sketch, from: string): string => model.node("Relu", [from]);
const pool = (model: Sketch, from: string) =>
  model.node("MaxPool", [from], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
export const conv = (
  model: Sketch,
  from: string,
  name: string,
  inputs: number,
  units: number,
  groups: number = 1,
): string => model.conv(from, { name, inputs, units, groups });
export const head = (model: Sketch, from: string, inputs: number): string =>
  model.dense(model.node("Flatten", [model.node("GlobalAveragePool", [from])]), "head", inputs, CLASSES);

/** Stem, a block with identity and a block with projection shortcut; batch norms where `isFused` is false. */
const resnet = (isFused: boolean) => (model: Sketch) => {
  const normed = (from: string, name: string, inputs: number, units: number) => {
    const sum = conv(model, from, name, inputs, units);
    return isFused ? sum : model.batchNorm(sum, `${name}.bn`, units);
  };
  const stem = relu(model, normed("x", "stem", 2, 4));
  const b1 = normed(relu(model, normed(stem, "a1", 4, 4)), "b1", 4, 4);
  const stream = relu(model, model.node("Add", [b1, stem]));
  const b2 = normed(relu(model, normed(stream, "a2", 4, 5)), "b2", 5, 6);
  const projected = normed(stream, "shortcut", 4, 6);
  return head(model, relu(model, model.node("Add", [b2, projected])), 6);
};

const ownOf = (name: string, isFused: boolean) =>
  isFused
    ? [`${name}.weight`, `${name}.bias`]
    : [`${name}.weight`, `${name}.bias`, `${name}.bn.gamma`, `${name}.bn.beta`];

const resnetEdits = (isFused: boolean): Case["edits"] => ({
  stem: (model, units) => silenced(model, ownOf("stem", isFused), units),
  a1: (model, units) => unread(model, "b1.weight", units),
  b1: (model, units) => silenced(model, ownOf("b1", isFused), units),
  a2: (model, units) => unread(model, "b2.weight", units),
  b2: (model, units) => silenced(model, ownOf("b2", isFused), units),
  shortcut: (model, units) => silenced(model, ownOf("shortcut", isFused), units),
});

export const CASES: readonly Case[] = [
  {
    title: "an MLP",
    shape: [5],
    draw: (model) => {
      const a = relu(model, model.dense("x", "a", 5, 8));
      return model.dense(model.node("Tanh", [model.dense(a, "b", 8, 6)]), "head", 6, CLASSES);
    },
    edits: {
      a: (model, units) => unread(model, "b.weight", units),
      b: (model, units) => unread(model, "head.weight", units),
    },
  },
  {
    title: "a CNN with batch norm behind activation and pooling, flattened into a dense layer",
    shape: image,
    draw: (model) => {
      const a = model.batchNorm(pool(model, relu(model, conv(model, "x", "a", 2, 4))), "bn1", 4);
      const b = model.batchNorm(relu(model, conv(model, a, "b", 4, 5)), "bn2", 5);
      return model.dense(model.node("Flatten", [b]), "head", 45, CLASSES);
    },
    edits: {
      a: (model, units) => unread(model, "b.weight", units),
      b: (model, units) => unread(model, "head.weight", units, 9),
    },
  },
  {
    title: "a CNN with batch norm behind Flatten, the view's shape computed, SiLU",
    shape: [2, 3, 3],
    draw: (model) => {
      const sum = conv(model, "x", "a", 2, 4);
      const a = model.node("Mul", [sum, model.node("Sigmoid", [sum])]);
      const size = model.node("Gather", [model.node("Shape", [a]), model.ints([0])], { axis: 0n });
      const shape = model.node("Concat", [size, model.ints([-1])], { axis: 0n });
      const flat = model.batchNorm(model.node("Reshape", [a, shape]), "bn", 36);
      return model.dense(flat, "head", 36, CLASSES);
    },
    edits: { a: (model, units) => unread(model, "head.weight", units, 9) },
  },
  {
    title: "a residual network, batch norms fused",
    shape: image,
    draw: resnet(true),
    edits: resnetEdits(true),
  },
  {
    title: "a residual network with its batch norms",
    shape: image,
    draw: resnet(false),
    edits: resnetEdits(false),
  },
  {
    title: "a dense net",
    shape: image,
    draw: (model) => {
      const stem = conv(model, "x", "stem", 2, 3);
      const one = conv(model, relu(model, model.batchNorm(stem, "bn1", 3)), "one", 3, 2);
      const both = model.node("Concat", [stem, one], { axis: 1n });
      const two = conv(model, relu(model, model.batchNorm(both, "bn2", 5)), "two", 5, 2);
      const all = model.node("Concat", [both, two], { axis: 1n });
      return head(model, relu(model, model.batchNorm(all, "bn3", 7)), 7);
    },
    edits: {
      stem: (model, units) => silenced(model, ["stem.weight", "stem.bias"], units),
      one: (model, units) => silenced(model, ["one.weight", "one.bias"], units),
      two: (model, units) => silenced(model, ["two.weight", "two.bias"], units),
    },
  },
  {
    title: "grouped and depthwise convolutions behind a channel shuffle",
    shape: image,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 6));
      const folded = model.node("Reshape", [a, model.ints([0, 2, 3, 6, 6])]);
      const turned = model.node("Transpose", [folded], { perm: [0n, 2n, 1n, 3n, 4n] });
      const shuffled = model.node("Reshape", [turned, model.ints([0, 6, 6, 6])]);
      const grouped = relu(model, conv(model, shuffled, "grouped", 6, 4, 2));
      const depthwise = relu(model, conv(model, grouped, "depthwise", 4, 4, 4));
      return head(model, depthwise, 4);
    },
    edits: {
      a: (model, units) =>
        withWeights(model, "grouped.weight", (i, old) => {
          // 4 x 3 x 3 x 3; channel c of the shuffled value is unit (c % 2) * 3 + floor(c / 2).
          const channel = Math.floor(i / 54) * 3 + (Math.floor(i / 9) % 3);
          return units.includes((channel % 2) * 3 + Math.floor(channel / 2)) ? 0 : old;
        }),
      grouped: (model, units) =>
        withWeights(model, "depthwise.weight", (i, old) => (units.includes(Math.floor(i / 9)) ? 0 : old)),
      depthwise: (model, units) => unread(model, "head.weight", units),
    },
  },
  {
    title: "squeeze-and-excitation: the gate feels the lesion too",
    shape: image,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 4));
      const squeezed = model.conv(model.node("GlobalAveragePool", [a]), {
        name: "squeeze",
        inputs: 4,
        units: 2,
        kernel: [1, 1],
      });
      const excited = model.conv(relu(model, squeezed), {
        name: "excite",
        inputs: 2,
        units: 4,
        kernel: [1, 1],
      });
      return head(model, model.node("Mul", [a, model.node("Sigmoid", [excited])]), 4);
    },
    edits: {
      a: (model, units) => silenced(model, ["a.weight", "a.bias"], units),
      squeeze: (model, units) => unread(model, "excite.weight", units),
      // A gate of zero shuts the channel.
      excite: (model, units) => unread(model, "head.weight", units),
    },
  },
  {
    title: "the MLP of a transformer block, on tokens",
    shape: [4, 3],
    draw: (model) => {
      const parameters = [model.floats("gamma", [3], [1, 2, -1]), model.floats("beta", [3])];
      const normed = model.node("LayerNormalization", ["x", ...parameters], { axis: -1n });
      const up = model.node("MatMul", [normed, model.floats("up.weight", [3, 7])], {}, { name: "up" });
      const active = relu(model, model.node("Add", [up, model.floats("up.bias", [7])]));
      const down = model.node("MatMul", [active, model.floats("down.weight", [7, 3])], {}, { name: "down" });
      const stream = model.node("Add", ["x", down]);
      return model.dense(
        model.node("ReduceMean", [stream], { axes: [1n], keepdims: 0n }),
        "head",
        3,
        CLASSES,
      );
    },
    edits: {
      up: (model, units) => silenced(model, ["down.weight"], units),
      down: (model, units) => unread(model, "down.weight", units),
    },
  },
  {
    title: "a network whose batch of 4 is written into a reshape",
    shape: [2, 3, 3],
    batch: 4,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 4));
      const flat = model.node("Reshape", [conv(model, a, "b", 4, 3), model.ints([4, -1])]);
      return model.dense(relu(model, flat), "head", 27, CLASSES);
    },
    edits: {
      a: (model, units) => unread(model, "b.weight", units),
      b: (model, units) => unread(model, "head.weight", units, 9),
    },
  },
  {
    title: "a network whose shape arithmetic crosses the cut",
    shape: [2, 3, 3],
    draw: (model) => {
      const size = model.node("Gather", [model.node("Shape", ["x"]), model.ints([0])], { axis: 0n });
      const shape = model.node("Concat", [size, model.ints([-1])], { axis: 0n });
      const a = relu(model, conv(model, "x", "a", 2, 4));
      const b = relu(model, conv(model, a, "b", 4, 3));
      return model.dense(model.node("Reshape", [b, shape]), "head", 27, CLASSES);
    },
    edits: {
      a: (model, units) => unread(model, "b.weight", units),
      b: (model, units) => unread(model, "head.weight", units, 9),
    },
  },
  {
    title: "a network that keeps its data transposed",
    shape: [5],
    draw: (model) => {
      const x = model.node("Transpose", ["x"]);
      const a = relu(model, model.node("MatMul", [model.floats("a.weight", [6, 5]), x], {}, { name: "a" }));
      const z = model.node("MatMul", [model.floats("head.weight", [CLASSES, 6]), a], {}, { name: "head" });
      return model.node("Transpose", [z]);
    },
    edits: { a: (model, units) => unread(model, "head.weight", units) },
  },
  {
    title: "a fully convolutional classifier with logits of shape [N, 3, 1, 1]",
    shape: [2, 3, 3],
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 4));
      const pooled = model.node("GlobalAveragePool", [a]);
      return model.conv(pooled, { name: "head", inputs: 4, units: CLASSES, kernel: [1, 1] });
    },
    edits: { a: (model, units) => unread(model, "head.weight", units) },
  },
  {
    title: "a network that reads its input again behind the cut",
    shape: [5],
    draw: (model) => {
      const a = relu(model, model.dense("x", "a", 5, 4));
      return model.dense(model.node("Concat", ["x", a], { axis: 1n }), "head", 9, CLASSES);
    },
    edits: {
      a: (model, units) =>
        unread(
          model,
          "head.weight",
          units.map((unit) => unit + 5),
        ),
    },
  },
];

/** Seeded sets of units of a layer: none, one, some, all. */
export function setsOf(units: number): Int32Array[] {
  const order = rng(0, "sets", units).shuffle(Int32Array.from({ length: units }, (_, unit) => unit));
  return [0, 1, Math.ceil(units / 2), units].map((size) => order.slice(0, size));
}
