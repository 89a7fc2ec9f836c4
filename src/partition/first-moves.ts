import { compactLabels, groupByLabel, reorderNodes } from "./aggregate.ts";
import type { LevelGraph, QualityScale } from "./level-graph.ts";
import { type MoveScratch, moveNodes, queueInOrder } from "./move-nodes.ts";

/** Nodes up to which the tables of labels, sums and masses stay in a processor's second-level cache. */
const CACHED_NODES = 131_072;
/** Sweeps over a larger graph after which its nodes are laid out anew. */
const EARLY_SWEEPS = 2;

/** A graph whose nodes lie by cluster. */
export interface LaidOutGraph {
  readonly graph: LevelGraph;
  /** Dense labels of its nodes, ascending. */
  readonly labels: Int32Array;
  /** Node of the given graph that each of its nodes is. */
  readonly order: Int32Array;
}

/**
 * Moves the nodes of a graph, each from a cluster of its own, and lays the nodes out by cluster: neighbours then lie close
 * together for all that follows. The order inside a cluster stays as it was.
 *
 * Most visits of a whole run fall here, before anything is known of the clusters, and on a large graph each waits for
 * memory once per neighbour: there the nodes are laid out after the first sweeps already, by the small clusters that
 * these make, which takes a third of the time.
 */
export function moveFirst(given: LevelGraph, scale: QualityScale, scratch: MoveScratch): LaidOutGraph {
  const { size } = given;
  const order = Int32Array.from({ length: size }, (_, node) => node);
  let laid: LaidOutGraph = { graph: given, labels: order.slice(), order };
  let waiting = size;
  queueInOrder(scratch, size);
  const sweeps = size > CACHED_NODES ? EARLY_SWEEPS : 0;
  for (let sweep = 0; sweep < sweeps && waiting > 0; sweep++) {
    waiting = moveNodes(laid.graph, laid.labels, scale, scratch, waiting, size).waiting;
    laid = layOut(laid, scratch.queue.subarray(0, waiting));
  }
  moveNodes(laid.graph, laid.labels, scale, scratch, waiting);
  return layOut(laid, scratch.queue.subarray(0, 0));
}

/** Sorts the nodes by label; those of `queue` get their new numbers, in ascending order. */
function layOut({ graph, labels, order }: LaidOutGraph, queue: Int32Array): LaidOutGraph {
  const { nodes } = groupByLabel(labels, compactLabels(labels));
  if (queue.length > 0) {
    const place = new Int32Array(nodes.length);
    for (let i = 0; i < nodes.length; i++) place[nodes[i] as number] = i;
    for (let i = 0; i < queue.length; i++) queue[i] = place[queue[i] as number] as number;
    queue.sort();
  }
  return {
    graph: reorderNodes(graph, graph.mass, graph.strength, nodes),
    labels: nodes.map((node) => labels[node] as number),
    order: nodes.map((node) => order[node] as number),
  };
}

/** Labels of the given graph's nodes from those of the laid-out ones. */
export function inGivenOrder(labels: Int32Array, order: Int32Array): Int32Array {
  const found = new Int32Array(labels.length);
  for (let node = 0; node < labels.length; node++) found[order[node] as number] = labels[node] as number;
  return found;
}
