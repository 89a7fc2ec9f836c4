import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import type { ChosenK } from "../../src/partition/choose-k.ts";
import { partitionGraph, settledSettings } from "../../src/partition/partition-graph.ts";
import { chain, fromEdges, within } from "../support/reference-graphs.ts";
import { globalGraph } from "../support/unit-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const settings = { method: "spectral", k: "stable", seed: 0 } as const;
/** Agreement of the clusterings of parts, from k = 2 on. */
function curveOf(method: Readonly<Record<string, unknown>>): number[] {
  const { candidates } = method.chosen as Extract<ChosenK, { rule: "stability" }>;
  expect(candidates.map(({ k }) => k)).toEqual(Array.from(candidates, (_, i) => i + 2));
  return candidates.map(({ ami }) => ami);
}

describe("k = stable", () => {
  test.each([
    ["dense, 3", within(150, 3, 4, 1), 3],
    ["dense, 7", within(154, 7, 8, 2), 7],
    ["layers, 5", chain([60, 50, 40], 5, 8, 1), 5],
  ] as const)("finds the number of planted clusters: %s", async (_name, matrix, k) => {
    const graph = globalGraph(matrix);
    const partition = await partitionGraph(compute, graph, settings);
    expect(partition.method).toMatchObject({
      name: "spectral",
      k,
      seed: 0,
      chosen: { rule: "stability", k },
    });
    const curve = curveOf(partition.method);
    expect(curve).toHaveLength(31);
    expect(curve[k - 2]).toBe(Math.max(...curve));
    expect(curve[k - 2]).toBeGreaterThan(0.9);
    // Fewer clusters join planted ones, which are all alike: parts do so in different ways.
    expect(curve[k - 3]).toBeLessThan((curve[k - 2] as number) - 0.05);
    const settled = settledSettings(settings, partition);
    expect(settled.k).toBe(k);
    expect((await partitionGraph(compute, graph, settled)).layers).toEqual(partition.layers);
  });

  test("where there are no clusters, no number of them is stable", async () => {
    const { method } = await partitionGraph(compute, globalGraph(within(150, 1, 1, 1)), settings);
    expect(Math.max(...curveOf(method))).toBeLessThan(0.4);
  });

  test("of clusters inside clusters, both stable, the more are taken", async () => {
    // Three groups of pairs of cliques: strong edges in a clique, weaker ones in a group, weakest between groups.
    const edges = Array.from({ length: 90 }, (_, i) =>
      Array.from({ length: i }, (_unused, j): [number, number, number] => [
        i,
        j,
        i % 6 === j % 6 ? 60 : i % 3 === j % 3 ? 8 : 1,
      ]),
    ).flat();
    const { method } = await partitionGraph(compute, globalGraph(fromEdges(90, edges)), settings);
    const curve = curveOf(method);
    expect([curve[1], curve[4]]).toEqual([1, 1]);
    expect(method.k).toBe(6);
  });

  test("tiny graphs are one cluster", async () => {
    const { clusters, method } = await partitionGraph(
      compute,
      globalGraph(
        fromEdges(3, [
          [0, 1, 1],
          [1, 2, 1],
        ]),
      ),
      settings,
    );
    expect(clusters).toBe(1);
    expect(method).toMatchObject({ k: 1, chosen: { candidates: [] } });
  });

  test("local graphs choose for each layer", async () => {
    const blocks = [within(40, 2, 8, 1), within(40, 4, 10, 2)].flatMap(({ blocks: [block] }, i) => ({
      ...(block as (typeof blocks)[number]),
      start: 40 * i,
    })) as ReturnType<typeof within>["blocks"][number][];
    const local = {
      ...globalGraph({ size: 80, blocks }, [40, 40]),
      scope: "local" as const,
      parts: [
        { nodeStart: 0, nodeCount: 40, keeps: [0] },
        { nodeStart: 40, nodeCount: 40, keeps: [1] },
      ],
    };
    const partition = await partitionGraph(compute, local, settings);
    expect(partition.method).toMatchObject({ k: "stable", kPerLayer: { layer0: 2, layer1: 4 } });
    expect([...(settledSettings(settings, partition).kPerLayer ?? [])]).toEqual([
      ["layer0", 2],
      ["layer1", 4],
    ]);
  });

  test.each(["louvain", "leiden", "random"] as const)("%s has no k to choose", async (method) => {
    const run = partitionGraph(compute, globalGraph(within(40, 2, 1, 1)), { method, k: "stable" });
    await expect(run).rejects.toMatchObject({ code: "E_USAGE_K" });
  });
});
