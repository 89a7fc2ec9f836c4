/**
 * Importance of subclusters: what the network loses when they are lesioned, against random sets of the same layer
 * and size. Hod et al. 2022, arXiv 2110.08058; method note sections 5, 6 and 8.
 */
import { BrodmannError } from "../errors.ts";
import { isReadBy } from "../network/consumer-site.ts";
import type { Layer, Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { type LesionKind, RESAMPLES } from "../network/replacement.ts";
import { type TaskName, withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { RunOptions } from "../progress.ts";
import type { RecordOptions } from "../records.ts";
import { arrangementStatistics } from "../statistics/permutation-p.ts";
import { rng } from "../statistics/rng.ts";
import { type Baseline, baselineOf, type Damage } from "./damage.ts";
import type { SubclusterDissociation } from "./dissociations.ts";
import { byMeasure, type ImportanceName } from "./importance-measures.ts";
import type { ChangeIntervals } from "./intervals.ts";
import { KEPT_DRAWS, type KeepOnly } from "./keep-only.ts";
import { agreementsOf, type KindAgreement } from "./kind-agreement.ts";
import { type ScoredLayer, scoreLayer } from "./layer-importance.ts";
import type { Match } from "./matching.ts";
import { type Measurements, measureNetwork, type Study } from "./measurements.ts";
import { adjustRows, type NetworkRow, networkRow, type Verdict } from "./measures.ts";
import { commonDraws } from "./null-damages.ts";
import type { Protocol } from "./nulls.ts";
import { OverallProgress } from "./overall-progress.ts";
import type { PairInteraction } from "./pairs.ts";
import type { ClassProfile } from "./profile.ts";
import { findSubclusters, type LayerSubclusters } from "./subclusters.ts";

export interface ImportanceOptions extends RunOptions, RecordOptions {
  /** Default `strict`. */
  readonly protocol?: Protocol | undefined;
  /** Random sets per subcluster; default 199 (strict, at least 199) or 19 (paper). */
  readonly shuffles?: number | undefined;
  readonly seed?: number | undefined;
  /** What lesioned units become; default `zero`. */
  readonly lesion?: LesionKind | undefined;
  /** Further kinds of lesion, run on the subclusters themselves: do they rank them alike? */
  readonly compare?: readonly LesionKind[] | undefined;
  /** Lesions act on what this layer reads, and only layers that it reads are scored; default: on the layers' outputs. */
  readonly consumer?: string | undefined;
  /** Whether random sets are drawn only until a subcluster's verdicts are safe (strict only); default false. */
  readonly isSequential?: boolean | undefined;
  /** What random sets share with their subcluster beside layer and size; default `size`, nothing more. */
  readonly match?: Match | undefined;
  /** Called with the scores of every layer that is done. */
  readonly onLayer?: ((scores: readonly SubclusterImportance[]) => void) | undefined;
}

/** Importance of one subcluster. */
export interface SubclusterImportance {
  readonly layer: string;
  readonly cluster: number;
  readonly units: Int32Array;
  readonly layerUnits: number;
  readonly damage: Damage;
  readonly verdicts: Readonly<Record<ImportanceName, Verdict>>;
  /** Random sets of its own that were drawn. */
  readonly drawn: number;
  /** Share of inputs that get another class, and mean KL divergence from the intact distribution in nats. */
  readonly flipRate: number;
  readonly divergence: number;
  /** 95 % bootstrap intervals over the inputs. */
  readonly intervals: ChangeIntervals;
  readonly profile: ClassProfile;
  /** With only this subcluster of its layer left (strict). */
  readonly keepOnly: KeepOnly | null;
  /** Damage by the further kinds of lesion. */
  readonly compared: ReadonlyMap<LesionKind, Damage>;
}

/** Importance of a network's subclusters, and of the partition as a whole. */
export interface Importance {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  readonly lesion: LesionKind;
  readonly match: Match;
  readonly isSequential: boolean;
  /** Random sets that every subcluster has; the network's permutation p rests on these. */
  readonly commonDraws: number;
  readonly inputs: number;
  /** The one layer that lesions act on; null where they act on the layers' outputs. */
  readonly consumer: string | null;
  readonly task: TaskName;
  /** Share of the targets' variance that a regression explains, 1 - loss / variance; null for other tasks. */
  readonly r2: number | null;
  readonly baseline: Baseline;
  /** By layer, then cluster id. */
  readonly subclusters: readonly SubclusterImportance[];
  readonly network: Readonly<Record<ImportanceName, NetworkRow>>;
  /**
   * What the permutation p rests on, by layer: the statistic of the true labels, then those of permuted ones; with those of
   * replicates they make a joint p (`combinedP`). Null in protocol `paper`.
   */
  readonly arrangements: Readonly<Record<ImportanceName, readonly Float64Array[]>> | null;
  /** Subclusters not tested: single units or nearly whole layers. */
  readonly filtered: number;
  /** Rank agreement between kinds of lesion, where several were asked for. */
  readonly agreement: readonly KindAgreement[];
  /** Subclusters of one layer that serve different classes, the strongest first (strict). */
  readonly dissociations: readonly SubclusterDissociation[];
  /** Subclusters lesioned together (strict). */
  readonly pairs: readonly PairInteraction[];
}

/** Random sets that protocol `paper` draws, and the least that `strict` accepts. */
export const DEFAULT_SHUFFLES: Readonly<Record<Protocol, number>> = { paper: 19, strict: 199 };

/** All that decides how importance is scored. */
export interface ImportanceSettings {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  readonly lesion: LesionKind;
  readonly compare: readonly LesionKind[];
  readonly consumer: string | null;
  readonly isSequential: boolean;
  readonly match: Match;
}

/** The settings that options stand for. Throws `E_USAGE_SHUFFLES` and `E_USAGE_SEQUENTIAL`. */
export function importanceSettings(options: ImportanceOptions = {}): ImportanceSettings {
  const { protocol = "strict", seed = 0, lesion = "zero", match = "size", isSequential = false } = options;
  const shuffles = options.shuffles ?? DEFAULT_SHUFFLES[protocol];
  checkShuffles(protocol, shuffles);
  checkSequential(protocol, isSequential);
  const compare = [...new Set(options.compare ?? [])].filter((kind) => kind !== lesion);
  return {
    protocol,
    shuffles,
    seed,
    lesion,
    compare,
    consumer: options.consumer ?? null,
    isSequential,
    match,
  };
}

/**
 * Scores the importance of every subcluster of a partition. With `earlier` it goes on from what another run of the same
 * arguments has recorded (`onRecord`), and gives the same scores to the last bit.
 *
 * Throws `E_PARTITION_FIT` for a partition of another network and `E_PARTITION_EMPTY` where no subcluster can be
 * tested.
 *
 * @example
 * const { subclusters, network } = await scoreImportance(mlp, digits, partition, { shuffles: 199 });
 */
export async function scoreImportance(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  options: ImportanceOptions = {},
): Promise<Importance> {
  const study = openStudy(network, data, partition, options);
  const measurements = await measureNetwork(study, options, options);
  try {
    return await importanceOf(measurements, options);
  } finally {
    await measurements.dispose();
  }
}

/** What a run is about: the settings, and the layers with subclusters. */
export function openStudy(
  given: Network,
  data: LabelledInputs,
  partition: Partition,
  options: ImportanceOptions,
): Study {
  const network = withTask(given, data);
  const settings = importanceSettings(options);
  const { consumer } = settings;
  const layers = findSubclusters(network, fitPartition(partition, partitionLayers(network))).filter(
    ({ layer }) => consumer === null || isReadBy(network, network.layers[layer] as Layer, consumer),
  );
  if (layers.every(({ tested }) => tested.length === 0)) {
    throw new BrodmannError(
      "E_PARTITION_EMPTY",
      "partition: found no subcluster of 2 or more units that is not a whole layer",
      {
        hint: "Use another number of clusters (--k), or lesions at another place (--lesion-at).",
      },
    );
  }
  return { network, data, settings, layers };
}

/** The scores that follow from what was measured. */
export async function importanceOf(
  measurements: Measurements,
  options: ImportanceOptions = {},
): Promise<Importance> {
  const { settings, inputs, task, r2, outcome, classCounts, layers } = measurements.survey;
  const { protocol, shuffles, seed, lesion, match, isSequential, consumer } = settings;
  const tested = layers.filter((layer) => layer.tested.length > 0);
  const isStrict = protocol === "strict";
  const baseline = baselineOf(outcome, classCounts, isStrict);
  const tests = tested.reduce((total, layer) => total + layer.tested.length, 0);
  const plan = { protocol, shuffles, seed, base: commonDraws(isSequential, shuffles, tested.length), tests };
  const steps = (layer: LayerSubclusters) => stepsOf(layer, settings, inputs);
  const progress = new OverallProgress(
    options,
    tested.reduce((total, layer) => total + steps(layer), 0),
  );
  const scored: ScoredLayer[] = [];
  for (const layer of tested) {
    const found = await scoreLayer(measurements, layer, baseline, plan, () => progress.next());
    progress.finish(steps(layer));
    scored.push(found);
    options.onLayer?.(byCluster(found.subclusters));
  }
  const subclusters = scored.flatMap((layer) => layer.subclusters);
  const row = (name: ImportanceName) =>
    networkRow(
      subclusters.map(({ verdicts }) => verdicts[name]),
      isStrict ? scored.map(({ strata }) => strata[name]) : null,
      rng(seed, "permutation", name),
    );
  return {
    protocol,
    shuffles,
    seed,
    lesion,
    match,
    isSequential,
    commonDraws: plan.base,
    inputs,
    consumer,
    task,
    r2,
    baseline,
    subclusters: layers.flatMap(({ name }) => byCluster(subclusters.filter(({ layer }) => layer === name))),
    network: adjustRows(byMeasure(row)),
    arrangements: isStrict
      ? byMeasure((name) => scored.map(({ strata }) => arrangementStatistics(strata[name])))
      : null,
    filtered: layers.reduce((total, { filtered }) => total + filtered.length, 0),
    agreement: agreementsOf(lesion, subclusters),
    dissociations: scored
      .flatMap(({ dissociations }) => dissociations)
      .sort((one, other) => other.strength - one.strength),
    pairs: isStrict ? await measurements.pairs({ signal: options.signal }) : [],
  };
}

const runsOf = (kind: LesionKind): number => (kind === "resample" ? RESAMPLES : 1);

/** Lesions x inputs of a layer's subclusters and their random sets, every run of a resampled one counted. */
export function stepsOf(
  { tested }: LayerSubclusters,
  { protocol, shuffles, lesion, compare }: ImportanceSettings,
  inputs: number,
): number {
  const kept = protocol === "strict" ? 1 + KEPT_DRAWS : 0;
  const compared = compare.reduce((total, kind) => total + runsOf(kind), 0);
  return tested.length * ((1 + shuffles) * runsOf(lesion) + compared + kept) * inputs;
}

const byCluster = (scores: readonly SubclusterImportance[]): SubclusterImportance[] =>
  [...scores].sort((a, b) => a.cluster - b.cluster);

/** The layers a partition of the network may name: the network's own, and its inputs in dense networks. */
function partitionLayers(network: Network): { name: string; units: number }[] {
  const units = network.inputShape.reduce((total, size) => total * size, 1);
  return [
    { name: network.probe.input, units },
    ...network.layers.map(({ name, units }) => ({ name, units })),
  ];
}

/** Throws `E_USAGE_SHUFFLES` for a number of random sets that the protocol does not take. */
export function checkShuffles(
  protocol: Protocol = "strict",
  shuffles: number = DEFAULT_SHUFFLES[protocol],
): void {
  const least = protocol === "strict" ? DEFAULT_SHUFFLES.strict : 1;
  if (Number.isInteger(shuffles) && shuffles >= least) return;
  throw new BrodmannError(
    "E_USAGE_SHUFFLES",
    `--shuffles: found ${shuffles}, expected a whole number from ${least} with protocol ${protocol}`,
    {
      hint:
        protocol === "strict"
          ? "Use --protocol paper for fewer random sets."
          : "Leave --shuffles out for 19 random sets.",
    },
  );
}

/** Refuses sequential draws where the protocol fixes their number. */
export function checkSequential(protocol: Protocol = "strict", isSequential: boolean = false): void {
  if (!isSequential || protocol === "strict") return;
  throw new BrodmannError(
    "E_USAGE_SEQUENTIAL",
    "--sequential: found protocol paper, expected strict (the published procedure draws all its sets)",
    { hint: "Leave --sequential out." },
  );
}
