import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { buildModel, decodeModel, makeUntypedValueInfo } from "../../src/runtime/onnx.ts";
import { type Sketch, sketch } from "../support/models.ts";
import { claimedInfluences, observeInfluences } from "./observe.ts";

const image = [2, 4, 4];
const conv = (model: Sketch, from: string, name: string, inputs: number, units: number) =>
  model.conv(from, { name, inputs, units, kernel: [1, 1] });
const relu = (model: Sketch, from: string) => model.node("Relu", [from]);

const load = (model: Sketch, output: string | string[]): Promise<Network> =>
  loadNetworkBytes(model.encode(output), "topology");

/** Connections between layers as "source>target". */
const pairsOf = ({ connections, layers }: Network): string[] =>
  connections
    .filter(({ source }) => source >= 0)
    .map(({ source, target }) => `${layers[source]?.name}>${layers[target]?.name}`);

const outputsOf = ({ layers }: Network): Record<string, string> =>
  Object.fromEntries(layers.map(({ name, output }) => [name, output.value]));

describe("residual streams", () => {
  it("connect everything that writes to everything that reads, identity and projection shortcuts", async () => {
    const model = sketch(image);
    const stem = relu(model, conv(model, "x", "stem", 2, 4));
    const b1 = conv(model, relu(model, conv(model, stem, "a1", 4, 4)), "b1", 4, 4);
    const stream1 = relu(model, model.node("Add", [b1, stem]));
    const b2 = conv(model, relu(model, conv(model, stream1, "a2", 4, 5)), "b2", 5, 6);
    const shortcut = conv(model, stream1, "shortcut", 4, 6);
    const stream2 = relu(model, model.node("Sum", [b2, shortcut]));
    const pooled = model.node("Flatten", [model.node("GlobalAveragePool", [stream2])]);
    const network = await load(model, model.dense(pooled, "head", 6, 3));
    expect(network.skipped).toEqual([]);
    expect(pairsOf(network)).toEqual([
      "stem>a1",
      "a1>b1",
      "b1>a2",
      "stem>a2",
      "a2>b2",
      "b1>shortcut",
      "stem>shortcut",
      "b2>head",
      "shortcut>head",
    ]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    // What a layer itself writes: up to the Add, not beyond; the stem's ReLU is read twice.
    expect(outputsOf(network)).toEqual({
      stem: "relu2",
      a1: "relu4",
      b1: "b1.out",
      a2: "relu9",
      b2: "b2.out",
      shortcut: "shortcut.out",
      head: "head.out",
    });
  });

  it("with pre-activation blocks and batch norms on the branches", async () => {
    const model = sketch(image);
    const stem = conv(model, "x", "stem", 2, 4);
    const first = relu(model, model.batchNorm(stem, "bn1", 4));
    const middle = relu(model, model.batchNorm(conv(model, first, "a", 4, 4), "bn2", 4));
    const stream = model.node("Add", [stem, conv(model, middle, "b", 4, 4)]);
    const last = relu(model, model.batchNorm(stream, "bn3", 4));
    const network = await load(model, conv(model, last, "z", 4, 3));
    expect(pairsOf(network)).toEqual(["stem>a", "a>b", "stem>z", "b>z"]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(outputsOf(network)).toMatchObject({ stem: "stem.out", a: middle, b: "b.out" });
  });

  it("with a shortcut that pads channels and halves the map", async () => {
    const model = sketch(image);
    const stem = relu(model, conv(model, "x", "stem", 2, 3));
    const strided = model.conv(stem, {
      name: "a",
      inputs: 3,
      units: 5,
      attributes: { strides: [2n, 2n] },
    });
    const every = ["Slice", [stem, model.ints([0, 0]), model.ints([99, 99]), model.ints([2, 3])]] as const;
    const small = model.node(every[0], [...every[1], model.ints([2, 2])]);
    const padded = model.node("Pad", [small, model.ints([0, 1, 0, 0, 0, 1, 0, 0])]);
    const network = await load(model, conv(model, model.node("Add", [strided, padded]), "z", 5, 2));
    expect(network.skipped).toEqual([]);
    expect(pairsOf(network)).toEqual(["stem>a", "a>z", "stem>z"]);
    const shortcut = network.connections.find(({ source, target }) => source === 0 && target === 2);
    expect([...(shortcut?.index ?? [])]).toEqual([-1, 0, 1, 2, -1]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("where a layer is added to a function of itself, its units stay apart", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const sum = model.node("Add", [a, model.node("Tanh", [a])]);
    const network = await load(model, conv(model, relu(model, sum), "z", 4, 2));
    expect(pairsOf(network)).toEqual(["a>z"]);
    expect(network.layers[0]?.preActivation.value).toBe("a.out");
    expect(network.layers[0]?.output.value).toBe("relu4");
  });

  it("where a layer is added to its own units in another order, the path ends", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const turned = model.node("Gather", [a, model.ints([3, 2, 1, 0])], { axis: 1n });
    const network = await load(model, conv(model, model.node("Add", [a, turned]), "z", 4, 2));
    expect(pairsOf(network)).toEqual(["a>z", "a>z"]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(network.layers[0]?.output.value).toBe("a.out");
  });

  it("a value of one channel broadcast over a stream reaches all of its channels", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const one = conv(model, "x", "one", 2, 1);
    const network = await load(model, conv(model, model.node("Add", [a, one]), "z", 4, 2));
    const connection = network.connections.find(({ source }) => source === 1);
    expect([...(connection?.index ?? [])]).toEqual([0, 0, 0, 0]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });
});

describe("concatenation", () => {
  it("as in a dense net: every layer reads all before it, each at its place", async () => {
    const model = sketch(image);
    const stem = conv(model, "x", "stem", 2, 3);
    const one = conv(model, relu(model, model.batchNorm(stem, "bn1", 3)), "one", 3, 2);
    const both = model.node("Concat", [stem, one], { axis: 1n });
    const two = conv(model, relu(model, model.batchNorm(both, "bn2", 5)), "two", 5, 2);
    const all = model.node("Concat", [both, two], { axis: -3n });
    const network = await load(model, conv(model, relu(model, model.batchNorm(all, "bn3", 7)), "z", 7, 2));
    expect(pairsOf(network)).toEqual(["stem>one", "stem>two", "one>two", "stem>z", "one>z", "two>z"]);
    const indices = network.connections.filter(({ target }) => target === 3).map(({ index }) => [...index]);
    expect(indices).toEqual([
      [0, 1, 2, -1, -1, -1, -1],
      [-1, -1, -1, 0, 1, -1, -1],
      [-1, -1, -1, -1, -1, 0, 1],
    ]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(outputsOf(network)).toMatchObject({ stem: "stem.out", one: "one.out", two: "two.out" });
  });

  it("of flattened branches of different shapes", async () => {
    const model = sketch([2, 2, 2]);
    const a = model.node("Flatten", [relu(model, conv(model, "x", "a", 2, 2))]);
    const pooled = model.node("GlobalMaxPool", [conv(model, "x", "b", 2, 3)]);
    const b = model.node("Flatten", [pooled]);
    const network = await load(model, model.dense(model.node("Concat", [b, a], { axis: 1n }), "z", 11, 2));
    const indices = network.connections.map(({ index }) => [...index]);
    expect(indices).toContainEqual([0, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1]);
    expect(indices).toContainEqual([-1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
  });

  it("with a class token: the tokens' units go on, the token has none", async () => {
    const model = sketch([4, 3]);
    const a = model.node("MatMul", ["x", model.floats("w", [3, 5])], {}, { name: "a" });
    const size = model.node("Shape", [a]);
    const batch = model.node("Gather", [size, model.ints([0])], { axis: 0n });
    const shape = model.node("Concat", [batch, model.ints([1, 5])], { axis: 0n });
    const token = model.node("Expand", [model.floats("token", [1, 1, 5]), shape]);
    const tokens = model.node("Concat", [token, a], { axis: 1n });
    const up = model.node("MatMul", [tokens, model.floats("v", [5, 6])], {}, { name: "up" });
    const first = model.node("Gather", [up, model.ints([0], [])], { axis: 1n });
    const network = await load(model, model.dense(first, "head", 6, 2));
    expect(network.skipped).toEqual([]);
    expect(pairsOf(network)).toEqual(["a>up", "up>head"]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(network.layers[0]?.output.value).toBe(a);
  });

  it("of two halves of a split, one of them processed (ShuffleNet), chunk sizes as shape arithmetic", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const channels = model.node("Gather", [model.node("Shape", [a]), model.ints([1])], { axis: 0n });
    const half = model.node("Div", [channels, model.ints([2])]);
    const zero = model.ints([0]);
    const axis = model.ints([1]);
    const left = model.node("Slice", [a, zero, half, axis]);
    const right = model.node("Slice", [a, half, channels, axis]);
    const b = relu(model, conv(model, right, "b", 2, 2));
    const joined = model.node("Concat", [left, b], { axis: 1n });
    const folded = model.node("Reshape", [joined, model.ints([0, 2, 2, 4, 4])]);
    const turned = model.node("Transpose", [folded], { perm: [0n, 2n, 1n, 3n, 4n] });
    const shuffled = model.node("Reshape", [turned, model.ints([0, -1, 4, 4])]);
    const network = await load(model, conv(model, shuffled, "z", 4, 2));
    expect(network.skipped).toEqual([]);
    expect(network.connections.map(({ source, target, index }) => [source, target, [...index]])).toEqual([
      [0, 1, [2, 3]],
      [0, 2, [0, -1, 1, -1]],
      [1, 2, [-1, 0, -1, 1]],
    ]);
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(outputsOf(network)).toMatchObject({ a: "relu2", b: b });
  });
});

describe("splits", () => {
  it.each([
    { opset: 11, form: "sizes as attribute" },
    { opset: 13, form: "sizes as input" },
    { opset: 18, form: "equal parts" },
  ])("$form (opset $opset)", async ({ opset, form }) => {
    const model = sketch(image, { opset });
    const a = conv(model, "x", "a", 2, 4);
    const sizes = form === "equal parts" ? [2, 2] : [1, 3];
    const inputs = form === "sizes as input" ? [a, model.ints(sizes)] : [a];
    const attributes =
      form === "sizes as attribute"
        ? { axis: 1n, split: sizes.map(BigInt) }
        : form === "equal parts"
          ? { axis: 1n, num_outputs: 2n }
          : { axis: 1n };
    model.node("Split", inputs, attributes, { outputs: ["p", "q"] });
    const p = conv(model, relu(model, "p"), "pz", sizes[0] as number, 2);
    const q = conv(model, "q", "qz", sizes[1] as number, 2);
    const network = await load(model, model.node("Concat", [p, q], { axis: 1n }));
    const indices = network.connections.map(({ index }) => [...index]);
    expect(indices).toEqual(
      form === "equal parts"
        ? [
            [0, 1],
            [2, 3],
          ]
        : [[0], [1, 2, 3]],
    );
    expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
    expect(network.layers[0]?.output.value).toBe("a.out");
  });
});

describe("where a layer's path ends", () => {
  it("in front of a graph output", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const b = model.node("MaxPool", [a], { kernel_shape: [2n, 2n] });
    const network = await load(model, [conv(model, b, "z", 4, 3), a]);
    expect(network.layers[0]?.output.value).toBe(a);
    expect(network.logits).toBe("z.out");
  });

  it("in front of a second consumer, though that one does not count where it only asks for the size", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const b = model.node("MaxPool", [a], { kernel_shape: [2n, 2n] });
    const size = model.node("Shape", [b]);
    const seen = model.node("Reshape", [b, size]);
    const network = await load(model, conv(model, seen, "z", 4, 3));
    expect(network.layers[0]?.output.value).toBe(seen);

    const forked = sketch(image);
    const c = relu(forked, conv(forked, "x", "a", 2, 4));
    const d = conv(forked, forked.node("MaxPool", [c], { kernel_shape: [1n, 1n] }), "d", 4, 2);
    const made = forked.node("Concat", [d, conv(forked, c, "e", 4, 2)], { axis: 1n });
    expect((await load(forked, made)).layers[0]?.output.value).toBe(c);
  });

  it("in front of a node that cannot be followed, or mixes units", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const mixed = model.node("Softmax", [a], { axis: 1n });
    const b = relu(model, conv(model, mixed, "b", 4, 8));
    const folded = model.node("DepthToSpace", [b], { blocksize: 2n });
    const network = await load(model, conv(model, folded, "z", 2, 3));
    expect(outputsOf(network)).toEqual({ a, b, z: "z.out" });
    expect(network.skipped).toEqual([
      { node: mixed, operator: "Softmax", reason: "it mixes units" },
      { node: "b", operator: "Conv", reason: "its input could not be followed" },
      { node: folded, operator: "DepthToSpace", reason: "no rule for operator DepthToSpace" },
      { node: "z", operator: "Conv", reason: "its input could not be followed" },
    ]);
    expect(pairsOf(network)).toEqual([]);
  });

  it("where units share the batch's axis", async () => {
    const model = sketch(image);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const folded = model.node("Reshape", [a, model.ints([-1, 2, 4, 4])]);
    const back = model.node("Reshape", [conv(model, folded, "b", 2, 2), model.ints([-1, 4, 4, 4])]);
    const network = await load(model, conv(model, back, "z", 4, 3));
    expect(network.layers[0]?.output.value).toBe(a);
    expect(network.skipped[0]).toMatchObject({ node: "b", reason: "it sums over positions, not over units" });
    expect(outputsOf(network)).toMatchObject({ b: back });
  });
});

describe("what is not followed", () => {
  it("names custom operators with their domain", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const gelu = model.node("BiasGelu", [model.node("Transpose", [a], { perm: [0n, 2n, 3n, 1n] })], {}, {});
    model.nodes.pop();
    const custom = model.node("Gelu", ["transpose2"], {}, { domain: "com.microsoft", outputs: [gelu] });
    const back = model.node("Transpose", [custom], { perm: [0n, 3n, 1n, 2n] });
    const network = await load(model, conv(model, back, "z", 4, 2));
    expect(network.skipped[0]).toEqual({
      node: gelu,
      operator: "com.microsoft.Gelu",
      reason: "no rule for operator com.microsoft.Gelu",
    });
    expect(network.layers).toHaveLength(2);
  });

  it("names control flow, also where units only enter its branches", async () => {
    const model = sketch([3]);
    const a = relu(model, model.dense("x", "a", 3, 4));
    const branch = (opType: string) => {
      const inner = sketch([1]);
      const made = inner.node(opType, [a], {}, { outputs: [`${opType}.inner`] });
      const graph = decodeModel(
        buildModel({ nodes: inner.nodes, inputs: [], outputs: [makeUntypedValueInfo(made)] }),
      ).graph;
      return graph;
    };
    const sum = model.node("ReduceSum", ["x"], { keepdims: 0n }, { name: "sum" });
    const condition = model.node("Greater", [sum, model.floats("zero", [], [0])]);
    const chosen = model.node("If", [condition], { then_branch: [], else_branch: [] }, { name: "choice" });
    const [thenBranch, elseBranch] = model.nodes.at(-1)?.attribute ?? [];
    // Type 5 is GRAPH.
    if (thenBranch) Object.assign(thenBranch, { type: 5, g: branch("Identity") });
    if (elseBranch) Object.assign(elseBranch, { type: 5, g: branch("Neg") });
    const network = await load(model, model.dense(chosen, "z", 4, 2));
    expect(network.skipped).toEqual([
      { node: "sum", operator: "ReduceSum", reason: "it reduces over the batch" },
      { node: "choice", operator: "If", reason: "control flow is not followed" },
      { node: "z", operator: "Gemm", reason: "its input could not be followed" },
    ]);
    expect(network.layers[0]?.output.value).toBe(a);
  });
});
