import { describe, expect, it } from "vitest";
import { type JointLesion, openLesionedLogits } from "../../../src/network/joint-lesions.ts";
import { halfBits } from "../../../src/network/narrow/half-floats.ts";
import {
  countParameters,
  encodeNarrowed,
  type LayerForm,
  narrowNetwork,
} from "../../../src/network/narrow/narrow-network.ts";
import { loadNetworkBytes, type Network } from "../../../src/network/network.ts";
import type { InputSource } from "../../../src/network/outcomes.ts";
import { meanOutputs } from "../../../src/network/replacement.ts";
import {
  buildModel,
  DataType,
  decodeModel,
  makeHalfTensor,
  makeNode,
  makeUntypedValueInfo,
} from "../../../src/runtime/onnx.ts";
import { othersOf } from "../../../src/scores/keep-only.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { exportBytes, exportData, exportNames } from "../../support/exports.ts";
import { CASES, CLASSES, conv, head, relu } from "../../support/lesion-cases.ts";
import { edited, randomData, type Sketch, sketch } from "../../support/models.ts";
import { drawNetwork, SIZE } from "../../support/random-network.ts";
import { type KeptUnits, largestDifference, runOutputs, splicedOutputs } from "../../support/spliced.ts";

const NOTES = { producer: { name: "brodmann", version: "0" }, metadata: new Map<string, string>() };
const COUNT = 8;

type Data = InputSource & { readonly values: Float32Array };

/** A seeded share of every layer's units, at least one of each where the share is above 0. */
function drawKept(network: Network, share: number, seed = 0): KeptUnits[] {
  return network.layers
    .filter(({ isLogits }) => !isLogits)
    .map((layer) => {
      const order = rng(seed, "kept", layer.name).shuffle(
        Int32Array.from({ length: layer.units }, (_, u) => u),
      );
      return { layer, units: order.slice(0, Math.ceil(share * layer.units)).sort() };
    });
}

/** Extracts, and expects the file's outputs to be those of the spliced network and of the program's lesions. */
async function expectSame(network: Network, kept: readonly KeptUnits[], data: Data, tolerance = 1e-5) {
  const layers = kept.map(({ layer }) => layer);
  const values = await meanOutputs(network, layers, data);
  const means = new Map(layers.map(({ name }, i) => [name, values[i] as Float32Array]));
  const narrowed = await narrowNetwork(network, kept, means);
  const bytes = encodeNarrowed(network, narrowed, NOTES);
  const found = await runOutputs(bytes, network, data.values, data.count);
  const expected = await splicedOutputs(network, kept, data.values, data.count);
  expect(largestDifference(found, expected)).toBeLessThan(tolerance);
  const again = await loadNetworkBytes(bytes, "again", { inputShape: network.inputShape });
  expect(again.graph.outputs).toEqual(network.graph.outputs);
  expect(again.probe.input).toBe(network.probe.input);
  const lesion = kept.map(({ layer, units }) => ({ layer, units: othersOf(units, layer.units) }));
  const logitsOf = async (one: Network, silenced: JointLesion) => {
    const opened = await openLesionedLogits(one, silenced, means);
    const all: number[] = [];
    const batch = one.probe.fixedBatch ?? data.count;
    for (let start = 0; start < data.count; start += batch)
      all.push(...(await opened.run(data, start, batch)));
    await opened.dispose();
    return all;
  };
  const logits = await logitsOf(network, lesion);
  const own = await logitsOf(again, []);
  expect(own).toHaveLength(logits.length);
  const most = Math.max(1, ...logits.map(Math.abs));
  for (const [i, value] of logits.entries())
    expect(Math.abs((own[i] ?? Number.NaN) - value) / most).toBeLessThan(tolerance);
  return { narrowed, bytes, again, found, forms: narrowed.layers.map(({ form }) => form) };
}

const image = [2, 6, 6];

