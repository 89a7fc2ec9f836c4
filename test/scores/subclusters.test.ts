import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { sketch } from "../support/models.ts";

async function networkOf(hidden: number): Promise<Network> {
  const model = sketch([3]);
  const a = model.node("Relu", [model.dense("x", "a", 3, hidden)]);
  const b = model.node("Relu", [model.dense(a, "b", hidden, 4)]);
  return loadNetworkBytes(model.encode(model.dense(b, "logits", 4, 2)), "subclusters");
}

const partitionOf = (layers: Readonly<Record<string, readonly number[]>>): Partition => ({
  layers: Object.entries(layers).map(([name, labels]) => ({ name, labels: Int32Array.from(labels) })),
  clusters: 9,
  method: {},
  quality: null,
});

const idsOf = (subclusters: readonly { readonly cluster: number; readonly units: Int32Array }[]) =>
  subclusters.map(({ cluster, units }) => [cluster, [...units]]);

describe("findSubclusters", () => {
  it("takes the units of a label in a layer, without unlabelled units and without logits", async () => {
    const network = await networkOf(9);
    const layers = findSubclusters(
      network,
      partitionOf({
        x: [0, 0, 1],
        a: [4, -1, 2, 4, 2, 2, -1, 7, 4],
        b: [2, 2, 4, 4],
        logits: [0, 0],
      }),
    );
    expect(layers.map(({ name, layer, layerUnits }) => [name, layer, layerUnits])).toEqual([
      ["a", 0, 9],
      ["b", 1, 4],
    ]);
    expect(layers.map(({ eligible }) => [...eligible])).toEqual([
      [0, 2, 3, 4, 5, 7, 8],
      [0, 1, 2, 3],
    ]);
    expect(idsOf(layers[0]?.tested ?? [])).toEqual([
      [4, [0, 3, 8]],
      [2, [2, 4, 5]],
    ]);
    // A single unit is no subcluster to test.
    expect(idsOf(layers[0]?.filtered ?? [])).toEqual([[7, [7]]]);
    expect(idsOf(layers[1]?.tested ?? [])).toEqual([
      [2, [0, 1]],
      [4, [2, 3]],
    ]);
  });

  it("leaves out layers that the partition does not name", async () => {
    const layers = findSubclusters(await networkOf(4), partitionOf({ b: [0, 0, 1, 1] }));
    expect(layers.map(({ name }) => name)).toEqual(["b"]);
  });

  it.each([
    { hidden: 200, size: 198, unlabelled: 0, isTested: true },
    { hidden: 200, size: 199, unlabelled: 0, isTested: false },
    { hidden: 200, size: 200, unlabelled: 0, isTested: false },
    // 0.99 of the eligible units, not of the layer.
    { hidden: 210, size: 198, unlabelled: 10, isTested: true },
    { hidden: 210, size: 199, unlabelled: 10, isTested: false },
    { hidden: 3, size: 2, unlabelled: 0, isTested: true },
    { hidden: 3, size: 1, unlabelled: 1, isTested: false },
    { hidden: 3, size: 2, unlabelled: 1, isTested: false },
  ])("tests 2 to 0.99 of the eligible units: $size of $hidden - $unlabelled", async (sizes) => {
    const { hidden, size, unlabelled, isTested } = sizes;
    const labels = Array.from({ length: hidden }, (_, unit) =>
      unit < unlabelled ? -1 : unit < unlabelled + size ? 0 : 1,
    );
    const [layer] = findSubclusters(await networkOf(hidden), partitionOf({ a: labels }));
    const ids = (isTested ? layer?.tested : layer?.filtered)?.map(({ cluster }) => cluster);
    expect(ids).toContain(0);
    expect(layer?.eligible.length).toBe(hidden - unlabelled);
  });
});
