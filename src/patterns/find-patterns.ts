/**
 * Neural activation patterns (Baeuerle, Joensson & Ropinski 2022, arXiv 2206.10611): sets of inputs that a layer, or a
 * cluster of its units, treats alike. Every layer's activations are brought down to a few numbers a unit, scaled, and
 * clustered by HDBSCAN; what is found is held against units that vary on their own and against random units.
 */
import type { Compute } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import { type Layer, layerNamed, type Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { predictClasses } from "../network/predict-classes.ts";
import type { LayerActivations } from "../network/record-activations.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import { StepCounter } from "../progress.ts";
import { drawNullSets } from "../scores/nulls.ts";
import { partitionLayers } from "../scores/study.ts";
import { findSubclusters, type LayerSubclusters } from "../scores/subclusters.ts";
import { countSteps, type LayerPatterns, layerPatterns, type UnitChoice } from "./layer-patterns.ts";
import { type PatternFlow, patternFlow } from "./pattern-flow.ts";
import { type PatternOptions, type PatternSettings, patternSettings } from "./pattern-settings.ts";
import type { InputFacts } from "./pattern-table.ts";
import { noiseFor, recordLayer, scaleLayer } from "./record-layer.ts";
import { pickInputs, sampleInputs } from "./sample-inputs.ts";

/** What the patterns of all layers have in common. */
export interface PatternRun extends InputFacts {
  readonly settings: PatternSettings;
  /** Inputs that were at hand, and the numbers of those that were used (the rows of all that follows). */
  readonly given: number;
  readonly inputs: Int32Array;
}

/** All patterns of a run. */
export interface Patterns extends PatternRun {
  /** Layers in their order, each followed by its clusters. */
  readonly layers: readonly LayerPatterns[];
  /** Through the whole layers, or through those of the one cluster; null for a single one. */
  readonly flow: PatternFlow | null;
}

/** Numbers that are recorded of one layer at the most: 512 MiB. */
const MOST_VALUES = 2 ** 27;

/**
 * The patterns of a network's layers, and of the clusters of a partition in them.
 *
 * Throws `E_NETWORK_LAYER` for layers and `E_USAGE_CLUSTER` for clusters that are not there, `E_INPUT_COUNT` for too few
 * inputs, and `E_USAGE_AGGREGATE` where what is to be recorded would not fit into memory.
 *
 * @example
 * const { layers } = await findPatterns(compute, network, digits, { samples: 1000, seed: 0 });
 */
export async function findPatterns(
  compute: Compute,
  network: Network,
  data: LabelledInputs,
  options: PatternOptions = {},
): Promise<Patterns> {
  const chosen = chooseLayers(network, options);
  const { settings, inputs: size } = patternSettings(options, data.count);
  checkSizes(network, chosen, size, settings);
  const subclusters = options.partition ? clustersOf(network, options.partition, options.cluster) : [];
  const given = data.labels.length === data.count ? data.labels : null;
  const sample = sampleInputs(data.count, given, size, settings.seed);
  const source = pickInputs(data, sample.inputs);
  const facts = {
    labels: given && Int32Array.from(sample.inputs, (input) => given[input] as number),
    predictions: await predictClasses(network, source, { signal: options.signal }),
  };
  const noise = noiseFor(network, source, sample, settings);
  const work = chosen.map((layer) => ({
    layer,
    choices: choicesOf(layer, subclusters, settings, options.cluster),
  }));
  const steps = work.flatMap(({ choices }) =>
    choices.map(({ randomSets }) => countSteps(settings, randomSets.length)),
  );
  const counter = new StepCounter(
    "patterns",
    steps.reduce((sum, count) => sum + count, 0),
    options,
  );
  const run = { settings, given: data.count, inputs: sample.inputs, ...facts };
  const layers: LayerPatterns[] = [];
  for (const { layer, choices } of work) {
    if (choices.length === 0) continue;
    const recorded = await recordLayer(network, layer, source, noise, settings, options.signal);
    for (const choice of choices) {
      const found = await layerPatterns(compute, recorded, choice, sample, facts, settings, {
        signal: options.signal,
        onStep: () => counter.advance(1),
      });
      layers.push(found);
      options.onLayer?.(found, run);
    }
  }
  if (layers.length === 0) {
    throw new BrodmannError(
      "E_USAGE_CLUSTER",
      `cluster ${options.cluster}: found no units of it in ${chosen.map(({ name }) => name).join(", ")}, expected some`,
      { hint: "Name other layers, or leave --layer out." },
    );
  }
  return { ...run, layers, flow: flowOf(run, layers, options.cluster !== undefined) };
}

/** Activations recorded elsewhere, with what is known of the inputs. */
export interface RecordedInputs {
  readonly name: string;
  readonly samples: number;
  readonly units: number;
  /** Samples x units. */
  readonly values: Float32Array;
  readonly labels: Int32Array | null;
}

/**
 * The patterns of activations that were recorded elsewhere. There is no network to ask for its answers, or for what noise
 * in the inputs does.
 *
 * @example
 * const found = await findActivationPatterns(compute, { name: "fc1", samples, units, values, labels: null });
 */
export async function findActivationPatterns(
  compute: Compute,
  recorded: RecordedInputs,
  options: PatternOptions = {},
): Promise<Patterns> {
  const { samples, units, values, labels: given, name } = recorded;
  const { settings, inputs: size } = patternSettings(options, samples);
  const sample = sampleInputs(samples, given, size, settings.seed);
  const rows = new Float32Array(size * units);
  sample.inputs.forEach((input, row) => {
    rows.set(values.subarray(input * units, (input + 1) * units), row * units);
  });
  const facts = {
    labels: given && Int32Array.from(sample.inputs, (input) => given[input] as number),
    predictions: null,
  };
  const activations: LayerActivations = {
    inputs: size,
    columns: units,
    values: rows,
    columnUnit: Int32Array.from({ length: units }, (_, unit) => unit),
    columnStatistic: new Array<"value">(units).fill("value"),
  };
  const layer = scaleLayer(name, units, activations, settings);
  const counter = new StepCounter("patterns", countSteps(settings, 0), options);
  const choice = { cluster: null, units: activations.columnUnit, randomSets: [] };
  const found = await layerPatterns(compute, layer, choice, sample, facts, settings, {
    signal: options.signal,
    onStep: () => counter.advance(1),
  });
  const run = { settings, given: samples, inputs: sample.inputs, ...facts };
  options.onLayer?.(found, run);
  return { ...run, layers: [found], flow: null };
}

/** The flow through the whole layers, or through one cluster's units in them. */
export function flowOf(
  { labels }: InputFacts,
  layers: readonly LayerPatterns[],
  isOfCluster: boolean,
): PatternFlow | null {
  const stations = flowStations(layers, isOfCluster);
  return stations.length < 2
    ? null
    : patternFlow(
        stations.map((station) => station.labels),
        labels,
      );
}

/** The layers that a flow goes through, in its order. */
export function flowStations(layers: readonly LayerPatterns[], isOfCluster: boolean): LayerPatterns[] {
  return layers.filter(({ cluster }) => isOfCluster || cluster === null);
}

function chooseLayers(network: Network, { layers }: PatternOptions): Layer[] {
  if (layers === undefined || layers.length === 0) return [...network.layers];
  const wanted = new Set(layers.map((name) => layerNamed(network, name)));
  return network.layers.filter((layer) => wanted.has(layer));
}

/** Refuses layers with too many numbers to record, before the long work. */
function checkSizes(
  network: Network,
  layers: readonly Layer[],
  inputs: number,
  { aggregate }: PatternSettings,
): void {
  for (const layer of layers) {
    const { shape = [], rowsPerInput = 1 } = network.probe.values.get(layer.output.value) ?? {};
    const positions =
      shape.reduce((total, extent) => total * extent, rowsPerInput) / (network.probe.fixedBatch ?? 1);
    const columns = aggregate === "none" ? positions : layer.units * 2;
    if (inputs * columns <= MOST_VALUES) continue;
    throw new BrodmannError(
      "E_USAGE_AGGREGATE",
      `--aggregate ${aggregate}: found ${inputs} inputs of ${columns} numbers each in layer ${layer.name}, expected ${MOST_VALUES} numbers at the most`,
      {
        hint: `Write --aggregate mean, leave the layer out (--layer), or write --samples ${Math.floor(MOST_VALUES / columns)}.`,
      },
    );
  }
}

/** The layers' clusters; errors where the one that is asked for is nowhere. */
function clustersOf(network: Network, partition: Partition, cluster: number | undefined): LayerSubclusters[] {
  const found = findSubclusters(network, fitPartition(partition, partitionLayers(network)));
  const isThere = found.some(({ tested }) => tested.some((one) => one.cluster === cluster));
  if (cluster === undefined || isThere) return found;
  const ids = new Set(found.flatMap(({ tested }) => tested.map((one) => one.cluster)));
  throw new BrodmannError(
    "E_USAGE_CLUSTER",
    `cluster ${cluster}: found none of 2 units or more in a layer, expected one of ${[...ids].sort((a, b) => a - b).join(", ") || "(none)"}`,
    { hint: "Name a cluster of the partition, or leave it out for all of them." },
  );
}

/** The whole layer, unless one cluster is asked for, and its clusters with random sets like them. */
function choicesOf(
  layer: Layer,
  subclusters: readonly LayerSubclusters[],
  { shuffles, seed }: PatternSettings,
  cluster: number | undefined,
): UnitChoice[] {
  const units = Int32Array.from({ length: layer.units }, (_, unit) => unit);
  const whole = cluster === undefined ? [{ cluster: null, units, randomSets: [] }] : [];
  const own = subclusters.find(({ name }) => name === layer.name);
  if (own === undefined) return whole;
  const sets = drawNullSets(own, "strict", shuffles, seed);
  const clusters = own.tested.map((subcluster, number) => ({
    ...subcluster,
    randomSets: sets.filter((_, at) => at % own.tested.length === number),
  }));
  return [...whole, ...clusters.filter((choice) => cluster === undefined || choice.cluster === cluster)];
}
