import { describe, expect, it } from "vitest";
import { kernelOf, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { sketch, weightsOf } from "../support/models.ts";
import { claimedInfluences, observeInfluences } from "./observe.ts";

const load = (model: Uint8Array): Promise<Network> => loadNetworkBytes(model, "weights.onnx");

function kernel(network: Network, name: string) {
  const layer = network.layers.find((candidate) => candidate.name === name);
  if (layer === undefined) throw new Error(`no layer ${name}`);
  const { outputs, inputs, taps, values } = kernelOf(network, layer);
  return { outputs, inputs, taps, values: [...values] };
}

describe("convolutions", () => {
  it.each([
    { title: "plain", kernelShape: [3, 3], groups: 1, attributes: {} },
    { title: "strided", kernelShape: [3, 3], groups: 1, attributes: { strides: [2n, 2n] as const } },
    {
      title: "dilated",
      kernelShape: [3, 3],
      groups: 1,
      attributes: { dilations: [2n, 2n] as const, pads: [2n, 2n, 2n, 2n] as const },
    },
    { title: "unpadded", kernelShape: [3, 1], groups: 1, attributes: { pads: [0n, 0n, 0n, 0n] as const } },
    {
      title: "auto-padded",
      kernelShape: [3, 3],
      groups: 1,
      attributes: { auto_pad: "SAME_UPPER", pads: [] },
    },
    { title: "grouped", kernelShape: [3, 3], groups: 2, attributes: {} },
    { title: "depthwise", kernelShape: [3, 3], groups: 4, attributes: {} },
  ])("$title: units, kernel and its inputs", async ({ kernelShape, groups, attributes }) => {
    const model = sketch([2, 5, 5]);
    const from = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 4 })]);
    const made = model.conv(from, {
      name: "b",
      inputs: 4,
      units: 8,
      kernel: kernelShape,
      groups,
      attributes,
    });
    if ("auto_pad" in attributes) {
      const node = model.nodes.at(-1);
      if (node) node.attribute = node.attribute.filter(({ name }) => name !== "pads");
    }
    const bytes = model.encode(made);
    const network = await load(bytes);
    const b = network.layers[1];
    expect(b).toMatchObject({ name: "b", operator: "Conv", units: 8 });
    expect(b?.weights.kernel).toMatchObject({ groups, inputs: 4 / groups });
    expect(kernel(network, "b")).toEqual({
      outputs: 8,
      inputs: 4 / groups,
      taps: (kernelShape[0] as number) * (kernelShape[1] as number),
      values: [...weightsOf(bytes, "b.weight")],
    });
    // The connection lists all input channels, before grouping.
    expect(network.connections.map(({ source, target, index }) => [source, target, [...index]])).toEqual([
      [0, 1, [0, 1, 2, 3]],
    ]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("in one and in three dimensions", async () => {
    const line = sketch([2, 9]);
    const a = line.conv("x", { name: "a", inputs: 2, units: 3, kernel: [5] });
    const lineNetwork = await load(
      line.encode(line.conv(a, { name: "b", inputs: 3, units: 2, kernel: [3] })),
    );
    expect(kernel(lineNetwork, "b")).toMatchObject({ outputs: 2, inputs: 3, taps: 3 });
    expect(claimedInfluences(lineNetwork)).toEqual(await observeInfluences(lineNetwork));

    const space = sketch([1, 3, 3, 3]);
    const c = space.conv("x", { name: "a", inputs: 1, units: 3, kernel: [3, 3, 3] });
    const made = space.conv(c, { name: "b", inputs: 3, units: 2, kernel: [1, 3, 3] });
    const spaceNetwork = await load(space.encode(made));
    expect(kernel(spaceNetwork, "b")).toMatchObject({ outputs: 2, inputs: 3, taps: 9 });
    expect(spaceNetwork.connections).toHaveLength(1);
  });

  it("do not take pixels for units, dense layers do", async () => {
    const conv = sketch([3, 4, 4]);
    const convNetwork = await load(conv.encode(conv.conv("x", { name: "a", inputs: 3, units: 4 })));
    expect(convNetwork.connections).toEqual([]);
    expect(convNetwork.skipped).toEqual([]);

    const dense = sketch([1, 2, 3]);
    const made = dense.dense(dense.node("Flatten", ["x"]), "a", 6, 4);
    const denseNetwork = await load(dense.encode(made));
    expect(denseNetwork.connections.map(({ source, index }) => [source, [...index]])).toEqual([
      [-1, [0, 1, 2, 3, 4, 5]],
    ]);
  });
});

