/**
 * Importance of subclusters: what the network loses when they are lesioned, against random sets of the same layer
 * and size. Hod et al. 2022, arXiv 2110.08058; method note sections 5, 6 and 8.
 */
import { BrodmannError } from "../errors.ts";
import { isReadBy } from "../network/consumer-site.ts";
import { evaluateNetwork } from "../network/evaluate.ts";
import { type LayerLesions, openLesions } from "../network/lesions.ts";
import type { Layer, Network } from "../network/network.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "../network/outcomes.ts";
import { type LesionKind, RESAMPLES } from "../network/replacement.ts";
import { targetsOf, targetVariance } from "../network/tally.ts";
import { type TaskName, taskOf, withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { Progress, RunOptions } from "../progress.ts";
import { arrangementStatistics, type Stratum } from "../statistics/permutation-p.ts";
import { rng } from "../statistics/rng.ts";
import { type Baseline, baselineOf, type Damage, damageOf } from "./damage.ts";
import { dissociationsOf, type SubclusterDissociation } from "./dissociations.ts";
import {
  byMeasure,
  IMPORTANCE_NAMES,
  type ImportanceName,
  MEASURES,
  stratumOf,
  verdictsOf,
} from "./importance-measures.ts";
import { type ChangeIntervals, changeIntervals } from "./intervals.ts";
import { KEPT_DRAWS, type KeepOnly, keepOnly } from "./keep-only.ts";
import { agreementsOf, type KindAgreement } from "./kind-agreement.ts";
import { type Match, matchBins } from "./matching.ts";
import { adjustRows, type NetworkRow, networkRow, type Verdict } from "./measures.ts";
import { commonDraws, type DrawPlan, drawNullDamages } from "./null-damages.ts";
import type { Protocol } from "./nulls.ts";
import { type PairInteraction, type SingleLesion, scorePairs } from "./pairs.ts";
import { type ClassProfile, profileOf } from "./profile.ts";
import { findSubclusters, type LayerSubclusters } from "./subclusters.ts";

export interface ImportanceOptions extends RunOptions {
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
  /** Called with every layer that is done, so that an interrupted run keeps what it has. */
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

/**
 * Scores the importance of every subcluster of a partition.
 *
 * Throws `E_PARTITION_FIT` for a partition of another network and `E_PARTITION_EMPTY` where no subcluster can be
 * tested.
 *
 * @example
 * const { subclusters, network } = await scoreImportance(mlp, digits, partition, { shuffles: 199 });
 */
export async function scoreImportance(
  given: Network,
  data: LabelledInputs,
  partition: Partition,
  options: ImportanceOptions = {},
): Promise<Importance> {
  const network = withTask(given, data);
  const { protocol = "strict", seed = 0, lesion = "zero", match = "size", isSequential = false } = options;
  const shuffles = options.shuffles ?? DEFAULT_SHUFFLES[protocol];
  checkShuffles(protocol, shuffles);
  checkSequential(protocol, isSequential);
  const compare = [...new Set(options.compare ?? [])].filter((kind) => kind !== lesion);
  const { consumer } = options;
  const layers = findSubclusters(network, fitPartition(partition, partitionLayers(network))).filter(
    ({ layer }) => consumer === undefined || isReadBy(network, network.layers[layer] as Layer, consumer),
  );
  const tested = layers.filter((layer) => layer.tested.length > 0);
  if (tested.length === 0) {
    throw new BrodmannError(
      "E_PARTITION_EMPTY",
      "partition: found no subcluster of 2 or more units that is not a whole layer",
      {
        hint: "Use another number of clusters (--k), or lesions at another place (--lesion-at).",
      },
    );
  }
  const classCounts = countClasses(data.labels, classCount(network));
  const outcome = await evaluateNetwork(network, data, { signal: options.signal });
  const baseline = baselineOf(outcome, classCounts, protocol === "strict");
  const tests = tested.reduce((total, layer) => total + layer.tested.length, 0);
  const plan = { protocol, shuffles, seed, base: commonDraws(isSequential, shuffles, tested.length), tests };
  const shared = { network, data, baseline, plan, isSequential };
  const settings: LayerSettings = { ...shared, lesion, consumer, compare, match };
  const stepsOf = (layer: LayerSubclusters) =>
    layer.tested.length * lesionsPerSubcluster(settings) * data.count;
  const progress = new OverallProgress(
    options,
    tested.reduce((total, layer) => total + stepsOf(layer), 0),
  );
  const scored: ScoredLayer[] = [];
  for (const layer of tested) {
    const found = await scoreLayer(settings, layer, () => progress.next());
    progress.finish(stepsOf(layer));
    scored.push(found);
    options.onLayer?.(byCluster(found.subclusters));
  }
  const subclusters = scored.flatMap((layer) => layer.subclusters);
  const row = (name: ImportanceName) =>
    networkRow(
      subclusters.map(({ verdicts }) => verdicts[name]),
      protocol === "strict" ? scored.map(({ strata }) => strata[name]) : null,
      rng(seed, "permutation", name),
    );
  const isStrict = protocol === "strict";
  const singles = scored.flatMap((layer) => layer.singles);
  return {
    protocol,
    shuffles,
    seed,
    lesion,
    match,
    isSequential,
    commonDraws: plan.base,
    inputs: data.count,
    consumer: consumer ?? null,
    task: taskOf(network).name,
    r2: explainedShare(network, data, outcome),
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
    pairs: isStrict
      ? await scorePairs(network, singles, data, { lesion, seed, consumer, signal: options.signal })
      : [],
  };
}

function explainedShare(network: Network, data: LabelledInputs, { loss }: Outcome): number | null {
  const { name, width } = taskOf(network);
  return name === "regression" ? 1 - loss / targetVariance(targetsOf(data), width) : null;
}

/** What all layers are scored with. */
interface LayerSettings {
  readonly network: Network;
  readonly data: LabelledInputs;
  readonly baseline: Baseline;
  readonly plan: DrawPlan;
  readonly lesion: LesionKind;
  readonly consumer: string | undefined;
  readonly compare: readonly LesionKind[];
  readonly match: Match;
  readonly isSequential: boolean;
}

/** Lesions of one subcluster and its random sets, every run of a resampled one counted. */
function lesionsPerSubcluster({ plan, lesion, compare }: LayerSettings): number {
  const runsOf = (kind: LesionKind) => (kind === "resample" ? RESAMPLES : 1);
  const kept = plan.protocol === "strict" ? 1 + KEPT_DRAWS : 0;
  const compared = compare.reduce((total, kind) => total + runsOf(kind), 0);
  return (1 + plan.shuffles) * runsOf(lesion) + compared + kept;
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

/** Progress over all layers: hands out options for one part of the work after another. */
class OverallProgress {
  readonly #options: RunOptions;
  readonly #total: number;
  readonly #startMs = performance.now();
  #finished = 0;
  #before = 0;

  constructor(options: RunOptions, total: number) {
    this.#options = options;
    this.#total = total;
  }

  next(): RunOptions {
    const offset = this.#before;
    return {
      signal: this.#options.signal,
      onProgress: ({ phase, done }: Progress) => this.#report(phase, offset + done),
    };
  }

  /** Counts a layer as done, whatever its verdicts did not need. */
  finish(steps: number): void {
    this.#finished += steps;
    this.#report("lesions", this.#finished);
  }

  #report(phase: string, done: number): void {
    this.#before = done;
    const elapsedMs = performance.now() - this.#startMs;
    const etaMs = done > 0 ? (elapsedMs / done) * (this.#total - done) : null;
    this.#options.onProgress?.({ phase, done, total: this.#total, etaMs });
  }
}

/** A layer's scores and what the network's are made of. */
interface ScoredLayer {
  readonly subclusters: readonly SubclusterImportance[];
  readonly strata: Readonly<Record<ImportanceName, Stratum>>;
  readonly dissociations: readonly SubclusterDissociation[];
  readonly singles: readonly SingleLesion[];
}

async function scoreLayer(
  settings: LayerSettings,
  layer: LayerSubclusters,
  nextOptions: () => RunOptions,
): Promise<ScoredLayer> {
  const { network, data, baseline, plan, lesion, consumer, compare, match } = settings;
  const target = network.layers[layer.layer] as Layer;
  const sets = layer.tested.map(({ units }) => units);
  const runAll = async <T>(kind: LesionKind, run: (lesions: LayerLesions) => Promise<T>): Promise<T> => {
    const lesions = await openLesions(network, target, data, { lesion: kind, seed: plan.seed, consumer });
    try {
      return await run(lesions);
    } finally {
      await lesions.dispose();
    }
  };
  const bins = await matchBins(match, network, target, layer.eligible, data);
  const { damages, details, nulls } = await runAll(lesion, async (lesions) => {
    const { outcomes, details } = await lesions.runDetailed(sets, nextOptions());
    const damages = outcomes.map((outcome) => damageOf(outcome, baseline));
    const measures = IMPORTANCE_NAMES.map((name) => MEASURES[name]);
    const nulls = await drawNullDamages(lesions, layer, damages, measures, baseline, plan, bins, nextOptions);
    return { damages, details, nulls };
  });
  const compared = sets.map(() => new Map<LesionKind, Damage>());
  for (const kind of compare) {
    const outcomes = await runAll(kind, (lesions) => lesions.run(sets, nextOptions()));
    outcomes.forEach((outcome, number) => {
      compared[number]?.set(kind, damageOf(outcome, baseline));
    });
  }
  const isStrict = plan.protocol === "strict";
  const kept = isStrict ? await keepOnly(settings, target, layer, bins, nextOptions) : null;
  // The stream of all layers: they see the same draws of inputs.
  const intervals = changeIntervals(details, data.labels, rng(plan.seed, "bootstrap"));
  const subclusters = layer.tested.map(({ cluster, units }, number): SubclusterImportance => {
    const damage = damages[number] as Damage;
    const { flipRate, divergence } = details[number] as OutcomeDetail;
    return {
      layer: layer.name,
      cluster,
      units,
      layerUnits: layer.layerUnits,
      damage,
      verdicts: verdictsOf(damages, number, nulls, plan),
      drawn: nulls.bySubcluster[number]?.length ?? 0,
      flipRate,
      divergence,
      intervals: intervals[number] as ChangeIntervals,
      profile: profileOf(damage, baseline),
      keepOnly: kept?.[number] ?? null,
      compared: compared[number] ?? new Map(),
    };
  });
  return {
    subclusters,
    strata: byMeasure((name) => stratumOf(layer, damages, nulls, MEASURES[name], plan.base)),
    dissociations: isStrict ? dissociationsOf(layer, damages, nulls, baseline, plan.base) : [],
    singles: subclusters.map(({ cluster, units, damage: { lossIncrease } }, number) => ({
      layer: target,
      cluster,
      units,
      lossIncrease,
      detail: details[number] as OutcomeDetail,
    })),
  };
}
