/**
 * Functional populations after Meyes et al. (2020, arXiv 2004.01254; our reconstruction): which units of a layer act alike,
 * which hurt alike when lesioned, and what magnitude, selectivity and impact tell of a unit (populations note).
 */
import { BrodmannError } from "../errors.ts";
import type { UnitGraphOptions } from "../graph/build-unit-graph.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import { evaluateNetwork } from "../network/evaluate.ts";
import type { Layer, Network } from "../network/network.ts";
import { type OpenLayers, openLayers } from "../network/open-layers.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { recordActivations } from "../network/record-activations.ts";
import { type LesionKind, runsOf } from "../network/replacement.ts";
import { withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { Partitioner } from "../partition/partition-graph.ts";
import type { RunOptions } from "../progress.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import { type MeanBootstrap, openMeanBootstrap } from "../scores/mean-bootstrap.ts";
import { OverallProgress } from "../scores/overall-progress.ts";
import { partitionLayers as nameableLayers } from "../scores/study.ts";
import { rng } from "../statistics/rng.ts";
import { impactProfiles, numbersLike, partitionLayers, wardGroups } from "./find-populations.ts";
import { someInputs } from "./group-lesions.ts";
import { type LesionStudy, lesionGroups, lesionInteractions } from "./lesion-study.ts";
import type { UnitPair } from "./pair-lesions.ts";
import {
  chosenLayers,
  countLabels,
  DEFAULT_NULL_INPUTS,
  type PopulationOptions,
  type PopulationSettings,
  type Populations,
  publicSettings,
  requestedPairs,
  requireClasses,
  type Settled,
  settledOptions,
} from "./population-settings.ts";
import { agreementsOf, relationsOf, type UnitFacts } from "./relations.ts";
import { lesionUnits, type UnitLesions } from "./unit-lesions.ts";
import { rowsOfUnits, type UnitResponses, type UnitRows, unitResponses } from "./unit-responses.ts";
import { compareProfiles, correlateRows, similarityGraph, type UnitSimilarity } from "./unit-similarity.ts";

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
  const opened = openLayers(network, data, layers, { lesion: kinds[0] as LesionKind, seed });
  try {
    const recorded: RecordedLayer[] = [];
    for (const layer of layers) {
      const activations = await recordActivations(network, layer, data, aggregate, options);
      recorded.push(await responsesOf(layer.name, rowsOfUnits(activations, layer.units), classes, settings));
    }
    const coResponse = await coResponses(recorded, steps, settings, options);
    const facts = await impactsOf(
      opened,
      layers,
      data.count,
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
    const similarities = recorded.map(({ similarity }) => similarity);
    const study: LesionStudy = {
      network,
      data,
      opened,
      classes,
      nulls,
      facts,
      similarities,
      bootstrap,
      settings,
    };
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
        pairs: await lesionInteractions(study, requested, options),
      },
    };
  } finally {
    await opened.dispose();
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
  opened: OpenLayers,
  layers: readonly Layer[],
  inputs: number,
  classes: InputClasses,
  recorded: readonly RecordedLayer[],
  requested: ReadonlyMap<string, readonly UnitPair[]> | null,
  bootstrap: MeanBootstrap,
  { kinds }: Settled,
  options: RunOptions,
): Promise<UnitFacts[]> {
  const chosen = layers.map(({ name, units }, number) => {
    const wanted = new Set((requested?.get(name) ?? []).flat());
    const { isDead } = (recorded[number] as RecordedLayer).responses;
    const all = Int32Array.from({ length: units }, (_, unit) => unit);
    return all.filter((unit) => !isDead[unit] || wanted.has(unit));
  });
  const runs = kinds.reduce((total, kind) => total + runsOf(kind), 0);
  const units = chosen.reduce((total, own) => total + own.length, 0);
  const progress = new OverallProgress(options, units * runs * inputs);
  const facts: UnitFacts[] = [];
  for (const [number, layer] of layers.entries()) {
    const lesions: UnitLesions[] = [];
    for (const kind of kinds) {
      const own = chosen[number] as Int32Array;
      lesions.push(
        await lesionUnits(
          await opened.lesionsOf(layer),
          layer.units,
          inputs,
          classes,
          own,
          { kind, bootstrap },
          () => progress.next(),
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
