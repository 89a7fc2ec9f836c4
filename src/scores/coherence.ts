/**
 * Coherence of subclusters: do their units act as one, more than random sets of the same layer and size? Activations,
 * class profiles, impacts, representation and dataset examples (measures note, section 5), tested as importance is.
 */
import type { Shard } from "../network/lesions.ts";
import type { Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import type { LesionKind } from "../network/replacement.ts";
import type { TaskName } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import type { Records } from "../records.ts";
import { arrangementStatistics, type Stratum } from "../statistics/permutation-p.ts";
import { rng } from "../statistics/rng.ts";
import { byCoherence, type CoherenceName } from "./coherence-measures.ts";
import {
  type CoherenceOptions,
  type CoherenceSource,
  openCoherence,
  readCoherence,
  type SubclusterDetails,
} from "./coherence-source.ts";
import type { Match } from "./matching.ts";
import { adjustRows, type NetworkRow, networkRow, type Verdict } from "./measures.ts";
import type { Protocol } from "./nulls.ts";
import { checkShard, openStudy } from "./study.ts";
import { isVisualized, type VisualSettings } from "./visual-coherence.ts";

export type { CoherenceOptions } from "./coherence-source.ts";

/** Coherence of one subcluster. */
export interface SubclusterCoherence extends SubclusterDetails {
  readonly layer: string;
  readonly cluster: number;
  readonly units: Int32Array;
  readonly layerUnits: number;
  /** NaN where a measure is undefined. */
  readonly values: Readonly<Record<CoherenceName, number>>;
  readonly verdicts: Readonly<Record<CoherenceName, Verdict>>;
}

/** Coherence of a network's subclusters, and of the partition as a whole. */
export interface Coherence {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  /** Kind of the single-unit lesions that impacts rest on. */
  readonly lesion: LesionKind;
  readonly match: Match;
  readonly consumer: string | null;
  readonly task: TaskName;
  readonly inputs: number;
  /** Inputs that logit Jacobians are averaged over, spread over all of them. */
  readonly jacobianInputs: number;
  readonly visual: Omit<VisualSettings, "reason"> & {
    /** Subclusters that got an image, and those that did not: too small or nearly their whole layer. */
    readonly tested: number;
    readonly filtered: number;
  };
  /** Measures that are missing in some or all layers, and why; a sentence each. */
  readonly notMeasured: readonly string[];
  /** By layer, then cluster id. */
  readonly subclusters: readonly SubclusterCoherence[];
  readonly network: Readonly<Record<CoherenceName, NetworkRow>>;
  /** What the permutation p rests on, by layer, as in `Importance`; null in protocol `paper`. */
  readonly arrangements: Readonly<Record<CoherenceName, readonly Float64Array[]>> | null;
  /** Subclusters not tested: single units or nearly whole layers. */
  readonly filtered: number;
  /** Linear CKA of subclusters x subclusters, in their order; null for more than 300. */
  readonly similarity: Float64Array | null;
}

/**
 * Scores the coherence of every subcluster of a partition, on the inputs given. A partition that was made from the
 * activations of these inputs is coherent on them by construction: score it on others. With `earlier` it goes on from
 * what another run of the same arguments has recorded, layer by layer.
 *
 * Throws `E_PARTITION_FIT` for a partition of another network and `E_PARTITION_EMPTY` where no subcluster can be
 * tested.
 *
 * @example
 * const { network } = await scoreCoherence(mlp, digits, partition, { shuffles: 199 });
 * console.log(network.meanCorrelation.permutationP);
 */
export async function scoreCoherence(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  options: CoherenceOptions = {},
): Promise<Coherence> {
  const study = openStudy(network, data, partition, options);
  return coherenceOf(await openCoherence(study, options));
}

/**
 * Scores some of the layers: the share of one of several equal parts of the work, for `mergeCoherence`. Nothing comes
 * back, all is recorded (`onRecord`).
 *
 * @example
 * await scoreCoherenceShard(mlp, digits, partition, { number: 1, of: 3 }, { onRecord: journal.onRecord });
 */
export async function scoreCoherenceShard(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  shard: Shard,
  options: CoherenceOptions = {},
): Promise<void> {
  checkShard(shard);
  const study = openStudy(network, data, partition, options);
  const source = await openCoherence(study, options, shard);
  for (const [number, layer] of source.survey.layers.entries()) {
    const isOwn = number % shard.of === shard.number - 1;
    if (isOwn && layer.tested.length > 0) await source.layer(layer);
  }
  if (shard.number === 1) await source.similarity();
  if (options.earlier?.has(COHERENCE_END) !== true) options.onRecord?.(COHERENCE_END, true);
}

/** Recorded when a shard is complete. */
export const COHERENCE_END = "coherence/end";

/** The coherence that the records of all shards of a run amount to. Throws `E_INPUT_JOURNAL` where some are missing. */
export async function mergeCoherence(shards: readonly Records[]): Promise<Coherence> {
  const all = new Map<string, readonly unknown[]>(shards.flatMap((records) => [...records]));
  return coherenceOf(await readCoherence(all));
}

/** The scores that follow from what was measured. */
async function coherenceOf(source: CoherenceSource): Promise<Coherence> {
  const { settings, inputs, jacobianInputs, visual, task, layers } = source.survey;
  const { protocol, shuffles, seed, lesion, match, consumer } = settings;
  const subclusters: SubclusterCoherence[] = [];
  const strata = byCoherence((): Stratum[] => []);
  /** The layers that a reason holds for. */
  const missing = new Map<string, string[]>();
  for (const layer of layers) {
    if (layer.tested.length === 0) continue;
    const found = await source.layer(layer);
    for (const [what, reason] of [
      ["downstreamCosine", found.reasons.downstream],
      ["score and entropy", found.reasons.visual],
    ] as const) {
      if (reason === null) continue;
      const key = `${what}: ${reason}`;
      missing.set(key, [...(missing.get(key) ?? []), layer.name]);
    }
    const own = layer.tested.map(
      ({ cluster, units }, number): SubclusterCoherence => ({
        layer: layer.name,
        cluster,
        units,
        layerUnits: layer.layerUnits,
        values: found.values[number] as SubclusterCoherence["values"],
        verdicts: found.verdicts[number] as SubclusterCoherence["verdicts"],
        ...(found.details[number] as SubclusterDetails),
      }),
    );
    subclusters.push(...own.sort((a, b) => a.cluster - b.cluster));
    byCoherence((name) => {
      const stratum = found.strata[name];
      if (stratum !== null) strata[name].push(stratum);
    });
  }
  const isStrict = protocol === "strict";
  const scored = layers.filter(({ tested }) => tested.length > 0);
  const shown = subclusters.filter(({ units, layerUnits }) => isVisualized(units, layerUnits));
  const row = (name: CoherenceName) =>
    networkRow(
      subclusters.map(({ verdicts }) => verdicts[name]),
      isStrict ? strata[name] : null,
      rng(seed, "permutation", "coherence", name),
    );
  return {
    protocol,
    shuffles,
    seed,
    lesion,
    match,
    consumer,
    task,
    inputs,
    jacobianInputs,
    visual: {
      shuffles: visual.shuffles,
      steps: visual.steps,
      shape: visual.shape,
      tested: subclusters.filter(({ values }) => Number.isFinite(values.score)).length,
      filtered: subclusters.length - shown.length,
    },
    notMeasured: Array.from(missing, ([text, names]) =>
      names.length === scored.length ? text : `${text} (${names.join(", ")})`,
    ),
    subclusters,
    network: adjustRows(byCoherence(row)),
    arrangements: isStrict
      ? byCoherence((name) => strata[name].map((stratum) => arrangementStatistics(stratum)))
      : null,
    filtered: layers.reduce((total, { filtered }) => total + filtered.length, 0),
    similarity: await source.similarity(),
  };
}
