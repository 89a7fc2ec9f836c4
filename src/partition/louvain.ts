/**
 * Louvain's method (Blondel et al. 2008, doi:10.1088/1742-5468/2008/10/P10008) by graphology-communities-louvain. The
 * only file that imports it.
 */
import louvainCommunities from "graphology-communities-louvain";
import type { SymmetricMatrix } from "../compute/compute.ts";
import { rng } from "../statistics/rng.ts";
import { toDenseLabels } from "./connected.ts";

// The package is CommonJS and its types describe a default export that it does not have.
const { detailed: detectCommunities } = louvainCommunities as unknown as {
  detailed(
    graph: ReadOnlyGraph,
    options: { readonly resolution: number; readonly rng: () => number },
  ): { readonly communities: Readonly<Record<number, number>>; readonly modularity: number };
};

/** Runs in different orders of the nodes, of which the best counts: on graphs without clear clusters they differ by 3 %. */
const MAX_RUNS = 10;
/** Edges visited in all runs together, which limits their number on large graphs, where runs differ less. */
const EDGE_BUDGET = 5_000_000;

/** Settings of Louvain's method. */
export interface LouvainSettings {
  /** Resolution of the modularity; more gives more clusters. Default 1. */
  readonly resolution?: number | undefined;
  readonly seed: number;
  /** Number of the graph's part, which has a random stream of its own. Default 0. */
  readonly part?: number;
}

/**
 * A cluster for every node, -1 for isolated ones; ids are dense. Weights must not be negative, which
 * `partitionGraph` makes sure of: the method returns nonsense for such graphs, without an error.
 */
export function louvain(matrix: SymmetricMatrix, settings: LouvainSettings): Int32Array {
  const { resolution = 1, seed, part = 0 } = settings;
  const stream = rng(seed, "louvain", part);
  const edges = countEdges(matrix);
  const runs = Math.max(1, Math.min(MAX_RUNS, Math.floor(EDGE_BUDGET / edges.count)));
  const order = Int32Array.from({ length: matrix.size }, (_, node) => node);
  let best = { communities: {} as Readonly<Record<number, number>>, modularity: Number.NEGATIVE_INFINITY };
  for (let run = 0; run < runs; run++) {
    const graph = readOnlyGraph(matrix, edges, stream.shuffle(order));
    const found = detectCommunities(graph, { resolution, rng: stream.uniform });
    if (found.modularity > best.modularity) best = found;
  }
  return toDenseLabels(Int32Array.from(order.keys(), (node) => best.communities[node] ?? -1)).labels;
}

interface EdgeCounts {
  readonly count: number;
  readonly total: number;
  /** Edges of each node. */
  readonly degree: Int32Array;
}

function countEdges(matrix: SymmetricMatrix): EdgeCounts {
  const degree = new Int32Array(matrix.size);
  let count = 0;
  let total = 0;
  forEachEdge(matrix, (source, target, weight) => {
    degree[source] = (degree[source] as number) + 1;
    degree[target] = (degree[target] as number) + 1;
    count++;
    total += weight;
  });
  return { count, total, degree };
}

/**
 * The members of graphology's `Graph` that the Louvain package reads, over our own arrays: an object per edge would cost
 * 370 bytes and five times the time of the method itself.
 */
interface ReadOnlyGraph {
  readonly type: "undirected";
  readonly multi: false;
  readonly order: number;
  readonly size: number;
  readonly selfLoopCount: 0;
  addUndirectedEdgeWithKey(): never;
  dropNode(): never;
  forEachNode(visit: (node: number) => void): void;
  undirectedDegreeWithoutSelfLoops(node: number): number;
  forEachEdge(
    visit: (edge: number, attributes: { weight: number }, source: number, target: number) => void,
  ): void;
}

/** The graph of the nodes with edges, in the given order, which is the order Louvain's method visits them in. */
function readOnlyGraph(matrix: SymmetricMatrix, edges: EdgeCounts, order: Int32Array): ReadOnlyGraph {
  const { count, total, degree } = edges;
  // The package compares gains with an absolute tolerance; a power of two brings weights near 1 without rounding.
  const scale = 2 ** -Math.floor(Math.log2(total / count));
  const nodes = order.filter((node) => (degree[node] as number) > 0);
  const refuse = () => {
    throw new TypeError("read-only graph");
  };
  return {
    type: "undirected",
    multi: false,
    order: nodes.length,
    size: count,
    selfLoopCount: 0,
    addUndirectedEdgeWithKey: refuse,
    dropNode: refuse,
    forEachNode(visit) {
      for (const node of nodes) visit(node);
    },
    undirectedDegreeWithoutSelfLoops: (node) => degree[node] as number,
    forEachEdge(visit) {
      const attributes = { weight: 0 };
      forEachEdge(matrix, (source, target, weight) => {
        attributes.weight = weight * scale;
        visit(0, attributes, source, target);
      });
    },
  };
}

/** Visits every edge of positive weight once. */
function forEachEdge(
  matrix: SymmetricMatrix,
  visit: (source: number, target: number, weight: number) => void,
): void {
  for (const block of matrix.blocks) {
    if (block.shape === "sparse") {
      for (let row = 0; row < block.count; row++) {
        const end = block.rowStart[row + 1] as number;
        for (let at = block.rowStart[row] as number; at < end; at++) {
          const column = block.column[at] as number;
          const weight = block.weight[at] as number;
          if (column > row && weight > 0) visit(block.start + row, block.start + column, weight);
        }
      }
      continue;
    }
    const isBetween = block.shape === "between";
    const rowFirst = isBetween ? block.rowStart : block.start;
    const columnFirst = isBetween ? block.columnStart : block.start;
    const rows = isBetween ? block.rowCount : block.count;
    const columns = isBetween ? block.columnCount : block.count;
    for (let row = 0; row < rows; row++) {
      for (let column = isBetween ? 0 : row + 1; column < columns; column++) {
        const weight = block.values[row * columns + column] as number;
        if (weight > 0) visit(rowFirst + row, columnFirst + column, weight);
      }
    }
  }
}
