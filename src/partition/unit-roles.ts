/**
 * What part each unit plays among the clusters (Guimera & Amaral 2005, doi:10.1038/nature03288): with k_um the weight
 * between unit u and cluster m, and k_u their sum over clusters,
 *   participation  P_u = 1 - sum_m (k_um / k_u)^2,  0 where all weight leads to one cluster
 *   within-cluster degree  z_u = (k_um - mean) / sd  for u's own cluster m, over the cluster's units
 */
import { toCsr } from "../graph/csr.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "./partition.ts";

/** Roles of a layer's units; NaN for units in no cluster, and where nothing says more. */
export interface LayerRoles {
  readonly name: string;
  /** NaN without weight to any cluster. */
  readonly participation: Float64Array;
  /** NaN where all units of the cluster have the same weight inside it. */
  readonly withinDegree: Float64Array;
}

/**
 * Participation coefficient and within-cluster degree of every unit. In a local graph a unit counts with the edges of
 * the part that labels its layer.
 *
 * @example
 * const [first] = unitRoles(partition, graph);
 * first.participation[3]; // 0.62
 */
export function unitRoles(partition: Partition, graph: UnitGraph): LayerRoles[] {
  const labels = partition.layers.map((layer) => layer.labels);
  const numbers = new Map(partition.layers.map(({ name }, number) => [name, number]));
  const layerOf = graph.layers.map(({ name }) => numbers.get(name) ?? -1);
  const nodeLabels = Int32Array.from(
    graph.layer,
    (layer, node) => labels[layerOf[layer] as number]?.[graph.unit[node] as number] ?? -1,
  );
  const roles = partition.layers.map(({ name, labels: own }) => ({
    name,
    participation: new Float64Array(own.length).fill(Number.NaN),
    withinDegree: new Float64Array(own.length).fill(Number.NaN),
  }));
  const { rowStart, column, weight } = toCsr(graph.matrix);
  const moments = new Map<number, { count: number; sum: number; squares: number }>();
  for (const { nodeStart, nodeCount, keeps } of graph.parts) {
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const own = nodeLabels[node] as number;
      const layer = graph.layer[node] as number;
      const role = roles[layerOf[layer] as number];
      if (own < 0 || role === undefined || !keeps.includes(layer)) continue;
      const weightTo = new Map<number, number>([[own, 0]]);
      for (let at = rowStart[node] as number; at < (rowStart[node + 1] as number); at++) {
        const cluster = nodeLabels[column[at] as number] as number;
        if (cluster < 0) continue;
        weightTo.set(cluster, (weightTo.get(cluster) ?? 0) + (weight[at] as number));
      }
      let total = 0;
      let squares = 0;
      for (const value of weightTo.values()) {
        total += value;
        squares += value * value;
      }
      const unit = graph.unit[node] as number;
      if (total > 0) role.participation[unit] = Math.max(0, 1 - squares / (total * total));
      const inside = weightTo.get(own) as number;
      role.withinDegree[unit] = inside;
      const moment = moments.get(own) ?? { count: 0, sum: 0, squares: 0 };
      moments.set(own, moment);
      moment.count++;
      moment.sum += inside;
      moment.squares += inside * inside;
    }
  }
  roles.forEach(({ withinDegree }, layer) => {
    for (let unit = 0; unit < withinDegree.length; unit++) {
      const moment = moments.get(labels[layer]?.[unit] as number);
      if (moment === undefined) continue;
      const mean = moment.sum / moment.count;
      const variance = moment.squares / moment.count - mean * mean;
      const inside = withinDegree[unit] as number;
      // Below this share of the mean a difference is a rounding error.
      withinDegree[unit] =
        variance > 1e-12 * mean * mean ? (inside - mean) / Math.sqrt(variance) : Number.NaN;
    }
  });
  return roles;
}
