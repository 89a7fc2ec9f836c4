import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { toDense } from "../../src/compute/dense-embedding.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import { correlateUnits } from "../../src/graph/activation-graph.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { permuteInputs, resampleInputs, shuffleWeights } from "../../src/partition/null-graphs.ts";
import { partitionGraph } from "../../src/partition/partition-graph.ts";
import { testQuality } from "../../src/partition/quality-nulls.ts";
import { rng } from "../../src/statistics/rng.ts";
import { chain, fromEdges, sparse, within } from "../support/reference-graphs.ts";
import { globalGraph } from "../support/unit-graphs.ts";

let compute: Compute;
let engine: Engine;
beforeAll(async () => {
  compute = await createCpuCompute();
  engine = localEngine(compute);
});
afterAll(() => compute.dispose());

/** Weights between two layers of a dense matrix, sorted; of the upper triangle where they are one layer. */
function weightsBetween(graph: UnitGraph, a: number, b: number): number[] {
  const n = graph.matrix.size;
  const values: number[] = [];
  toDense(graph.matrix).forEach((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    if (graph.layer[i] === a && graph.layer[j] === b && (a !== b || i < j)) values.push(value);
  });
  return values.sort((x, y) => x - y);
}

describe("shuffleWeights", () => {
  const dims = [20, 12, 8];
  /** Unit 3 is isolated, a third of the weights between the last layers is 0. */
  const graphWithZeros = (): UnitGraph => {
    const graph = globalGraph(chain(dims, 4, 20, 1), dims);
    const [first, second] = graph.matrix.blocks as unknown as [
      { values: Float32Array },
      { values: Float32Array },
    ];
    first.values.fill(0, 3 * 12, 4 * 12);
    second.values.forEach((_, at) => {
      if (at % 3 === 0) second.values[at] = 0;
    });
    return graph;
  };

  test("keeps what is between two layers, symmetric, and leaves isolated units alone", () => {
    const graph = graphWithZeros();
    const shuffled = shuffleWeights(graph, rng(0, "test"));
    const dense = toDense(shuffled.matrix);
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 2],
      [0, 0],
      [1, 1],
    ] as const) {
      expect(weightsBetween(shuffled, a, b)).toEqual(weightsBetween(graph, a, b));
    }
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < i; j++) expect(dense[i * 40 + j]).toBe(dense[j * 40 + i]);
      expect(dense[3 * 40 + i]).toBe(0);
    }
    expect(dense).not.toEqual(toDense(graph.matrix));
    expect(toDense(shuffleWeights(graph, rng(0, "test")).matrix)).toEqual(dense);
  });

  test("every cell is as likely, in dense, sparse and triangular tables", () => {
    // One heavy weight among lighter ones: where does it go?
    const cases = [
      globalGraph(chain([2, 3], 1, 1, 1), [2, 3]),
      globalGraph(
        fromEdges(8, [
          [0, 4, 9],
          [1, 5, 1],
          [2, 6, 1],
          [3, 7, 1],
        ]),
        [4, 4],
      ),
      globalGraph(within(4, 1, 1, 1), [4]),
      globalGraph(within(4, 1, 1, 1), [2, 2], "activations"),
      globalGraph(
        fromEdges(9, [
          [0, 1, 9],
          [2, 3, 1],
          [4, 5, 1],
          [6, 7, 1],
          [7, 8, 1],
        ]),
        [9],
      ),
    ];
    const cells = [6, 16, 6, 6, 36];
    cases.forEach((graph, number) => {
      const n = graph.matrix.size;
      const counts = new Map<number, number>();
      const draws = 200 * (cells[number] as number);
      const stream = rng(number, "cells");
      for (let draw = 0; draw < draws; draw++) {
        const dense = toDense(shuffleWeights(graph, stream).matrix);
        let best = 0;
        for (let at = 0; at < n * n; at++) {
          if (at % n > Math.floor(at / n) && (dense[at] as number) > (dense[best] as number)) best = at;
        }
        counts.set(best, (counts.get(best) ?? 0) + 1);
      }
      expect(counts.size).toBe(cells[number]);
      // 200 expected in each cell, standard deviation 14.
      for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(70);
    });
  });

  test("local graphs keep their parts apart", () => {
    const graph = globalGraph(
      {
        size: 60,
        blocks: [
          ...within(30, 2, 3, 1).blocks,
          { ...(within(30, 2, 3, 2).blocks[0] as object), start: 30 } as never,
        ],
      },
      [30, 30],
      "activations",
    );
    const local: UnitGraph = {
      ...graph,
      scope: "local",
      parts: [
        { nodeStart: 0, nodeCount: 30, keeps: [0] },
        { nodeStart: 30, nodeCount: 30, keeps: [1] },
      ],
    };
    const shuffled = shuffleWeights(local, rng(0, "test"));
    expect(weightsBetween(shuffled, 0, 0)).toEqual(weightsBetween(local, 0, 0));
    expect(weightsBetween(shuffled, 1, 1)).toEqual(weightsBetween(local, 1, 1));
    expect(weightsBetween(shuffled, 0, 1).every((weight) => weight === 0)).toBe(true);
  });
});

