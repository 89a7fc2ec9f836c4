import { compactLabels } from "./aggregate.ts";
import type { LevelGraph } from "./level-graph.ts";

/**
 * Gives every connected piece of a cluster a label of its own, dense from 0; tells whether a cluster was in several
 * pieces. Splitting such a cluster raises modularity and CPM alike.
 */
export function splitClusters(graph: LevelGraph, labels: Int32Array): boolean {
  const { size, rowStart, column } = graph;
  const clusters = compactLabels(labels);
  const piece = new Int32Array(size).fill(-1);
  const stack = new Int32Array(size);
  let pieces = 0;
  for (let root = 0; root < size; root++) {
    if (piece[root] !== -1) continue;
    const label = labels[root] as number;
    let height = 1;
    stack[0] = root;
    piece[root] = pieces;
    while (height > 0) {
      const node = stack[--height] as number;
      const end = rowStart[node + 1] as number;
      for (let at = rowStart[node] as number; at < end; at++) {
        const other = column[at] as number;
        if (piece[other] !== -1 || labels[other] !== label) continue;
        piece[other] = pieces;
        stack[height++] = other;
      }
    }
    pieces++;
  }
  labels.set(piece);
  return pieces > clusters;
}
