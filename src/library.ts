/**
 * Brodmann for scripts: each step as one call. Every call may be given a `compute` or an `engine`; without one it
 * opens the CPU's and closes it again.
 */
import { type Analysis, type AnalyzeOptions, analyzeNetwork } from "./analyze.ts";
import type { Compute } from "./compute/compute.ts";
import { createCpuCompute } from "./compute/cpu/cpu-compute.ts";
import { type Activations, byUnit } from "./data/activations.ts";
import type { Dataset } from "./data/parse-dataset.ts";
import { reshapeInputs } from "./data/reshape-inputs.ts";
import { type Engine, localEngine } from "./engine.ts";
import type { ActivationGraphOptions } from "./graph/activation-graph.ts";
import type { UnitGraph } from "./graph/unit-graph.ts";
import type { WeightGraphOptions } from "./graph/weight-graph.ts";
import type { Shard } from "./network/lesions.ts";
import type { Network } from "./network/network.ts";
import type { Partition } from "./partition/partition.ts";
import type { PartitionSettings } from "./partition/partition-graph.ts";
import type { Patterns, RecordedInputs } from "./patterns/find-patterns.ts";
import type { PatternOptions } from "./patterns/pattern-settings.ts";
import type {
  PopulationOptions,
  PopulationSettings,
  Populations,
} from "./populations/population-settings.ts";
import { responsePopulations } from "./populations/populations.ts";
import type { RunOptions } from "./progress.ts";
import type { Coherence, CoherenceOptions } from "./scores/coherence.ts";
import type { Importance, ImportanceOptions } from "./scores/importance.ts";
import type { Visualization, VisualizeOptions } from "./visualize/visualize-units.ts";

/** Takes a device that is open already: kernels in this process, or a browser (`openChrome`), which goes first. */
export interface ComputeOption {
  readonly compute?: Compute | undefined;
  readonly engine?: Engine | undefined;
}

/** Options of a partitioner but for its name. */
export type PartitionOptions = Omit<PartitionSettings, "method"> & RunOptions & ComputeOption;

async function withEngine<T>(given: ComputeOption, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { engine, compute } = given;
  if (engine !== undefined) return work(engine);
  if (compute !== undefined) return work(localEngine(compute));
  const own = localEngine(await createCpuCompute());
  try {
    return await work(own);
  } finally {
    await own.dispose();
  }
}

/**
 * The unit graph of a network's weights.
 *
 * @example
 * const graph = await weightGraph(await loadNetwork("mnist-mlp.onnx"), { scope: "global" });
 */
export function weightGraph(
  network: Network,
  options: WeightGraphOptions & ComputeOption = {},
): Promise<UnitGraph> {
  return withEngine(options, (engine) => engine.unitGraph(network, null, { ...options, kind: "weights" }));
}

/**
 * The unit graph of squared rank correlations between activations.
 *
 * @example
 * const graph = await activationGraph(network, await loadDataset("digits.npz"), { scope: "local" });
 */
export function activationGraph(
  network: Network,
  data: Dataset,
  options: ActivationGraphOptions & ComputeOption = {},
): Promise<UnitGraph> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) =>
    engine.unitGraph(network, inputs, { ...options, kind: "activations" }),
  );
}

/**
 * Partitions a unit graph by normalised spectral clustering.
 *
 * @example
 * const partition = await spectral(graph, { k: 16, seed: 0 });
 */
export function spectral(graph: UnitGraph, options: PartitionOptions = {}): Promise<Partition> {
  return partitionWith("spectral", graph, options);
}

/**
 * Partitions a unit graph by Louvain's method.
 *
 * @example
 * const partition = await louvain(graph, { resolution: 1, seed: 0 });
 */
export function louvain(graph: UnitGraph, options: PartitionOptions = {}): Promise<Partition> {
  return partitionWith("louvain", graph, options);
}

/**
 * Partitions a unit graph by the Leiden method, for modularity or for the constant Potts model (`quality: "cpm"`).
 *
 * @example
 * const partition = await leiden(graph, { resolution: 1, seed: 0 });
 */
export function leiden(graph: UnitGraph, options: PartitionOptions = {}): Promise<Partition> {
  return partitionWith("leiden", graph, options);
}

/**
 * Labels units at random, as a control.
 *
 * @example
 * const control = await randomPartition(graph, { k: 16, seed: 1 });
 */
export function randomPartition(graph: UnitGraph, options: PartitionOptions = {}): Promise<Partition> {
  return partitionWith("random", graph, options);
}

function partitionWith(
  method: PartitionSettings["method"],
  graph: UnitGraph,
  options: PartitionOptions,
): Promise<Partition> {
  return withEngine(options, (engine) => engine.partition(graph, { ...options, method }, options));
}

/**
 * Scores the importance of every subcluster of a partition.
 *
 * @example
 * const scores = await importance(network, digits, partition, { shuffles: 199 });
 * console.log(scores.network.loss.permutationP);
 */
export function importance(
  network: Network,
  data: Dataset,
  partition: Partition,
  options: ImportanceOptions & ComputeOption = {},
): Promise<Importance> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.importance(network, inputs, partition, options));
}

