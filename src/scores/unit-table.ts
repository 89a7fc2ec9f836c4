import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "../partition/partition.ts";
import { formatCsv } from "./scores-file.ts";

/**
 * `units.csv`: every unit with its cluster (-1 = none) and its degree in the graph (0 where it is no node; in a
 * local graph that of the part that labels it).
 */
export function formatUnitTable(partition: Partition, graph: UnitGraph, degrees: Float64Array): string {
  const degreeOf = new Map<string, number>();
  for (const { nodeStart, nodeCount, keeps } of graph.parts) {
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const layer = graph.layer[node] as number;
      if (keeps.includes(layer)) degreeOf.set(`${layer} ${graph.unit[node]}`, degrees[node] as number);
    }
  }
  const rows = partition.layers.flatMap(({ name, labels }) => {
    const layer = graph.layers.findIndex((candidate) => candidate.name === name);
    return Array.from(labels, (cluster, unit) => [
      name,
      unit,
      cluster,
      degreeOf.get(`${layer} ${unit}`) ?? 0,
    ]);
  });
  return formatCsv([["layer", "unit", "cluster", "degree"], ...rows]);
}
