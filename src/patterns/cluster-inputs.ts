import type { Compute } from "../compute/compute.ts";
import type { RunOptions } from "../progress.ts";
import { hdbscan, type PointPatterns } from "./hdbscan.ts";
import { leastInputs, type PatternSettings } from "./pattern-settings.ts";

/** The patterns of some inputs: a label each, and what HDBSCAN tells beside. */
export type Clustering = Omit<PointPatterns, "stability">;

/** Clusters rows of `values` (count x width); too few of them are all noise. */
export async function clusterInputs(
  compute: Compute,
  values: Float32Array,
  count: number,
  width: number,
  settings: PatternSettings,
  options: RunOptions = {},
): Promise<Clustering> {
  if (count < leastInputs(settings)) {
    return {
      labels: new Int32Array(count).fill(-1),
      probabilities: new Float32Array(count),
      outlierScores: new Float32Array(count),
      persistence: new Float64Array(),
      hasSplit: false,
      duplicates: 0,
    };
  }
  const { minClusterSize, minSamples, selection, epsilon, metric } = settings;
  const rules = { minClusterSize, minSamples, selection, epsilon, metric };
  return hdbscan(compute, values, count, width, rules, options);
}

/** Share of the inputs that are in no pattern. */
export function noiseShare(labels: Int32Array): number {
  return labels.reduce((sum, label) => sum + (label < 0 ? 1 : 0), 0) / Math.max(1, labels.length);
}
