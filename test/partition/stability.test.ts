import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import { partitionGraph } from "../../src/partition/partition-graph.ts";
import { coAssignment, measureStability } from "../../src/partition/stability.ts";
import { chain, within } from "../support/reference-graphs.ts";
import { globalGraph, partitionOf } from "../support/unit-graphs.ts";

let compute: Compute;
let engine: Engine;
beforeAll(async () => {
  compute = await createCpuCompute();
  engine = localEngine(compute);
});
afterAll(() => compute.dispose());

describe("coAssignment", () => {
  test("shares of runs, over the other units of the cluster", () => {
    const partition = partitionOf([0, 0, 0, 1], [1, 2, -1]);
    const runs = [partitionOf([5, 5, 5, 6], [6, 7, 7]), partitionOf([0, 0, 1, 1], [2, 2, 0])];
    const [first, second] = coAssignment(partition, runs);
    // Unit 0: with 1 and 2 in the first run, with 1 alone in the second.
    expect(first?.coAssignment).toEqual([0.75, 0.75, 0.5, 0.5]);
    // Unit 1 of the second layer is alone: joined by another in both runs.
    expect(second?.coAssignment).toEqual([0.5, 0, Number.NaN]);
  });

  test("by the definition, over all pairs", () => {
    const labels = (seed: number) =>
      Array.from({ length: 40 }, (_, u) => ((u * 7 + seed * (u % 5)) % 6) - (u % 11 === seed ? 6 : 0));
    const clean = (values: number[]) => values.map((label) => Math.max(-1, label));
    const partition = partitionOf(clean(labels(0)));
    const runs = [1, 2, 3].map((seed) => partitionOf(clean(labels(seed))));
    const own = partition.layers[0]?.labels as Int32Array;
    const expected = Array.from(own, (label, u) => {
      if (label < 0) return Number.NaN;
      const others = Array.from(own.keys()).filter((v) => v !== u && own[v] === label);
      const shares = runs.map((run) => {
        const found = run.layers[0]?.labels as Int32Array;
        return (
          others.filter((v) => (found[u] as number) >= 0 && found[u] === found[v]).length / others.length
        );
      });
      return shares.reduce((sum, share) => sum + share, 0) / 3;
    });
    const [layer] = coAssignment(partition, runs);
    layer?.coAssignment.forEach((value, u) => {
      if (Number.isNaN(expected[u])) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(expected[u] as number, 12);
    });
  });
});

describe("measureStability", () => {
  test.each(["leiden", "louvain", "spectral"] as const)(
    "%s: clear clusters stay, blurred ones do not",
    async (method) => {
      const settings = { method, k: 4, seed: 0 } as const;
      const clear = globalGraph(within(80, 4, 10, 1));
      const found = await measureStability(
        engine,
        clear,
        await partitionGraph(compute, clear, settings),
        settings,
        4,
      );
      expect(found.rows[0]).toEqual({
        name: "seeds",
        runs: 4,
        ami: 1,
        leastAmi: 1,
        elementCentric: 1,
        clusters: 4,
      });
      expect(found.rows.map(({ name }) => name)).toEqual(
        method === "spectral" ? ["seeds", "k 3", "k 5"] : ["seeds", "resolution 0.841", "resolution 1.19"],
      );
      expect(found.unstable).toBe(0);
      expect(found.layers[0]?.coAssignment).toEqual(Array(80).fill(1));
      if (method === "spectral") return;
      const plain = globalGraph(chain([60, 40, 30], 1, 1, 3), [60, 40, 30]);
      const loose = await measureStability(
        engine,
        plain,
        await partitionGraph(compute, plain, settings),
        settings,
        4,
      );
      expect(loose.rows[0]?.ami).toBeLessThan(0.95);
      const marked = loose.layers
        .flatMap(({ coAssignment: shares }) => shares)
        .filter((share) => share < 0.6);
      expect(loose.unstable).toBe(marked.length);
      expect(loose.unstable).toBeGreaterThan(0);
    },
  );

  test("bootstraps count as runs of their own", async () => {
    const graph = globalGraph(within(60, 3, 10, 1));
    const other = globalGraph(within(60, 2, 10, 1));
    const settings = { method: "leiden", seed: 0 } as const;
    const partition = await partitionGraph(compute, graph, settings);
    const found = await measureStability(engine, graph, partition, settings, 2, {}, async () => other);
    expect(found.rows[1]).toMatchObject({ name: "bootstraps", runs: 2, clusters: 2 });
    expect(found.rows[1]?.ami).toBeLessThan(0.5);
    // Half of the runs are those of the other graph, where units of a cluster are as likely apart as together.
    for (const share of found.layers[0]?.coAssignment ?? [])
      expect(share).toBeCloseTo(0.5 + 0.5 * (9 / 19), 1);
  });

  test("steps of CPM's resolution are taken from the graph's own", async () => {
    const graph = globalGraph(within(60, 3, 10, 1));
    const settings = { method: "leiden", quality: "cpm", seed: 0 } as const;
    const partition = await partitionGraph(compute, graph, settings);
    const { rows } = await measureStability(engine, graph, partition, settings, 1);
    const [block] = graph.matrix.blocks;
    if (block?.shape !== "within") throw new Error("one dense block");
    const density = block.values.reduce((sum, weight) => sum + weight, 0) / (60 * 59);
    const names = [density / 2 ** 0.25, density * 2 ** 0.25].map(
      (value) => `resolution ${value.toPrecision(3)}`,
    );
    expect(rows.map(({ name }) => name)).toEqual(["seeds", ...names]);
    expect(rows.map(({ ami }) => ami)).toEqual([1, 1, 1]);
  });
});