interface Drawn {
  readonly title: string;
  readonly shape: readonly number[];
  readonly draw: (model: Sketch) => string | string[];
  readonly forms: readonly LayerForm[];
  readonly opset?: number;
  /** Whether the input reaches the logits past all layers. */
  readonly isBypassed?: boolean;
}

const strided = (model: Sketch, from: string, name: string, inputs: number, units: number) =>
  model.conv(from, { name, inputs, units, attributes: { strides: [2n, 2n] } });

const DRAWN: readonly Drawn[] = [
  {
    title: "strides, padding, average pooling with padding",
    shape: image,
    draw: (model) => {
      const a = relu(model, strided(model, "x", "a", 2, 6));
      const b = relu(model, conv(model, a, "b", 6, 8));
      const attributes = { kernel_shape: [3n, 3n], pads: [1n, 1n, 1n, 1n] } as const;
      return head(model, conv(model, model.node("AveragePool", [b], attributes), "c", 8, 6), 6);
    },
    forms: ["narrowed", "narrowed", "narrowed"],
  },
  {
    title: "a depthwise convolution with two units for each channel, one of which may go",
    shape: image,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 6));
      const b = relu(model, model.conv(a, { name: "b", inputs: 6, units: 12, groups: 6 }));
      return head(model, conv(model, b, "c", 12, 4), 4);
    },
    forms: ["narrowed", "narrowed", "narrowed"],
  },
  {
    title: "an inverted bottleneck with a residual connection",
    shape: image,
    draw: (model) => {
      const stem = conv(model, "x", "stem", 2, 6);
      const clip = (from: string) =>
        model.node("Clip", [
          from,
          model.floats(`${from}.min`, [], [0]),
          model.floats(`${from}.max`, [], [6]),
        ]);
      const up = clip(
        model.batchNorm(model.conv(stem, { name: "up", inputs: 6, units: 12, kernel: [1, 1] }), "n1", 12),
      );
      const deep = clip(
        model.batchNorm(model.conv(up, { name: "deep", inputs: 12, units: 12, groups: 12 }), "n2", 12),
      );
      const down = model.batchNorm(
        model.conv(deep, { name: "down", inputs: 12, units: 6, kernel: [1, 1] }),
        "n3",
        6,
      );
      return head(model, model.node("Add", [stem, down]), 6);
    },
    forms: ["restored", "narrowed", "narrowed", "restored"],
  },
  {
    title: "PRelu with a slope for each channel, LeakyRelu, global maximum",
    shape: image,
    draw: (model) => {
      const a = model.node("PRelu", [conv(model, "x", "a", 2, 6), model.floats("slope", [6, 1, 1])]);
      const b = model.node("LeakyRelu", [conv(model, a, "b", 6, 5)]);
      return model.dense(model.node("Flatten", [model.node("GlobalMaxPool", [b])]), "head", 5, CLASSES);
    },
    forms: ["narrowed", "narrowed"],
  },
  {
    title: "a U-shape: Resize, Pad, Concat of a skip",
    shape: image,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 5));
      const b = relu(model, strided(model, a, "b", 5, 6));
      const scales = model.floats("scales", [4], [1, 1, 2, 2]);
      const up = model.node("Resize", [b, "", scales], { mode: "nearest" });
      const both = model.node("Concat", [a, up], { axis: 1n });
      const padded = model.node("Pad", [both, model.ints([0, 0, 1, 1, 0, 0, 1, 1])]);
      return head(model, conv(model, padded, "c", 11, 6), 6);
    },
    forms: ["narrowed", "narrowed", "narrowed"],
  },
  {
    title: "a Gemm with alpha, beta and an untransposed kernel, a product in front of a bias",
    shape: [5],
    draw: (model) => {
      const a = model.node("Tanh", [model.dense("x", "a", 5, 8)]);
      const parameters = [model.floats("b.weight", [8, 7]), model.floats("b.bias", [7])];
      const b = model.node("Gemm", [a, ...parameters], { alpha: 0.5, beta: 2 }, { name: "b" });
      const c = model.node("MatMul", [relu(model, b), model.floats("c.weight", [7, 6])], {}, { name: "c" });
      return model.dense(
        relu(model, model.node("Add", [c, model.floats("c.bias", [6])])),
        "head",
        6,
        CLASSES,
      );
    },
    forms: ["narrowed", "narrowed", "narrowed"],
  },
  {
    title: "GELU as exporters write it, with LayerNormalization over a residual stream of tokens",
    shape: [4, 6],
    draw: (model) => {
      const gelu = (from: string) => {
        const scaled = model.node("Div", [from, model.floats(`${from}.root`, [], [Math.SQRT2])]);
        const sum = model.node("Add", [model.node("Erf", [scaled]), model.floats(`${from}.one`, [], [1])]);
        return model.node("Mul", [model.node("Mul", [from, sum]), model.floats(`${from}.half`, [], [0.5])]);
      };
      const normed = (from: string, name: string) =>
        model.node(
          "LayerNormalization",
          [from, model.floats(`${name}.g`, [6]), model.floats(`${name}.b`, [6])],
          { axis: -1n },
        );
      const linear = (from: string, name: string, inputs: number, units: number) =>
        model.node("Add", [
          model.node("MatMul", [from, model.floats(`${name}.weight`, [inputs, units])], {}, { name }),
          model.floats(`${name}.bias`, [units]),
        ]);
      const one = model.node("Add", [
        "x",
        linear(gelu(linear(normed("x", "n1"), "up1", 6, 10)), "down1", 10, 6),
      ]);
      const two = model.node("Add", [
        one,
        linear(gelu(linear(normed(one, "n2"), "up2", 6, 10)), "down2", 10, 6),
      ]);
      return model.dense(
        model.node("ReduceMean", [normed(two, "n3")], { axes: [1n], keepdims: 0n }),
        "head",
        6,
        CLASSES,
      );
    },
    forms: ["narrowed", "restored", "narrowed", "restored"],
    isBypassed: true,
  },
  {
    title: "tokens folded into the batch",
    shape: [4, 5],
    draw: (model) => {
      const rows = model.node("Reshape", ["x", model.ints([-1, 5])]);
      const a = relu(model, model.dense(rows, "a", 5, 6));
      const b = relu(model, model.dense(a, "b", 6, 7));
      const back = model.node("Reshape", [b, model.ints([-1, 4, 7])]);
      const c = model.node("MatMul", [back, model.floats("c.weight", [7, 6])], {}, { name: "c" });
      return model.dense(
        model.node("ReduceMean", [relu(model, c)], { axes: [1n], keepdims: 0n }),
        "head",
        6,
        CLASSES,
      );
    },
    forms: ["masked", "masked", "narrowed"],
  },
  {
    title: "a group norm over the units",
    shape: image,
    draw: (model) => {
      const a = conv(model, "x", "a", 2, 6);
      const folded = model.node("Reshape", [a, model.ints([0, 2, -1])]);
      const ones = [model.floats("ones", [2], [1, 1]), model.floats("zeros", [2], [0, 0])];
      const normed = model.node("InstanceNormalization", [folded, ...ones]);
      const shape = model.node("Shape", [a]);
      const b = relu(model, model.node("Reshape", [normed, shape]));
      return head(model, relu(model, conv(model, b, "b", 6, 5)), 5);
    },
    forms: ["restored", "narrowed"],
  },
  {
    title: "an instance norm, a softmax over units, a second output and a Softmax at the end",
    shape: image,
    draw: (model) => {
      const parameters = [model.floats("gamma", [6]), model.floats("beta", [6])];
      const a = model.node("InstanceNormalization", [conv(model, "x", "a", 2, 6), ...parameters]);
      const mixed = model.node("Softmax", [conv(model, relu(model, a), "b", 6, 4)], { axis: 1n });
      const c = relu(model, conv(model, mixed, "c", 4, 5));
      const logits = head(model, c, 5);
      return [model.node("Softmax", [logits], { axis: 1n }), c];
    },
    forms: ["narrowed", "restored", "restored"],
  },
  {
    title: "layers of a single unit",
    shape: image,
    draw: (model) => {
      const a = relu(model, conv(model, "x", "a", 2, 1));
      const b = relu(model, conv(model, a, "b", 1, 4));
      return head(model, model.node("Add", [b, relu(model, conv(model, "x", "c", 2, 1))]), 4);
    },
    forms: ["whole", "restored", "whole"],
  },
  {
    title: "a split, chunks of a gate, a reduction over the maps",
    shape: image,
    draw: (model) => {
      const a = conv(model, "x", "a", 2, 8);
      model.node("Split", [a, model.ints([4, 4])], { axis: 1n }, { outputs: ["p", "q"] });
      const gated = model.node("Mul", ["p", model.node("Sigmoid", ["q"])]);
      const b = relu(model, conv(model, gated, "b", 4, 6));
      const mean = model.node("ReduceMean", [b], { axes: [2n, 3n], keepdims: 0n });
      return model.dense(mean, "head", 6, CLASSES);
    },
    // What a gate lets through depends on both halves.
    forms: ["restored", "narrowed"],
  },
  {
    title: "operators that are not followed: LRN, DepthToSpace, one of another domain",
    shape: image,
    draw: (model) => {
      const a = model.node("LRN", [conv(model, "x", "a", 2, 6)], { size: 3n });
      const b = model.node("DepthToSpace", [relu(model, conv(model, a, "b", 6, 8))], { blocksize: 2n });
      const c = model.node("Gelu", [conv(model, b, "c", 2, 6)], {}, { domain: "com.microsoft" });
      return head(model, conv(model, c, "d", 6, 5), 5);
    },
    forms: ["restored", "restored", "restored", "narrowed"],
  },
  {
    title: "a branch of control flow that reads a layer",
    shape: [3],
    draw: (model) => {
      const a = relu(model, model.dense("x", "a", 3, 6));
      const branch = (opType: string) => {
        const inner = sketch([1]);
        const made = inner.node(opType, [a], {}, { outputs: [`${opType}.inner`] });
        return decodeModel(
          buildModel({ nodes: inner.nodes, inputs: [], outputs: [makeUntypedValueInfo(made)] }),
        ).graph;
      };
      const sum = model.node("ReduceSum", ["x"], { keepdims: 0n });
      const condition = model.node("Greater", [sum, model.floats("zero", [], [0])]);
      const chosen = model.node("If", [condition], { then_branch: [], else_branch: [] });
      const [thenBranch, elseBranch] = model.nodes.at(-1)?.attribute ?? [];
      // Type 5 is GRAPH.
      if (thenBranch) Object.assign(thenBranch, { type: 5, g: branch("Identity") });
      if (elseBranch) Object.assign(elseBranch, { type: 5, g: branch("Neg") });
      return model.dense(chosen, "head", 6, CLASSES);
    },
    forms: ["restored"],
    // Which branch is taken depends on the input.
    isBypassed: true,
  },
  ...[9, 11, 12, 18, 21].map(
    (opset): Drawn => ({
      title: `operator set ${opset}`,
      shape: image,
      opset,
      draw: (model) => {
        const stem = relu(model, conv(model, "x", "stem", 2, 6));
        const b = conv(model, relu(model, conv(model, stem, "a", 6, 5)), "b", 5, 6);
        const flat = model.node("Flatten", [relu(model, model.node("Add", [stem, b]))]);
        return model.dense(relu(model, model.dense(flat, "c", 216, 8)), "head", 8, CLASSES);
      },
      forms: ["restored", "narrowed", "restored", "narrowed"],
    }),
  ),
];

