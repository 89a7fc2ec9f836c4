import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute, SymmetricMatrix } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { toDense } from "../../src/compute/dense-embedding.ts";
import { modularity, partitionQuality } from "../../src/partition/quality.ts";
import { rng } from "../../src/statistics/rng.ts";
import { chain, fromEdges, within } from "../support/reference-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

/** The chain of dense layers with these kernels (inputs x outputs), by absolute weight. */
function mlpGraph(kernels: readonly (readonly (readonly number[])[])[]): SymmetricMatrix {
  let start = 0;
  const blocks = kernels.map((kernel) => {
    const rowCount = kernel.length;
    const columnCount = (kernel[0] as readonly number[]).length;
    const rowStart = start;
    start += rowCount;
    const values = Float32Array.from(kernel.flat(), Math.abs);
    return { shape: "between" as const, rowStart, rowCount, columnStart: start, columnCount, values };
  });
  return { size: start + ((kernels.at(-1) as number[][])[0] as number[]).length, blocks };
}

describe("n-cut", () => {
  test("method note, oracle 1", async () => {
    const graph = mlpGraph([
      [
        [12, -1.3],
        [0, 7.4],
      ],
      [
        [-8.9, 0.15],
        [0.23, -5.7],
      ],
    ]);
    const { ncut } = await partitionQuality(compute, graph, Int32Array.of(0, 1, 0, 1, 0, 1), 2);
    expect(ncut).toBeCloseTo(0.098897, 6);
  });

  test("method note, oracle 2", async () => {
    const graph = mlpGraph([
      [
        [5.4, 0.03, 0, 0],
        [0, 0, -0.4, 5.5],
        [-12, 0, 4.8, -0.07],
        [0, 6.3, 0.001, 7],
      ],
      [
        [-13.3, -0.4, 6, 0.1],
        [0.7, -8, 0, -5.8],
        [7.4, 0.3, -15, 0],
        [0, 0, 0, -12.3],
      ],
    ]);
    const labels = Int32Array.from({ length: 12 }, (_, i) => 1 - (i % 2));
    expect((await partitionQuality(compute, graph, labels, 2)).ncut).toBeCloseTo(0.037213, 6);
  });

  test("one cluster cuts nothing; singletons of a graph cut everything", async () => {
    const graph = within(12, 2, 2, 1);
    expect((await partitionQuality(compute, graph, new Int32Array(12), 1)).ncut).toBeCloseTo(0, 12);
    const singletons = Int32Array.from({ length: 12 }, (_, i) => i);
    expect((await partitionQuality(compute, graph, singletons, 12)).ncut).toBeCloseTo(12, 6);
  });
});

describe("modularity", () => {
  test("two triangles joined by one edge: 5/14", async () => {
    const edges = [
      [0, 1, 1],
      [1, 2, 1],
      [0, 2, 1],
      [3, 4, 1],
      [4, 5, 1],
      [3, 5, 1],
      [2, 3, 1],
    ] as const;
    const labels = Int32Array.of(0, 0, 0, 1, 1, 1);
    const quality = await partitionQuality(compute, fromEdges(6, edges), labels, 2);
    expect(quality.modularity).toBeCloseTo(5 / 14, 12);
    expect(quality.ncut).toBeCloseTo(2 / 7, 8);
  });

  test("one cluster has Q = 0, and the definition holds for random labels at any resolution", async () => {
    const graph = chain([9, 8, 4], 2, 3, 5);
    const { size } = graph;
    expect((await partitionQuality(compute, graph, new Int32Array(size), 1)).modularity).toBeCloseTo(0, 12);
    const random = rng(1, "labels");
    const labels = Int32Array.from({ length: size }, () => random.integer(3));
    const dense = toDense(graph);
    const degree = await compute.degrees(graph);
    const total = degree.reduce((sum, value) => sum + value, 0);
    for (const resolution of [0.5, 1, 2]) {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          if (labels[i] !== labels[j]) continue;
          const expected = ((degree[i] as number) * (degree[j] as number)) / total;
          sum += ((dense[i * size + j] as number) - resolution * expected) / total;
        }
      }
      expect(modularity(await compute.clusterWeights(graph, labels, 3), resolution)).toBeCloseTo(sum, 10);
    }
  });

  test("nodes of label -1 count as if they were not there", async () => {
    const graph = within(10, 2, 3, 2);
    const half = within(10, 2, 3, 2);
    const values = (half.blocks[0] as { values: Float32Array }).values;
    for (let i = 0; i < 10; i++) {
      values[i * 10 + 9] = 0;
      values[90 + i] = 0;
    }
    const labels = Int32Array.from({ length: 10 }, (_, i) => (i === 9 ? -1 : i % 2));
    expect(await partitionQuality(compute, graph, labels, 2)).toEqual(
      await partitionQuality(compute, half, labels, 2),
    );
  });
});
