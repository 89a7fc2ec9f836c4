/**
 * Functional populations after Meyes et al. (2020, arXiv 2004.01254; our reconstruction): which units of a layer act alike,
 * which hurt alike when lesioned, and what magnitude, selectivity and impact tell of a unit (populations note).
 */
import type { CorrelationMethod } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import type { UnitGraphOptions } from "../graph/build-unit-graph.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import { evaluateNetwork } from "../network/evaluate.ts";
import { type Layer, layerNamed, type Network } from "../network/network.ts";
import type { LabelledInputs, Outcome } from "../network/outcomes.ts";
import { recordActivations } from "../network/record-activations.ts";
import { type LesionKind, RESAMPLES } from "../network/replacement.ts";
import { withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { Partitioner, PartitionSettings } from "../partition/partition-graph.ts";
import type { RunOptions } from "../progress.ts";
import { type InputClasses, inputClasses } from "../scores/input-classes.ts";
import { OverallProgress } from "../scores/overall-progress.ts";
import { partitionLayers as nameableLayers } from "../scores/study.ts";
import { findSubclusters, type LayerSubclusters } from "../scores/subclusters.ts";
import { rng } from "../statistics/rng.ts";
import {
  checkMethod,
  DEFAULT_METHOD,
  type Impact,
  impactProfiles,
  numbersLike,
  partitionLayers,
  wardGroups,
} from "./find-populations.ts";
import { lesionPopulations, type PopulationLesion, someInputs } from "./group-lesions.ts";
import { type MeanBootstrap, openMeanBootstrap } from "./mean-bootstrap.ts";
import {
  candidatePairs,
  lesionPairs,
  type PairLesion,
  REPORTED_PAIRS,
  type UnitPair,
} from "./pair-lesions.ts";
import {
  agreementsOf,
  type NamedAgreement,
  type Relation,
  relationsOf,
  type UnitFacts,
} from "./relations.ts";
import { lesionUnits, type UnitLesions } from "./unit-lesions.ts";
import { rowsOfUnits, type UnitResponses, type UnitRows, unitResponses } from "./unit-responses.ts";
import {
  compareProfiles,
  correlateRows,
  type Edges,
  similarityGraph,
  type UnitSimilarity,
} from "./unit-similarity.ts";

/** What co-response compares: the units over all inputs, or their class means. */
export const RESPONSES = ["correlation", "profile"] as const;

/** How populations are found; all of it has defaults. */
export interface PopulationSettings {
  /** What units are compared by; default `correlation`. */
  readonly response?: (typeof RESPONSES)[number] | undefined;
  /** Default `pearson`. */
  readonly correlation?: CorrelationMethod | undefined;
  /** What similarities become as edges of the graph of responses; default `absolute`. */
  readonly edges?: Edges | undefined;
  /** Default `loss`: the accuracy of a wide layer's classes seldom depends on a single unit. */
  readonly impact?: Impact | undefined;
  /** Partitioner; default leiden. */
  readonly partition?: Omit<PartitionSettings, "seed" | "kPerLayer"> | undefined;
  readonly seed?: number | undefined;
}

export interface PopulationOptions extends PopulationSettings, RunOptions {
  /** Names of the layers; default all but the logits. */
  readonly layers?: readonly string[] | undefined;
  /** What a unit with several positions counts by; default its mean. */
  readonly aggregate?: "mean" | "max" | undefined;
  /** Kinds of lesion; populations of impact, and lesions of populations and pairs, go by the first. Default zero and mean. */
  readonly lesions?: readonly LesionKind[] | undefined;
  /** A partition to compare with; default one of the graph of weights, made in the same way. */
  readonly other?: Partition | undefined;
  /** Random sets of each population; default 199, the least but for 0, which leaves them out. */
  readonly shuffles?: number | undefined;
  /** Inputs that random sets are lesioned on at the most; default 1000. */
  readonly nullInputs?: number | undefined;
  /** Pairs to lesion; default those of each layer that interact most among some that are likely to. */
  readonly pairs?: readonly { readonly layer: string; readonly units: UnitPair }[] | undefined;
}

export const DEFAULT_LESIONS: readonly LesionKind[] = ["zero", "mean"];
export const DEFAULT_NULL_SETS = 199;
const DEFAULT_NULL_INPUTS = 1000;

/** Names of the partitions that are compared. */
export type PopulationKind = "co-response" | "co-impact";

/** What lesions tell; there is none of it without a network. */
export interface ImpactFindings {
  readonly kinds: readonly LesionKind[];
  readonly baseline: Outcome;
  /** Units by their impact, and by Ward's method on the same impacts. */
  readonly coImpact: Partition;
  readonly ward: Partition;
  /** What is compared with: a partition that was given, or one of the graph of weights; null where there is none. */
  readonly other: { readonly name: string; readonly partition: Partition } | null;
  readonly relations: readonly Relation[];
  readonly agreements: readonly NamedAgreement[];
  /** Populations lesioned as wholes, of both kinds. */
  readonly groups: readonly (PopulationLesion & { readonly kind: PopulationKind })[];
  readonly shuffles: number;
  readonly nullInputs: number;
  readonly pairs: readonly PairLesion[];
}

export interface Populations {
  readonly settings: Required<
    Pick<PopulationSettings, "response" | "correlation" | "edges" | "impact" | "seed">
  > & {
    readonly aggregate: "mean" | "max";
  };
  readonly inputs: number;
  /** Inputs of each class. */
  readonly classCounts: Int32Array;
  /** Units by layer. */
  readonly layers: readonly UnitFacts[];
  readonly coResponse: Partition;
  readonly impact: ImpactFindings | null;
}

/** What finding populations takes from the device. */
export interface PopulationSteps extends Partitioner {
  unitGraph(network: Network, data: null, options: UnitGraphOptions): Promise<UnitGraph>;
}

/**
 * Finds the populations of a classifier's layers and lesions them. Memory: the units of a layer x inputs, and the squares of
 * the layers' numbers of units.
 *
 * Throws `E_NETWORK_TASK` for networks that put no input into a class, `E_NETWORK_LAYER` for layers that are not there or
 * cannot be lesioned, `E_PARTITION_FIT` for a partition of another network, and what `openLesions` throws.
 *
 * @example
 * const { coResponse, impact } = await findPopulations(mlp, digits, engine, { lesions: ["zero", "mean"] });
 */
export async function findPopulations(
  given: Network,
  data: LabelledInputs,
  steps: PopulationSteps,
  options: PopulationOptions = {},
): Promise<Populations> {
  const network = withTask(given, data);
  const settings = settledOptions(options);
  const { seed, aggregate, kinds } = settings;
  const classes = requireClasses(network, data);
  const layers = chosenLayers(network, options.layers);
  const other = options.other && fitPartition(options.other, nameableLayers(network));
  const requested = requestedPairs(network, layers, options.pairs);
  const baseline = await evaluateNetwork(network, data, { signal: options.signal });
  const bootstrap = openMeanBootstrap(data.count, () => rng(seed, "bootstrap"));
  try {
    const recorded: RecordedLayer[] = [];
    for (const layer of layers) {
      const activations = await recordActivations(network, layer, data, aggregate, options);
      recorded.push(await responsesOf(layer.name, rowsOfUnits(activations, layer.units), classes, settings));
    }
    const coResponse = await coResponses(recorded, steps, settings, options);
    const facts = await impactsOf(
      network,
      layers,
      data,
      classes,
      recorded,
      requested,
      bootstrap,
      settings,
      options,
    );
    const [coImpact, ward] = await coImpacts(facts, steps, settings, options);
    const weights =
      other === undefined ? await weightPartition(network, steps, coResponse, settings, options) : other;
    const compared = weights && { name: other === undefined ? "weights" : "given", partition: weights };
    const partitions = [
      { name: "co-response", partition: coResponse },
      { name: "co-impact", partition: coImpact },
      { name: "co-impact Ward", partition: ward },
      ...(compared === null ? [] : [compared]),
    ];
    const nulls = someInputs(data, options.nullInputs ?? DEFAULT_NULL_INPUTS, seed);
    const study: LesionStudy = { network, data, classes, nulls, facts, recorded, bootstrap, settings };
    return {
      settings: publicSettings(settings),
      inputs: data.count,
      classCounts: classes.counts,
      layers: facts,
      coResponse,
      impact: {
        kinds,
        baseline,
        coImpact,
        ward,
        other: compared,
        relations: relationsOf(facts, seed),
        agreements: agreementsOf(partitions, seed),
        groups: await lesionGroups(study, coResponse, coImpact, options),
        shuffles: settings.shuffles,
        nullInputs: nulls.count,
        pairs: await interactions(study, requested, options),
      },
    };
  } finally {
    await bootstrap.dispose();
  }
}

/**
 * The populations of recorded units, without a network: co-response alone. `labels` are the class of each sample.
 *
 * Throws `E_INPUT_LABELS` for labels that do not fit, or of fewer than two classes.
 *
 * @example
 * const { coResponse } = await responsePopulations(recorded, labels, engine);
 */
export async function responsePopulations(
  recorded: { readonly name: string; readonly rows: UnitRows },
  labels: Int32Array,
  partitioner: Partitioner,
  options: PopulationSettings & RunOptions = {},
): Promise<Populations> {
  const settings = settledOptions(options);
  const classes = countLabels(labels, recorded.rows.inputs);
  const layer = await responsesOf(recorded.name, recorded.rows, classes, settings);
  return {
    settings: publicSettings(settings),
    inputs: recorded.rows.inputs,
    classCounts: classes.counts,
    layers: [{ layer: layer.name, responses: layer.responses, lesions: [] }],
    coResponse: await coResponses([layer], partitioner, settings, options),
    impact: null,
  };
}

/** All settings, with their defaults. */
interface Settled {
  readonly response: (typeof RESPONSES)[number];
  readonly correlation: CorrelationMethod;
  readonly edges: Edges;
  readonly impact: Impact;
  readonly seed: number;
  readonly aggregate: "mean" | "max";
  readonly kinds: readonly LesionKind[];
  readonly shuffles: number;
  readonly partition: PartitionSettings;
}

function settledOptions(options: PopulationOptions): Settled {
  const { response = "correlation", correlation = "pearson", edges = "absolute", seed = 0 } = options;
  const { impact = "loss", aggregate = "mean", shuffles = DEFAULT_NULL_SETS } = options;
  const partition = { ...options.partition, method: options.partition?.method ?? DEFAULT_METHOD, seed };
  checkMethod(partition);
  checkNullSets(shuffles);
  const kinds = [...new Set(options.lesions ?? DEFAULT_LESIONS)];
  return { response, correlation, edges, impact, seed, aggregate, kinds, shuffles, partition };
}

function publicSettings({
  response,
  correlation,
  edges,
  impact,
  seed,
  aggregate,
}: Settled): Populations["settings"] {
  return { response, correlation, edges, impact, seed, aggregate };
}

/** Throws `E_USAGE_SHUFFLES` for fewer random sets than a p-value needs. */
export function checkNullSets(shuffles: number): void {
  if (shuffles === 0 || (Number.isSafeInteger(shuffles) && shuffles >= DEFAULT_NULL_SETS)) return;
  throw new BrodmannError(
    "E_USAGE_SHUFFLES",
    `--shuffles: found ${shuffles}, expected a whole number from ${DEFAULT_NULL_SETS}, or 0`,
    { hint: "0 leaves random sets out." },
  );
}

function requireClasses(network: Network, data: LabelledInputs): InputClasses {
  const classes = inputClasses(network, data);
  if (classes !== null) return classes;
  throw new BrodmannError(
    "E_NETWORK_TASK",
    `${network.name}: found outputs that put no input into a class, expected a classifier with one class for each input`,
    { hint: "Populations go by what units answer to classes; for other networks use brodmann score." },
  );
}

/** Classes of labels that no network knows. */
function countLabels(labels: Int32Array, inputs: number): InputClasses {
  const hint = "Give one class number for every sample, of several classes.";
  if (labels.length !== inputs) {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      `labels: found ${labels.length}, expected ${inputs}, one for each sample`,
      { hint },
    );
  }
  const counts = new Int32Array(labels.reduce((most, label) => Math.max(most, label), -1) + 1);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  if (counts.filter((count) => count > 0).length < 2) {
    throw new BrodmannError("E_INPUT_LABELS", "labels: found samples of one class, expected several", {
      hint,
    });
  }
  return { labels, counts };
}

