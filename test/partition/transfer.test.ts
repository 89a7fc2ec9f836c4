import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { partitionGraph } from "../../src/partition/partition-graph.ts";
import { measureTransfer } from "../../src/partition/transfer.ts";
import { catchError } from "../support/catch-error.ts";
import { localGraph } from "../support/random-graph.ts";
import { chain, fromEdges, within } from "../support/reference-graphs.ts";
import { globalGraph, partitionOf } from "../support/unit-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

/** Two triangles, joined by an edge. */
const triangles = globalGraph(
  fromEdges(6, [
    [0, 1, 1],
    [0, 2, 1],
    [1, 2, 1],
    [3, 4, 1],
    [3, 5, 1],
    [4, 5, 1],
    [2, 3, 1],
  ]),
  [3, 3],
);

describe("measureTransfer", () => {
  it("is 1 for the graph's own partition, whatever its clusters are called", async () => {
    for (const graph of [
      globalGraph(chain([60, 50, 40], 5, 3, 1), [60, 50, 40]),
      globalGraph(within(80, 4, 3, 1)),
    ]) {
      const own = await partitionGraph(compute, graph, { method: "leiden" });
      const renamed = partitionOf(
        ...own.layers.map(({ labels }) => Array.from(labels, (label) => 20 - label)),
      );
      for (const other of [own, renamed]) {
        const found = measureTransfer(graph, own, other);
        expect(found.ratio).toBeCloseTo(1, 12);
        // All units are in clusters, so this is the quality that the partitioner reports.
        expect(found.own).toBeCloseTo(own.quality?.modularity ?? Number.NaN, 12);
        expect(found.nodes).toBe(graph.matrix.size);
      }
    }
  });

  it("by hand: two triangles", () => {
    // Q of the triangles 6/7 - 1/2 = 5/14; of 0,1 | 2,3 | 4,5: 3 * 2/14 - (16 + 36 + 16)/196.
    const own = partitionOf([0, 0, 0], [1, 1, 1]);
    const found = measureTransfer(triangles, own, partitionOf([0, 0, 1], [1, 2, 2]));
    expect(found.own).toBeCloseTo(5 / 14, 12);
    expect(found.other).toBeCloseTo(3 / 7 - 68 / 196, 12);
    expect(found.ratio).toBeCloseTo(found.other / found.own, 12);
    // One cluster has no modularity, and so has nothing to share.
    const one = partitionOf([0, 0, 0], [0, 0, 0]);
    expect(measureTransfer(triangles, own, one)).toMatchObject({ other: 0, ratio: 0 });
    expect(measureTransfer(triangles, one, own).ratio).toBeNaN();
  });

  it("takes the units that both put in a cluster, and the edges among them", () => {
    const own = partitionOf([0, 0, 0], [1, 1, -1]);
    const other = partitionOf([-1, 0, 0], [1, 1, 1]);
    // What is left: 1 - 2 - 3 - 4, a path of three edges.
    const found = measureTransfer(triangles, own, other);
    expect(found).toMatchObject({ nodes: 4, ratio: 1 });
    expect(found.own).toBeCloseTo(2 / 3 - 1 / 2, 12);
    // Layers that the graph does not have are left out.
    expect(measureTransfer(triangles, own, partitionOf([-1, 0, 0], [1, 1, 1], [0, 1]))).toEqual(found);
  });

  it("is the mean over the layers of a local graph of activations", () => {
    const graph = {
      ...triangles,
      kind: "activations" as const,
      scope: "local" as const,
      matrix: fromEdges(6, [
        [0, 1, 1],
        [1, 2, 2],
        [3, 4, 1],
        [4, 5, 1],
      ]),
      parts: [
        { nodeStart: 0, nodeCount: 3, keeps: [0] },
        { nodeStart: 3, nodeCount: 3, keeps: [1] },
      ],
    };
    const blocks = graph.matrix.blocks[0];
    if (blocks?.shape !== "sparse") throw new Error("sparse");
    const cut = (start: number) => ({
      shape: "sparse" as const,
      start,
      count: 3,
      rowStart: blocks.rowStart.slice(start, start + 4).map((at) => at - (blocks.rowStart[start] as number)),
      column: blocks.column
        .slice(blocks.rowStart[start], blocks.rowStart[start + 3])
        .map((column) => column - start),
      weight: blocks.weight.slice(blocks.rowStart[start], blocks.rowStart[start + 3]),
    });
    const local = { ...graph, matrix: { size: 6, blocks: [cut(0), cut(3)] } };
    const own = partitionOf([0, 1, 1], [2, 2, 3]);
    const other = partitionOf([0, 0, 1], [2, 2, 3]);
    const found = measureTransfer(local, own, other);
    // Degrees 1, 3, 2 of 6 and 1, 2, 1 of 4.
    const second = 2 / 4 - (9 + 1) / 16;
    expect(found.own).toBeCloseTo((4 / 6 - (1 + 25) / 36 + second) / 2, 12);
    expect(found.other).toBeCloseTo((2 / 6 - (16 + 4) / 36 + second) / 2, 12);
  });

  it("refuses what does not belong together", async () => {
    const own = partitionOf([0, 0, 0], [1, 1, 1]);
    const code = async (work: () => unknown) => (await catchError(work)).code;
    const stranger = { ...own, layers: own.layers.map(({ labels }) => ({ name: "elsewhere", labels })) };
    expect(await code(() => measureTransfer(triangles, stranger, own))).toBe("E_PARTITION_FIT");
    const wide = partitionOf([0, 0, 0, 0], [1, 1]);
    expect(await code(() => measureTransfer(triangles, wide, wide))).toBe("E_PARTITION_FIT");
    expect(await code(() => measureTransfer(triangles, own, wide))).toBe("E_PARTITION_UNITS");
    const empty = partitionOf([-1, -1, -1], [-1, -1, -1]);
    expect(await code(() => measureTransfer(triangles, own, empty))).toBe("E_PARTITION_DISJOINT");
    const local = { ...localGraph(), kind: "weights" as const };
    expect(await code(() => measureTransfer(local, own, own))).toBe("E_GRAPH_LOCAL");
  });
});
