/**
 * The condensed tree of HDBSCAN (method note 6; McInnes, Healy & Astels 2017, doi:10.21105/joss.00205): walking down from
 * the root, a cluster lives on through splits that leave one large part, ends in splits that leave several or none, and
 * loses the points of small parts on the way. Lambda is 1 / distance.
 */
import type { MergeTree } from "./merge-tree.ts";

/** Clusters of points, the root first and every one behind its parent. */
export interface CondensedTree {
  readonly clusters: number;
  /** -1 for the root. */
  readonly parent: Int32Array;
  /** Points at birth. */
  readonly size: Int32Array;
  /** Clusters that a cluster ends in; 0 for leaves. */
  readonly children: Int32Array;
  /** Distance at which a cluster splits off; infinite for the root. */
  readonly birthDistance: Float64Array;
  /** Sum of (lambda of leaving - lambda of birth) over the points that a cluster is born with. */
  readonly stability: Float64Array;
  /** Largest lambda at which points or clusters leave a cluster. */
  readonly largestLambda: Float64Array;
  /** The same over a cluster and everything below it. */
  readonly deepestLambda: Float64Array;
  /** The cluster that each point leaves last, and at which lambda. */
  readonly pointCluster: Int32Array;
  readonly pointLambda: Float64Array;
}

/** Condenses a hierarchy; parts of fewer than `minClusterSize` points (2 or more) are small. */
export function condense(tree: MergeTree, minClusterSize: number): CondensedTree {
  const { count, distance, size, firstChild, nextSibling } = tree;
  // A cluster that is not the root has a sibling, and both have minClusterSize points.
  const most = Math.max(1, 2 * Math.floor(count / minClusterSize));
  const condensed = {
    parent: new Int32Array(most).fill(-1),
    size: new Int32Array(most),
    children: new Int32Array(most),
    birthDistance: new Float64Array(most).fill(Number.POSITIVE_INFINITY),
    stability: new Float64Array(most),
    largestLambda: new Float64Array(most),
    pointCluster: new Int32Array(count),
    pointLambda: new Float64Array(count),
  };
  const { pointCluster, pointLambda, stability, largestLambda, birthDistance } = condensed;
  condensed.size[0] = count;
  let clusters = 1;
  const leave = (cluster: number, lambda: number, points: number): void => {
    stability[cluster] =
      (stability[cluster] as number) + (lambda - 1 / (birthDistance[cluster] as number)) * points;
    if (lambda > (largestLambda[cluster] as number)) largestLambda[cluster] = lambda;
  };
  const below: number[] = [];
  const dropPoints = (node: number, cluster: number, lambda: number): void => {
    leave(cluster, lambda, size[node] as number);
    below.push(node);
    for (let next = below.pop(); next !== undefined; next = below.pop()) {
      if (next < count) {
        pointCluster[next] = cluster;
        pointLambda[next] = lambda;
      }
      for (let child = firstChild[next] as number; child >= 0; child = nextSibling[child] as number) {
        below.push(child);
      }
    }
  };
  // Nodes to walk, each with the cluster that it belongs to.
  const pending: number[] = [tree.nodes - 1, 0];
  while (pending.length > 0) {
    const cluster = pending.pop() as number;
    const node = pending.pop() as number;
    let large = 0;
    for (let child = firstChild[node] as number; child >= 0; child = nextSibling[child] as number) {
      if ((size[child] as number) >= minClusterSize) large++;
    }
    const lambda = 1 / (distance[node] as number);
    for (let child = firstChild[node] as number; child >= 0; child = nextSibling[child] as number) {
      if ((size[child] as number) < minClusterSize) dropPoints(child, cluster, lambda);
      else if (large === 1) pending.push(child, cluster);
      else {
        const born = clusters++;
        condensed.parent[born] = cluster;
        condensed.size[born] = size[child] as number;
        condensed.children[cluster] = large;
        birthDistance[born] = distance[node] as number;
        leave(cluster, lambda, size[child] as number);
        pending.push(child, born);
      }
    }
  }
  const deepestLambda = largestLambda.slice();
  for (let cluster = clusters - 1; cluster > 0; cluster--) {
    const parent = condensed.parent[cluster] as number;
    const deepest = deepestLambda[cluster] as number;
    if (deepest > (deepestLambda[parent] as number)) deepestLambda[parent] = deepest;
  }
  return { clusters, ...condensed, deepestLambda };
}