function chosenLayers(network: Network, names: readonly string[] | undefined): Layer[] {
  const layers = names ? [...new Set(names)].map((name) => layerNamed(network, name)) : network.layers;
  const hidden = layers.filter(({ isLogits }) => !isLogits);
  if (hidden.length > 0 && (names === undefined || hidden.length === layers.length)) {
    return network.layers.filter((layer) => hidden.includes(layer));
  }
  throw new BrodmannError(
    "E_NETWORK_LAYER",
    `${network.name}: found ${names === undefined ? "no hidden layer" : "the layer of the logits"}, expected hidden layers`,
    { hint: "The logits are never lesioned; `brodmann inspect` lists the layers." },
  );
}

/** Pairs by layer; null where none are asked for. Throws `E_USAGE_PAIRS` for a layer that is not studied. */
function requestedPairs(
  network: Network,
  layers: readonly Layer[],
  pairs: PopulationOptions["pairs"],
): ReadonlyMap<string, readonly UnitPair[]> | null {
  if (pairs === undefined) return null;
  const byLayer = new Map<string, UnitPair[]>(layers.map(({ name }) => [name, []]));
  for (const { layer, units } of pairs) {
    const own = byLayer.get(layer);
    const isFit =
      own !== undefined && units[0] !== units[1] && units.every((unit) => isUnit(network, layer, unit));
    if (!isFit) {
      throw new BrodmannError(
        "E_USAGE_PAIRS",
        `--pairs: found ${layer}:${units.join(",")}, expected two units of one of ${layers.map(({ name }) => name).join(", ")}`,
        { hint: "Write --pairs LAYER:1,5, several parted by a semicolon." },
      );
    }
    own.push([Math.min(...units), Math.max(...units)]);
  }
  return byLayer;
}

