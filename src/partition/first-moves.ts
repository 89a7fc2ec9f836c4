import { compactLabels, groupByLabel, reorderNodes } from "./aggregate.ts";
import type { LevelGraph, QualityScale } from "./level-graph.ts";
import { type MoveScratch, moveNodes, queueFlagged, queueInOrder } from "./move-nodes.ts";

/** Nodes up to which the tables of labels and masses stay in a processor's second-level cache. */
export const CACHED_NODES = 131_072;
/** Where fewer than one node in so many waits, their order no longer matters. */
const FEW = 16;

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
 * memory once per neighbour. There the nodes are laid out after the first sweep already, by the small clusters that it
 * makes, and those that wait for the next sweep take their turns in the order in which they lie: what a visit reads is
 * then next to what the visit before it read. Together this halves the time of all further sweeps.
 */
export function moveFirst(given: LevelGraph, scale: QualityScale, scratch: MoveScratch): LaidOutGraph {
  const { size } = given;
  const order = Int32Array.from({ length: size }, (_, node) => node);
  let laid: LaidOutGraph = { graph: given, labels: order.slice(), order };
  let waiting = size;
  queueInOrder(scratch, size);
  if (size > CACHED_NODES) {
    for (let isLaidOut = false; waiting > size / FEW; isLaidOut = true) {
      moveNodes(laid.graph, laid.labels, scale, scratch, waiting, waiting);
      if (!isLaidOut) {
        laid = layOut(laid);
        scratch.isQueued.set(laid.order.map((node) => scratch.isQueued[node] as number));
      }
      waiting = queueFlagged(scratch, size);
    }
  }
  moveNodes(laid.graph, laid.labels, scale, scratch, waiting);
  return layOut(laid);
}

/** Sorts the nodes by label. */
function layOut({ graph, labels, order }: LaidOutGraph): LaidOutGraph {
  const { nodes } = groupByLabel(labels, compactLabels(labels));
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
