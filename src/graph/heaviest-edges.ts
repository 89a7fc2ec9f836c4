import type { Csr } from "./csr.ts";

/** Undirected edges, each once, source < target, in order of source and target. */
export interface Edges {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly weight: Float32Array;
  /** Edges of the graph that are not among these. */
  readonly dropped: number;
}

/** The `limit` heaviest edges of a graph; of equal weights the first in order of source and target are kept. */
export function heaviestEdges({ rowStart, column, weight }: Csr, limit: number): Edges {
  const total = weight.length / 2;
  const threshold = total > limit ? findThreshold(weight, limit) : { weight: 0, ties: 0 };
  const kept = Math.min(total, limit);
  const edges = {
    source: new Int32Array(kept),
    target: new Int32Array(kept),
    weight: new Float32Array(kept),
    dropped: total - kept,
  };
  let found = 0;
  let ties = threshold.ties;
  for (let row = 0; row + 1 < rowStart.length; row++) {
    for (let at = rowStart[row] as number; at < (rowStart[row + 1] as number); at++) {
      const value = weight[at] as number;
      const to = column[at] as number;
      if (to < row || value < threshold.weight || (value === threshold.weight && ties-- <= 0)) continue;
      edges.source[found] = row;
      edges.target[found] = to;
      edges.weight[found] = value;
      found++;
    }
  }
  return edges;
}

/**
 * Weight of the `limit`-th heaviest edge and how many edges of just that weight belong to the `limit` heaviest.
 * Positive floats are ordered as their bit patterns are, so two counts over 16 bits each find it without sorting.
 */
function findThreshold(weight: Float32Array, limit: number): { weight: number; ties: number } {
  const bits = new Uint32Array(weight.buffer, weight.byteOffset, weight.length);
  // Both triangles are counted, so every edge counts twice.
  let left = 2 * limit;
  const upper = new Float64Array(65536);
  for (let at = 0; at < bits.length; at++) {
    const key = (bits[at] as number) >>> 16;
    upper[key] = (upper[key] as number) + 1;
  }
  let high = 65535;
  while ((upper[high] as number) < left) left -= upper[high--] as number;
  const lower = new Float64Array(65536);
  for (let at = 0; at < bits.length; at++) {
    if ((bits[at] as number) >>> 16 !== high) continue;
    const key = (bits[at] as number) & 0xffff;
    lower[key] = (lower[key] as number) + 1;
  }
  let low = 65535;
  while ((lower[low] as number) < left) left -= lower[low--] as number;
  const found = new Float32Array(Uint32Array.of(high * 65536 + low).buffer)[0] as number;
  return { weight: found, ties: left / 2 };
}
