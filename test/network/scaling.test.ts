import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { batchNormScale, type Sketch, sketch } from "../support/models.ts";

const image = [2, 4, 4];
const conv = (model: Sketch, from: string, name: string, inputs: number, units: number) =>
  model.conv(from, { name, inputs, units, kernel: [1, 1] });

/** Factors of the connection from one layer to another, 1 where none are stored. */
function connectionScale(network: Network, source: string, target: string): number[] {
  const number = (name: string) => network.layers.findIndex((layer) => layer.name === name);
  const found = network.connections.filter(
    (connection) => connection.source === number(source) && connection.target === number(target),
  );
  expect(found).toHaveLength(1);
  return [...(found[0]?.scale ?? new Array<number>(found[0]?.index.length ?? 0).fill(1))];
}

const incomingScale = (network: Network, name: string): number[] | null => {
  const layer = network.layers.find((candidate) => candidate.name === name);
  const scale = layer?.weights.incomingScale;
  return scale ? [...scale] : null;
};

function expectClose(found: readonly number[] | null, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found?.[i]).toBeCloseTo(value, 6);
}

const ones = (count: number): number[] => new Array<number>(count).fill(1);

describe("batch norms at their true place", () => {
  it("in front of the activation function: the layer's incoming scale", async () => {
    const model = sketch(image);
    const normed = model.batchNorm(conv(model, "x", "a", 2, 4), "bn", 4);
    const bytes = model.encode(conv(model, model.node("Relu", [normed]), "z", 4, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    expectClose(incomingScale(network, "a"), batchNormScale(bytes, "bn"));
    expect(connectionScale(network, "a", "z")).toEqual(ones(4));
    expect(network.layers[0]?.preActivation.value).toBe("bn.out");
    expect(network.layers[0]?.output.value).toBe("relu3");
  });

  it("without an activation function, also behind pooling: the incoming scale; two of them multiply", async () => {
    const model = sketch(image);
    const pooled = model.node("MaxPool", [conv(model, "x", "a", 2, 4)], { kernel_shape: [2n, 2n] });
    const normed = model.batchNorm(model.batchNorm(pooled, "bn1", 4), "bn2", 4);
    const bytes = model.encode(conv(model, normed, "z", 4, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    const [one, two] = ["bn1", "bn2"].map((name) => batchNormScale(bytes, name)) as [number[], number[]];
    expectClose(
      incomingScale(network, "a"),
      one.map((factor, c) => factor * (two[c] as number)),
    );
    expect(connectionScale(network, "a", "z")).toEqual(ones(4));
  });

  it("behind activation and pooling: the connection's scale", async () => {
    const model = sketch(image);
    const pooled = model.node("MaxPool", [model.node("Relu", [conv(model, "x", "a", 2, 4)])], {
      kernel_shape: [2n, 2n],
    });
    const bytes = model.encode(conv(model, model.batchNorm(pooled, "bn", 4), "z", 4, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    expect(incomingScale(network, "a")).toBeNull();
    expectClose(connectionScale(network, "a", "z"), batchNormScale(bytes, "bn"));
    expect(network.layers[0]?.output.value).toBe("bn.out");
    expect(network.layers[0]?.preActivation.value).toBe("a.out");
  });

  it("behind a residual Add: the connections from all that write into the stream", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const b = conv(model, model.node("Relu", [a]), "b", 4, 4);
    const normed = model.batchNorm(model.node("Add", [a, b]), "bn", 4);
    const bytes = model.encode(conv(model, model.node("Relu", [normed]), "z", 4, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    expect(incomingScale(network, "a")).toBeNull();
    expect(incomingScale(network, "b")).toBeNull();
    for (const source of ["a", "b"]) {
      expectClose(connectionScale(network, source, "z"), batchNormScale(bytes, "bn"));
    }
    expect(connectionScale(network, "a", "b")).toEqual(ones(4));
  });

  it("behind a second reader: the connection through it alone", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const normed = model.node("Relu", [model.batchNorm(a, "bn", 4)]);
    const b = conv(model, normed, "b", 4, 3);
    const c = conv(model, a, "c", 4, 3);
    const bytes = model.encode(model.node("Concat", [b, c], { axis: 1n }));
    const network = await loadNetworkBytes(bytes, "bn");
    expect(incomingScale(network, "a")).toBeNull();
    expectClose(connectionScale(network, "a", "b"), batchNormScale(bytes, "bn"));
    expect(connectionScale(network, "a", "c")).toEqual(ones(4));
    expect(network.layers[0]?.output.value).toBe("a.out");
  });

  it("of a flattened map: a factor for every feature", async () => {
    const model = sketch([2, 2, 2]);
    const flat = model.node("Flatten", [model.node("Relu", [conv(model, "x", "a", 2, 2)])]);
    const bytes = model.encode(model.dense(model.batchNorm(flat, "bn", 8), "z", 8, 2));
    const network = await loadNetworkBytes(bytes, "bn");
    expectClose(connectionScale(network, "a", "z"), batchNormScale(bytes, "bn"));
    expect([...(network.connections.find(({ target }) => target === 1)?.index ?? [])]).toEqual([
      0, 0, 0, 0, 1, 1, 1, 1,
    ]);
    expect(network.layers[0]?.output.value).toBe("bn.out");
  });

  it("of a flattened map without an activation function: still the connection's, as a unit has several", async () => {
    const model = sketch([2, 2, 2]);
    const flat = model.node("Flatten", [conv(model, "x", "a", 2, 2)]);
    const bytes = model.encode(model.dense(model.batchNorm(flat, "bn", 8), "z", 8, 2));
    const network = await loadNetworkBytes(bytes, "bn");
    expect(incomingScale(network, "a")).toBeNull();
    expectClose(connectionScale(network, "a", "z"), batchNormScale(bytes, "bn"));
  });

  it("of a concatenation: each part's share", async () => {
    const model = sketch(image);
    const a = model.node("Relu", [conv(model, "x", "a", 2, 2)]);
    const b = model.node("Relu", [conv(model, "x", "b", 2, 3)]);
    const joined = model.node("Concat", [b, a], { axis: 1n });
    const bytes = model.encode(conv(model, model.batchNorm(joined, "bn", 5), "z", 5, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    const factors = batchNormScale(bytes, "bn");
    const masked = (scale: number[], source: number) => {
      const index = network.connections.find((found) => found.source === source && found.target === 2)?.index;
      return scale.map((factor, i) => ((index?.[i] ?? -1) < 0 ? 0 : factor));
    };
    expectClose(masked(connectionScale(network, "a", "z"), 0), [
      0,
      0,
      0,
      factors[3] as number,
      factors[4] as number,
    ]);
    expectClose(masked(connectionScale(network, "b", "z"), 1), [...factors.slice(0, 3), 0, 0]);
  });

  it("of a split convolution: only the units of that half", async () => {
    const model = sketch(image);
    const halves = model.node("Split", [conv(model, "x", "a", 2, 4)], { axis: 1n }, { outputs: ["p", "q"] });
    const normed = model.node("Relu", [model.batchNorm(halves, "bn", 2)]);
    const bytes = model.encode(conv(model, model.node("Concat", [normed, "q"], { axis: 1n }), "z", 4, 3));
    const network = await loadNetworkBytes(bytes, "bn");
    expectClose(incomingScale(network, "a"), [...batchNormScale(bytes, "bn"), 1, 1]);
    expect(network.layers[0]?.output.value).toBe("a.out");
  });

  it("gives no negative edge: gamma's sign does not matter", async () => {
    const build = (sign: number) => {
      const model = sketch(image);
      const relu = model.node("Relu", [conv(model, "x", "a", 2, 2)]);
      const made = model.batchNorm(relu, "bn", 2);
      const gamma = model.initializers.find(({ name }) => name === "bn.gamma");
      if (gamma) gamma.rawData = new Uint8Array(Float32Array.of(sign * 2, -3).buffer);
      return loadNetworkBytes(model.encode(conv(model, made, "z", 2, 2)), "bn");
    };
    const [plus, minus] = [await build(1), await build(-1)];
    expect(connectionScale(plus, "a", "z")).toEqual(connectionScale(minus, "a", "z"));
    expect(Math.min(...connectionScale(minus, "a", "z"))).toBeGreaterThan(0);
  });
});

describe("constant factors", () => {
  it.each([
    { opType: "Mul", factors: [0.5], dims: [], expected: ones(4).map(() => 0.5) },
    { opType: "Mul", factors: [1, -2, 3, 0.5], dims: [4, 1, 1], expected: [1, 2, 3, 0.5] },
    { opType: "Div", factors: [1, -2, 4, 0.5], dims: [1, 4, 1, 1], expected: [1, 0.5, 0.25, 2] },
  ])("$opType by $dims", async ({ opType, factors, dims, expected }) => {
    const build = async (isActivated: boolean) => {
      const model = sketch(image);
      let value = conv(model, "x", "a", 2, 4);
      if (isActivated) value = model.node("Relu", [value]);
      value = model.node(opType, [value, model.floats("f", dims, factors)]);
      if (!isActivated) value = model.node("Relu", [value]);
      return loadNetworkBytes(model.encode(conv(model, value, "z", 4, 3)), "factors");
    };
    const after = await build(true);
    expect(incomingScale(after, "a")).toBeNull();
    expectClose(connectionScale(after, "a", "z"), expected);
    const before = await build(false);
    expectClose(incomingScale(before, "a"), expected);
    expect(connectionScale(before, "a", "z")).toEqual(ones(4));
  });

  it("take a constant divided by units for an activation function", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const inverse = model.node("Div", [model.floats("one", [], [1]), a]);
    const network = await loadNetworkBytes(model.encode(conv(model, inverse, "z", 4, 3)), "inverse");
    expect(network.skipped).toEqual([]);
    expect(network.layers[0]?.preActivation.value).toBe(a);
    expect(network.layers[0]?.output.value).toBe(inverse);
    expect(connectionScale(network, "a", "z")).toEqual(ones(4));
  });
});

describe("activation functions written as several nodes", () => {
  const constant = (model: Sketch, value: number) =>
    model.floats(`constant ${model.initializers.length}`, [], [value]);
  /** Nodes from the sum to the activation, with a scale of one wherever the function tends to the sum itself. */
  const FORMS: Record<string, (model: Sketch, x: string) => string> = {
    "SiLU: x * sigmoid(x)": (model, x) => model.node("Mul", [x, model.node("Sigmoid", [x])]),
    "Gelu: x * (1 + erf(x / sqrt 2)) * 0.5": (model, x) => {
      const erf = model.node("Erf", [model.node("Div", [x, constant(model, Math.SQRT2)])]);
      const gate = model.node("Add", [erf, constant(model, 1)]);
      return model.node("Mul", [model.node("Mul", [x, gate]), constant(model, 0.5)]);
    },
    "Gelu: (0.5 * x) * (1 + erf(x / sqrt 2))": (model, x) => {
      const erf = model.node("Erf", [model.node("Div", [x, constant(model, Math.SQRT2)])]);
      const half = model.node("Mul", [constant(model, 0.5), x]);
      return model.node("Mul", [half, model.node("Add", [constant(model, 1), erf])]);
    },
    "Gelu: tanh form": (model, x) => {
      const cube = model.node("Pow", [x, constant(model, 3)]);
      const sum = model.node("Add", [x, model.node("Mul", [cube, constant(model, 0.044715)])]);
      const tanh = model.node("Tanh", [model.node("Mul", [sum, constant(model, 0.79788)])]);
      const gate = model.node("Add", [tanh, constant(model, 1)]);
      return model.node("Mul", [model.node("Mul", [constant(model, 0.5), x]), gate]);
    },
    "HardSwish: x * (clip(x + 3, 0, 6) / 6)": (model, x) => {
      const shifted = model.node("Add", [x, constant(model, 3)]);
      const clipped = model.node("Clip", [shifted, constant(model, 0), constant(model, 6)]);
      return model.node("Mul", [x, model.node("Div", [clipped, constant(model, 6)])]);
    },
    "HardSwish: (x * clip(x + 3, 0, 6)) / 6": (model, x) => {
      const shifted = model.node("Add", [x, constant(model, 3)]);
      const clipped = model.node("Clip", [shifted, constant(model, 0), constant(model, 6)]);
      return model.node("Div", [model.node("Mul", [x, clipped]), constant(model, 6)]);
    },
    "Mish: x * tanh(softplus(x))": (model, x) =>
      model.node("Mul", [x, model.node("Tanh", [model.node("Softplus", [x])])]),
    "LeakyRelu: max(x, 0.1 * x)": (model, x) =>
      model.node("Max", [x, model.node("Mul", [x, constant(model, 0.1)])]),
  };

  it.each(Object.keys(FORMS))("%s scales no edge", async (form) => {
    const model = sketch(image);
    const normed = model.batchNorm(conv(model, "x", "a", 2, 4), "bn", 4);
    const active = (FORMS[form] as (model: Sketch, x: string) => string)(model, normed);
    const bytes = model.encode(conv(model, active, "z", 4, 3));
    const network = await loadNetworkBytes(bytes, form);
    expect(network.skipped).toEqual([]);
    expectClose(incomingScale(network, "a"), batchNormScale(bytes, "bn"));
    expectClose(connectionScale(network, "a", "z"), ones(4));
    expect(network.layers[0]?.preActivation.value).toBe("bn.out");
    expect(network.layers[0]?.output.value).toBe(active);
  });

  it("on a residual stream too", async () => {
    const model = sketch(image);
    const a = conv(model, "x", "a", 2, 4);
    const stream = model.node("Add", [a, conv(model, model.node("Relu", [a]), "b", 4, 4)]);
    const active = model.node("Mul", [stream, model.node("Sigmoid", [stream])]);
    const network = await loadNetworkBytes(model.encode(conv(model, active, "z", 4, 3)), "silu");
    expect(network.skipped).toEqual([]);
    expectClose(connectionScale(network, "a", "z"), ones(4));
    expectClose(connectionScale(network, "b", "z"), ones(4));
  });
});

describe("normalisations", () => {
  it("InstanceNormalization of channels belongs to the layer, as a group norm it ends the path", async () => {
    const model = sketch(image);
    const gamma = model.floats("gamma", [4], [1, -2, 3, 4]);
    const a = conv(model, "x", "a", 2, 4);
    const normed = model.node("InstanceNormalization", [a, gamma, model.floats("beta", [4])]);
    const b = conv(model, model.node("Relu", [normed]), "b", 4, 4);
    const grouped = model.node("Reshape", [b, model.ints([0, 2, -1])]);
    const [one, zero] = [model.floats("one", [2], [1, 1]), model.floats("zero", [2], [0, 0])];
    const group = model.node("InstanceNormalization", [grouped, one, zero]);
    const back = model.node("Reshape", [group, model.ints([0, 4, 4, 4])]);
    const scaled = model.node("Mul", [back, model.floats("scale", [4, 1, 1], [2, 3, 4, -5])]);
    const network = await loadNetworkBytes(model.encode(conv(model, scaled, "z", 4, 3)), "norms");
    expect(incomingScale(network, "a")).toEqual([1, 2, 3, 4]);
    expect(network.layers[0]?.output.value).toBe("relu3");
    expect(incomingScale(network, "b")).toBeNull();
    expect(network.layers[1]?.output.value).toBe(grouped);
    expectClose(connectionScale(network, "b", "z"), [2, 3, 4, 5]);
  });

  it("LayerNormalization ends the path and scales who reads it", async () => {
    const model = sketch([5, 3]);
    const a = model.node("MatMul", ["x", model.floats("w", [3, 4])], {}, { name: "a" });
    const gamma = model.floats("gamma", [4], [1, -2, 3, 4]);
    const normed = model.node("LayerNormalization", [a, gamma, model.floats("beta", [4])], { axis: -1n });
    const z = model.node("MatMul", [normed, model.floats("v", [4, 2])], {}, { name: "z" });
    const network = await loadNetworkBytes(model.encode(z), "norms");
    expect(incomingScale(network, "a")).toBeNull();
    expect(connectionScale(network, "a", "z")).toEqual([1, 2, 3, 4]);
    expect(network.layers[0]?.output.value).toBe(a);
  });

  it.each([
    { opset: 18, gamma: [2, 3], expected: [2, 2, 3, 3] },
    { opset: 21, gamma: [1, -2, 3, 4], expected: [1, 2, 3, 4] },
  ])("GroupNormalization of opset $opset", async ({ opset, gamma, expected }) => {
    const model = sketch(image, { opset });
    const a = conv(model, "x", "a", 2, 4);
    const parameters = [model.floats("gamma", [gamma.length], gamma), model.floats("beta", [gamma.length])];
    const normed = model.node("GroupNormalization", [a, ...parameters], { num_groups: 2n });
    const network = await loadNetworkBytes(model.encode(conv(model, normed, "z", 4, 3)), "norms");
    expect(connectionScale(network, "a", "z")).toEqual(expected);
    expect(network.layers[0]?.output.value).toBe("a.out");
  });
});

describe("gates", () => {
  it("squeeze-and-excitation: the gated units go on, the gate is named", async () => {
    const model = sketch(image);
    const a = model.node("Relu", [conv(model, "x", "a", 2, 4)]);
    const pooled = model.node("GlobalAveragePool", [a]);
    const squeezed = model.node("Relu", [conv(model, pooled, "squeeze", 4, 2)]);
    const gate = model.node("Sigmoid", [conv(model, squeezed, "excite", 2, 4)]);
    const gated = model.node("Mul", [gate, a], {}, { name: "gate" });
    const network = await loadNetworkBytes(model.encode(conv(model, gated, "z", 4, 3)), "se");
    expect(network.skipped).toEqual([
      { node: "gate", operator: "Mul", reason: "its gate's units are not connected to what they gate" },
    ]);
    const pairs = network.connections.map(({ source, target }) => [
      network.layers[source]?.name,
      network.layers[target]?.name,
    ]);
    expect(pairs).toEqual([
      ["a", "squeeze"],
      ["squeeze", "excite"],
      ["a", "z"],
    ]);
    expect(network.layers[0]?.output.value).toBe("relu2");
    expect(network.layers[2]?.output.value).toBe("sigmoid7");
  });

  it("GLU: one half gates the other", async () => {
    const model = sketch([3]);
    model.node("Split", [model.dense("x", "a", 3, 4)], { axis: -1n }, { outputs: ["p", "q"] });
    const gated = model.node("Mul", ["p", model.node("Sigmoid", ["q"])], {}, { name: "glu" });
    const network = await loadNetworkBytes(model.encode(model.dense(gated, "z", 2, 2)), "glu");
    expect(network.skipped.map(({ node }) => node)).toEqual(["glu"]);
    const connection = network.connections.find(({ target }) => target === 1);
    expect([...(connection?.index ?? [])]).toEqual([0, 1]);
  });
});