describe("inputs permuted and resampled", () => {
  const samples = 400;
  /** 24 units in 3 groups that share a signal; unit 5 is dead. */
  const values = (() => {
    const stream = rng(4, "activations");
    const signals = Float32Array.from({ length: 3 * samples }, stream.normal);
    return Float32Array.from({ length: 24 * samples }, (_, at) => {
      const unit = Math.floor(at / samples);
      if (unit === 5) return 1;
      return (signals[(unit % 3) * samples + (at % samples)] as number) + 0.5 * stream.normal();
    });
  })();
  const layers = [
    { name: "layer0", units: 10 },
    { name: "layer1", units: 14 },
  ];
  const build = () => correlateUnits(layers, values.slice(), samples, compute, { model: "test" });
  const meanWeight = ({ matrix }: UnitGraph) => {
    const dense = toDense(matrix);
    return dense.reduce((sum, value) => sum + value, 0) / dense.length;
  };

  test("permuted inputs leave no correlation, resampled ones do", async () => {
    const graph = await build();
    const before = values.slice();
    const permuted = await permuteInputs(engine, graph, { values, samples }, rng(0, "test"));
    expect(permuted.matrix.size).toBe(23);
    expect(meanWeight(permuted)).toBeLessThan(2 / samples);
    const resampled = await resampleInputs(engine, graph, { values, samples }, rng(0, "test"));
    expect(Math.abs(meanWeight(resampled) / meanWeight(graph) - 1)).toBeLessThan(0.1);
    expect(resampled.matrix).not.toEqual(graph.matrix);
    expect(values).toEqual(before);
  });

  test("graphs of the strongest edges stay such graphs", async () => {
    const options = { topK: 3, scope: "local" } as const;
    const graph = await correlateUnits(layers, values.slice(), samples, compute, {}, options);
    for (const make of [permuteInputs, resampleInputs]) {
      const made = await make(engine, graph, { values, samples }, rng(0, "test"));
      expect(made.facts).toMatchObject({ topK: 3 });
      expect(made.parts).toEqual(graph.parts);
      const edges = toDense(made.matrix).filter((weight) => weight > 0).length / 2;
      expect(edges).toBeLessThanOrEqual(3 * 23);
      expect(edges).toBeGreaterThanOrEqual((3 * 23) / 2);
    }
  });

  test("a planted partition is far from both nulls", async () => {
    const graph = await build();
    const settings = { method: "louvain", seed: 1 } as const;
    const partition = await partitionGraph(compute, graph, settings);
    for (const [name, nullGraph] of [
      ["weights", (random: ReturnType<typeof rng>) => shuffleWeights(graph, random)],
      [
        "inputs",
        (random: ReturnType<typeof rng>) => permuteInputs(engine, graph, { values, samples }, random),
      ],
    ] as const) {
      const found = await testQuality(engine, partition, settings, name, 19, nullGraph);
      expect(found).toMatchObject({ null: name, draws: 19, modularity: { p: 0.05 } });
      expect(found.modularity.z).toBeGreaterThan(5);
    }
  });
});

describe("testQuality", () => {
  test("mean, sd, z and p of the draws themselves", async () => {
    const graph = globalGraph(sparse(80, 4, 3));
    const settings = { method: "spectral", k: 4, seed: 2 } as const;
    const partition = await partitionGraph(compute, graph, settings);
    const found = await testQuality(engine, partition, settings, "weights", 9, (random) =>
      shuffleWeights(graph, random),
    );
    const draws = await Promise.all(
      Array.from({ length: 9 }, async (_, draw) => {
        const shuffled = shuffleWeights(graph, rng(2, "null graph", "weights", draw));
        return (await partitionGraph(compute, shuffled, settings)).quality?.ncut as number;
      }),
    );
    const mean = draws.reduce((sum, value) => sum + value, 0) / 9;
    const sd = Math.sqrt(draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 9);
    const ncut = partition.quality?.ncut as number;
    expect(found.ncut.mean).toBeCloseTo(mean, 12);
    expect(found.ncut.z).toBeCloseTo((ncut - mean) / sd, 9);
    expect(found.ncut.p).toBe((1 + draws.filter((value) => value <= ncut).length) / 10);
  });

  test("graphs without structure are significant no more often than they should be", async () => {
    let hits = 0;
    const graphs = 60;
    for (let seed = 0; seed < graphs; seed++) {
      const graph = globalGraph(chain([12, 10, 8], 1, 1, 100 + seed), [12, 10, 8]);
      const settings = { method: "louvain", seed } as const;
      const partition = await partitionGraph(compute, graph, settings);
      const { modularity } = await testQuality(engine, partition, settings, "weights", 9, (random) =>
        shuffleWeights(graph, random),
      );
      if (modularity.p <= 0.2) hits++;
    }
    // Binomial, 12 expected, standard deviation 3.1.
    expect(hits).toBeLessThan(24);
    expect(hits).toBeGreaterThan(2);
  });
});
