import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "../partition/partition.ts";
import { unitRoles } from "../partition/unit-roles.ts";
import { formatCsv } from "./csv.ts";

/**
 * `units.csv`: every unit with its cluster (-1 = none) and its degree in the graph (0 where it is no node; in a
 * local graph that of the part that labels it), participation coefficient and within-cluster degree (`unitRoles`), and
 * its co-assignment where stability was measured.
 */
export function formatUnitTable(partition: Partition, graph: UnitGraph, degrees: Float64Array): string {
  const degreeOf = new Map<string, number>();
  for (const { nodeStart, nodeCount, keeps } of graph.parts) {
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const layer = graph.layer[node] as number;
      if (keeps.includes(layer)) degreeOf.set(`${layer} ${graph.unit[node]}`, degrees[node] as number);
    }
  }
  const roles = unitRoles(partition, graph);
  const stable = partition.quality?.stability;
  const rows = partition.layers.flatMap(({ name, labels }, number) => {
    const { participation, withinDegree } = roles[number] as (typeof roles)[number];
    const layer = graph.layers.findIndex((candidate) => candidate.name === name);
    return Array.from(labels, (cluster, unit) => [
      name,
      unit,
      cluster,
      degreeOf.get(`${layer} ${unit}`) ?? 0,
      shortNumber(participation[unit] as number),
      shortNumber(withinDegree[unit] as number),
      ...(stable ? [stable.layers[number]?.coAssignment[unit] ?? Number.NaN] : []),
    ]);
  });
  return formatCsv([
    [
      "layer",
      "unit",
      "cluster",
      "degree",
      "participation",
      "withinDegree",
      ...(stable ? ["coAssignment"] : []),
    ],
    ...rows,
  ]);
}

/** Nine digits: more would be rounding errors of sums. */
function shortNumber(value: number): number {
  return Number(value.toPrecision(9));
}