describe("dense layers", () => {
  it("Gemm without transB lists its kernel by outputs too, alpha included", async () => {
    const model = sketch([3]);
    model.floats("w", [3, 2], [1, 2, 3, 4, 5, 6]);
    const made = model.node("Gemm", ["x", "w"], { alpha: -0.5 }, { name: "g" });
    expect(kernel(await load(model.encode(made)), "g")).toEqual({
      outputs: 2,
      inputs: 3,
      taps: 1,
      values: [-0.5, -1.5, -2.5, -1, -2, -3],
    });
  });

  it("Gemm with transB keeps the stored order", async () => {
    const model = sketch([3]);
    model.floats("w", [2, 3], [1, 2, 3, 4, 5, 6]);
    const made = model.node("Gemm", ["x", "w"], { transB: 1n, alpha: 2 }, { name: "g" });
    expect(kernel(await load(model.encode(made)), "g").values).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it("MatMul with the constant on the right, bias added behind it", async () => {
    const model = sketch([3]);
    model.floats("w", [3, 2], [1, 2, 3, 4, 5, 6]);
    const product = model.node("MatMul", ["x", "w"], {}, { name: "m" });
    const biased = model.node("Add", [product, model.floats("b", [2])]);
    const active = model.node("Relu", [biased]);
    const network = await load(model.encode(model.dense(active, "z", 2, 2)));
    expect(network.layers[0]).toMatchObject({
      name: "m",
      operator: "MatMul",
      units: 2,
      preActivation: { value: biased },
      output: { value: active },
    });
    expect(kernel(network, "m").values).toEqual([1, 3, 5, 2, 4, 6]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("MatMul with the constant on the left", async () => {
    const model = sketch([3, 1]);
    model.floats("w", [2, 3], [1, 2, 3, 4, 5, 6]);
    const first = model.node("MatMul", ["w", "x"], {}, { name: "m" });
    const active = model.node("Relu", [first]);
    const second = model.node("MatMul", [model.floats("v", [4, 2]), active], {}, { name: "n" });
    const network = await load(model.encode(second));
    expect(kernel(network, "m").values).toEqual([1, 2, 3, 4, 5, 6]);
    expect(network.layers.map(({ units }) => units)).toEqual([2, 4]);
    expect(network.layers[0]?.output.map.dims).toEqual([1, 2, 1]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("MatMul over tokens: the hidden units of a transformer's MLP", async () => {
    const model = sketch([5, 3]);
    const up = model.node("MatMul", ["x", model.floats("up", [3, 6])], {}, { name: "up" });
    const active = model.node("Relu", [model.node("Add", [up, model.floats("upBias", [6])])]);
    const down = model.node("MatMul", [active, model.floats("down", [6, 3])], {}, { name: "down" });
    const stream = model.node("Add", [down, "x"]);
    const mean = model.node("ReduceMean", [stream], { axes: [1n], keepdims: 0n });
    const network = await load(model.encode(model.dense(mean, "head", 3, 2)));
    expect(network.layers.map(({ name, units }) => [name, units])).toEqual([
      ["up", 6],
      ["down", 3],
      ["head", 2],
    ]);
    expect(network.layers[0]?.output).toMatchObject({ value: active, map: { dims: [1, 1, 6] } });
    expect(network.layers[1]?.output.value).toBe(down);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("weights behind Identity, Transpose, Cast and Constant nodes", async () => {
    const model = sketch([3]);
    model.floats("stored", [2, 3], [1, 2, 3, 4, 5, 6]);
    const transposed = model.node("Transpose", [model.node("Identity", ["stored"])]);
    const half = model.node("Cast", [transposed], { to: 11n });
    const weight = model.node("Cast", [half], { to: 1n });
    const product = model.node("MatMul", ["x", weight], {}, { name: "m" });
    const network = await load(model.encode(model.dense(model.node("Relu", [product]), "z", 2, 2)));
    expect(kernel(network, "m").values).toEqual([1, 2, 3, 4, 5, 6]);
    expect(network.skipped).toEqual([]);
  });

  it("weights of Constant nodes, and dequantized ones", async () => {
    const model = sketch([2]);
    model.floats("w", [2, 2], [1, 2, 3, 4]);
    const constant = model.node("Constant", [], { value: [] });
    const attribute = model.nodes[0]?.attribute[0];
    const tensor = model.initializers.pop();
    // Type 4 is TENSOR.
    if (attribute && tensor) Object.assign(attribute, { type: 4, t: tensor });
    const first = model.node("MatMul", ["x", constant], {}, { name: "m" });
    const scale = model.floats("scale", [], [0.5]);
    const whole = model.ints([2, 4, 6, 8], [2, 2]);
    const narrow = model.node("Cast", [whole], { to: 3n });
    const second = model.node("DequantizeLinear", [narrow, scale]);
    const made = model.node("MatMul", [model.node("Relu", [first]), second], {}, { name: "n" });
    const network = await load(model.encode(made));
    expect(kernel(network, "m").values).toEqual([1, 3, 2, 4]);
    expect(kernel(network, "n").values).toEqual([1, 3, 2, 4]);
  });

  it("follows values through attention, and names the product of queries and keys", async () => {
    const model = sketch([4, 3]);
    const dense = (from: string, name: string) =>
      model.node("MatMul", [from, model.floats(name, [3, 3])], {}, { name });
    const [q, k, v] = ["q", "k", "v"].map((name) => dense("x", name)) as [string, string, string];
    const turned = model.node("Transpose", [k], { perm: [0n, 2n, 1n] });
    const weights = model.node("MatMul", [q, turned], {}, { name: "scores" });
    const mixed = model.node("MatMul", [model.node("Softmax", [weights]), v], {}, { name: "mixed" });
    const up = dense(model.node("Add", ["x", dense(mixed, "o")]), "up");
    const down = dense(model.node("Relu", [up]), "down");
    const network = await load(model.encode(model.node("ReduceMean", [down], { axes: [1n], keepdims: 0n })));
    expect(network.layers.map(({ name }) => name)).toEqual(["q", "k", "v", "o", "up", "down"]);
    expect(network.skipped).toEqual([
      {
        node: "scores",
        operator: "MatMul",
        reason: "it sums products of units (queries and keys), which are not followed",
      },
    ]);
    const pairs = network.connections
      .filter(({ source }) => source >= 0)
      .map(({ source, target }) => [network.layers[source]?.name, network.layers[target]?.name]);
    expect(pairs).toEqual([
      ["v", "o"],
      ["o", "up"],
      ["up", "down"],
    ]);
  });

  it("names a computed value added inside a Gemm", async () => {
    const model = sketch([3]);
    const a = model.node("Relu", [model.dense("x", "a", 3, 3)]);
    const made = model.node("Gemm", [a, model.floats("w", [3, 3]), a], {}, { name: "g" });
    const network = await load(model.encode(made));
    expect(network.skipped).toEqual([
      { node: "g", operator: "Gemm", reason: "it adds a computed value, which is not followed" },
    ]);
  });

  it("names Gemm and MatMul nodes that it cannot read", async () => {
    const model = sketch([3]);
    const a = model.dense("x", "a", 3, 3);
    const turned = model.node("Transpose", [a]);
    const gemm = model.node("Gemm", [turned, model.floats("w", [3, 3])], { transA: 1n }, { name: "g" });
    const stacked = model.node("MatMul", [gemm, model.floats("v", [1, 3, 3])], {}, { name: "m" });
    const vector = model.node("MatMul", [stacked, model.floats("u", [3])], {}, { name: "n" });
    const network = await load(model.encode([vector, gemm]));
    expect(network.layers.map(({ name }) => name)).toEqual(["a"]);
    expect(network.skipped).toEqual([{ node: "g", operator: "Gemm", reason: "its data side is transposed" }]);
  });
});
