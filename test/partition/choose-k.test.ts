import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { partitionGraph, settledSettings } from "../../src/partition/partition-graph.ts";
import { chain, fromEdges, sparse, within } from "../support/reference-graphs.ts";
import { globalGraph } from "../support/unit-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const settings = { method: "spectral", k: "auto", seed: 0 } as const;

describe("k = auto", () => {
  test.each([
    ["dense, 3", within(150, 3, 4, 1), 3],
    ["dense, 7", within(210, 7, 6, 2), 7],
    ["sparse, 6", sparse(360, 6, 6), 6],
    ["layers, 5", chain([60, 50, 40], 5, 8, 1), 5],
    ["sparse, 12", sparse(480, 12, 9), 12],
  ] as const)("finds the number of planted clusters: %s", async (_name, matrix, k) => {
    const { clusters, method } = await partitionGraph(compute, globalGraph(matrix), settings);
    expect(clusters).toBe(k);
    expect(method).toMatchObject({ name: "spectral", k, seed: 0, chosen: { rule: "eigengap", k } });
    const { candidates } = method.chosen as { candidates: { k: number; gap: number }[] };
    expect(candidates.map((candidate) => candidate.k)).toEqual(Array.from({ length: 31 }, (_, i) => i + 2));
    const best = candidates.reduce((a, b) => (b.gap > a.gap ? b : a));
    expect(best.k).toBe(k);
  });

  test("as many clusters as pieces, where a graph falls apart", async () => {
    const edges = Array.from({ length: 5 }, (_, piece) =>
      Array.from({ length: 6 }, (_, i) =>
        Array.from({ length: i }, (_, j): [number, number, number] => [6 * piece + i, 6 * piece + j, 1]),
      ).flat(),
    ).flat();
    const { clusters, quality } = await partitionGraph(compute, globalGraph(fromEdges(31, edges)), settings);
    expect(clusters).toBe(5);
    expect(quality?.ncut).toBeCloseTo(0, 6);
  });

  test("tiny graphs are one cluster", async () => {
    const found = await partitionGraph(
      compute,
      globalGraph(
        fromEdges(3, [
          [0, 1, 1],
          [1, 2, 1],
        ]),
      ),
      settings,
    );
    expect(found.clusters).toBe(1);
  });

  test("the settings that it settled on make the same partition", async () => {
    const graph = globalGraph(within(150, 3, 4, 1));
    const partition = await partitionGraph(compute, graph, settings);
    const settled = settledSettings(settings, partition);
    expect(settled.k).toBe(3);
    const again = await partitionGraph(compute, graph, settled);
    expect(again.layers).toEqual(partition.layers);
  });

  test("local graphs choose for each layer", async () => {
    const blocks = [within(60, 3, 8, 1), within(60, 5, 8, 2)].flatMap(({ blocks: [block] }, i) => ({
      ...(block as (typeof blocks)[number]),
      start: 60 * i,
    })) as ReturnType<typeof within>["blocks"][number][];
    const local = {
      ...globalGraph({ size: 120, blocks }, [60, 60]),
      scope: "local" as const,
      parts: [
        { nodeStart: 0, nodeCount: 60, keeps: [0] },
        { nodeStart: 60, nodeCount: 60, keeps: [1] },
      ],
    };
    const partition = await partitionGraph(compute, local, settings);
    expect(partition.method).toMatchObject({ k: "auto", kPerLayer: { layer0: 3, layer1: 5 } });
    expect(partition.clusters).toBe(8);
    const settled = settledSettings(settings, partition);
    expect([...(settled.kPerLayer ?? [])]).toEqual([
      ["layer0", 3],
      ["layer1", 5],
    ]);
  });

  test.each(["louvain", "leiden", "random"] as const)("%s has no k to choose", async (method) => {
    const run = partitionGraph(compute, globalGraph(within(40, 2, 1, 1)), { method, k: "auto" });
    await expect(run).rejects.toMatchObject({ code: "E_USAGE_K" });
  });
});
