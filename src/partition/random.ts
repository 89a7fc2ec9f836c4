import type { Compute, SymmetricMatrix } from "../compute/compute.ts";
import { rng } from "../statistics/rng.ts";
import { dropIsolated, expandLabels } from "./connected.ts";
import { requireClusters } from "./require-clusters.ts";

/**
 * Random labels: the nodes with edges dealt to `k` clusters of equal size (to one node), -1 for isolated ones. Throws
 * `E_PARTITION_K` when k is below 1 or above the number of nodes with edges.
 */
export async function random(
  compute: Compute,
  matrix: SymmetricMatrix,
  settings: { readonly k: number; readonly seed: number; readonly part?: number; readonly where?: string },
): Promise<Int32Array> {
  const { k, seed, part = 0, where = "graph" } = settings;
  const { nodes } = dropIsolated(matrix, await compute.degrees(matrix));
  requireClusters(where, k, nodes.length);
  const labels = Int32Array.from({ length: nodes.length }, (_, i) => i % k);
  return expandLabels(rng(seed, "random", part).shuffle(labels), nodes, matrix.size);
}
