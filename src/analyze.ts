/**
 * The whole analysis: unit graph, partition, importance.
 */
import type { Engine } from "./engine.ts";
import type { UnitGraphOptions } from "./graph/build-unit-graph.ts";
import type { UnitGraph } from "./graph/unit-graph.ts";
import type { Network } from "./network/network.ts";
import type { LabelledInputs } from "./network/outcomes.ts";
import type { Partition } from "./partition/partition.ts";
import type { PartitionSettings } from "./partition/partition-graph.ts";
import type { RunOptions } from "./progress.ts";
import type { Importance, ImportanceOptions } from "./scores/importance.ts";

export interface AnalyzeOptions extends UnitGraphOptions, Omit<ImportanceOptions, keyof RunOptions> {
  /** Partitioner; default spectral with k = 16. */
  readonly partition?: Omit<PartitionSettings, "seed" | "kPerLayer"> | undefined;
  /** Called as soon as the graph and the partition are there, so that they can be kept. */
  readonly onGraph?: ((graph: UnitGraph) => Promise<void>) | undefined;
  readonly onPartition?: ((partition: Partition, graph: UnitGraph) => Promise<void>) | undefined;
}

/** Everything that `analyzeNetwork` finds. */
export interface Analysis {
  readonly graph: UnitGraph;
  readonly partition: Partition;
  readonly importance: Importance;
}

/**
 * Builds the unit graph of a network, partitions it and scores every subcluster.
 *
 * @example
 * const { importance } = await analyzeNetwork(network, digits, engine, { kind: "weights", seed: 0 });
 */
export async function analyzeNetwork(
  network: Network,
  data: LabelledInputs,
  engine: Engine,
  options: AnalyzeOptions = {},
): Promise<Analysis> {
  const { seed = 0 } = options;
  const settings: PartitionSettings = { method: "spectral", ...options.partition, seed };
  const graph = await engine.unitGraph(network, data, options);
  await options.onGraph?.(graph);
  const hasK = settings.method === "spectral" || settings.method === "random";
  const needsK = graph.scope === "local" && hasK && typeof settings.k !== "string";
  const kPerLayer = needsK ? await countGlobalClusters(network, data, engine, options) : undefined;
  const partition = await engine.partition(graph, { ...settings, kPerLayer }, options);
  await options.onPartition?.(partition, graph);
  const importance = await engine.importance(network, data, partition, options);
  return { graph, partition, importance };
}

/**
 * Clusters of the global partition of the same graph kind in each layer: the number of clusters that a local
 * partition makes there (method note, section 2).
 */
async function countGlobalClusters(
  network: Network,
  data: LabelledInputs,
  engine: Engine,
  options: AnalyzeOptions,
): Promise<Map<string, number>> {
  const graph = await engine.unitGraph(network, data, { ...options, scope: "global" });
  const settings: PartitionSettings = { method: "spectral", ...options.partition, seed: options.seed };
  return clustersPerLayer(await engine.partition(graph, settings, options));
}

/** Number of clusters that a partition has in each layer. */
export function clustersPerLayer(partition: Partition): Map<string, number> {
  return new Map(
    partition.layers.map(({ name, labels }) => [name, new Set(labels.filter((label) => label >= 0)).size]),
  );
}
