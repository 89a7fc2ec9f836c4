/**
 * Importance of subclusters: what the network loses when they are lesioned, against random sets of the same layer
 * and size. Hod et al. 2022, arXiv 2110.08058; method note sections 5, 6 and 8.
 */
import type { Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { type LesionKind, runsOf } from "../network/replacement.ts";
import type { TaskName } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { arrangementStatistics } from "../statistics/permutation-p.ts";
import { rng } from "../statistics/rng.ts";
import { type Baseline, baselineOf, type Damage } from "./damage.ts";
import type { SubclusterDissociation } from "./dissociations.ts";
import { byMeasure, IMPORTANCE_MEASURES, type ImportanceName } from "./importance-measures.ts";
import type { ChangeIntervals } from "./intervals.ts";
import { KEPT_DRAWS, type KeepOnly } from "./keep-only.ts";
import { agreementsOf, type KindAgreement } from "./kind-agreement.ts";
import { type LesionedLayer, lesionLayer, type ScoredLayer, scoreLayer } from "./layer-importance.ts";
import type { Match } from "./matching.ts";
import { type Measurements, measureNetwork } from "./measurements.ts";
import { adjustRows, type NetworkRow, networkRow, type Verdict } from "./measures.ts";
import { commonDraws, significanceLevels } from "./null-values.ts";
import type { Protocol } from "./nulls.ts";
import { OverallProgress } from "./overall-progress.ts";
import type { PairInteraction } from "./pairs.ts";
import type { ClassProfile } from "./profile.ts";
import { openStudy, type ScoreOptions, type ScoreSettings } from "./study.ts";
import type { LayerSubclusters } from "./subclusters.ts";

export interface ImportanceOptions extends ScoreOptions {
  /** Further kinds of lesion, run on the subclusters themselves: do they rank them alike? */
  readonly compare?: readonly LesionKind[] | undefined;
  /** Whether random sets are drawn only until a subcluster's verdicts are safe (strict only); default false. */
  readonly isSequential?: boolean | undefined;
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
  const plan = { protocol, shuffles, seed, base: commonDraws(isSequential, shuffles, tested.length) };
  const steps = (layer: LayerSubclusters) => stepsOf(layer, settings, inputs);
  const progress = new OverallProgress(
    options,
    tested.reduce((total, layer) => total + steps(layer), 0),
  );
  const lesioned: LesionedLayer[] = [];
  for (const layer of tested) {
    lesioned.push(await lesionLayer(measurements, layer, baseline, plan, () => progress.next()));
  }
  const levels = significanceLevels(lesioned, IMPORTANCE_MEASURES, plan);
  const scored: ScoredLayer[] = [];
  for (const layer of lesioned) {
    const found = await scoreLayer(measurements, layer, baseline, { ...plan, levels }, () => progress.next());
    progress.finish(steps(layer.layer));
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

/** Lesions x inputs of a layer's subclusters and their random sets, every run of a resampled one counted. */
export function stepsOf(
  { tested }: LayerSubclusters,
  { protocol, shuffles, lesion, compare }: ScoreSettings,
  inputs: number,
): number {
  const kept = protocol === "strict" ? 1 + KEPT_DRAWS : 0;
  const compared = compare.reduce((total, kind) => total + runsOf(kind), 0);
  return tested.length * ((1 + shuffles) * runsOf(lesion) + compared + kept) * inputs;
}

const byCluster = (scores: readonly SubclusterImportance[]): SubclusterImportance[] =>
  [...scores].sort((a, b) => a.cluster - b.cluster);
