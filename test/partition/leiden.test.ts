import { readFileSync } from "node:fs";
import { UndirectedGraph } from "graphology";
import louvainPackage from "graphology-communities-louvain";
import { describe, expect, test } from "vitest";
import type { SymmetricMatrix } from "../../src/compute/compute.ts";
import { toDense } from "../../src/compute/dense-embedding.ts";
import type { ClusterSettings } from "../../src/partition/best-run.ts";
import { leiden } from "../../src/partition/leiden.ts";
import { louvain } from "../../src/partition/louvain.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  chain,
  fromEdges,
  generator,
  REFERENCE_GRAPHS,
  scaleWeights,
  within,
} from "../support/reference-graphs.ts";

const methods = { leiden, louvain } as const;
const names = ["leiden", "louvain"] as const;

interface Reference {
  readonly leiden: number;
  readonly modularity: number;
  readonly cpm: { readonly resolution: number; readonly value: number };
}
const { karate, ...references } = JSON.parse(
  readFileSync(new URL("../fixtures/partition-references.json", import.meta.url), "utf8"),
) as Record<string, Reference> & {
  readonly karate: { readonly edges: [number, number][]; readonly modularity: number };
};

/** Value of a partition by the dense definition, over all pairs: modularity, or weight inside less r n^2 / 2. */
function qualityOf(
  matrix: SymmetricMatrix,
  labels: ArrayLike<number>,
  { quality = "modularity", resolution = 1 }: Partial<ClusterSettings> = {},
): number {
  const n = matrix.size;
  const { A, degree, total } = denseOf(matrix);
  let value = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (labels[i] !== labels[j] || (labels[i] as number) < 0) continue;
      const weight = i === j ? 0 : (A[i * n + j] as number);
      value +=
        quality === "modularity"
          ? (weight - (resolution * (degree[i] as number) * (degree[j] as number)) / total) / total
          : (weight - resolution) / 2;
    }
  }
  return value;
}

const denseOf = memoize((matrix: SymmetricMatrix) => {
  const n = matrix.size;
  const A = toDense(matrix);
  const degree = Array.from({ length: n }, (_, i) =>
    A.subarray(i * n, (i + 1) * n).reduce((a, b) => a + b, 0),
  );
  return { A, degree, total: degree.reduce((a, b) => a + b, 0) };
});

function memoize<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

/** A graph of random size, density and weights, often in several components and with isolated nodes. */
function randomGraph(seed: number): SymmetricMatrix {
  const stream = rng(seed, "random graph");
  const size = 5 + stream.integer(36);
  const groups = 1 + stream.integer(5);
  const density = 0.05 + 0.5 * stream.uniform() ** 2;
  const edges: [number, number, number][] = [];
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const share = i % groups === j % groups ? 3 * density : density / 2;
      if (stream.uniform() < share) edges.push([i, j, seed % 3 === 0 ? 1 : 10 ** (4 * stream.uniform() - 2)]);
    }
  }
  return fromEdges(size, edges.length > 0 ? edges : [[0, 1, 1]]);
}

/** Number of connected pieces of every cluster, by union-find over the dense matrix. */
function piecesOf(matrix: SymmetricMatrix, labels: Int32Array): number[] {
  const n = matrix.size;
  const A = toDense(matrix);
  const parent = Array.from({ length: n }, (_, i) => i);
  const find = (i: number): number => (parent[i] === i ? i : find(parent[i] as number));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if ((A[i * n + j] as number) > 0 && labels[i] === labels[j]) parent[find(i)] = find(j);
    }
  }
  const roots = Array.from({ length: Math.max(...labels) + 1 }, () => new Set<number>());
  labels.forEach((label, node) => {
    if (label >= 0) roots[label]?.add(find(node));
  });
  return roots.map((set) => set.size);
}

/** What the best single move of any node, to any cluster or to one of its own, would add. */
function bestMove(matrix: SymmetricMatrix, labels: Int32Array, settings: Partial<ClusterSettings>): number {
  const before = qualityOf(matrix, labels, settings);
  const clusters = Math.max(...labels) + 1;
  let best = Number.NEGATIVE_INFINITY;
  for (let node = 0; node < matrix.size; node++) {
    if ((labels[node] as number) < 0) continue;
    for (let cluster = 0; cluster <= clusters; cluster++) {
      if (cluster === labels[node]) continue;
      const moved = labels.slice();
      moved[node] = cluster;
      best = Math.max(best, qualityOf(matrix, moved, settings) - before);
    }
  }
  return best;
}

const clique = (size: number, first: number): [number, number, number][] =>
  Array.from({ length: size }, (_, i) =>
    Array.from({ length: i }, (_, j): [number, number, number] => [first + i, first + j, 1]),
  ).flat();

const countOf = (labels: Int32Array) => new Set(labels.filter((label) => label >= 0)).size;

