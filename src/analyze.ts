/**
 * The whole analysis: unit graph, partition, importance.
 */
import type { Compute } from "./compute/compute.ts";
import { BrodmannError } from "./errors.ts";
import { type ActivationGraphOptions, buildActivationGraph } from "./graph/activation-graph.ts";
import type { UnitGraph } from "./graph/unit-graph.ts";
import { buildWeightGraph } from "./graph/weight-graph.ts";
import type { Network } from "./network/network.ts";
import type { InputSource, LabelledInputs } from "./network/outcomes.ts";
import type { Partition } from "./partition/partition.ts";
import { type PartitionSettings, partitionGraph } from "./partition/partition-graph.ts";
import type { RunOptions } from "./progress.ts";
import { type Importance, type ImportanceOptions, scoreImportance } from "./scores/importance.ts";

export interface UnitGraphOptions extends ActivationGraphOptions {
  /** Default `weights`. */
  readonly kind?: "weights" | "activations" | undefined;
  /** Norm of kernel slices in weight graphs; default `l1`. */
  readonly norm?: "l1" | "l2" | undefined;
}

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
 * const { importance } = await analyzeNetwork(network, digits, compute, { kind: "weights", seed: 0 });
 */
export async function analyzeNetwork(
  network: Network,
  data: LabelledInputs,
  compute: Compute,
  options: AnalyzeOptions = {},
): Promise<Analysis> {
  const { seed = 0 } = options;
  const settings: PartitionSettings = { method: "spectral", ...options.partition, seed };
  const graph = await buildUnitGraph(network, data, compute, options);
  await options.onGraph?.(graph);
  const hasK = settings.method === "spectral" || settings.method === "random";
  const needsK = graph.scope === "local" && hasK && settings.k !== "auto";
  const kPerLayer = needsK ? await countGlobalClusters(network, data, compute, options) : undefined;
  const partition = await partitionGraph(compute, graph, { ...settings, kPerLayer }, options);
  await options.onPartition?.(partition, graph);
  const importance = await scoreImportance(network, data, partition, options);
  return { graph, partition, importance };
}

/** The unit graph of the given kind and scope; activation graphs need inputs. */
export async function buildUnitGraph(
  network: Network,
  data: InputSource | null,
  compute: Compute,
  options: UnitGraphOptions = {},
): Promise<UnitGraph> {
  if (options.kind !== "activations") return buildWeightGraph(network, compute, options);
  if (data !== null) return buildActivationGraph(network, data, compute, options);
  throw new BrodmannError("E_USAGE_DATA", "--graph activations: found no inputs, expected --data", {
    hint: "Pass the inputs whose activations are correlated: --data inputs.npz.",
  });
}

/**
 * Clusters of the global partition of the same graph kind in each layer: the number of clusters that a local
 * partition makes there (method note, section 2).
 */
async function countGlobalClusters(
  network: Network,
  data: LabelledInputs,
  compute: Compute,
  options: AnalyzeOptions,
): Promise<Map<string, number>> {
  const graph = await buildUnitGraph(network, data, compute, { ...options, scope: "global" });
  const settings: PartitionSettings = { method: "spectral", ...options.partition, seed: options.seed };
  return clustersPerLayer(await partitionGraph(compute, graph, settings, options));
}

/** Number of clusters that a partition has in each layer. */
export function clustersPerLayer(partition: Partition): Map<string, number> {
  return new Map(
    partition.layers.map(({ name, labels }) => [name, new Set(labels.filter((label) => label >= 0)).size]),
  );
}
