/** Units of a layer with what a chosen kind of lesion does to them. */
import type { PopulationsDocument, UnitEntry, UnitImpact } from "../../../populations-document.ts";
import type { ReportData } from "../../../report-data.ts";

export interface UnitRow extends UnitEntry {
  /** In the report's partition; null = in none. */
  readonly cluster: number | null;
  readonly impact: UnitImpact;
}

/** Clusters of units by layer and unit; units that the map leaves out have none. */
export function clustersOfUnits({
  data,
}: {
  readonly data: ReportData;
}): (layer: string, unit: number) => number | null {
  const { layer, unit, cluster } = data.map.units;
  const found = new Map<string, number>();
  cluster.forEach((own, at) => {
    if (own >= 0) found.set(`${layer[at]} ${unit[at]}`, own);
  });
  const numbers = new Map(data.graph.layers.map(({ name }, number) => [name, number]));
  return (name, number) => found.get(`${numbers.get(name) ?? -1} ${number}`) ?? null;
}

/** The living units of a layer, those that cost most loss first. */
export function unitRows(
  { units }: Pick<PopulationsDocument, "units">,
  { layer, kind }: { readonly layer: string; readonly kind: string },
  clusterOf: (layer: string, unit: number) => number | null,
): UnitRow[] {
  return units
    .flatMap((unit): UnitRow[] => {
      const impact = unit.lesions[kind];
      return unit.layer !== layer || unit.dead || impact === undefined
        ? []
        : [{ ...unit, cluster: clusterOf(layer, unit.unit), impact }];
    })
    .sort(
      (a, b) => (b.impact.lossImpact ?? -Infinity) - (a.impact.lossImpact ?? -Infinity) || a.unit - b.unit,
    );
}