describe("guarantees on random graphs", () => {
  const kinds: Partial<ClusterSettings>[] = [
    {},
    { resolution: 2.5 },
    { resolution: 0.4 },
    { quality: "cpm", resolution: 0.3 },
    { quality: "cpm", resolution: 0.02 },
  ];
  test.each(kinds)("clusters are connected and no single move is left: %o", (kind) => {
    for (let seed = 0; seed < 60; seed++) {
      const matrix = randomGraph(seed);
      const scale = kind.quality === "cpm" ? 10 : 1;
      for (const name of names) {
        const labels = methods[name](matrix, { ...kind, seed, runs: 1 });
        expect(bestMove(matrix, labels, kind)).toBeLessThan(1e-9 * scale);
        if (name === "leiden") expect(piecesOf(matrix, labels)).toEqual(Array(countOf(labels)).fill(1));
      }
    }
  });

  test("no two clusters are better as one", () => {
    for (let seed = 0; seed < 40; seed++) {
      const matrix = randomGraph(seed);
      const labels = leiden(matrix, { seed });
      const before = qualityOf(matrix, labels);
      for (let a = 0; a < countOf(labels); a++) {
        for (let b = 0; b < a; b++) {
          const merged = labels.map((label) => (label === a ? b : label));
          expect(qualityOf(matrix, merged)).toBeLessThan(before + 1e-9);
        }
      }
    }
  });
});

