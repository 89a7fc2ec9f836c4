/**
 * Fast local moving (Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z, algorithm A.2): nodes wait in a queue,
 * the one in front moves to the cluster where it adds most, and its neighbours in other clusters queue up again. Nodes
 * whose surroundings do not change are never looked at twice.
 *
 * Moving node v of mass m out of its own cluster and into C adds w(v, C) - resolution * m * n(C).
 */
import type { LevelGraph, QualityScale } from "./level-graph.ts";

/**
 * Gains below this share of what they are the difference of are rounding errors: cluster masses are sums that nodes
 * are added to and taken from.
 */
export const GAIN_TOLERANCE = 1e-12;

/** Scratch memory for graphs of up to `size` nodes, so that levels and passes allocate nothing. */
export interface MoveScratch {
  readonly queue: Int32Array;
  /** 1 where a node is in the queue. */
  readonly isQueued: Uint8Array;
  /** Weight from a node to each cluster; all 0 between nodes. */
  readonly weightTo: Float64Array;
  /** Clusters with such a weight. */
  readonly touched: Int32Array;
  readonly clusterMass: Float64Array;
  readonly clusterSize: Int32Array;
  /** Stack of ids that no node has. */
  readonly unused: Int32Array;
}

export function moveScratch(size: number): MoveScratch {
  return {
    queue: new Int32Array(size),
    isQueued: new Uint8Array(size),
    weightTo: new Float64Array(size),
    touched: new Int32Array(size),
    clusterMass: new Float64Array(size),
    clusterSize: new Int32Array(size),
    unused: new Int32Array(size),
  };
}

/** Queues the nodes 0 ... size - 1 in this order. */
export function queueInOrder({ queue }: MoveScratch, size: number): void {
  for (let node = 0; node < size; node++) queue[node] = node;
}

/** What `moveNodes` did. */
export interface Moved {
  readonly moves: number;
  /** Nodes that still wait, at the front of the queue. */
  readonly waiting: number;
}

/**
 * Moves nodes until the queue is empty, or for a number of `visits`. `scratch.queue` holds the `waiting` nodes (all of
 * them) in the order in which they are looked at first. `labels` (0 ... size - 1, not necessarily dense) are changed in
 * place.
 *
 * No moves of a queue of all nodes say that no single move, to another cluster or to one of its own, raises the quality.
 * An empty queue alone does not: a move changes the masses of two clusters, and with them what other nodes than its
 * neighbours would gain.
 */
export function moveNodes(
  graph: LevelGraph,
  labels: Int32Array,
  { resolution, totalMass }: QualityScale,
  scratch: MoveScratch,
  waiting: number = graph.size,
  visits: number = Number.POSITIVE_INFINITY,
): Moved {
  const { size, rowStart, column, weight, mass, strength } = graph;
  const { queue, isQueued, weightTo, touched, clusterMass, clusterSize, unused } = scratch;
  let unusedCount = countClusters(graph, labels, scratch);
  isQueued.fill(0, 0, size);
  for (let i = 0; i < waiting; i++) isQueued[queue[i] as number] = 1;
  let head = 0;
  let tail = waiting === size ? 0 : waiting;
  let left = waiting;
  let moves = 0;
  for (let visit = 0; left > 0 && visit < visits; visit++) {
    const node = queue[head] as number;
    head++;
    if (head === size) head = 0;
    left--;
    isQueued[node] = 0;
    const own = labels[node] as number;
    const start = rowStart[node] as number;
    const end = rowStart[node + 1] as number;
    let count = 0;
    for (let at = start; at < end; at++) {
      const cluster = labels[column[at] as number] as number;
      const sum = weightTo[cluster] as number;
      if (sum === 0) touched[count++] = cluster;
      weightTo[cluster] = sum + (weight[at] as number);
    }
    const nodeMass = mass[node] as number;
    const factor = resolution * nodeMass;
    const tolerance = GAIN_TOLERANCE * ((strength[node] as number) + factor * totalMass);
    const isAlone = clusterSize[own] === 1;
    const staying = isAlone
      ? 0
      : (weightTo[own] as number) - factor * ((clusterMass[own] as number) - nodeMass);
    weightTo[own] = 0;
    let best = own;
    let bestGain = staying + tolerance;
    for (let i = 0; i < count; i++) {
      const cluster = touched[i] as number;
      const gain = (weightTo[cluster] as number) - factor * (clusterMass[cluster] as number);
      weightTo[cluster] = 0;
      if (gain > bestGain && cluster !== own) {
        bestGain = gain;
        best = cluster;
      }
    }
    // A cluster of its own, which adds 0.
    if (bestGain < 0 && !isAlone) best = unused[--unusedCount] as number;
    if (best === own) continue;
    moves++;
    labels[node] = best;
    clusterMass[best] = (clusterMass[best] as number) + nodeMass;
    clusterSize[best] = (clusterSize[best] as number) + 1;
    if (isAlone) {
      unused[unusedCount++] = own;
      clusterMass[own] = 0;
      clusterSize[own] = 0;
    } else {
      clusterMass[own] = (clusterMass[own] as number) - nodeMass;
      clusterSize[own] = (clusterSize[own] as number) - 1;
    }
    for (let at = start; at < end; at++) {
      const neighbour = column[at] as number;
      if (isQueued[neighbour] !== 0 || labels[neighbour] === best) continue;
      isQueued[neighbour] = 1;
      queue[tail] = neighbour;
      tail++;
      if (tail === size) tail = 0;
      left++;
    }
  }
  bringToFront(queue, head, left, size, touched);
  return { moves, waiting: left };
}

/** Moves the `count` entries of a ring from `head` on to its start. */
function bringToFront(ring: Int32Array, head: number, count: number, size: number, spare: Int32Array): void {
  for (let i = 0; i < count; i++) spare[i] = ring[head + i < size ? head + i : head + i - size] as number;
  ring.set(spare.subarray(0, count));
}

/** Masses and sizes of the clusters, and the stack of ids that no node has; returns the height of that stack. */
function countClusters(graph: LevelGraph, labels: Int32Array, scratch: MoveScratch): number {
  const { size, mass } = graph;
  const { clusterMass, clusterSize, unused } = scratch;
  clusterMass.fill(0, 0, size);
  clusterSize.fill(0, 0, size);
  for (let node = 0; node < size; node++) {
    const cluster = labels[node] as number;
    clusterMass[cluster] = (clusterMass[cluster] as number) + (mass[node] as number);
    clusterSize[cluster] = (clusterSize[cluster] as number) + 1;
  }
  let unusedCount = 0;
  for (let cluster = size - 1; cluster >= 0; cluster--) {
    if (clusterSize[cluster] === 0) unused[unusedCount++] = cluster;
  }
  return unusedCount;
}
