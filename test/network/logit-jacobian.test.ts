import { describe, expect, it } from "vitest";
import { type LogitJacobian, logitJacobian } from "../../src/network/logit-jacobian.ts";
import { layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { expectRefusal, randomData, type Sketch, sketch, weightsOf } from "../support/models.ts";

/** Logits straight behind the layer "a": their derivatives are the weights of the head. */
async function headOf(classes: number): Promise<{ network: Network; weights: Float32Array }> {
  const model = sketch([4]);
  const hidden = model.node("Tanh", [model.dense(model.input, "a", 4, 5)]);
  const bytes = model.encode(model.dense(hidden, "b", 5, classes));
  return { network: await loadNetworkBytes(bytes, "head"), weights: weightsOf(bytes, "b.weight") };
}

describe("logits by units", () => {
  it.each([3, 7000])("is the head's kernel in front of a dense head of %i classes", async (classes) => {
    const { network, weights } = await headOf(classes);
    // More inputs than a batch holds, and more classes than are run at a time.
    const data = randomData(classes === 3 ? 6000 : 2, [4], classes);
    const { values, units } = await logitJacobian(network, layerNamed(network, "a"), data);
    expect([values.length, units]).toEqual([classes * 5, 5]);
    values.forEach((value, at) => {
      expect(Math.abs(value - (weights[at] as number))).toBeLessThan(1e-6);
    });
  });

  it("is the mean over positions, and the same with a batch that the file fixes", async () => {
    const draw = (model: Sketch, isFixed: boolean) => {
      const conv = model.node("Sigmoid", [model.conv(model.input, { name: "a", inputs: 2, units: 3 })]);
      const flat = isFixed
        ? model.node("Reshape", [conv, model.ints([4, 48])])
        : model.node("Flatten", [conv]);
      return model.encode(model.dense(model.node("Relu", [model.dense(flat, "b", 48, 6)]), "c", 6, 2));
    };
    const networks = [
      await loadNetworkBytes(draw(sketch([2, 4, 4]), false), "free"),
      await loadNetworkBytes(draw(sketch([2, 4, 4], { batch: 4 }), true), "fixed"),
    ];
    expect(networks.map(({ probe }) => probe.fixedBatch)).toEqual([null, 4]);
    const data = randomData(6, [2, 4, 4], 2);
    const found: LogitJacobian[] = [];
    for (const network of networks) found.push(await logitJacobian(network, layerNamed(network, "a"), data));
    found[0]?.values.forEach((value, at) => {
      expect(Math.abs(value - (found[1]?.values[at] as number))).toBeLessThan(1e-7);
    });
    expect(found[0]?.values.some((value) => Math.abs(value) > 1e-4)).toBe(true);
  });

  it("is 0 for a layer that does not reach the logits", async () => {
    const model = sketch([4]);
    const aside = model.dense(model.dense(model.input, "a", 4, 3), "aside", 3, 2);
    const logits = model.dense(model.dense(model.input, "b", 4, 3), "c", 3, 2);
    const network = await loadNetworkBytes(model.encode([logits, aside]), "aside");
    const { values } = await logitJacobian(network, layerNamed(network, "a"), randomData(3, [4], 2));
    expect(Array.from(values)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("names an operator without a rule behind the layer, and none in front of it", async () => {
    const model = sketch([4]);
    const first = model.dense(model.input, "a", 4, 4);
    const odd = model.node(
      "Det",
      [model.node("Reshape", [first, model.ints([-1, 2, 2])])],
      {},
      { name: "odd" },
    );
    const joined = model.node("Concat", [model.node("Unsqueeze", [odd, model.ints([1])]), first], {
      axis: 1n,
    });
    const second = model.dense(joined, "b", 5, 3);
    const network = await loadNetworkBytes(model.encode(model.dense(second, "c", 3, 2)), "odd");
    const data = randomData(3, [4], 2);
    const error = await expectRefusal(
      () => logitJacobian(network, layerNamed(network, "a"), data),
      "E_NETWORK_GRADIENT",
    );
    expect(error.message).toContain("odd (Det)");
    const { values } = await logitJacobian(network, layerNamed(network, "b"), data);
    expect(values.every(Number.isFinite)).toBe(true);
  });
});
