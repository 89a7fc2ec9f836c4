import type { SymmetricMatrix } from "../compute/compute.ts";
import { selectNodes } from "../compute/submatrix.ts";

/** The nodes of a graph that have edges, and the graph of them alone. */
export interface ConnectedNodes {
  /** Ascending node numbers in the whole graph. */
  readonly nodes: Int32Array;
  readonly matrix: SymmetricMatrix;
  /** Row sums of `matrix`, all positive. */
  readonly degree: Float64Array;
}

/** Leaves out the nodes without any edge (method note 3.7); `degree` are the row sums of `matrix`. */
export function dropIsolated(matrix: SymmetricMatrix, degree: Float64Array): ConnectedNodes {
  const nodes = Int32Array.from(degree.keys()).filter((node) => (degree[node] as number) > 0);
  return {
    nodes,
    matrix: selectNodes(matrix, nodes),
    degree: Float64Array.from(nodes, (node) => degree[node] as number),
  };
}

/**
 * Labels of all `size` nodes from those of the connected ones: cluster ids become dense, numbered by first appearance,
 * and isolated nodes get -1.
 */
export function expandLabels(labels: Int32Array, nodes: Int32Array, size: number): Int32Array {
  const expanded = new Int32Array(size).fill(-1);
  for (let i = 0; i < nodes.length; i++) expanded[nodes[i] as number] = labels[i] as number;
  return toDenseLabels(expanded).labels;
}

/** Renumbers labels >= 0 by first appearance; also tells how many there are. */
export function toDenseLabels(labels: Int32Array): { labels: Int32Array; clusters: number } {
  const ids = new Map<number, number>();
  const dense = labels.map((label) => {
    if (label < 0) return -1;
    let id = ids.get(label);
    if (id === undefined) {
      id = ids.size;
      ids.set(label, id);
    }
    return id;
  });
  return { labels: dense, clusters: ids.size };
}
