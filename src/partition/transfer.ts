/**
 * Transfer (measures note P4): how much of the modularity that a graph's own partition P_a reaches another partition P_b
 * reaches on it, Q(A, P_b) / Q(A, P_a). Both on the same units, those that both put in a cluster, and the edges among them:
 * a partition that leaves out half of the network would otherwise be compared on another graph.
 */
import { clusterWeights } from "../compute/cpu/cluster-weights.ts";
import { sliceMatrix } from "../compute/submatrix.ts";
import { BrodmannError } from "../errors.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import { pairLayers } from "./compare.ts";
import type { Partition, Transfer } from "./partition.ts";
import { clustersOfNodes } from "./partition-file.ts";
import { modularity } from "./quality.ts";

/** Whether labels of a graph's parts make a partition of it: not those of the three layers around each layer. */
export function canTransfer({ kind, scope }: UnitGraph): boolean {
  return scope === "global" || kind === "activations";
}

/**
 * Transfer of `other` to a graph whose own partition is `own`; in a local graph means over its parts. Layers that `other`
 * has beyond the graph's are left out.
 *
 * Throws `E_GRAPH_LOCAL` for a local graph of weights, `E_PARTITION_FIT` where `own` is not of this graph,
 * `E_PARTITION_LAYERS` and `E_PARTITION_UNITS` where `other` is of another network, and `E_PARTITION_DISJOINT` where no node
 * is in clusters of both.
 *
 * @example
 * measureTransfer(weightGraph, ofWeights, ofActivations).ratio; // 0.43
 */
export function measureTransfer(graph: UnitGraph, own: Partition, other: Partition): Transfer {
  if (!canTransfer(graph)) {
    throw new BrodmannError(
      "E_GRAPH_LOCAL",
      "transfer: found a local graph of weights, expected a global one or one of activations",
      { hint: "Labels of one layer have no edges among them there. Build the graph with --scope global." },
    );
  }
  const ownLabels = clustersOfNodes(own, graph);
  const names = new Set(graph.layers.map(({ name }) => name));
  pairLayers(own, other);
  const shared = { ...other, layers: other.layers.filter(({ name }) => names.has(name)) };
  const otherLabels = clustersOfNodes(shared, graph);
  let nodes = 0;
  for (let node = 0; node < ownLabels.length; node++) {
    if ((ownLabels[node] as number) >= 0 && (otherLabels[node] as number) >= 0) nodes++;
    else ownLabels[node] = otherLabels[node] = -1;
  }
  if (nodes === 0) {
    throw new BrodmannError(
      "E_PARTITION_DISJOINT",
      "transfer: found no unit of the graph that both partitions put in a cluster, expected some",
      { hint: "Compare partitions whose graphs have units in common; -1 means no cluster." },
    );
  }
  const [ownQ, otherQ] = [meanModularity(graph, ownLabels), meanModularity(graph, otherLabels)];
  return { nodes, own: ownQ, other: otherQ, ratio: ownQ > 0 ? otherQ / ownQ : Number.NaN };
}

/** Modularity of node labels, averaged over the parts that have edges between labelled nodes. */
function meanModularity({ matrix, parts }: UnitGraph, labels: Int32Array): number {
  const clusters = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  let sum = 0;
  let count = 0;
  for (const { nodeStart, nodeCount } of parts) {
    const weights = clusterWeights(
      sliceMatrix(matrix, nodeStart, nodeCount),
      labels.subarray(nodeStart, nodeStart + nodeCount),
      clusters,
    );
    if (!weights.volume.some((volume) => volume > 0)) continue;
    sum += modularity(weights);
    count++;
  }
  return count > 0 ? sum / count : 0;
}
