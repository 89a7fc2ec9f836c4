/**
 * The Leiden method (Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z) for modularity and for the constant
 * Potts model (Traag, Van Dooren & Nesterov 2011, doi:10.1103/PhysRevE.84.016114); `level-graph.ts` has the formulas. An
 * iteration moves single nodes, refines the clusters into well-connected parts, and goes on with these parts as nodes.
 *
 * What comes out holds more than the paper promises after a fixed number of iterations: every cluster is connected, and
 * no move of a single node to another cluster, or to one of its own, raises the quality.
 */
import type { SymmetricMatrix } from "../compute/compute.ts";
import type { Rng } from "../statistics/rng.ts";
import { aggregate, compactLabels, labelMasses } from "./aggregate.ts";
import { bestRun, type ClusterSettings } from "./best-run.ts";
import { inGivenOrder, moveFirst } from "./first-moves.ts";
import type { LevelGraph, QualityScale } from "./level-graph.ts";
import { type MoveScratch, moveNodes, moveScratch, queueInOrder, settleNodes } from "./move-nodes.ts";
import { type RefineScratch, refine, refineScratch } from "./refine.ts";
import { splitClusters } from "./split-clusters.ts";

/** Settings of the Leiden method. */
export interface LeidenSettings extends ClusterSettings {
  /** Iterations at the most; a run ends sooner where nothing is left to move. Default 2. */
  readonly iterations?: number | undefined;
  /** Randomness of the refinement, in mean edge weights. Default 0.01. */
  readonly theta?: number | undefined;
}

/**
 * A cluster for every node, -1 for isolated ones; ids are dense. Weights must not be negative, which `partitionGraph`
 * makes sure of. Equal settings give equal labels.
 *
 * @example
 * const labels = leiden(graph.matrix, { resolution: 1, seed: 0 });
 */
export function leiden(matrix: SymmetricMatrix, settings: LeidenSettings): Int32Array {
  const { iterations = 2, theta = 0.01 } = settings;
  return bestRun("leiden", matrix, settings, (graph, scale, random) =>
    runLeiden(graph, scale, random, iterations, theta),
  );
}

function runLeiden(
  given: LevelGraph,
  scale: QualityScale,
  random: Rng,
  iterations: number,
  theta: number,
): Int32Array {
  const { size } = given;
  const scratch = moveScratch(size);
  const partScratch = refineScratch(scratch, theta * scale.meanWeight);
  const { graph, labels, order } = moveFirst(given, scale, scratch);
  let moves: number;
  let iteration = 0;
  do {
    if (iterations > 0) improveByParts(graph, labels, scale, scratch, partScratch, random);
    queueInOrder(scratch, size);
    moves = moveNodes(graph, labels, scale, scratch);
  } while (++iteration < iterations && moves > 0);
  settleNodes(graph, labels, scale, scratch);
  while (splitClusters(graph, labels)) {
    queueInOrder(scratch, size);
    moveNodes(graph, labels, scale, scratch);
    settleNodes(graph, labels, scale, scratch);
  }
  return inGivenOrder(labels, order);
}

/**
 * Moves whole parts of the clusters, and parts made of such parts, until every cluster is one. Changes `labels`.
 */
function improveByParts(
  given: LevelGraph,
  labels: Int32Array,
  scale: QualityScale,
  scratch: MoveScratch,
  partScratch: RefineScratch,
  random: Rng,
): void {
  let graph = given;
  let clusters = labels;
  // Node of the level's graph that every node of the given one belongs to.
  let member: Int32Array | null = null;
  for (let count = compactLabels(clusters); count < graph.size; count = compactLabels(clusters)) {
    const { size } = graph;
    queueInOrder(scratch, size);
    // The nodes of the first level are in random order already.
    if (member !== null) random.shuffle(scratch.queue.subarray(0, size));
    let parts: Int32Array = new Int32Array(size);
    refine(
      graph,
      clusters,
      labelMasses(graph, clusters, count),
      scale.resolution,
      parts,
      partScratch,
      random,
    );
    let partCount = compactLabels(parts);
    // Where nothing merged, the clusters become the nodes: the same level again would go on for ever.
    if (partCount === size) [parts, partCount] = [clusters, count];
    const clusterOfPart = new Int32Array(partCount);
    for (let node = 0; node < size; node++) {
      clusterOfPart[parts[node] as number] = clusters[node] as number;
    }
    graph = aggregate(graph, parts, partCount);
    if (member === null) member = parts.slice();
    else
      for (let node = 0; node < member.length; node++) member[node] = parts[member[node] as number] as number;
    clusters = clusterOfPart;
    queueInOrder(scratch, partCount);
    random.shuffle(scratch.queue.subarray(0, partCount));
    moveNodes(graph, clusters, scale, scratch);
  }
  if (member === null) return;
  for (let node = 0; node < labels.length; node++) labels[node] = clusters[member[node] as number] as number;
}
