/** The subcluster that a page is about, scored or not, and its place among the others. */
import type { SubclusterEntry } from "../../../scores-document.ts";
import type { Context } from "../../context.ts";

export interface Subject {
  readonly layer: string;
  readonly layerNumber: number;
  readonly cluster: number;
  readonly units: readonly number[];
  readonly layerUnits: number;
  /** Null for one that was not tested: a single unit, or nearly its whole layer. */
  readonly entry: SubclusterEntry | null;
}

export interface Place {
  readonly layer: string;
  readonly cluster: number;
}

/** The subcluster at an address; null where there is none. */
export function subjectAt({ data, subclusters, layerNumber }: Context, place: Place): Subject | null {
  const { layer, cluster } = place;
  const number = layerNumber(layer);
  const entry = subclusters.find((each) => each.layer === layer && each.cluster === cluster) ?? null;
  const { units } = data.map;
  const shown = units.unit.filter((_, at) => units.layer[at] === number && units.cluster[at] === cluster);
  const own = entry?.units ?? shown;
  if (own.length === 0) return null;
  const layerUnits = entry?.layerUnits ?? data.graph.layers[number]?.units ?? own.length;
  return { layer, layerNumber: number, cluster, units: own, layerUnits, entry };
}

/** All subclusters, layer by layer. */
export function allPlaces({ data, subclusters, layerNumber }: Context): Place[] {
  const { units } = data.map;
  const found = new Map<string, Place>();
  const add = (layer: string, cluster: number): void => {
    if (cluster >= 0) found.set(`${cluster}/${layer}`, { layer, cluster });
  };
  for (const { layer, cluster } of subclusters) add(layer, cluster);
  units.cluster.forEach((cluster, at) => {
    add(data.graph.layers[units.layer[at] as number]?.name ?? "", cluster);
  });
  return [...found.values()].sort(
    (one, other) => layerNumber(one.layer) - layerNumber(other.layer) || one.cluster - other.cluster,
  );
}
