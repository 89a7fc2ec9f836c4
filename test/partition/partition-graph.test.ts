import { readFileSync } from "node:fs";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute, SymmetricMatrix } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { toDense } from "../../src/compute/dense-embedding.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { louvain } from "../../src/partition/louvain.ts";
import { type PartitionSettings, partitionGraph } from "../../src/partition/partition-graph.ts";
import { partitionQuality } from "../../src/partition/quality.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  chain,
  fromEdges,
  REFERENCE_GRAPHS,
  scaleWeights,
  sparse,
  within,
} from "../support/reference-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const references = JSON.parse(
  readFileSync(new URL("../fixtures/partition-references.json", import.meta.url), "utf8"),
) as Record<string, { k: number; weight: number; ncut: number; modularity: number }>;

/** A graph of one layer per entry of `dims`, in one part. */
function globalGraph(matrix: SymmetricMatrix, dims: readonly number[] = [matrix.size]): UnitGraph {
  return {
    kind: "weights",
    scope: "global",
    layers: dims.map((units, i) => ({ name: `layer${i}`, units })),
    layer: Int32Array.from(dims.flatMap((units, i) => new Array<number>(units).fill(i))),
    unit: Int32Array.from(dims.flatMap((units) => Array.from({ length: units }, (_, i) => i))),
    matrix,
    parts: [{ nodeStart: 0, nodeCount: matrix.size, keeps: dims.map((_, i) => i) }],
    facts: {},
  };
}

/** Three-layer parts around each interior layer of a chain of four, side by side (method note 3.5). */
function localChain(dims: readonly [number, number, number, number], seed: number): UnitGraph {
  const triples = [dims.slice(0, 3), dims.slice(1, 4)];
  const parts = triples.map((triple, i) => chain(triple, 3, 5, seed + i));
  const first = (parts[0] as SymmetricMatrix).size;
  const nodes = triples.flatMap((triple, i) =>
    triple.flatMap((units, j) => Array.from({ length: units }, (_, unit) => ({ layer: i + j, unit }))),
  );
  return {
    ...globalGraph({ size: 0, blocks: [] }, dims),
    scope: "local",
    layer: Int32Array.from(nodes, ({ layer }) => layer),
    unit: Int32Array.from(nodes, ({ unit }) => unit),
    matrix: {
      size: nodes.length,
      blocks: parts.flatMap((part, i) =>
        part.blocks.map((block) =>
          block.shape === "between" && i === 1
            ? { ...block, rowStart: block.rowStart + first, columnStart: block.columnStart + first }
            : block,
        ),
      ),
    },
    parts: [
      { nodeStart: 0, nodeCount: first, keeps: [0, 1] },
      { nodeStart: first, nodeCount: nodes.length - first, keeps: [2, 3] },
    ],
  };
}

const labelsOf = async (graph: UnitGraph, settings: PartitionSettings) => {
  const partition = await partitionGraph(compute, graph, settings);
  return Int32Array.from(partition.layers.flatMap((layer) => [...layer.labels]));
};

/** Labels renumbered by first appearance. */
function canonical(labels: ArrayLike<number>): number[] {
  const ids = new Map<number, number>([[-1, -1]]);
  return Array.from(labels, (label) => {
    if (!ids.has(label)) ids.set(label, ids.size - 1);
    return ids.get(label) as number;
  });
}

describe("against other programs", () => {
  test.each(Object.keys(REFERENCE_GRAPHS))("%s", async (name) => {
    const graph = (REFERENCE_GRAPHS[name] as () => SymmetricMatrix)();
    const { k, weight, ncut, modularity } = references[name] as (typeof references)[string];
    const total = (await compute.degrees(graph)).reduce((sum, value) => sum + value, 0);
    expect(total / weight).toBeCloseTo(1, 6);
    const spectral = await partitionGraph(compute, globalGraph(graph), { method: "spectral", k });
    // Contract: not above scikit-learn's by more than 1 %, not below igraph's by more than 0.5 %.
    expect(spectral.quality?.ncut).toBeLessThanOrEqual(1.01 * ncut);
    for (const method of ["louvain", "leiden"] as const) {
      const { quality } = await partitionGraph(compute, globalGraph(graph), { method });
      expect(quality?.modularity).toBeGreaterThanOrEqual(0.995 * modularity);
    }
  });
});

