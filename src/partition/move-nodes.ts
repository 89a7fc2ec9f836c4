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
  readonly clusterMass: Float64Array;
  /**
   * Hash table of a visit, of a power of two of slots: weights from the node at hand to the clusters around it, all 0
   * between nodes. A visit uses a few slots a neighbour, which stay in a processor's first-level cache, where sums for all
   * clusters of a large graph would each be fetched from memory.
   */
  readonly slotWeight: Float64Array;
  /** The cluster whose weight is in each slot. */
  readonly slotCluster: Int32Array;
  /** Slots in use; room for one a neighbour. */
  readonly touched: Int32Array;
  readonly clusterSize: Int32Array;
  /** 1 where a cluster has won or lost nodes in the last pass. */
  readonly isChanged: Uint8Array;
  /** Stack of ids that no node has. */
  readonly unused: Int32Array;
}

export function moveScratch(size: number): MoveScratch {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(1, size)));
  return {
    queue: new Int32Array(size),
    isQueued: new Uint8Array(size),
    clusterMass: new Float64Array(size),
    slotWeight: new Float64Array(slots),
    slotCluster: new Int32Array(slots),
    touched: new Int32Array(size),
    clusterSize: new Int32Array(size),
    isChanged: new Uint8Array(size),
    unused: new Int32Array(size),
  };
}

/** Queues the nodes 0 ... size - 1 in this order. */
export function queueInOrder({ queue }: MoveScratch, size: number): void {
  for (let node = 0; node < size; node++) queue[node] = node;
}

/**
 * Moves nodes until the queue is empty, or for a number of `visits`; returns the number of moves. `scratch.queue` holds the
 * `waiting` nodes (all of them) in the order in which they are looked at first. `labels` (0 ... size - 1, not necessarily
 * dense) are changed in place. `scratch.isQueued` tells which nodes still wait.
 *
 * No moves of a queue of all nodes say that no single move, to another cluster or to one of its own, raises the quality.
 * An empty queue alone does not: see `settleNodes`.
 */
export function moveNodes(
  graph: LevelGraph,
  labels: Int32Array,
  { resolution, totalMass }: QualityScale,
  scratch: MoveScratch,
  waiting: number = graph.size,
  visits: number = Number.POSITIVE_INFINITY,
): number {
  const { size, rowStart, column, weight, mass, strength } = graph;
  const { queue, isQueued, touched, clusterMass, slotWeight, slotCluster, clusterSize, isChanged, unused } =
    scratch;
  const allSlots = slotWeight.length - 1;
  let unusedCount = countClusters(graph, labels, scratch);
  isQueued.fill(0, 0, size);
  isChanged.fill(0, 0, size);
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
    const degree = end - start;
    // The labels first, one load beside the other: a loop that also adds waits for each in turn.
    for (let i = 0; i < degree; i++) touched[i] = labels[column[start + i] as number] as number;
    // Four to eight slots a neighbour. With as many as there are clusters each has a slot of its own.
    const mask = Math.min((1 << (34 - Math.clz32(degree))) - 1, allSlots);
    let count = 0;
    for (let i = 0; i < degree; i++) {
      const cluster = touched[i] as number;
      let slot = cluster & mask;
      let sum = slotWeight[slot] as number;
      while (Number(sum !== 0) & Number(slotCluster[slot] !== cluster)) {
        slot = (slot + 1) & mask;
        sum = slotWeight[slot] as number;
      }
      // Whether the cluster is new is added rather than asked, since no processor foresees the answer; `touched` shrinks
      // to the slots in place.
      slotCluster[slot] = cluster;
      touched[count] = slot;
      count += Number(sum === 0);
      slotWeight[slot] = sum + (weight[start + i] as number);
    }
    let ownSlot = own & mask;
    while (slotWeight[ownSlot] !== 0 && slotCluster[ownSlot] !== own) ownSlot = (ownSlot + 1) & mask;
    const nodeMass = mass[node] as number;
    const factor = resolution * nodeMass;
    const tolerance = GAIN_TOLERANCE * ((strength[node] as number) + factor * totalMass);
    const isAlone = clusterSize[own] === 1;
    const staying = isAlone
      ? 0
      : (slotWeight[ownSlot] as number) - factor * ((clusterMass[own] as number) - nodeMass);
    slotWeight[ownSlot] = 0;
    let best = own;
    let bestGain = staying + tolerance;
    for (let i = 0; i < count; i++) {
      const slot = touched[i] as number;
      const sum = slotWeight[slot] as number;
      slotWeight[slot] = 0;
      // No gain is above the weight, so few masses have to be fetched from memory.
      if (sum <= bestGain) continue;
      const cluster = slotCluster[slot] as number;
      const gain = sum - factor * (clusterMass[cluster] as number);
      if (gain > bestGain) {
        bestGain = gain;
        best = cluster;
      }
    }
    // A cluster of its own, which adds 0.
    if (bestGain < 0 && !isAlone) best = unused[--unusedCount] as number;
    if (best === own) continue;
    moves++;
    isChanged[own] = 1;
    isChanged[best] = 1;
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
      const joins = Number(isQueued[neighbour] === 0) & Number(labels[neighbour] !== best);
      queue[tail] = neighbour;
      isQueued[neighbour] = (isQueued[neighbour] as number) | joins;
      tail += joins;
      left += joins;
      if (tail === size) tail = 0;
    }
  }
  return moves;
}

/**
 * After a pass of `moveNodes` over all nodes: moves nodes until no single move raises the quality. A move changes the masses
 * of two clusters, and with them what their nodes and the neighbours of these would gain; nobody else has to be asked again.
 */
export function settleNodes(
  graph: LevelGraph,
  labels: Int32Array,
  scale: QualityScale,
  scratch: MoveScratch,
): void {
  for (;;) {
    const waiting = queueAroundChanges(graph, labels, scratch);
    if (waiting === 0) return;
    moveNodes(graph, labels, scale, scratch, waiting);
  }
}

/** Queues the nodes of changed clusters and their neighbours, in ascending order; returns how many. */
function queueAroundChanges(graph: LevelGraph, labels: Int32Array, scratch: MoveScratch): number {
  const { size, rowStart, column } = graph;
  const { isChanged, isQueued } = scratch;
  isQueued.fill(0, 0, size);
  for (let node = 0; node < size; node++) {
    if (isChanged[labels[node] as number] === 0) continue;
    isQueued[node] = 1;
    const end = rowStart[node + 1] as number;
    for (let at = rowStart[node] as number; at < end; at++) isQueued[column[at] as number] = 1;
  }
  return queueFlagged(scratch, size);
}

/** Queues the nodes 0 ... size - 1 that `isQueued` says are waiting, in this order; returns how many. */
export function queueFlagged({ queue, isQueued }: MoveScratch, size: number): number {
  let count = 0;
  for (let node = 0; node < size; node++) {
    queue[count] = node;
    count += isQueued[node] as number;
  }
  return count;
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
