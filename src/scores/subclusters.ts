import type { Network } from "../network/network.ts";
import type { Partition } from "../partition/partition.ts";

/** The units of one cluster in one layer. */
export interface Subcluster {
  /** Cluster id in the partition. */
  readonly cluster: number;
  /** Units in the layer, ascending. */
  readonly units: Int32Array;
}

/** One layer's subclusters and the units that random sets are drawn from. */
export interface LayerSubclusters {
  /** Number of the layer in the network. */
  readonly layer: number;
  readonly name: string;
  readonly layerUnits: number;
  /** Units with a label (method note: E); random sets come from these only. */
  readonly eligible: Int32Array;
  /** Subclusters that are tested, by their first unit: an order that does not change when clusters are renamed. */
  readonly tested: readonly Subcluster[];
  /** Subclusters left out because they are single units or nearly the whole layer. */
  readonly filtered: readonly Subcluster[];
}

/** Smallest size, and largest share of the eligible units, of a subcluster that is lesioned (method note, 2). */
const LEAST_UNITS = 2;
const LARGEST_SHARE = 0.99;

/**
 * The subclusters of a partition in the network's layers, logits left out (they are never lesioned).
 * The partition must fit the network (`fitPartition`).
 */
export function findSubclusters(network: Network, partition: Partition): LayerSubclusters[] {
  const labelsOf = new Map(partition.layers.map(({ name, labels }) => [name, labels]));
  return network.layers.flatMap((layer, number) => {
    const labels = labelsOf.get(layer.name);
    if (labels === undefined || layer.isLogits) return [];
    const members = new Map<number, number[]>();
    const eligible: number[] = [];
    labels.forEach((cluster, unit) => {
      if (cluster < 0) return;
      eligible.push(unit);
      const units = members.get(cluster);
      if (units) units.push(unit);
      else members.set(cluster, [unit]);
    });
    const subclusters = Array.from(
      members,
      ([cluster, units]): Subcluster => ({ cluster, units: Int32Array.from(units) }),
    );
    const isTested = ({ units }: Subcluster) =>
      units.length >= LEAST_UNITS && units.length <= LARGEST_SHARE * eligible.length;
    return [
      {
        layer: number,
        name: layer.name,
        layerUnits: layer.units,
        eligible: Int32Array.from(eligible),
        tested: subclusters.filter(isTested),
        filtered: subclusters.filter((subcluster) => !isTested(subcluster)),
      },
    ];
  });
}
