import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { runLesions } from "../../src/network/lesions.ts";
import { partOf } from "../../src/network/model-graph.ts";
import { type Layer, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { UnitSite } from "../../src/network/unit-sites.ts";
import { makeFloatTensor, makeNode } from "../../src/runtime/onnx.ts";
import { edited, randomData } from "../support/models.ts";
import { drawNetwork, SIZE } from "../support/random-network.ts";
import { claimedInfluences, observeInfluences, observeWrongSites } from "./observe.ts";

/** The whole model with a layer's output multiplied by zero where it holds one of `units`. */
function masked(model: Uint8Array, { value, map }: UnitSite, units: Int32Array): Uint8Array {
  return edited(model, ({ graph }) => {
    const number = graph?.node.findIndex((node) => node.output.includes(value)) ?? -1;
    const node = graph?.node[number];
    if (node) node.output = node.output.map((name) => (name === value ? "unmasked" : name));
    const mask = Float32Array.from(map.index, (unit) => (units.includes(unit) ? 0 : 1));
    graph?.node.splice(number + 1, 0, makeNode("Mul", ["unmasked", "mask"], [value]));
    graph?.initializer.push(makeFloatTensor("mask", map.dims, mask));
  });
}

const isOnPath = (network: Network, { output }: Layer): boolean =>
  partOf(network.graph, [network.logits], new Set()).nodes.some((node) => node.input.includes(output.value));

describe("random networks", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "%i: connections and sites are as ONNX Runtime shows them",
    async (seed) => {
      const { model, output } = drawNetwork(seed);
      const network = await loadNetworkBytes(model.encode(output), `random ${seed}`);
      expect(network.skipped).toEqual([]);
      expect(claimedInfluences(network)).toEqual(await observeInfluences(network));
      expect(await observeWrongSites(network)).toEqual([]);
    },
  );

  it.each([1, 2, 3, 4, 5, 6])("%i: lesions are those of the whole model with a mask in it", async (seed) => {
    const { model, output } = drawNetwork(seed);
    const bytes = model.encode(output);
    const network = await loadNetworkBytes(bytes, `random ${seed}`);
    const data = randomData(20, [2, SIZE, SIZE], 3);
    for (const layer of network.layers.filter((one) => !one.isLogits && isOnPath(network, one))) {
      const sets = [0, 1, layer.units].map((count) => Int32Array.from({ length: count }, (_, unit) => unit));
      const outcomes = await runLesions(network, layer, sets, data);
      for (const [i, set] of sets.entries()) {
        const whole = await loadNetworkBytes(masked(bytes, layer.output, set), "masked");
        const expected = await evaluateNetwork(whole, data);
        expect([...(outcomes[i]?.correct ?? [])]).toEqual([...expected.correct]);
        expect(outcomes[i]?.loss).toBeCloseTo(expected.loss, 5);
      }
    }
  });
});