describe("partitionGraph", () => {
  const planted = () => globalGraph(chain([60, 48, 48, 12], 6, 30, 1), [60, 48, 48, 12]);

  test.each(["spectral", "louvain", "leiden"] as const)(
    "%s finds planted groups across layers",
    async (method) => {
      const partition = await partitionGraph(compute, planted(), { method, k: 6 });
      expect(partition.clusters).toBe(6);
      expect(partition.layers.map((layer) => layer.name)).toEqual(["layer0", "layer1", "layer2", "layer3"]);
      for (const { labels } of partition.layers) {
        labels.forEach((label, unit) => {
          expect(label).toBe(partition.layers[0]?.labels[unit % 6]);
        });
      }
      const again = Int32Array.from(partition.layers.flatMap((layer) => [...layer.labels]));
      expect(partition.quality).toMatchObject(await partitionQuality(compute, planted().matrix, again, 6));
    },
  );

  test.each([6, "auto", "stable"] as const)("keeps the eigenvalues of spectral, k = %s", async (k) => {
    const graph = planted();
    const partition = await partitionGraph(compute, graph, { method: "spectral", k });
    const [spectrum, ...others] = partition.quality?.eigenvalues ?? [];
    expect(others).toEqual([]);
    expect(spectrum?.part).toBe("graph");
    const { size } = graph.matrix;
    const dense = toDense(graph.matrix);
    const root = Array.from(await compute.degrees(graph.matrix), Math.sqrt);
    const scaled = root.map((a, i) => root.map((b, j) => (dense[i * size + j] as number) / (a * b)));
    const all = new EigenvalueDecomposition(new Matrix(scaled), { assumeSymmetric: true }).realEigenvalues;
    const expected = all.sort((a, b) => b - a).slice(0, k === "auto" ? 33 : 6);
    expect(spectrum?.values.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(spectrum?.values[i]).toBeCloseTo(value, 4);
    });
  });

  test("other methods have none", async () => {
    const partition = await partitionGraph(compute, planted(), { method: "leiden" });
    expect(partition.quality).not.toHaveProperty("eigenvalues");
  });

  test.each(["spectral", "louvain", "leiden", "random"] as const)(
    "%s: same seed, same bytes",
    async (method) => {
      const graph = globalGraph(chain([100, 60, 60, 10], 1, 1, 3));
      const first = await partitionGraph(compute, graph, { method, k: 6, seed: 3 });
      expect(await partitionGraph(compute, graph, { method, k: 6, seed: 3 })).toEqual(first);
      expect(first.method).toMatchObject({ name: method, seed: 3 });
    },
  );

  test.each(["spectral", "louvain", "leiden"] as const)(
    "%s: scaled weights, same partition",
    async (method) => {
      const matrices = [chain([100, 60, 60, 10], 1, 1, 3), within(330, 5, 1.5, 4), sparse(360, 6, 6)];
      for (const matrix of matrices) {
        const settings = { method, k: 6 };
        const labels = await labelsOf(globalGraph(matrix), settings);
        for (const factor of [2, 2 ** -19, 2 ** 30]) {
          expect(await labelsOf(globalGraph(scaleWeights(matrix, factor)), settings)).toEqual(labels);
        }
      }
      const labels = await labelsOf(planted(), { method, k: 6 });
      const graph = { ...planted(), matrix: scaleWeights(planted().matrix, 0.3) };
      expect(await labelsOf(graph, { method, k: 6 })).toEqual(labels);
    },
  );

  test.each(["spectral", "louvain", "leiden"] as const)(
    "%s: permuted units, permuted clusters",
    async (method) => {
      const matrix = within(330, 5, 2, 4);
      const dense = toDense(matrix);
      const order = rng(0, "order").shuffle(Int32Array.from({ length: 330 }, (_, i) => i));
      const values = new Float32Array(330 * 330);
      for (let i = 0; i < 330; i++) {
        for (let j = 0; j < 330; j++) {
          values[i * 330 + j] = dense[(order[i] as number) * 330 + (order[j] as number)] as number;
        }
      }
      const permuted: SymmetricMatrix = {
        size: 330,
        blocks: [{ shape: "within", start: 0, count: 330, values }],
      };
      const labels = await labelsOf(globalGraph(matrix), { method, k: 5 });
      const moved = Int32Array.from(order, (node) => labels[node] as number);
      expect(canonical(await labelsOf(globalGraph(permuted), { method, k: 5 }))).toEqual(canonical(moved));
    },
  );

  test("the same cut whether blocks are dense or sparse", async () => {
    const dense = chain([60, 48, 48, 12], 6, 30, 1);
    const full = toDense(dense);
    const edges: [number, number, number][] = [];
    for (let i = 0; i < dense.size; i++) {
      for (let j = i + 1; j < dense.size; j++) {
        if ((full[i * dense.size + j] as number) > 0) edges.push([i, j, full[i * dense.size + j] as number]);
      }
    }
    const csr = fromEdges(dense.size, edges);
    expect(await labelsOf(globalGraph(csr), { method: "spectral", k: 6 })).toEqual(
      await labelsOf(globalGraph(dense), { method: "spectral", k: 6 }),
    );
  });

  test.each(["spectral", "louvain", "leiden", "random"] as const)(
    "%s: isolated units get -1",
    async (method) => {
      const graph = planted();
      const block = graph.matrix.blocks[0] as { values: Float32Array };
      const clear = [3, 17, 59];
      for (const unit of clear) block.values.fill(0, unit * 48, (unit + 1) * 48);
      const { layers, clusters } = await partitionGraph(compute, graph, { method, k: 6 });
      layers.forEach(({ labels }, layer) => {
        labels.forEach((label, unit) => {
          if (layer === 0 && clear.includes(unit)) expect(label).toBe(-1);
          else expect(label).toBeGreaterThanOrEqual(0);
        });
      });
      expect(Math.max(...layers.flatMap(({ labels }) => [...labels]))).toBe(clusters - 1);
      if (method === "random") return;
      const byGroup = layers[1]?.labels as Int32Array;
      expect(layers[0]?.labels[4]).toBe(byGroup[4]);
    },
  );

  test("leiden's quality function and resolution are kept with the partition", async () => {
    const graph = planted();
    const modularity = await partitionGraph(compute, graph, { method: "leiden", resolution: 2 });
    expect(modularity.method).toEqual({ name: "leiden", resolution: 2, seed: 0 });
    const cpm = await partitionGraph(compute, graph, { method: "leiden", quality: "cpm" });
    expect(cpm.method).toEqual({ name: "leiden", quality: "cpm", resolution: "density", seed: 0 });
    const fine = await partitionGraph(compute, graph, { method: "leiden", quality: "cpm", resolution: 1e6 });
    expect(fine.clusters).toBe(graph.matrix.size);
  });

  test("random clusters have equal sizes and depend on the seed", async () => {
    const graph = globalGraph(within(50, 1, 1, 1));
    const labels = await labelsOf(graph, { method: "random", k: 7, seed: 1 });
    const sizes = new Array<number>(7).fill(0);
    for (const label of labels) sizes[label] = (sizes[label] as number) + 1;
    expect(sizes.sort()).toEqual([7, 7, 7, 7, 7, 7, 8]);
    expect(await labelsOf(graph, { method: "random", k: 7, seed: 2 })).not.toEqual(labels);
  });

  test("a higher resolution gives Louvain more clusters", () => {
    const matrix = within(200, 5, 2, 4);
    const count = (resolution: number) => new Set(louvain(matrix, { resolution, seed: 0 })).size;
    expect(count(1.5)).toBeGreaterThan(count(1));
    expect(count(0.1)).toBe(1);
  });
});

