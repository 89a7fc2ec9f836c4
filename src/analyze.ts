/**
 * The whole analysis: unit graph, partition, scores.
 */
import type { Engine } from "./engine.ts";
import { recordGraphUnits } from "./graph/activation-graph.ts";
import type { UnitGraphOptions } from "./graph/build-unit-graph.ts";
import type { UnitGraph } from "./graph/unit-graph.ts";
import type { Network } from "./network/network.ts";
import type { LabelledInputs } from "./network/outcomes.ts";
import { testAgreement } from "./partition/agreement-test.ts";
import { type Assessment, assessPartition } from "./partition/assess.ts";
import type { KindAgreement, Partition } from "./partition/partition.ts";
import type { PartitionSettings } from "./partition/partition-graph.ts";
import { canTransfer, measureTransfer } from "./partition/transfer.ts";
import type { RunOptions } from "./progress.ts";
import type { RecordOptions } from "./records.ts";
import type { CoherenceOptions } from "./scores/coherence.ts";
import type { ImportanceOptions } from "./scores/importance.ts";
import { SCORE_NAMES, type ScoreName, type Scores } from "./scores/scores.ts";

/** Shufflings of labels that two kinds of graph are compared with (measures note P4). */
const LABEL_SHUFFLES = 5000;

export interface AnalyzeOptions
  extends UnitGraphOptions,
    Assessment,
    Omit<ImportanceOptions, keyof RunOptions | keyof RecordOptions>,
    Pick<CoherenceOptions, "visual" | "onImages"> {
  /** Default: all. */
  readonly scores?: readonly ScoreName[] | undefined;
  /** Partitioner; default spectral with k = 16. */
  readonly partition?: Omit<PartitionSettings, "seed" | "kPerLayer"> | undefined;
  /** Also builds the network's other graph, partitions it in the same way and compares. Default false. */
  readonly agreement?: boolean | undefined;
  /** Called as soon as the graph and the partition are there, so that they can be kept. */
  readonly onGraph?: ((graph: UnitGraph) => Promise<void>) | undefined;
  readonly onPartition?:
    | ((partition: Partition, graph: UnitGraph, otherPartition: Partition | null) => Promise<void>)
    | undefined;
  /** Called with the partition before it is scored: what the scores are recorded with, and go on from. */
  readonly openRecords?: ((partition: Partition) => Promise<RecordOptions>) | undefined;
}

/** Everything that `analyzeNetwork` finds. */
export interface Analysis extends Scores {
  readonly graph: UnitGraph;
  readonly partition: Partition;
  /** Partition of the other kind of graph, where `agreement` asked for it. */
  readonly otherPartition: Partition | null;
}

/**
 * Builds the unit graph of a network, partitions it and scores every subcluster. With `nulls`, `stability` and `agreement`
 * the partition's quality holds what these found.
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
  const graph = await engine.unitGraph(network, data, options);
  await options.onGraph?.(graph);
  const { partition: found, settings } = await partitionAlike(network, data, engine, graph, options);
  const needsInputs = graph.kind === "activations" && (options.nulls ?? options.stability) !== undefined;
  const recorded = needsInputs ? await recordGraphUnits(network, data, options) : null;
  let partition = await assessPartition(engine, graph, found, settings, options, recorded, options);
  let otherPartition: Partition | null = null;
  if (options.agreement) {
    const compared = await compareKinds(network, data, engine, graph, partition, options);
    partition = compared.partition;
    otherPartition = compared.otherPartition;
  }
  await options.onPartition?.(partition, graph, otherPartition);
  const records = await options.openRecords?.(partition);
  const { scores = SCORE_NAMES } = options;
  const scored = await scorePartition(network, data, partition, engine, scores, { ...options, ...records });
  return { graph, partition, otherPartition, ...scored };
}

/**
 * The scores that are asked for, one after another.
 *
 * @example
 * const { coherence } = await scorePartition(network, digits, partition, engine, ["coherence"]);
 */
export async function scorePartition(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  engine: Engine,
  scores: readonly ScoreName[],
  options: ImportanceOptions & CoherenceOptions = {},
): Promise<Scores> {
  return {
    importance: scores.includes("importance")
      ? await engine.importance(network, data, partition, options)
      : null,
    coherence: scores.includes("coherence")
      ? await engine.coherence(network, data, partition, options)
      : null,
  };
}

/** The partition of a graph as the options say, and the settings that made it. */
async function partitionAlike(
  network: Network,
  data: LabelledInputs,
  engine: Engine,
  graph: UnitGraph,
  options: AnalyzeOptions,
): Promise<{ readonly partition: Partition; readonly settings: PartitionSettings }> {
  const base: PartitionSettings = {
    method: "spectral",
    ...options.partition,
    seed: options.seed ?? 0,
  };
  const hasK = base.method === "spectral" || base.method === "random";
  const needsK = graph.scope === "local" && hasK && typeof base.k !== "string";
  const kPerLayer = needsK ? await countGlobalClusters(network, data, engine, options) : undefined;
  const settings = { ...base, kPerLayer };
  return { partition: await engine.partition(graph, settings, options), settings };
}

/** The partition with its agreement with that of the other kind of graph, and that one (measures note P4). */
async function compareKinds(
  network: Network,
  data: LabelledInputs,
  engine: Engine,
  graph: UnitGraph,
  partition: Partition,
  options: AnalyzeOptions,
): Promise<{ readonly partition: Partition; readonly otherPartition: Partition }> {
  const kind = otherKind(graph.kind);
  // A weight graph has the network's own edges.
  const other = { ...options, kind, topK: kind === "weights" ? undefined : options.topK };
  const otherGraph = await engine.unitGraph(network, data, other);
  const made = await partitionAlike(network, data, engine, otherGraph, other);
  const { quality } = partition;
  const { quality: otherQuality, clusters } = made.partition;
  if (quality === null || otherQuality === null) return { partition, otherPartition: made.partition };
  const { ncut, modularity } = otherQuality;
  const agreement: KindAgreement = {
    kind,
    clusters,
    ncut,
    modularity,
    ...testAgreement(partition, made.partition, LABEL_SHUFFLES, options.seed),
    transfer: {
      toOther: canTransfer(otherGraph) ? measureTransfer(otherGraph, made.partition, partition) : null,
      fromOther: canTransfer(graph) ? measureTransfer(graph, partition, made.partition) : null,
    },
  };
  return { partition: { ...partition, quality: { ...quality, agreement } }, otherPartition: made.partition };
}

/** The kind of graph that a partition's agreement is measured with. */
export function otherKind(kind: UnitGraph["kind"]): UnitGraph["kind"] {
  return kind === "weights" ? "activations" : "weights";
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
