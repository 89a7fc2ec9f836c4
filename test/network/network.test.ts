import { describe, expect, it } from "vitest";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import { makeValueInfo } from "../../src/runtime/onnx.ts";
import { expectRefusal, type Sketch, sketch, withWeights } from "../support/models.ts";

/** Two dense layers: x (3) - a (4) - Relu - z (2). */
function mlp(model: Sketch, names: readonly [string, string] = ["a", "z"]): string {
  return model.dense(model.node("Relu", [model.dense(model.input, names[0], 3, 4)]), names[1], 4, 2);
}

const load = (model: Uint8Array, inputShape?: number[]) =>
  loadNetworkBytes(model, "net.onnx", { inputShape });

describe("loadNetwork: logits", () => {
  it("are the output itself", async () => {
    const model = sketch([3]);
    const network = await load(model.encode(mlp(model)));
    expect(network.logits).toBe("z.out");
    expect(network.layers.map(({ isLogits }) => isLogits)).toEqual([false, true]);
  });

  it.each([
    ["Softmax", 9],
    ["Softmax", 13],
    ["LogSoftmax", 9],
    ["LogSoftmax", 17],
  ])("are what a final %s reads (opset %i)", async (opType, opset) => {
    const model = sketch([3], { opset });
    const soft = model.node(opType, [mlp(model)], { axis: 1n });
    const output = model.node("Identity", [model.node("Cast", [soft], { to: 1n })]);
    const network = await load(model.encode(output));
    expect(network.logits).toBe("z.out");
    expect(network.layers.map(({ isLogits }) => isLogits)).toEqual([false, true]);
    expect(network.skipped).toEqual([]);
  });

  it("are followed through pooling, as in a fully convolutional classifier", async () => {
    const model = sketch([2, 4, 4]);
    const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 4 })]);
    const z = model.conv(a, { name: "z", inputs: 4, units: 3, kernel: [1, 1] });
    const pooled = model.node("Flatten", [model.node("GlobalAveragePool", [model.node("Relu", [z])])]);
    const network = await load(model.encode(model.node("Softmax", [pooled])));
    expect(network.logits).toBe(pooled);
    expect(network.layers.map(({ isLogits }) => isLogits)).toEqual([false, true]);
  });

  it("are the first float output that follows the batch", async () => {
    const model = sketch([3]);
    const logits = mlp(model);
    const label = model.node("ArgMax", [logits], { axis: 1n, keepdims: 0n });
    const total = model.node("ReduceSum", [logits], { keepdims: 0n });
    const network = await load(model.encode([label, total, logits]));
    expect(network.logits).toBe(logits);
    expect(network.layers[1]?.isLogits).toBe(true);
  });

  it("are missed in a network whose outputs do not follow the batch", async () => {
    const model = sketch([3]);
    const total = model.node("ReduceSum", [mlp(model)], { keepdims: 0n });
    await expectRefusal(() => load(model.encode(total)), "E_NETWORK_OUTPUT");
  });
});

describe("loadNetwork: names", () => {
  it("are the nodes' names, or their first outputs'; repeated names are told apart", async () => {
    const model = sketch([3]);
    const first = model.node("Relu", [model.dense("x", "same", 3, 3)]);
    model.floats("w", [3, 3]);
    const unnamed = model.node("MatMul", [first, "w"]);
    const again = model.node("Gemm", [unnamed, "w"], {}, { name: "same" });
    const network = await load(model.encode(model.node("Gemm", [again, "w"], {}, { name: "same" })));
    expect(network.layers.map(({ name }) => name)).toEqual(["same", unnamed, "same#2", "same#3"]);
    expect(layerNamed(network, "same#2")).toBe(network.layers[2]);
    const refusal = await expectRefusal(() => layerNamed(network, "other"), "E_NETWORK_LAYER");
    expect(refusal.hint).toContain("same#3");
    expect(network.name).toBe("net.onnx");
  });
});

describe("loadNetwork: the input", () => {
  it("is described without its batch axis, initializers are no inputs (IR version 3 lists them)", async () => {
    const model = sketch([3], {
      irVersion: 3,
      opset: 9,
      inputs: [makeValueInfo("x", ["n", 3]), makeValueInfo("a.weight", [4, 3]), makeValueInfo("z.bias", [2])],
    });
    const network = await load(model.encode(mlp(model)));
    expect(network.inputShape).toEqual([3]);
    expect(network.probe).toMatchObject({ input: "x", fixedBatch: null });
  });

  it("must be a single one of floats or token numbers", async () => {
    const two = sketch([3], { inputs: [makeValueInfo("x", ["n", 3]), makeValueInfo("y", ["n", 4])] });
    const sum = two.node("Add", [two.dense("x", "a", 3, 4), "y"]);
    expect((await expectRefusal(() => load(two.encode(sum)), "E_NETWORK_INPUT")).message).toMatch(/"x".*"y"/);

    const whole = sketch([3], { inputs: [makeValueInfo("x", ["n", 3], 9)] });
    const made = whole.dense(whole.node("Cast", ["x"], { to: 1n }), "a", 3, 4);
    expect((await expectRefusal(() => load(whole.encode(made)), "E_NETWORK_INPUT")).message).toContain(
      "BOOL",
    );

    const none = sketch([3], { inputs: [] });
    const constant = none.node("Relu", [none.floats("c", [2, 3])]);
    await expectRefusal(() => load(none.encode(constant)), "E_NETWORK_INPUT");
  });

  it("with open sizes needs the data's shape", async () => {
    const build = () => {
      const model = sketch([2, "height", "width"]);
      const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 4 })]);
      const pooled = model.node("Flatten", [model.node("GlobalAveragePool", [a])]);
      return model.encode(model.dense(pooled, "z", 4, 3));
    };
    await expectRefusal(() => load(build()), "E_NETWORK_SHAPE");
    const network = await load(build(), [2, 5, 7]);
    expect(network.inputShape).toEqual([2, 5, 7]);
    expect(network.layers[0]?.output.value).toBe("flatten4");
    await expectRefusal(() => load(build(), [3, 5, 7]), "E_INPUT_SHAPE");
    await expectRefusal(() => load(build(), [2, 5]), "E_INPUT_SHAPE");
  });

  it("without any declared shape takes the data's", async () => {
    const model = sketch([], { inputs: [makeValueInfo("x", null)] });
    const bytes = model.encode(mlp(model));
    await expectRefusal(() => load(bytes), "E_NETWORK_SHAPE");
    expect((await load(bytes, [3])).inputShape).toEqual([3]);
  });
});

