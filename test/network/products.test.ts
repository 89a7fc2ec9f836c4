import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { type Sketch, sketch } from "../support/models.ts";

const load = (model: Sketch, output: string) => loadNetworkBytes(model.encode(output), "products");

const pairsOf = ({ connections, layers }: Network): string[] =>
  connections
    .filter(({ source }) => source >= 0)
    .map(({ source, target }) => `${layers[source]?.name}>${layers[target]?.name}`);

const dense = (model: Sketch, from: string, name: string, inputs: number, units: number) =>
  model.node("MatMul", [from, model.floats(name, [inputs, units])], {}, { name });

const reasonsOf = ({ skipped }: Network) => skipped.map(({ node, reason }) => `${node}: ${reason}`);

const SUMMED = "it sums products of units (queries and keys), which are not followed";

describe("the Attention operator", () => {
  /** x (4 tokens, 6) - q, k, v - Attention - o, with heads side by side. */
  async function attention(keyHeads: number): Promise<Network> {
    const model = sketch([4, 6], { opset: 23, irVersion: 11 });
    const size = 3 * keyHeads;
    const [q, k, v] = [
      dense(model, "x", "q", 6, 6),
      dense(model, "x", "k", 6, size),
      dense(model, "x", "v", 6, size),
    ];
    const heads = { q_num_heads: 2n, kv_num_heads: BigInt(keyHeads) };
    const mixed = model.node("Attention", [q, k, v], heads, { name: "attention" });
    return load(model, dense(model, mixed, "o", 6, 5));
  }

  it("lets values through to the axis they lie on", async () => {
    const network = await attention(2);
    expect(pairsOf(network)).toEqual(["v>o"]);
    expect([...(network.connections.at(-1)?.index ?? [])]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reasonsOf(network)).toEqual([`attention: ${SUMMED}`]);
    expect(network.layers[2]?.output.value).toBe("matmul3");
  });

  it("is not followed where heads share values", async () => {
    expect(reasonsOf(await attention(1))).toEqual([
      "attention: heads that share their values are not followed",
      "o: its input could not be followed",
    ]);
  });
});

describe("sums over units", () => {
  const mean = (model: Sketch, from: string) => model.node("ReduceMean", [from], { axes: [-1n] });

  it("leave no gap where they normalise what they were taken of", async () => {
    const model = sketch([4, 6], { opset: 13 });
    const a = dense(model, "x", "a", 6, 5);
    const centred = model.node("Sub", [a, mean(model, a)]);
    const variance = mean(model, model.node("Mul", [centred, centred]));
    const made = model.node("Div", [centred, model.node("Sqrt", [variance])]);
    const network = await load(model, dense(model, made, "z", 5, 3));
    expect(pairsOf(network)).toEqual(["a>z"]);
    expect(network.skipped).toEqual([]);
    // Contract: a lesion ends before a normalisation that mixes units.
    expect(network.layers[0]?.output.value).toBe(a);
  });

  it("are named where another layer reads them, or they gate another value", async () => {
    const model = sketch([4, 6], { opset: 13 });
    const a = dense(model, "x", "a", 6, 5);
    const b = dense(model, "x", "b", 6, 5);
    const gated = model.node("Mul", [b, mean(model, a)], {}, { name: "gated" });
    const read = dense(model, mean(model, a), "read", 1, 3);
    const made = model.node("Add", [dense(model, gated, "z", 5, 3), read]);
    const network = await load(model, made);
    expect(pairsOf(network)).toEqual(["b>z"]);
    expect(reasonsOf(network)).toEqual([
      "gated: its gate's units are not connected to what they gate",
      "read: it reads a sum over units, which is not followed",
    ]);
  });
});

describe("products of two layers", () => {
  it("are read from both, but where one of them is a bounded gate", async () => {
    const model = sketch([6]);
    const [a, b] = [model.dense("x", "a", 6, 5), model.dense("x", "b", 6, 5)];
    const both = await load(model, model.dense(model.node("Mul", [a, b]), "z", 5, 3));
    expect(pairsOf(both)).toEqual(["a>z", "b>z"]);
    expect(both.skipped).toEqual([]);

    const glu = sketch([6]);
    const [value, gate] = [glu.dense("x", "value", 6, 5), glu.dense("x", "gate", 6, 5)];
    const gated = glu.node("Mul", [glu.node("Sigmoid", [gate]), value], {}, { name: "gated" });
    const network = await load(glu, glu.dense(gated, "z", 5, 3));
    expect(pairsOf(network)).toEqual(["value>z"]);
    expect(reasonsOf(network)).toEqual(["gated: its gate's units are not connected to what they gate"]);
  });
});
