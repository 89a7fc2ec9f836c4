import type { SymmetricMatrix } from "../compute/compute.ts";
import { type Rng, rng } from "../statistics/rng.ts";
import { reorderNodes } from "./aggregate.ts";
import { CACHED_NODES } from "./first-moves.ts";
import {
  type ClusterQuality,
  type LevelGraph,
  type QualityScale,
  qualityGraph,
  qualityOf,
} from "./level-graph.ts";

/** Runs in different orders of the nodes, of which the best counts: on graphs without clear clusters they differ by 3 %. */
const MAX_RUNS = 10;
/** Edges visited in all runs together, which limits their number on large graphs, where runs differ less. */
const EDGE_BUDGET = 1_000_000;
/** Nodes of a large graph that stay together in the random order: their rows fill some pages of memory. */
const BLOCK = 64;

/** Settings of Louvain's and the Leiden method. */
export interface ClusterSettings {
  /** Default `modularity`. */
  readonly quality?: ClusterQuality | undefined;
  /** More gives more clusters. Default 1 for modularity, the mean weight over all pairs of nodes for CPM. */
  readonly resolution?: number | undefined;
  readonly seed: number;
  /** Number of the graph's part, which has a random stream of its own. Default 0. */
  readonly part?: number | undefined;
  /** Runs, of which the best counts. Default: up to 10, fewer on large graphs. */
  readonly runs?: number | undefined;
}

/** One run on a graph whose nodes are in random order: labels 0 ... size - 1 of its nodes. */
export type ClusterRun = (graph: LevelGraph, scale: QualityScale, random: Rng) => Int32Array;

/**
 * The labels of the run that reaches most, -1 for isolated nodes; ids are dense, by first appearance. `name` keys the
 * random streams.
 */
export function bestRun(
  name: string,
  matrix: SymmetricMatrix,
  settings: ClusterSettings,
  run: ClusterRun,
): Int32Array {
  const { quality = "modularity", resolution, seed, part = 0 } = settings;
  const { csr, mass, strength, scale } = qualityGraph(matrix, quality, resolution);
  const edges = csr.column.length / 2;
  const runs = settings.runs ?? Math.max(1, Math.min(MAX_RUNS, Math.floor(EDGE_BUDGET / edges)));
  const block = matrix.size > CACHED_NODES ? BLOCK : 1;
  const starts = Int32Array.from({ length: Math.ceil(matrix.size / block) }, (_, i) => i * block);
  const order = new Int32Array(matrix.size);
  const labels = new Int32Array(matrix.size);
  let highest = Number.NEGATIVE_INFINITY;
  for (let number = 0; number < runs; number++) {
    const random = rng(seed, name, part, number);
    fillBlocks(order, random.shuffle(starts), block);
    const graph = reorderNodes(csr, mass, strength, order);
    const found = run(graph, scale, random);
    const value = runs === 1 ? 0 : qualityOf(graph, found, scale);
    if (value <= highest) continue;
    highest = value;
    for (let node = 0; node < order.length; node++) labels[order[node] as number] = found[node] as number;
  }
  return denseLabels(labels, strength);
}

/** Writes the nodes to `order`, in blocks of `length` from each of the starts on. */
function fillBlocks(order: Int32Array, starts: Int32Array, length: number): void {
  let filled = 0;
  for (const start of starts) {
    const end = Math.min(start + length, order.length);
    for (let node = start; node < end; node++) order[filled++] = node;
  }
}

function denseLabels(labels: Int32Array, strength: Float64Array): Int32Array {
  const ids = new Int32Array(labels.length).fill(-1);
  let count = 0;
  return labels.map((label, node) => {
    if (strength[node] === 0) return -1;
    if (ids[label] === -1) ids[label] = count++;
    return ids[label] as number;
  });
}