function isUnit(network: Network, layer: string, unit: number): boolean {
  return Number.isInteger(unit) && unit >= 0 && unit < layerNamed(network, layer).units;
}

/** A layer's responses and how alike they are. */
interface RecordedLayer {
  readonly name: string;
  readonly units: number;
  readonly responses: UnitResponses;
  readonly similarity: UnitSimilarity;
}

async function responsesOf(
  name: string,
  rows: UnitRows,
  classes: InputClasses,
  { response, correlation }: Settled,
): Promise<RecordedLayer> {
  const responses = unitResponses(rows, classes);
  const similarity =
    response === "profile"
      ? await compareProfiles(knownProfiles(responses, classes), rows.units)
      : await correlateRows(rows, responses.isDead, correlation);
  return { name, units: rows.units, responses, similarity };
}

/** Class means of the classes that have inputs. */
function knownProfiles({ profiles, units }: UnitResponses, { counts }: InputClasses): Float64Array {
  const present = Array.from(counts.keys()).filter((c) => (counts[c] as number) > 0);
  return Float64Array.from(
    { length: units * present.length },
    (_, at) =>
      profiles[
        Math.floor(at / present.length) * counts.length + (present[at % present.length] as number)
      ] as number,
  );
}

function coResponses(
  layers: readonly RecordedLayer[],
  partitioner: Partitioner,
  { response, correlation, edges, partition }: Settled,
  options: RunOptions,
): Promise<Partition> {
  const graph = similarityGraph(
    layers.map(({ name, units }) => ({ name, units })),
    layers.map(({ similarity }) => similarity),
    edges,
    { response, ...(response === "correlation" ? { correlation } : {}) },
  );
  return partitionLayers(partitioner, graph, partition, options);
}

