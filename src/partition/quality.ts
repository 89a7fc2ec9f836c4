import type { Compute, SymmetricMatrix } from "../compute/compute.ts";
import type { PartitionQuality } from "./partition.ts";

/** Keeps clusters without any edge from dividing by zero (method note 4.2). */
const EPSILON = 1e-8;

/** Weight inside (both directions) and volume of each cluster, as `Compute.clusterWeights` gives them. */
export interface ClusterWeights {
  readonly inside: Float64Array;
  readonly volume: Float64Array;
}

/**
 * Sum over clusters of cut / (volume + 1e-8), 0 ... clusters - 1 (Shi & Malik 2000; method note 4.2).
 *
 * @example
 * normalizedCut(await compute.clusterWeights(matrix, labels, clusters));
 */
export function normalizedCut({ inside, volume }: ClusterWeights): number {
  let sum = 0;
  for (let cluster = 0; cluster < volume.length; cluster++) {
    const total = volume[cluster] as number;
    sum += (total - (inside[cluster] as number)) / (total + EPSILON);
  }
  return sum;
}

/** Newman's modularity Q with the given resolution (measures note, section 6); 0 for a graph without edges. */
export function modularity({ inside, volume }: ClusterWeights, resolution = 1): number {
  let total = 0;
  for (const value of volume) total += value;
  if (total === 0) return 0;
  let sum = 0;
  for (let cluster = 0; cluster < volume.length; cluster++) {
    const share = (volume[cluster] as number) / total;
    sum += (inside[cluster] as number) / total - resolution * share * share;
  }
  return sum;
}

/**
 * n-cut and modularity (resolution 1) of labels 0 ... clusters - 1 on a graph. Nodes of label -1 are left out together
 * with their edges.
 */
export async function partitionQuality(
  compute: Compute,
  matrix: SymmetricMatrix,
  labels: Int32Array,
  clusters: number,
): Promise<PartitionQuality> {
  const weights = await compute.clusterWeights(matrix, labels, clusters);
  return { ncut: normalizedCut(weights), modularity: modularity(weights) };
}