/**
 * Runs one of several equal parts of a score's lesions, in a process or on a machine of its own: all it finds goes to
 * `onRecord`, usually into a journal, and `mergeShards` makes the scores of them all.
 *
 * @example
 * const journal = await openJournal("one.jsonl", { model: "mnist-mlp", shard: { number: 1, of: 3 } });
 * await importanceShard(network, digits, partition, { number: 1, of: 3 }, journal);
 */
export function importanceShard(
  network: Network,
  data: Dataset,
  partition: Partition,
  shard: Shard,
  options: ImportanceOptions & ComputeOption = {},
): Promise<void> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.importanceShard(network, inputs, partition, shard, options));
}

/**
 * Optimises an image for each of several sets of units of one layer: what they answer to together.
 *
 * @example
 * const { shape, sets } = await visualize(network, "hidden1", [[1, 5, 9]], { seed: 0 });
 * await writeFile("img.png", encodePng(toPicture(sets[0].image, shape)));
 */
export function visualize(
  network: Network,
  layer: string,
  sets: readonly ArrayLike<number>[],
  options: VisualizeOptions & ComputeOption = {},
): Promise<Visualization> {
  const { compute: _, engine: __, ...own } = options;
  return withEngine(options, (engine) => engine.visualize(network, layer, sets, own));
}

/**
 * Scores the coherence of every subcluster of a partition: do its units act as one?
 *
 * @example
 * const scores = await coherence(network, digits, partition);
 * console.log(scores.network.meanCorrelation.permutationP);
 */
export function coherence(
  network: Network,
  data: Dataset,
  partition: Partition,
  options: CoherenceOptions & ComputeOption = {},
): Promise<Coherence> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.coherence(network, inputs, partition, options));
}

/**
 * Scores the coherence of some of the layers, as `importanceShard` runs some of the lesions. The same journal may hold both.
 *
 * @example
 * await coherenceShard(network, digits, partition, { number: 1, of: 3 }, journal);
 */
export function coherenceShard(
  network: Network,
  data: Dataset,
  partition: Partition,
  shard: Shard,
  options: CoherenceOptions & ComputeOption = {},
): Promise<void> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.coherenceShard(network, inputs, partition, shard, options));
}

/**
 * Sets of inputs that each layer of a network treats alike, and with a `partition` each of its clusters in a layer.
 *
 * @example
 * const { layers } = await patterns(network, digits, { samples: 1000, seed: 0 });
 * for (const { layer, patterns, continuum } of layers) console.log(layer, patterns.length, continuum);
 */
export function patterns(
  network: Network,
  data: Dataset,
  options: PatternOptions & ComputeOption = {},
): Promise<Patterns> {
  const { compute: _, engine: __, ...own } = options;
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.patterns(network, inputs, own));
}

/**
 * `patterns` for activations that were recorded elsewhere, with labels of their inputs where these are known.
 *
 * @example
 * const { samples, units, values } = await loadActivations("fc1.npy");
 * const found = await activationPatterns({ name: "fc1", samples, units, values, labels: null });
 */
export function activationPatterns(
  recorded: RecordedInputs,
  options: PatternOptions & ComputeOption = {},
): Promise<Patterns> {
  const { compute: _, engine: __, ...own } = options;
  return withEngine(options, (engine) => engine.activationPatterns(recorded, own));
}

/**
 * Populations after Meyes et al.: units of a layer that act alike, or whose lesions hurt alike, and how magnitude, selectivity
 * and impact of units go together.
 *
 * @example
 * const { coResponse, impact } = await populations(network, digits, { lesions: ["zero", "mean"] });
 * console.log(impact?.relations.find(({ first, second }) => first === "auroc" && second === "lossImpact mean")?.rho);
 */
export function populations(
  network: Network,
  data: Dataset,
  options: PopulationOptions & ComputeOption = {},
): Promise<Populations> {
  const { compute: _, engine: __, ...own } = options;
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => engine.populations(network, inputs, own));
}

/**
 * Populations of units that act alike, from activations recorded elsewhere; `labels` are the class of each sample.
 *
 * @example
 * const recorded = await loadActivations("fc1.npy");
 * const { coResponse } = await activationPopulations("fc1", recorded, labels);
 */
export function activationPopulations(
  name: string,
  { samples, units, values }: Activations,
  labels: Int32Array,
  options: PopulationSettings & RunOptions & ComputeOption = {},
): Promise<Populations> {
  const rows = { units, inputs: samples, values: byUnit(values, samples, units) };
  return withEngine(options, (engine) => responsePopulations({ name, rows }, labels, engine, options));
}

/**
 * Graph, partition and scores in one call.
 *
 * @example
 * const { importance, coherence } = await analyze(network, digits, { kind: "activations", partition: { method: "louvain" } });
 */
export function analyze(
  network: Network,
  data: Dataset,
  options: AnalyzeOptions & ComputeOption = {},
): Promise<Analysis> {
  const inputs = reshapeInputs(data, network.inputShape);
  return withEngine(options, (engine) => analyzeNetwork(network, inputs, engine, options));
}
