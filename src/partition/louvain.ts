/**
 * Louvain's method (Blondel et al. 2008, doi:10.1088/1742-5468/2008/10/P10008), with the queue of the Leiden method in
 * place of sweeps over all nodes. After the last level single nodes move once more, since the clusters around them have
 * changed (Rotta & Noack 2011, doi:10.1145/1963190.1970376), until no single move raises the modularity.
 */
import type { SymmetricMatrix } from "../compute/compute.ts";
import type { Rng } from "../statistics/rng.ts";
import { aggregate, compactLabels } from "./aggregate.ts";
import { bestRun, type ClusterSettings } from "./best-run.ts";
import { inGivenOrder, moveFirst } from "./first-moves.ts";
import type { LevelGraph, QualityScale } from "./level-graph.ts";
import { moveNodes, moveScratch, queueInOrder, settleNodes } from "./move-nodes.ts";

/**
 * A cluster for every node, -1 for isolated ones; ids are dense. Weights must not be negative, which `partitionGraph`
 * makes sure of. Equal settings give equal labels.
 */
export function louvain(matrix: SymmetricMatrix, settings: ClusterSettings): Int32Array {
  return bestRun("louvain", matrix, settings, runLouvain);
}

function runLouvain(given: LevelGraph, scale: QualityScale, random: Rng): Int32Array {
  const scratch = moveScratch(given.size);
  const { graph: base, labels, order } = moveFirst(given, scale, scratch);
  let graph = base;
  for (let clusters = labels, count = compactLabels(labels); count < graph.size; ) {
    graph = aggregate(graph, clusters, count);
    clusters = Int32Array.from({ length: count }, (_, node) => node);
    queueInOrder(scratch, count);
    random.shuffle(scratch.queue.subarray(0, count));
    moveNodes(graph, clusters, scale, scratch);
    count = compactLabels(clusters);
    for (let node = 0; node < labels.length; node++) {
      labels[node] = clusters[labels[node] as number] as number;
    }
  }
  queueInOrder(scratch, base.size);
  moveNodes(base, labels, scale, scratch);
  settleNodes(base, labels, scale, scratch);
  return inGivenOrder(labels, order);
}