describe("known best partitions", () => {
  const club = fromEdges(
    34,
    karate.edges.map(([i, j]) => [i, j, 1]),
  );

  test.each(names)("%s: Zachary's karate club, Q = 0.4198 in 4 clusters", (name) => {
    for (let seed = 0; seed < 5; seed++) {
      const labels = methods[name](club, { seed });
      expect(qualityOf(club, labels)).toBeCloseTo(0.41979, 5);
      expect(countOf(labels)).toBe(4);
    }
    expect(karate.modularity).toBeCloseTo(0.41979, 5);
  });

  // Fortunato & Barthelemy 2007, doi:10.1073/pnas.0605965104: 30 cliques of 5 in a ring, Q 0.888 in pairs, 0.876 singly.
  test.each(names)("%s: a ring of cliques, in pairs by modularity and singly by CPM", (name) => {
    const edges = Array.from({ length: 30 }, (_, i) => [
      ...clique(5, 5 * i),
      [5 * i, (5 * i + 6) % 150, 1] as [number, number, number],
    ]).flat();
    const ring = fromEdges(150, edges);
    const single = Int32Array.from({ length: 150 }, (_, node) => Math.floor(node / 5));
    expect(qualityOf(ring, single)).toBeCloseTo(0.876, 3);
    const pairs = methods[name](ring, { seed: 0 });
    expect(qualityOf(ring, pairs)).toBeGreaterThan(0.995 * 0.8879);
    expect(methods[name](ring, { seed: 0, quality: "cpm", resolution: 0.5 })).toEqual(single);
    // Twice the size of the cluster that modularity sees no use in parting.
    expect(methods[name](ring, { seed: 0, resolution: 3 })).toEqual(single);
  });

  test.each(names)("%s: 35,000 cliques in a ring, a graph that is laid out anew between sweeps", (name) => {
    const size = 140_000;
    const rowStart = new Int32Array(size + 1);
    const column: number[] = [];
    const order = rng(0, "big ring").shuffle(Int32Array.from({ length: size }, (_, i) => i));
    const place = new Int32Array(size);
    order.forEach((member, node) => {
      place[member] = node;
    });
    for (let node = 0; node < size; node++) {
      const member = order[node] as number;
      const first = member - (member % 4);
      const others = [0, 1, 2, 3].map((i) => first + i).filter((other) => other !== member);
      if (member % 4 === 0) others.push((member + size - 3) % size);
      if (member % 4 === 1) others.push((member + 3) % size);
      column.push(...others.map((other) => place[other] as number).sort((a, b) => a - b));
      rowStart[node + 1] = column.length;
    }
    const weight = new Float32Array(column.length).fill(1);
    const matrix: SymmetricMatrix = {
      size,
      blocks: [{ shape: "sparse", start: 0, count: size, rowStart, column: Int32Array.from(column), weight }],
    };
    const labels = methods[name](matrix, { seed: 0, quality: "cpm", resolution: 0.5 });
    const members = Int32Array.from(
      { length: size },
      (_, member) => labels[place[member] as number] as number,
    );
    for (let member = 0; member < size; member++) {
      if (members[member] !== members[member - (member % 4)]) expect.fail(`node ${member} is apart`);
    }
    expect(countOf(labels)).toBe(size / 4);
  });

  test.each(names)("%s: two cliques and a bridge", (name) => {
    const matrix = fromEdges(9, [...clique(5, 0), ...clique(4, 5), [4, 5, 1]]);
    expect([...methods[name](matrix, { seed: 3 })]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(countOf(methods[name](matrix, { seed: 3, resolution: 0.01 }))).toBe(1);
    expect(countOf(methods[name](matrix, { seed: 3, resolution: 100 }))).toBe(9);
  });

  test.each(names)("%s: components stay apart, isolated nodes get -1", (name) => {
    const matrix = fromEdges(12, [...clique(3, 1), ...clique(4, 5), [9, 10, 0.5]]);
    expect([...methods[name](matrix, { seed: 0 })]).toEqual([-1, 0, 0, 0, -1, 1, 1, 1, 1, 2, 2, -1]);
  });

  test.each(names)("%s: no node, one node, no edge", (name) => {
    expect(methods[name]({ size: 0, blocks: [] }, { seed: 0 })).toEqual(new Int32Array());
    expect(methods[name]({ size: 1, blocks: [] }, { seed: 0 })).toEqual(Int32Array.of(-1));
    expect(methods[name](fromEdges(3, []), { seed: 0, quality: "cpm" })).toEqual(Int32Array.of(-1, -1, -1));
  });

  test("entries on the diagonal and of weight 0 are no edges", () => {
    const matrix = within(40, 4, 5, 1);
    const block = matrix.blocks[0] as { values: Float32Array };
    const labels = leiden(matrix, { seed: 0 });
    for (let i = 0; i < 40; i++) block.values[41 * i] = 1e6;
    expect(leiden(matrix, { seed: 0 })).toEqual(labels);
    const zeros = fromEdges(6, [...clique(3, 0), ...clique(3, 3), [2, 3, 0]]);
    expect([...leiden(zeros, { seed: 0 })]).toEqual([0, 0, 0, 1, 1, 1]);
  });
});

describe("against other programs", () => {
  test.each(Object.keys(REFERENCE_GRAPHS))(
    "%s: not below igraph and graphology by more than 0.5 percent",
    (name) => {
      const matrix = (REFERENCE_GRAPHS[name] as () => SymmetricMatrix)();
      const reference = references[name] as Reference;
      const graphology = graphologyModularity(matrix);
      for (const method of names) {
        const value = qualityOf(matrix, methods[method](matrix, { seed: 0 }));
        expect(value).toBeGreaterThan(
          0.995 * (method === "leiden" ? reference.leiden : reference.modularity),
        );
        expect(value).toBeGreaterThan(0.995 * graphology);
      }
      const { resolution, value } = reference.cpm;
      const settings = { quality: "cpm", resolution } as const;
      const own = leiden(matrix, { seed: 0, ...settings });
      expect(qualityOf(matrix, own, settings)).toBeGreaterThan(0.995 * value);
      // Its default resolution is this mean weight over all pairs.
      expect(qualityOf(matrix, leiden(matrix, { seed: 0, quality: "cpm" }), settings)).toBeGreaterThan(
        0.995 * value,
      );
    },
  );

  function graphologyModularity(matrix: SymmetricMatrix): number {
    const { detailed } = louvainPackage as unknown as {
      detailed(graph: UndirectedGraph, options: { rng: () => number }): { modularity: number };
    };
    const graph = new UndirectedGraph();
    const A = toDense(matrix);
    for (let i = 0; i < matrix.size; i++) {
      graph.addNode(i);
      for (let j = 0; j < i; j++) {
        const weight = A[i * matrix.size + j] as number;
        if (weight > 0) graph.addEdge(i, j, { weight });
      }
    }
    return detailed(graph, { rng: generator(1) }).modularity;
  }
});

describe("reproducibility", () => {
  test.each(names)("%s: same seed, same labels; another seed or part, another stream", (name) => {
    const matrix = chain([100, 60, 60, 10], 1, 1, 3);
    const labels = methods[name](matrix, { seed: 5, runs: 1 });
    expect(methods[name](matrix, { seed: 5, runs: 1 })).toEqual(labels);
    expect(methods[name](matrix, { seed: 6, runs: 1 })).not.toEqual(labels);
    expect(methods[name](matrix, { seed: 5, part: 1, runs: 1 })).not.toEqual(labels);
  });

  test.each(names)("%s: dense blocks and CSR give the same labels", (name) => {
    const dense = chain([60, 48, 48, 12], 6, 1.5, 1);
    const A = toDense(dense);
    const edges: [number, number, number][] = [];
    A.forEach((weight, at) => {
      const [i, j] = [Math.floor(at / dense.size), at % dense.size];
      if (i < j && weight > 0) edges.push([i, j, weight]);
    });
    expect(methods[name](fromEdges(dense.size, edges), { seed: 1 })).toEqual(
      methods[name](dense, { seed: 1 }),
    );
  });

  test("theta makes the refinement random, and weights of any scale the same", () => {
    const matrix = chain([100, 60, 60, 10], 1, 1, 3);
    const labels = leiden(matrix, { seed: 0, runs: 1 });
    expect(leiden(matrix, { seed: 0, runs: 1, theta: 1 })).not.toEqual(labels);
    expect(leiden(scaleWeights(matrix, 2 ** -40), { seed: 0, runs: 1 })).toEqual(labels);
  });

  test("more iterations never end lower", () => {
    const matrix = (REFERENCE_GRAPHS["sparse-planted"] as () => SymmetricMatrix)();
    const values = [0, 1, 2, 5].map((iterations) =>
      qualityOf(matrix, leiden(matrix, { seed: 0, runs: 1, iterations })),
    );
    for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1] as number);
  });
});
