/**
 * A minimum spanning tree of mutual reachability, max(core(x), core(y), d(x, y)), over all pairs of points (method note 6;
 * Campello, Moulavi & Sander 2013, doi:10.1007/978-3-642-37456-2_14; Prim 1957, doi:10.1002/j.1538-7305.1957.tb01515.x).
 */
import type { StepCounter } from "../progress.ts";

/** What one pass over the distances finds. */
export interface Neighbours {
  /** The `rank`-th nearest other point of each point, the first one among equals. */
  readonly neighbour: Int32Array;
  readonly largestDistance: number;
  /** Distance of each point to the nearest one before it; infinite for the first. */
  readonly nearestEarlier: Float32Array;
}

/** Edges of a tree over all points; one less than there are points. */
export interface SpanningTree {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Steps that `findNeighbours` and `spanningTree` count together. */
export function treeSteps(count: number): number {
  return count + Math.max(0, count - 1);
}

/**
 * The `rank`-th neighbour of every point, itself not counted; the farthest one where there are no more. `distances` is
 * count x count, both triangles; count is at least 2. Counts a step for each point.
 */
export async function findNeighbours(
  distances: Float32Array,
  count: number,
  rank: number,
  counter: StepCounter,
): Promise<Neighbours> {
  const kept = Math.min(rank, count - 1);
  const neighbour = new Int32Array(count);
  const nearestEarlier = new Float32Array(count);
  const nearest = new Float32Array(kept);
  const places = new Int32Array(kept);
  let largestDistance = 0;
  for (let point = 0; point < count; point++) {
    const row = distances.subarray(point * count, (point + 1) * count);
    nearest.fill(Number.POSITIVE_INFINITY);
    let farthestKept = Number.POSITIVE_INFINITY;
    for (let other = 0; other < count; other++) {
      const distance = row[other] as number;
      if (distance > largestDistance) largestDistance = distance;
      if (distance < farthestKept && other !== point) {
        let place = kept - 1;
        for (; place > 0 && (nearest[place - 1] as number) > distance; place--) {
          nearest[place] = nearest[place - 1] as number;
          places[place] = places[place - 1] as number;
        }
        nearest[place] = distance;
        places[place] = other;
        farthestKept = nearest[kept - 1] as number;
      }
    }
    neighbour[point] = places[kept - 1] as number;
    let earlier = Number.POSITIVE_INFINITY;
    for (let other = 0; other < point; other++) {
      const distance = row[other] as number;
      if (distance < earlier) earlier = distance;
    }
    nearestEarlier[point] = earlier;
    await counter.pace(1);
  }
  return { neighbour, largestDistance, nearestEarlier };
}

/** Points that are in the tree already stay in the arrays of the others until they are this share of them. */
const STALE_SHARE = 1 / 8;

/**
 * The tree by Prim's algorithm on the full matrix: count^2 / 2 distances are looked at, every row once from its start to
 * its end. Which of several equal edges is taken depends on the order of the points. Counts a step for each edge.
 */
export async function spanningTree(
  distances: Float32Array,
  count: number,
  core: Float64Array,
  counter: StepCounter,
): Promise<SpanningTree> {
  const edges = Math.max(0, count - 1);
  const from = new Int32Array(edges);
  const to = new Int32Array(edges);
  // The points outside of the tree in ascending order, each with its core distance and its best edge into the tree.
  const outside = Int32Array.from({ length: edges }, (_, at) => at + 1);
  const outsideCore = core.slice(1);
  const bestWeight = new Float64Array(edges).fill(Number.POSITIVE_INFINITY);
  const bestFrom = new Int32Array(edges);
  let length = edges;
  let stale = 0;
  let current = 0;
  for (let edge = 0; edge < edges; edge++) {
    const row = distances.subarray(current * count, (current + 1) * count);
    const ownCore = core[current] as number;
    let least = Number.POSITIVE_INFINITY;
    let leastAt = -1;
    for (let at = 0; at < length; at++) {
      const distance = row[outside[at] as number] as number;
      let weight = outsideCore[at] as number;
      if (ownCore > weight) weight = ownCore;
      if (distance > weight) weight = distance;
      let best = bestWeight[at] as number;
      if (weight < best) {
        bestWeight[at] = best = weight;
        bestFrom[at] = current;
      }
      if (best < least) {
        least = best;
        leastAt = at;
      }
    }
    from[edge] = bestFrom[leastAt] as number;
    current = outside[leastAt] as number;
    to[edge] = current;
    // Never better than infinitely far.
    outsideCore[leastAt] = Number.POSITIVE_INFINITY;
    bestWeight[leastAt] = Number.POSITIVE_INFINITY;
    stale++;
    if (stale > length * STALE_SHARE) {
      let kept = 0;
      for (let at = 0; at < length; at++) {
        if (outsideCore[at] === Number.POSITIVE_INFINITY) continue;
        outside[kept] = outside[at] as number;
        outsideCore[kept] = outsideCore[at] as number;
        bestWeight[kept] = bestWeight[at] as number;
        bestFrom[kept] = bestFrom[at] as number;
        kept++;
      }
      length = kept;
      stale = 0;
    }
    await counter.pace(1);
  }
  return { from, to };
}
