import { BrodmannError } from "../errors.ts";
import { layerNamed, type Network } from "../network/network.ts";
import { fitPartition } from "../partition/partition-file.ts";
import { partitionLayers } from "../scores/study.ts";
import { findSubclusters } from "../scores/subclusters.ts";
import { isVisualized } from "../scores/visual-coherence.ts";
import { checkUnits } from "../visualize/visualize-units.ts";
import { readPartition } from "./read-partition.ts";

/** Units to make an image for, and the units of their layer that random groups are drawn from. */
export interface UnitSet {
  readonly layer: string;
  /** Label in the partition's file, where the set comes from one. */
  readonly cluster: number | null;
  readonly units: readonly number[];
  readonly eligible: readonly number[];
}

/**
 * Sets as `--units` writes them: `LAYER:1,5,9`, with 3-7 for 3 to 7, several sets parted by semicolons. Throws `E_USAGE_UNITS` and `E_NETWORK_LAYER`.
 *
 * @example
 * const sets = readUnitSets("/0/Conv:1,5,9;/3/Conv:0-7", network);
 */
export function readUnitSets(text: string, network: Network): UnitSet[] {
  // Layers may have semicolons, colons and commas in their names: a set ends in a colon and units.
  return text.split(/(?<=:[\d,\s-]*);/).map((part) => {
    const [, name, list] = /^(.+):([\d,\s-]+)$/.exec(part.trim()) ?? [];
    if (name === undefined || list === undefined) throw badUnits(part);
    const layer = layerNamed(network, name);
    const units = list.split(",").flatMap((word) => {
      const [, from, to = from] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(word) ?? [];
      const [first, last] = [Number(from), Number(to)];
      if (from === undefined || last < first) throw badUnits(part);
      // A range beyond the layer is refused with its first stray unit; no need to write all of it out.
      const end = Math.min(last, Math.max(first, layer.units));
      return Array.from({ length: end - first + 1 }, (_, i) => first + i);
    });
    return {
      layer: name,
      cluster: null,
      units: checkUnits(layer, units),
      eligible: Array.from({ length: layer.units }, (_, unit) => unit),
    };
  });
}

function badUnits(found: string): BrodmannError {
  return new BrodmannError("E_USAGE_UNITS", `--units: found "${found}", expected LAYER:UNITS`, {
    hint: 'Write --units /0/Conv:1,5,9 or --units "/0/Conv:0-7;/3/Conv:2,4".',
  });
}

/** Pairs of units as `--pairs` writes them, `LAYER:1,5`, several parted by semicolons. Throws `E_USAGE_PAIRS` and `E_NETWORK_LAYER`. */
export function readUnitPairs(
  text: string,
  network: Network,
): { readonly layer: string; readonly units: readonly [number, number] }[] {
  return readUnitSets(text, network).map(({ layer, units }) => {
    const [one, other] = units;
    if (one !== undefined && other !== undefined && units.length === 2) {
      return { layer, units: [one, other] as const };
    }
    throw new BrodmannError(
      "E_USAGE_PAIRS",
      `--pairs: found ${units.length} units of ${layer}, expected two`,
      { hint: 'Write --pairs LAYER:1,5 or --pairs "LAYER:1,5;LAYER:2,9".' },
    );
  });
}

/** The subclusters of a partition file that are large enough and not nearly their whole layer. */
export async function subclusterSets(path: string, network: Network): Promise<UnitSet[]> {
  const { partition, fileLabels } = await readPartition(path);
  const fitted = fitPartition(partition, partitionLayers(network));
  const sets = findSubclusters(network, fitted).flatMap(({ name, layerUnits, eligible, tested }) =>
    tested
      .filter(({ units }) => isVisualized(units, layerUnits))
      .map(({ cluster, units }) => ({
        layer: name,
        cluster: fileLabels[cluster] ?? cluster,
        units: Array.from(units),
        eligible: Array.from(eligible),
      })),
  );
  if (sets.length > 0) return sets;
  throw new BrodmannError(
    "E_USAGE_PARTITION",
    `${path}: found no subcluster of 3 units or more that is not nearly its whole layer`,
    { hint: "Pass a partition with fewer clusters, or name units by --units." },
  );
}