describe("local graphs", () => {
  const dims = [30, 24, 18, 12] as const;

  test("clusters never span layers, and outer layers are labelled by the nearest part", async () => {
    const { layers, clusters, quality } = await partitionGraph(compute, localChain(dims, 1), {
      method: "spectral",
      k: 3,
    });
    expect(layers.map(({ labels }) => labels.length)).toEqual([...dims]);
    const ids = layers.map(({ labels }) => new Set(labels));
    expect(ids.flatMap((set) => [...set]).sort((a, b) => a - b)).toEqual(
      Array.from({ length: clusters }, (_, i) => i),
    );
    expect(clusters).toBe(12);
    for (const { labels } of layers) {
      expect(canonical(labels)).toEqual(Array.from(labels, (_, unit) => unit % 3));
    }
    const each = await Promise.all(
      [0, 1].map((i) =>
        partitionGraph(compute, globalGraph(chain(dims.slice(i, i + 3), 3, 5, 1 + i)), {
          method: "spectral",
          k: 3,
        }),
      ),
    );
    const mean = each.reduce((sum, partition) => sum + (partition.quality?.ncut ?? 0) / 2, 0);
    expect(quality?.ncut).toBeCloseTo(mean, 9);
  });

  test("k by layer, counted on the layer in the middle; 0 and 1 make one cluster", async () => {
    const kPerLayer = new Map([
      ["layer0", 9],
      ["layer1", 3],
      ["layer2", 0],
    ]);
    const { layers, method } = await partitionGraph(compute, localChain(dims, 1), {
      method: "spectral",
      k: 99,
      kPerLayer,
    });
    expect(layers.map(({ labels }) => new Set(labels).size)).toEqual([3, 3, 1, 1]);
    expect(method).toMatchObject({ kPerLayer: { layer0: 9, layer1: 3, layer2: 0 } });
  });

  test("a k above the part's units is refused by the layer's name", async () => {
    const run = partitionGraph(compute, localChain(dims, 1), {
      method: "spectral",
      k: 2,
      kPerLayer: new Map([["layer2", 55]]),
    });
    await expect(run).rejects.toMatchObject({ code: "E_PARTITION_K" });
    await expect(run).rejects.toThrow(/layer layer2.*k = 55.*1 to 54/);
  });
});

