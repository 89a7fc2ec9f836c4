/**
 * Importance of subclusters: what the network loses when they are lesioned, against random sets of the same layer
 * and size. Hod et al. 2022, arXiv 2110.08058; method note sections 5, 6 and 8.
 */
import { BrodmannError } from "../errors.ts";
import { isReadBy } from "../network/consumer-site.ts";
import { evaluateNetwork } from "../network/evaluate.ts";
import { runLesions } from "../network/lesions.ts";
import type { Layer, Network } from "../network/network.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "../network/outcomes.ts";
import { targetsOf, targetVariance } from "../network/tally.ts";
import { type TaskName, taskOf, withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { Progress, RunOptions } from "../progress.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import { rankP } from "../statistics/rank-p.ts";
import { rng } from "../statistics/rng.ts";
import { type Baseline, baselineOf, type Damage, damageOf } from "./damage.ts";
import { effectsOf, type Measure, type NetworkRow, networkRow, type Verdict } from "./measures.ts";
import { drawNullSets, type Protocol } from "./nulls.ts";
import { findSubclusters, type LayerSubclusters } from "./subclusters.ts";

export type ImportanceName = "accuracy" | "classRange" | "loss";

/** The three measures of a lesion (method note 6.3, 6.4). */
const MEASURES: Readonly<Record<ImportanceName, Measure<Damage>>> = {
  accuracy: {
    name: "accuracy",
    tail: "lower",
    statistic: ({ meanClassAccuracy }) => meanClassAccuracy,
    amount: ({ meanChange }) => -meanChange,
  },
  classRange: {
    name: "classRange",
    tail: "upper",
    statistic: ({ classRange }) => classRange,
    amount: ({ classRange }) => classRange,
  },
  loss: {
    name: "loss",
    tail: "upper",
    statistic: ({ lossIncrease }) => lossIncrease,
    amount: ({ lossIncrease }) => lossIncrease,
  },
};

export const IMPORTANCE_NAMES: readonly ImportanceName[] = ["accuracy", "classRange", "loss"];

export interface ImportanceOptions extends RunOptions {
  /** Default `strict`. */
  readonly protocol?: Protocol | undefined;
  /** Random sets per subcluster; default 199 (strict, at least 199) or 19 (paper). */
  readonly shuffles?: number | undefined;
  readonly seed?: number | undefined;
  /** Lesions act on what this layer reads, and only layers that it reads are scored; default: on the layers' outputs. */
  readonly consumer?: string | undefined;
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
}

/** Importance of a network's subclusters, and of the partition as a whole. */
export interface Importance {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
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
  /** Subclusters not tested: single units or nearly whole layers. */
  readonly filtered: number;
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
  const { protocol = "strict", seed = 0 } = options;
  const shuffles = options.shuffles ?? DEFAULT_SHUFFLES[protocol];
  checkShuffles(protocol, shuffles);
  const { consumer } = options;
  const layers = findSubclusters(network, fitPartition(partition, partitionLayers(network))).filter(
    ({ layer }) => consumer === undefined || isReadBy(network, network.layers[layer] as Layer, consumer),
  );
  const lesionCount = layers.reduce((total, { tested }) => total + tested.length * (1 + shuffles), 0);
  if (lesionCount === 0) {
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
  const overall = overallProgress(options, lesionCount * data.count);
  const scored: SubclusterImportance[] = [];
  const strata: Record<ImportanceName, Stratum[]> = { accuracy: [], classRange: [], loss: [] };
  for (const layer of layers.filter(({ tested }) => tested.length > 0)) {
    const sets = [
      ...layer.tested.map(({ units }) => units),
      ...drawNullSets(layer, protocol, shuffles, seed),
    ];
    const target = network.layers[layer.layer] as Layer;
    const outcomes = await runLesions(network, target, sets, data, { ...overall(), consumer });
    const damages = outcomes.map((lesioned: Outcome) => damageOf(lesioned, baseline));
    const scores = scoreLayer(layer, damages, protocol, shuffles);
    for (const name of IMPORTANCE_NAMES) strata[name].push(stratumOf(layer, damages, MEASURES[name]));
    scored.push(...scores);
    options.onLayer?.(byCluster(scores));
  }
  const row = (name: ImportanceName) =>
    networkRow(
      scored.map(({ verdicts }) => verdicts[name]),
      protocol === "strict" ? strata[name] : null,
      rng(seed, "permutation", name),
    );
  return {
    protocol,
    shuffles,
    seed,
    inputs: data.count,
    consumer: consumer ?? null,
    task: taskOf(network).name,
    r2: explainedShare(network, data, outcome),
    baseline,
    subclusters: layers.flatMap(({ name }) => byCluster(scored.filter(({ layer }) => layer === name))),
    network: { accuracy: row("accuracy"), classRange: row("classRange"), loss: row("loss") },
    filtered: layers.reduce((total, { filtered }) => total + filtered.length, 0),
  };
}

function explainedShare(network: Network, data: LabelledInputs, { loss }: Outcome): number | null {
  const { name, width } = taskOf(network);
  return name === "regression" ? 1 - loss / targetVariance(targetsOf(data), width) : null;
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

/** Progress over all layers: hands out options for one layer after another. */
function overallProgress(options: RunOptions, total: number): () => RunOptions {
  const startMs = performance.now();
  let before = 0;
  return () => {
    const offset = before;
    const onProgress = (progress: Progress) => {
      before = offset + progress.done;
      const etaMs = before > 0 ? ((performance.now() - startMs) / before) * (total - before) : null;
      options.onProgress?.({ phase: progress.phase, done: before, total, etaMs });
    };
    return { signal: options.signal, onProgress };
  };
}

/** Verdicts of a layer's subclusters; `damages` are those of the true sets, then of all random ones. */
function scoreLayer(
  layer: LayerSubclusters,
  damages: readonly Damage[],
  protocol: Protocol,
  shuffles: number,
): SubclusterImportance[] {
  const count = layer.tested.length;
  return layer.tested.map(({ cluster, units }, number) => {
    // Strict: random sets of equal size are shared within the layer. Paper: every subcluster has its own.
    const isMine = (set: number) =>
      protocol === "paper" ? set === number : layer.tested[set]?.units.length === units.length;
    const nullDamages = damages.slice(count).filter((_, draw) => isMine(draw % count));
    const damage = damages[number] as Damage;
    const verdict = (name: ImportanceName): Verdict => {
      const { statistic, amount, tail } = MEASURES[name];
      const { p, valid } = rankP(
        statistic(damage),
        Float64Array.from(nullDamages, statistic),
        tail,
        protocol === "strict" ? "aware" : "strict",
        { minimumValid: protocol === "strict" ? shuffles / 2 : 1 },
      );
      return { p, valid, ...effectsOf(amount(damage), nullDamages.map(amount)) };
    };
    return {
      layer: layer.name,
      cluster,
      units,
      layerUnits: layer.layerUnits,
      damage,
      verdicts: { accuracy: verdict("accuracy"), classRange: verdict("classRange"), loss: verdict("loss") },
    };
  });
}

function stratumOf(layer: LayerSubclusters, damages: readonly Damage[], measure: Measure<Damage>): Stratum {
  const sign = measure.tail === "upper" ? 1 : -1;
  return {
    sizes: layer.tested.map(({ units }) => units.length),
    values: Float64Array.from(damages, (damage) => sign * measure.statistic(damage)),
  };
}