/** Lesions of every unit that is alive, by every kind. */
async function impactsOf(
  network: Network,
  layers: readonly Layer[],
  data: LabelledInputs,
  classes: InputClasses,
  recorded: readonly RecordedLayer[],
  requested: ReadonlyMap<string, readonly UnitPair[]> | null,
  bootstrap: MeanBootstrap,
  { kinds, seed }: Settled,
  options: RunOptions,
): Promise<UnitFacts[]> {
  const chosen = layers.map(({ name, units }, number) => {
    const wanted = new Set((requested?.get(name) ?? []).flat());
    const { isDead } = (recorded[number] as RecordedLayer).responses;
    const all = Int32Array.from({ length: units }, (_, unit) => unit);
    return all.filter((unit) => !isDead[unit] || wanted.has(unit));
  });
  const runs = kinds.reduce((total, kind) => total + (kind === "resample" ? RESAMPLES : 1), 0);
  const units = chosen.reduce((total, own) => total + own.length, 0);
  const progress = new OverallProgress(options, units * runs * data.count);
  const facts: UnitFacts[] = [];
  for (const [number, layer] of layers.entries()) {
    const lesions: UnitLesions[] = [];
    for (const kind of kinds) {
      const own = chosen[number] as Int32Array;
      lesions.push(
        await lesionUnits(network, layer, data, classes, own, { kind, seed, bootstrap }, () =>
          progress.next(),
        ),
      );
    }
    facts.push({ layer: layer.name, responses: (recorded[number] as RecordedLayer).responses, lesions });
  }
  return facts;
}