describe("graphs that cannot be partitioned", () => {
  test.each([0, -1, 2.5, 41, Number.NaN])("k = %f of 40 units", async (k) => {
    for (const method of ["spectral", "random"] as const) {
      const run = partitionGraph(compute, globalGraph(within(40, 2, 1, 1)), { method, k });
      await expect(run).rejects.toMatchObject({ code: "E_PARTITION_K" });
    }
  });

  test("k = 1 and k = n are possible", async () => {
    const graph = globalGraph(within(40, 2, 1, 1));
    expect((await partitionGraph(compute, graph, { method: "spectral", k: 1 })).clusters).toBe(1);
    expect((await partitionGraph(compute, graph, { method: "spectral", k: 40 })).clusters).toBe(40);
  });

  test.each(["spectral", "louvain", "leiden", "random"] as const)("%s: no edges at all", async (method) => {
    const graph = globalGraph(scaleWeights(within(40, 2, 1, 1), 0));
    const run = partitionGraph(compute, graph, { method });
    await expect(run).rejects.toMatchObject({ code: "E_GRAPH_EMPTY" });
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("a weight of %f", async (weight) => {
    const graph = globalGraph(within(40, 2, 1, 1));
    (graph.matrix.blocks[0] as { values: Float32Array }).values[7] = weight;
    const run = partitionGraph(compute, graph, { method: "louvain" });
    await expect(run).rejects.toMatchObject({ code: "E_GRAPH_NEGATIVE" });
  });
});
