import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { type Sketch, sketch } from "../support/models.ts";
import { claimedInfluences, observeInfluences, observeWrongSites } from "./observe.ts";

/** A network of the layers a and z (and more), and what must be found in it. Values are named by operator and count. */
interface Case {
  readonly title: string;
  readonly shape: readonly number[];
  readonly opset?: number;
  readonly draw: (model: Sketch) => string;
  /** Value that holds the output of layer a. */
  readonly output?: string;
  /** Value that holds a's units in front of its activation function. */
  readonly preActivation?: string;
  /** Unit of a at each input of z. */
  readonly index?: readonly number[];
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const repeated = (count: number, times: number): number[] =>
  range(count).flatMap((unit) => Array.from({ length: times }, () => unit));

const image = [2, 4, 4];
const convA = (model: Sketch, units = 4) => model.conv(model.input, { name: "a", inputs: 2, units });
const convZ = (model: Sketch, from: string, inputs = 4) =>
  model.conv(from, { name: "z", inputs, units: 3, kernel: [1, 1] });
const denseA = (model: Sketch, units = 4) => model.dense(model.input, "a", 3, units);

/** conv a - some nodes - conv z */
const between = (change: (model: Sketch, from: string) => string) => (model: Sketch) =>
  convZ(model, change(model, convA(model)));
/** dense a - some nodes - dense z */
const betweenDense = (change: (model: Sketch, from: string) => string) => (model: Sketch) =>
  model.dense(change(model, denseA(model)), "z", 4, 2);

const oneNode = (
  opType: string,
  options: Partial<Case> & { attributes?: Record<string, bigint | number> },
) => ({
  title: opType,
  shape: image,
  draw: between((model, from) => model.node(opType, [from], options.attributes)),
  output: `${opType.toLowerCase()}2`,
  preActivation: "a.out",
  index: range(4),
  ...options,
});

const activations = [
  "Relu LeakyRelu Elu Selu Sigmoid HardSigmoid HardSwish Softplus Softsign Tanh Erf Exp Abs Clip".split(" "),
]
  .flat()
  .map((opType): Case => oneNode(opType, {}));

const CASES: readonly Case[] = [
  ...activations,
  oneNode("Gelu", { opset: 20 }),
  oneNode("Mish", { opset: 18 }),
  oneNode("ThresholdedRelu", { attributes: { alpha: 0.1 } }),
  oneNode("Celu", {}),
  oneNode("Identity", { preActivation: "identity2" }),
  oneNode("Dropout", { preActivation: "dropout2" }),
  oneNode("Cast", { attributes: { to: 1n }, preActivation: "cast2" }),
  oneNode("Neg", { preActivation: "neg2" }),
  {
    title: "PRelu with a slope per channel",
    shape: image,
    draw: between((model, from) => model.node("PRelu", [from, model.floats("slope", [4, 1, 1])])),
    output: "prelu2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Clip with limits as inputs",
    shape: image,
    draw: between((model, from) =>
      model.node("Clip", [from, model.floats("low", [], [0]), model.floats("high", [], [6])]),
    ),
    output: "clip2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Max with the constant in front (a ReLU in disguise)",
    shape: image,
    draw: between((model, from) => model.node("Max", [model.floats("zero", [], [0]), from])),
    output: "max2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "SiLU as Sigmoid and Mul",
    shape: image,
    draw: between((model, from) => model.node("Mul", [from, model.node("Sigmoid", [from])])),
    output: "mul3",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "SiLU behind a bias of its own, Sigmoid on the left",
    shape: image,
    draw: between((model, from) => {
      const biased = model.node("Add", [model.floats("c", [4, 1, 1]), from]);
      return model.node("Mul", [model.node("Sigmoid", [biased]), biased]);
    }),
    output: "mul4",
    preActivation: "add2",
    index: range(4),
  },
  {
    title: "Gelu as Div, Erf, Add, Mul, Mul",
    shape: image,
    draw: between((model, from) => {
      const erf = model.node("Erf", [model.node("Div", [from, model.floats("root", [], [Math.SQRT2])])]);
      const product = model.node("Mul", [from, model.node("Add", [erf, model.floats("one", [], [1])])]);
      return model.node("Mul", [product, model.floats("half", [], [0.5])]);
    }),
    output: "mul6",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Gelu in its tanh form",
    shape: image,
    draw: between((model, from) => {
      const cube = model.node("Mul", [from, model.node("Mul", [from, from])]);
      const small = model.node("Mul", [cube, model.floats("c", [], [0.044715])]);
      const sum = model.node("Mul", [model.node("Add", [from, small]), model.floats("k", [], [0.7978846])]);
      const gate = model.node("Add", [model.node("Tanh", [sum]), model.floats("one", [], [1])]);
      return model.node("Mul", [model.node("Mul", [from, gate]), model.floats("half", [], [0.5])]);
    }),
    output: "mul10",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "HardSwish as Add, Clip, Div, Mul",
    shape: image,
    draw: between((model, from) => {
      const shifted = model.node("Add", [from, model.floats("three", [], [3])]);
      const clipped = model.node("Clip", [
        shifted,
        model.floats("zero", [], [0]),
        model.floats("six", [], [6]),
      ]);
      return model.node("Mul", [from, model.node("Div", [clipped, "six"])]);
    }),
    output: "mul5",
    preActivation: "a.out",
    index: range(4),
  },
  ...["MaxPool", "AveragePool", "LpPool"].map(
    (opType): Case => ({
      title: `Relu and ${opType}`,
      shape: image,
      draw: between((model, from) => {
        const list = { kernel_shape: [2n, 2n], strides: [2n, 2n] } as const;
        return model.node(opType, [model.node("Relu", [from])], list);
      }),
      output: `${opType.toLowerCase()}3`,
      preActivation: "a.out",
      index: range(4),
    }),
  ),
  ...["GlobalAveragePool", "GlobalMaxPool"].map((opType) => oneNode(opType, {})),
  {
    title: "Resize",
    shape: image,
    draw: between((model, from) =>
      model.node("Resize", [from, "", model.floats("scales", [4], [1, 1, 2, 2])]),
    ),
    output: "resize2",
    preActivation: "a.out",
    index: range(4),
  },
  ...[
    { opset: 13, axes: "attribute" },
    { opset: 17, axes: "attribute" },
    { opset: 18, axes: "input" },
  ].map(
    ({ opset, axes }): Case => ({
      title: `ReduceMean over space, axes as ${axes}, opset ${opset}`,
      shape: image,
      opset,
      draw: (model) => {
        const from = convA(model);
        const attributes = axes === "attribute" ? { axes: [2n, -1n] as const } : {};
        const inputs = axes === "attribute" ? [from] : [from, model.ints([-2, 3])];
        const mean = model.node("ReduceMean", inputs, { ...attributes, keepdims: 0n });
        return model.dense(mean, "z", 4, 2);
      },
      output: "reducemean2",
      preActivation: "a.out",
      index: range(4),
    }),
  ),
  {
    title: "ReduceMean over space that keeps its axes",
    shape: image,
    draw: between((model, from) => model.node("ReduceMean", [from], { axes: [2n, 3n] })),
    output: "reducemean2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Flatten of a map of 2 x 2",
    shape: [2, 2, 2],
    draw: (model) => model.dense(model.node("Flatten", [convA(model)]), "z", 16, 2),
    output: "flatten2",
    preActivation: "a.out",
    index: repeated(4, 4),
  },
  {
    title: "Flatten of a map in N, H, W, C order",
    shape: [2, 2, 2],
    draw: (model) => {
      const last = model.node("Transpose", [convA(model)], { perm: [0n, 2n, 3n, 1n] });
      return model.dense(model.node("Flatten", [last]), "z", 16, 2);
    },
    output: "flatten3",
    preActivation: "a.out",
    index: [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
  },
  {
    title: "Reshape to [0, -1]",
    shape: [2, 2, 2],
    draw: (model) => model.dense(model.node("Reshape", [convA(model), model.ints([0, -1])]), "z", 16, 2),
    output: "reshape2",
    preActivation: "a.out",
    index: repeated(4, 4),
  },
  {
    title: "x.view(x.size(0), -1) as PyTorch writes it",
    shape: [2, 2, 2],
    opset: 13,
    draw: (model) => {
      const from = model.node("Relu", [convA(model)]);
      const size = model.node("Gather", [model.node("Shape", [from]), model.ints([0], [])], { axis: 0n });
      const unsqueezed = model.node("Unsqueeze", [size, model.ints([0])]);
      const shape = model.node("Concat", [unsqueezed, model.ints([-1])], { axis: 0n });
      return model.dense(model.node("Reshape", [from, shape]), "z", 16, 2);
    },
    output: "reshape7",
    preActivation: "a.out",
    index: repeated(4, 4),
  },
  {
    title: "Squeeze of pooled maps, axes as attribute",
    shape: image,
    opset: 11,
    draw: (model) => {
      const pooled = model.node("GlobalAveragePool", [convA(model)]);
      return model.dense(model.node("Squeeze", [pooled], { axes: [2n, 3n] }), "z", 4, 2);
    },
    output: "squeeze3",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Squeeze of pooled maps, axes as input",
    shape: image,
    opset: 13,
    draw: (model) => {
      const pooled = model.node("GlobalAveragePool", [convA(model)]);
      return model.dense(model.node("Squeeze", [pooled, model.ints([2, 3])]), "z", 4, 2);
    },
    output: "squeeze3",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Unsqueeze in front of a 1 x 1 convolution",
    shape: [3],
    draw: (model) => convZ(model, model.node("Unsqueeze", [denseA(model), model.ints([2, 3])])),
    output: "unsqueeze2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "channel shuffle by Reshape, Transpose, Reshape",
    shape: image,
    draw: (model) => {
      const split = model.node("Reshape", [convA(model, 6), model.ints([0, 2, 3, 4, 4])]);
      const swapped = model.node("Transpose", [split], { perm: [0n, 2n, 1n, 3n, 4n] });
      return convZ(model, model.node("Reshape", [swapped, model.ints([0, 6, 4, 4])]), 6);
    },
    output: "reshape4",
    preActivation: "a.out",
    index: [0, 3, 1, 4, 2, 5],
  },
  {
    title: "Gather of channels, one twice",
    shape: image,
    draw: between((model, from) => model.node("Gather", [from, model.ints([3, 0, -3, 0])], { axis: 1n })),
    output: "a.out",
    index: [3, 0, 1, 0],
  },
  {
    title: "Gather of one spatial row",
    shape: image,
    draw: between((model, from) => model.node("Gather", [from, model.ints([1])], { axis: 2n })),
    output: "a.out",
    index: range(4),
  },
  {
    title: "Gather of one position of a sequence",
    shape: [3, 5],
    draw: (model) => {
      const conv = model.conv(model.input, { name: "a", inputs: 3, units: 4, kernel: [3] });
      const first = model.node("Gather", [conv, model.ints([0], [])], { axis: 2n });
      return model.dense(first, "z", 4, 2);
    },
    output: "a.out",
    index: range(4),
  },
  {
    title: "Slice of channels with a step, inputs for everything",
    shape: image,
    draw: (model) => {
      const sliced = model.node("Slice", [
        convA(model, 6),
        model.ints([1]),
        model.ints([9999]),
        model.ints([-3]),
        model.ints([2]),
      ]);
      return convZ(model, sliced, 3);
    },
    output: "a.out",
    index: [1, 3, 5],
  },
  {
    title: "Slice of channels backwards",
    shape: image,
    draw: between((model, from) =>
      model.node("Slice", [from, model.ints([-1]), model.ints([-9999]), model.ints([1]), model.ints([-1])]),
    ),
    output: "a.out",
    index: [3, 2, 1, 0],
  },
  {
    title: "Slice by attributes (opset 9), channels and rows",
    shape: image,
    opset: 9,
    draw: (model) => {
      const ranges = { starts: [1n, 0n], ends: [-1n, 2n], axes: [1n, 2n] } as const;
      return convZ(model, model.node("Slice", [convA(model)], ranges), 2);
    },
    output: "a.out",
    index: [1, 2],
  },
  {
    title: "Slice without axes",
    shape: image,
    draw: (model) => {
      const ranges = [model.ints([0, 2]), model.ints([9, 4])];
      return convZ(model, model.node("Slice", [convA(model), ...ranges]), 2);
    },
    output: "a.out",
    index: [2, 3],
  },
  {
    title: "Pad of space",
    shape: image,
    draw: between((model, from) => model.node("Pad", [from, model.ints([0, 0, 1, 1, 0, 0, 1, 1])])),
    output: "pad2",
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "Pad of channels (ResNet's parameter-free shortcut)",
    shape: image,
    draw: (model) => convZ(model, model.node("Pad", [convA(model), model.ints([0, 1, 0, 0, 0, 2, 0, 0])]), 7),
    output: "pad2",
    preActivation: "a.out",
    index: [-1, 0, 1, 2, 3, -1, -1],
  },
  {
    title: "Pad of a single channel",
    shape: image,
    draw: (model) =>
      convZ(model, model.node("Pad", [convA(model, 1), model.ints([0, 1, 0, 0, 0, 1, 0, 0])]), 3),
    output: "pad2",
    preActivation: "a.out",
    index: [-1, 0, -1],
  },
  {
    title: "Pad of copies of a single channel",
    shape: image,
    draw: (model) => {
      const copies = model.node("Gather", [convA(model, 1), model.ints([0, 0])], { axis: 1n });
      const folded = model.node("Reshape", [copies, model.ints([0, 2, 2, 8])]);
      return convZ(model, model.node("Pad", [folded, model.ints([0, 1, 0, 0, 0, 0, 0, 0])]), 3);
    },
    output: "a.out",
    index: [-1, 0, 0],
  },
  {
    title: "Pad of channels by attribute (opset 9), negative in front",
    shape: image,
    opset: 9,
    draw: (model) =>
      convZ(model, model.node("Pad", [convA(model)], { pads: [0n, -1n, 0n, 0n, 0n, 1n, 0n, 0n] })),
    output: "a.out",
    index: [1, 2, 3, -1],
  },
  {
    title: "Pad with axes as input (opset 18)",
    shape: image,
    opset: 18,
    draw: (model) =>
      convZ(
        model,
        model.node("Pad", [convA(model), model.ints([1, 0]), model.floats("v", [], [0]), model.ints([1])]),
        5,
      ),
    output: "pad2",
    preActivation: "a.out",
    index: [-1, 0, 1, 2, 3],
  },
  {
    title: "a layer of one unit",
    shape: [3],
    draw: (model) => model.dense(model.node("Relu", [denseA(model, 1)]), "z", 1, 2),
    output: "relu2",
    preActivation: "a.out",
    index: [0],
  },
  {
    title: "a map of one channel, flattened",
    shape: [2, 2, 2],
    draw: (model) => model.dense(model.node("Flatten", [convA(model, 1)]), "z", 4, 2),
    output: "flatten2",
    preActivation: "a.out",
    index: [0, 0, 0, 0],
  },
  {
    title: "a second consumer of the sum",
    shape: image,
    draw: (model) => {
      const from = convA(model);
      return convZ(model, model.node("Concat", [from, model.node("Tanh", [from])], { axis: 1n }), 8);
    },
    output: "a.out",
  },
  {
    title: "a graph output on the way",
    shape: image,
    draw: between((model, from) => {
      model.node("Identity", [from], {}, { outputs: ["seen"] });
      return model.node("Relu", [from]);
    }),
    preActivation: "a.out",
    index: range(4),
  },
  {
    title: "LRN, which mixes channels",
    shape: image,
    draw: between((model, from) => model.node("LRN", [model.node("Relu", [from])], { size: 3n })),
    output: "relu2",
    preActivation: "a.out",
  },
  {
    title: "Relu of a dense layer",
    shape: [3],
    draw: betweenDense((model, from) => model.node("Relu", [from])),
    output: "relu2",
    preActivation: "a.out",
    index: range(4),
  },
];

async function load(drawn: Case): Promise<Network> {
  const model = sketch(drawn.shape, { opset: drawn.opset ?? 17 });
  const made = drawn.draw(model);
  return loadNetworkBytes(model.encode(made), "drawn.onnx");
}

describe("operators", () => {
  it.each(CASES)("$title", async (drawn) => {
    const network = await load(drawn);
    const [a, z] = network.layers;
    expect(network.skipped).toEqual([]);
    expect([a?.name, z?.name]).toEqual(["a", "z"]);
    if (drawn.output !== undefined) expect(a?.output.value).toBe(drawn.output);
    if (drawn.preActivation !== undefined) expect(a?.preActivation.value).toBe(drawn.preActivation);
    const connections = network.connections.filter(({ source }) => source === 0);
    if (drawn.index !== undefined) {
      expect(connections.map(({ target, index }) => [target, [...index]])).toEqual([[1, drawn.index]]);
    }
    expect(await observeWrongSites(network)).toEqual([]);
    // LRN mixes neighbours; the units themselves still go straight on.
    if (!drawn.title.startsWith("LRN")) {
      expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    }
  });
});