/** Populations by impact of the first kind of lesion, and Ward's groups of the same impacts, as many. */
async function coImpacts(
  facts: readonly UnitFacts[],
  partitioner: Partitioner,
  { impact, partition }: Settled,
  options: RunOptions,
): Promise<readonly [Partition, Partition]> {
  const profiles = facts.map(({ lesions }) => impactProfiles(lesions[0] as UnitLesions, impact));
  const similarities: UnitSimilarity[] = [];
  for (const [number, own] of profiles.entries()) {
    similarities.push(await compareProfiles(own, facts[number]?.responses.units as number));
  }
  const layers = facts.map(({ layer, responses }) => ({ name: layer, units: responses.units }));
  const graph = similarityGraph(layers, similarities, "positive", { impact });
  const found = await partitionLayers(partitioner, graph, partition, options);
  let first = 0;
  const groups = found.layers.map(({ name, labels }, number) => {
    const wanted = new Set(labels.filter((label) => label >= 0)).size;
    const own = wardGroups(profiles[number] as Float64Array, labels.length, wanted);
    const shifted = own.map((label) => (label < 0 ? -1 : label + first));
    first += own.reduce((most, label) => Math.max(most, label + 1), 0);
    return { name, labels: shifted };
  });
  return [found, { layers: groups, clusters: first, method: { name: "ward" }, quality: null }];
}