async function load({ title, shape, draw, opset = 17 }: Drawn) {
  const model = sketch(shape, { opset });
  const output = draw(model);
  const network = await loadNetworkBytes(model.encode(output), title);
  return { network, data: randomData(COUNT, shape, CLASSES) };
}

describe("a narrowed network", () => {
  it.each(DRAWN)("$title: half of the units, then one of each layer", async (drawn) => {
    const { network, data } = await load(drawn);
    const { forms } = await expectSame(network, drawKept(network, 0.5), data);
    expect(forms).toEqual(drawn.forms);
    await expectSame(network, drawKept(network, 0.01), data);
  });

  it.each(CASES)("$title", async ({ title, shape, draw, batch = "n" }) => {
    const model = sketch(shape, { batch });
    const network = await loadNetworkBytes(model.encode(draw(model)), title);
    const data = randomData(COUNT, shape, CLASSES);
    for (const share of [0.5, 0.01, 0]) await expectSame(network, drawKept(network, share), data);
  });

  it.each(exportNames)("%s, as exported by PyTorch", async (name) => {
    const network = await loadNetworkBytes(exportBytes(name), name);
    const data = exportData(name, 6, 2);
    await expectSame(network, drawKept(network, 0.3), data, 2e-5);
  });

  it.each(DRAWN)("$title: all units, and none", async (drawn) => {
    const { network, data } = await load(drawn);
    const all = await expectSame(network, drawKept(network, 1), data, 1e-6);
    expect(all.forms.every((form) => form === "whole")).toBe(true);
    expect(countParameters(all.narrowed.graph)).toBe(countParameters(network.graph));
    const none = await expectSame(network, drawKept(network, 0), data);
    for (const parts of drawn.isBypassed ? [] : none.found.values()) {
      const [part] = parts;
      const width = (part?.length ?? 0) / COUNT;
      part?.forEach((value, at) => {
        expect(value).toBe(part[at % width]);
      });
    }
  });

  it("holds kernels of the kept units alone, and no nodes that nothing reads", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 8));
    const b = relu(model, model.batchNorm(conv(model, a, "b", 8, 10), "bn", 10));
    const c = relu(model, model.dense(model.node("Flatten", [b]), "c", 360, 20));
    const network = await loadNetworkBytes(model.encode(model.dense(c, "head", 20, CLASSES)), "sizes");
    const [first, second, third] = network.layers;
    if (first === undefined || second === undefined || third === undefined) throw new Error("no layers");
    const data = randomData(COUNT, image, CLASSES);
    const kept = [
      { layer: first, units: Int32Array.of(1, 6) },
      { layer: second, units: Int32Array.of(0, 3, 9) },
      { layer: third, units: Int32Array.of(4, 5, 6, 19) },
    ];
    const { bytes, again } = await expectSame(network, kept, data);
    const sizes = new Map(
      decodeModel(bytes).graph?.initializer.map(({ name, dims }) => [name, dims.map(Number)]),
    );
    expect(sizes.get("a.weight")).toEqual([2, 2, 3, 3]);
    expect(sizes.get("b.weight")).toEqual([3, 2, 3, 3]);
    expect(sizes.get("bn.gamma")).toEqual([3]);
    expect(sizes.get("c.weight")).toEqual([4, 108]);
    expect(sizes.get("head.weight")).toEqual([CLASSES, 4]);
    expect(again.layers.map(({ name, units }) => [name, units])).toEqual([
      ["a", 2],
      ["b", 3],
      ["c", 4],
      ["head", CLASSES],
    ]);
    expect(again.connections.filter(({ source }) => source >= 0)).toHaveLength(3);
    // Without the first layer nothing of it or of what only it reads is left.
    const without = await expectSame(
      network,
      kept.map((one, i) => (i === 0 ? { ...one, units: new Int32Array() } : one)),
      data,
    );
    expect(without.again.layers.map(({ name }) => name)).toEqual(["head"]);
    expect(without.forms).toEqual(["constant", "unused", "unused"]);
  });

  it("folds what a product reads of constants into the bias behind it", async () => {
    const model = sketch([4, 5]);
    const linear = (from: string, name: string, inputs: number, units: number) => {
      const sum = model.node("MatMul", [from, model.floats(`${name}.weight`, [inputs, units])], {}, { name });
      return model.node("Add", [model.floats(`${name}.bias`, [units]), sum]);
    };
    const b = relu(model, linear(relu(model, linear("x", "a", 5, 8)), "b", 8, 6));
    const mean = model.node("ReduceMean", [b], { axes: [1n], keepdims: 0n });
    const network = await loadNetworkBytes(model.encode(linear(mean, "head", 6, CLASSES)), "products");
    const { again } = await expectSame(network, drawKept(network, 0.5), randomData(COUNT, [4, 5], CLASSES));
    const types = again.graph.nodes.map(({ opType }) => opType);
    expect(types.filter((type) => type === "MatMul")).toHaveLength(3);
    expect(types.filter((type) => type === "Add")).toHaveLength(3);
    expect(again.graph.nodes).toHaveLength(9);
  });

  it("stores half-precision weights in half precision", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 32));
    const b = relu(model, conv(model, a, "b", 32, 32));
    const whole = edited(model.encode(head(model, b, 32)), ({ graph }) => {
      for (const tensor of graph?.initializer ?? []) {
        const values = new Float32Array(new Uint8Array(tensor.rawData).buffer);
        const bits = Uint16Array.from(values, (value) => halfBits(Math.round(value * 256) / 256) ?? 0);
        Object.assign(tensor, makeHalfTensor(tensor.name, tensor.dims.map(Number), bits));
        tensor.name += "/half";
        graph?.node.unshift(makeNode("Cast", [tensor.name], [tensor.name.slice(0, -5)], { to: 1n }));
      }
    });
    const network = await loadNetworkBytes(whole, "half");
    const { bytes } = await expectSame(network, drawKept(network, 0.5), randomData(COUNT, image, CLASSES));
    const tensors = decodeModel(bytes).graph?.initializer ?? [];
    const kernels = new Map(
      tensors.map(({ name, dataType, dims }) => [name, [dataType, ...dims.map(Number)]]),
    );
    expect(kernels.get("a.weight/kept/half")).toEqual([DataType.FLOAT16, 16, 2, 3, 3]);
    expect(kernels.get("b.weight/kept/half")).toEqual([DataType.FLOAT16, 16, 16, 3, 3]);
  });

  it("tells half-precision numbers from others", () => {
    // IEEE 754 binary16: 1, -2, the largest, the least normal and the least subnormal number.
    const known = [
      [1, 0x3c00],
      [-2, 0xc000],
      [65504, 0x7bff],
      [2 ** -14, 0x0400],
      [2 ** -24, 0x0001],
      [0, 0],
      [65536, null],
      [1 + 2 ** -11, null],
      [2 ** -25, null],
      [Number.POSITIVE_INFINITY, null],
    ] as const;
    for (const [value, bits] of known) expect(halfBits(value)).toBe(bits);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))("random network %i", async (seed) => {
    const { model, output } = drawNetwork(seed);
    const network = await loadNetworkBytes(model.encode(output), `random ${seed}`);
    const data = randomData(COUNT, [2, SIZE, SIZE], 3);
    const shares = [0, 0.01, 0.3, 0.6];
    const kept = drawKept(network, 1, seed).map(({ layer, units }, i) => ({
      layer,
      units: units.slice(0, Math.ceil((shares[(seed + i) % 4] ?? 0) * layer.units)),
    }));
    await expectSame(network, kept, data);
  });
});
