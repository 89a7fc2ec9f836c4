/**
 * The single-linkage hierarchy of a spanning tree, in which all edges of equal weight merge at once: a node has as many
 * children as parts met at its distance. Binary merging would order equal edges by chance, and the clusters found would
 * depend on the order of the points (method note 6, ties).
 */

/** Distances in float32 that differ by less than this share may be the same: each is off by 2^-24 of itself. */
const EQUAL_SHARE = 2 ** -22;

/** Nodes 0 ... count - 1 are the points, the others are merges, later ones at larger distances. */
export interface MergeTree {
  readonly count: number;
  readonly nodes: number;
  /** Distance at which the children of a node meet; 0 for points. */
  readonly distance: Float64Array;
  /** Points below a node. */
  readonly size: Int32Array;
  /** Children as a linked list, -1 at its end. */
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

/**
 * Runs of equal values among ascending ones. A run is counted from its smallest value, so that it spans no more than
 * `rounding`, or 2^-22 of that value, however dense the values are.
 */
export function* equalRuns(
  values: ArrayLike<number>,
  rounding: number,
): Generator<readonly [first: number, end: number]> {
  let first = 0;
  for (let at = 1; at <= values.length; at++) {
    const smallest = values[first] as number;
    const span = Math.max(rounding, smallest * EQUAL_SHARE);
    if (at < values.length && (values[at] as number) - smallest <= span) continue;
    yield [first, at];
    first = at;
  }
}

/**
 * Merges points along the edges of a spanning tree in ascending order of their positive weights, which rounding may have
 * made to differ by up to `rounding`. `count` is at least 1; the root is the last node.
 */
export function mergeTree(
  count: number,
  from: Int32Array,
  to: Int32Array,
  weight: Float64Array,
  rounding: number,
): MergeTree {
  const most = 2 * count - 1;
  const distance = new Float64Array(most);
  const size = new Int32Array(most).fill(1, 0, count);
  const firstChild = new Int32Array(most).fill(-1);
  const nextSibling = new Int32Array(most).fill(-1);
  // Sets of points, and the node that each root of a set stands for.
  const parent = Int32Array.from({ length: count }, (_, point) => point);
  const nodeOf = parent.slice();
  const find = (point: number): number => {
    let root = point;
    while (parent[root] !== root) {
      parent[root] = parent[parent[root] as number] as number;
      root = parent[root] as number;
    }
    return root;
  };
  let nodes = count;
  const order = Int32Array.from({ length: weight.length }, (_, edge) => edge).sort(
    (a, b) => (weight[a] as number) - (weight[b] as number) || a - b,
  );
  const sorted = Float64Array.from(order, (edge) => weight[edge] as number);
  // Sets that a run of edges touches, by their roots before it.
  const touched: number[] = [];
  const touchedIn = new Int32Array(count).fill(-1);
  for (const [first, end] of equalRuns(sorted, rounding)) {
    touched.length = 0;
    for (let at = first; at < end; at++) {
      const edge = order[at] as number;
      for (const point of [from[edge] as number, to[edge] as number]) {
        const root = find(point);
        if (touchedIn[root] === first) continue;
        touchedIn[root] = first;
        touched.push(root);
      }
    }
    for (let at = first; at < end; at++) {
      const edge = order[at] as number;
      parent[find(from[edge] as number)] = find(to[edge] as number);
    }
    const firstNew = nodes;
    // Roots hold the node of their set before this run until they are given the new one.
    const before = touched.map((root) => nodeOf[root] as number);
    for (const [i, root] of touched.entries()) {
      const merged = find(root);
      let node = nodeOf[merged] as number;
      if (node < firstNew) {
        node = nodes++;
        nodeOf[merged] = node;
        distance[node] = sorted[first] as number;
        size[node] = 0;
      }
      const child = before[i] as number;
      nextSibling[child] = firstChild[node] as number;
      firstChild[node] = child;
      size[node] = (size[node] as number) + (size[child] as number);
    }
  }
  return { count, nodes, distance, size, firstChild, nextSibling };
}