/** A partition of the weights, layer by layer and made as the populations are; null where the weights make no graph. */
async function weightPartition(
  network: Network,
  steps: PopulationSteps,
  like: Partition,
  { partition }: Settled,
  options: RunOptions,
): Promise<Partition | null> {
  try {
    const graph = await steps.unitGraph(network, null, { ...options, kind: "weights", scope: "local" });
    return await steps.partition(graph, { ...partition, ...numbersLike(like, graph, partition) }, options);
  } catch (error) {
    if (error instanceof BrodmannError && /^E_GRAPH_EMPTY$/.test(error.code)) return null;
    throw error;
  }
}

/** What lesions of several units need. */
interface LesionStudy {
  readonly network: Network;
  readonly data: LabelledInputs;
  readonly classes: InputClasses;
  readonly nulls: LabelledInputs;
  readonly facts: readonly UnitFacts[];
  readonly recorded: readonly RecordedLayer[];
  readonly bootstrap: MeanBootstrap;
  readonly settings: Settled;
}

/** Both kinds of population, lesioned by the first kind of lesion. */
async function lesionGroups(
  { network, data, classes, nulls, facts, bootstrap, settings }: LesionStudy,
  coResponse: Partition,
  coImpact: Partition,
  options: RunOptions,
): Promise<ImpactFindings["groups"]> {
  const [kind = "zero"] = settings.kinds;
  const { seed, shuffles } = settings;
  const layers = [
    ...subclustersOf(network, coResponse).map((found) => ({ kind: "co-response" as const, found })),
    ...subclustersOf(network, coImpact).map((found) => ({ kind: "co-impact" as const, found })),
  ];
  const runs = kind === "resample" ? RESAMPLES : 1;
  const steps = layers.reduce(
    (total, { found }) =>
      total +
      (found.tested.length + found.filtered.length) * data.count +
      (shuffles > 0 ? found.tested.length * (shuffles + 1) * nulls.count : 0),
    0,
  );
  const progress = new OverallProgress(options, steps * runs);
  const groups: (PopulationLesion & { readonly kind: PopulationKind })[] = [];
  for (const { kind: name, found } of layers) {
    const singles = facts.find(({ layer }) => layer === found.name)?.lesions[0] as UnitLesions;
    const lesions = await lesionPopulations(
      network,
      network.layers[found.layer] as Layer,
      data,
      classes,
      found,
      singles,
      { kind, seed, shuffles, nullInputs: nulls, bootstrap },
      () => progress.next(),
    );
    groups.push(...lesions.map((lesion) => ({ ...lesion, kind: name })));
  }
  return groups;
}

/** The populations of the layers that have some. */
function subclustersOf(network: Network, partition: Partition): LayerSubclusters[] {
  return findSubclusters(network, fitPartition(partition, nameableLayers(network))).filter(
    ({ eligible }) => eligible.length > 0,
  );
}

/** The requested pairs, or those of each layer that interact most. */
async function interactions(
  { network, data, classes, facts, recorded, bootstrap, settings }: LesionStudy,
  requested: ReadonlyMap<string, readonly UnitPair[]> | null,
  options: RunOptions,
): Promise<PairLesion[]> {
  const [kind = "zero"] = settings.kinds;
  const plan = recorded.map(({ name, similarity }, number) => {
    const singles = facts[number]?.lesions[0] as UnitLesions;
    const own = requested === null ? candidatePairs(singles, similarity) : (requested.get(name) ?? []);
    return { name, singles, pairs: own, most: requested === null ? REPORTED_PAIRS : own.length };
  });
  const runs = kind === "resample" ? RESAMPLES : 1;
  const lesions = plan.reduce((total, { pairs, most }) => total + pairs.length + 2 * most, 0);
  const progress = new OverallProgress(options, lesions * runs * data.count);
  const found: PairLesion[] = [];
  for (const { name, singles, pairs, most } of plan) {
    const layer = layerNamed(network, name);
    const given = { kind, seed: settings.seed, bootstrap };
    found.push(
      ...(await lesionPairs(network, layer, data, classes, pairs, most, singles, given, () =>
        progress.next(),
      )),
    );
  }
  return found;
}