describe("loadNetwork: the batch size", () => {
  it("declared as 1 is overridden where the network follows another one", async () => {
    const model = sketch([3], { batch: 1 });
    const network = await load(model.encode(mlp(model)));
    expect(network.probe.fixedBatch).toBeNull();
    expect(network.inputShape).toEqual([3]);
  });

  it.each([1, 4])("%i written into a reshape is kept", async (batch) => {
    const model = sketch([2, 2, 2], { batch });
    const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 3 })]);
    const flat = model.node("Reshape", [a, model.ints([batch, -1])]);
    const network = await load(model.encode(model.dense(flat, "z", 12, 2)));
    expect(network.probe.fixedBatch).toBe(batch);
    expect(network.skipped).toEqual([]);
    expect(network.logits).toBe("z.out");
    const connection = network.connections.find(({ target }) => target === 1);
    expect([...(connection?.index ?? [])]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it("is kept where a reshape folds the batch away without an error", async () => {
    const model = sketch([2, 2, 2], { batch: 1 });
    const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 3 })]);
    const folded = model.node("Reshape", [a, model.ints([1, 3, -1, 2])]);
    const pooled = model.node("Flatten", [model.node("GlobalAveragePool", [folded])]);
    const network = await load(model.encode(model.dense(pooled, "z", 3, 2)));
    expect(network.probe.fixedBatch).toBe(1);
    expect(network.layers.map(({ name }) => name)).toEqual(["a", "z"]);
  });
});

describe("loadNetwork: weights", () => {
  const model = sketch([3]);
  const bytes = model.encode(mlp(model));

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %f", async (value) => {
    for (const name of ["a.weight", "z.bias"]) {
      const broken = withWeights(bytes, name, (index, old) => (index === 1 ? value : old));
      const refusal = await expectRefusal(() => load(broken), "E_NETWORK_NOT_FINITE");
      expect(refusal.message).toContain(`"${name}"`);
      expect(refusal.message).toContain("position 1");
    }
  });

  it("refuses them behind a Constant-folding node and in a MatMul's bias too", async () => {
    const drawn = sketch([3]);
    drawn.floats("w", [4, 3], [1, 2, Number.NaN, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const product = drawn.node("MatMul", ["x", drawn.node("Transpose", ["w"])]);
    await expectRefusal(() => load(drawn.encode(product)), "E_NETWORK_NOT_FINITE");

    const biased = sketch([3]);
    const sum = biased.node("MatMul", ["x", biased.floats("w", [3, 2])]);
    const made = biased.node("Add", [sum, biased.floats("b", [2], [0, Number.NaN])]);
    await expectRefusal(() => load(biased.encode(made)), "E_NETWORK_NOT_FINITE");
  });

  it("lets infinity stand where it is no weight", async () => {
    const drawn = sketch([3]);
    const a = drawn.dense("x", "a", 3, 4);
    const limits = [drawn.floats("low", [], [0]), drawn.floats("high", [], [Number.POSITIVE_INFINITY])];
    const network = await load(drawn.encode(drawn.dense(drawn.node("Clip", [a, ...limits]), "z", 4, 2)));
    expect(network.layers[0]?.output.value).toBe("clip2");
  });

  it("refuses a network without constant weights, with the reasons", async () => {
    const drawn = sketch([3]);
    const square = drawn.node("MatMul", [drawn.node("Unsqueeze", ["x", drawn.ints([1])]), "unsqueeze9"]);
    drawn.nodes.splice(0, drawn.nodes.length, ...drawn.nodes.filter(({ opType }) => opType === "Unsqueeze"));
    const other = drawn.node("Unsqueeze", ["x", drawn.ints([2])], {}, { outputs: ["unsqueeze9"] });
    const made = drawn.node("MatMul", ["unsqueeze1", other], {}, { name: "inner", outputs: [square] });
    const refusal = await expectRefusal(() => load(drawn.encode(made)), "E_NETWORK_UNSUPPORTED");
    expect(refusal.message).toContain("inner: it sums products of units");
  });

  it("tells what ONNX Runtime refuses", async () => {
    const drawn = sketch([3]);
    const made = drawn.node("NoSuchOperator", [drawn.dense("x", "a", 3, 4)]);
    const refusal = await expectRefusal(() => load(drawn.encode(made)), "E_NETWORK_REJECTED");
    expect(refusal.message).toContain("NoSuchOperator");
    const misfit = sketch([3]);
    const wrong = misfit.dense(misfit.dense("x", "a", 3, 4), "z", 5, 2);
    await expectRefusal(() => load(misfit.encode(wrong)), /^E_NETWORK_/);
  });
});
