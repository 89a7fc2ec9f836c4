/** Lesions of several units of the layers: populations as wholes, and pairs. */
import { type Layer, layerNamed, type Network } from "../network/network.ts";
import { type OpenLayers, openLayers } from "../network/open-layers.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { runsOf } from "../network/replacement.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { RunOptions } from "../progress.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import type { MeanBootstrap } from "../scores/mean-bootstrap.ts";
import { OverallProgress } from "../scores/overall-progress.ts";
import { partitionLayers } from "../scores/study.ts";
import { findSubclusters, type LayerSubclusters } from "../scores/subclusters.ts";
import { lesionPopulations, type PopulationLesion } from "./group-lesions.ts";
import {
  candidatePairs,
  lesionPairs,
  type PairLesion,
  REPORTED_PAIRS,
  type UnitPair,
} from "./pair-lesions.ts";
import type { ImpactFindings, PopulationKind, Settled } from "./population-settings.ts";
import type { UnitFacts } from "./relations.ts";
import type { UnitLesions } from "./unit-lesions.ts";
import type { UnitSimilarity } from "./unit-similarity.ts";

/** What lesions of several units need. */
export interface LesionStudy {
  readonly network: Network;
  readonly data: LabelledInputs;
  /** Lesions of the layers on the data, by the first kind of lesion. */
  readonly opened: OpenLayers;
  readonly classes: InputClasses;
  readonly nulls: LabelledInputs;
  readonly facts: readonly UnitFacts[];
  /** How alike the units of each layer are. */
  readonly similarities: readonly UnitSimilarity[];
  readonly bootstrap: MeanBootstrap;
  readonly settings: Settled;
}

/** Both kinds of population, lesioned by the first kind of lesion. */
export async function lesionGroups(
  { network, data, opened, classes, nulls, facts, bootstrap, settings }: LesionStudy,
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
  const runs = runsOf(kind);
  const steps = layers.reduce(
    (total, { found }) =>
      total +
      (found.tested.length + found.filtered.length) * data.count +
      (shuffles > 0 ? found.tested.length * (shuffles + 1) * nulls.count : 0),
    0,
  );
  const progress = new OverallProgress(options, steps * runs);
  const groups: (PopulationLesion & { readonly kind: PopulationKind })[] = [];
  const targets = layers.map(({ found }) => network.layers[found.layer] as Layer);
  const openedNulls = nulls === data ? null : openLayers(network, nulls, targets, { lesion: kind, seed });
  try {
    for (const [number, { kind: name, found }] of layers.entries()) {
      const layer = targets[number] as Layer;
      const singles = facts.find(({ layer }) => layer === found.name)?.lesions[0] as UnitLesions;
      const lesions = await lesionPopulations(
        await opened.lesionsOf(layer),
        data.count,
        classes,
        found,
        singles,
        { bootstrap, shuffles, seed, nulls, openNulls: () => (openedNulls ?? opened).lesionsOf(layer) },
        () => progress.next(),
      );
      groups.push(...lesions.map((lesion) => ({ ...lesion, kind: name })));
    }
  } finally {
    await openedNulls?.dispose();
  }
  return groups;
}

/** The populations of the layers that have some. */
function subclustersOf(network: Network, partition: Partition): LayerSubclusters[] {
  return findSubclusters(network, fitPartition(partition, partitionLayers(network))).filter(
    ({ eligible }) => eligible.length > 0,
  );
}

/** The requested pairs, or those of each layer that interact most. */
export async function lesionInteractions(
  { network, data, opened, classes, facts, similarities, bootstrap, settings }: LesionStudy,
  requested: ReadonlyMap<string, readonly UnitPair[]> | null,
  options: RunOptions,
): Promise<PairLesion[]> {
  const [kind = "zero"] = settings.kinds;
  const plan = facts.map(({ layer: name, lesions: byKind }, number) => {
    const singles = byKind[0] as UnitLesions;
    const own =
      requested === null
        ? candidatePairs(singles, similarities[number] as UnitSimilarity)
        : (requested.get(name) ?? []);
    return { name, singles, pairs: own, most: requested === null ? REPORTED_PAIRS : own.length };
  });
  const runs = runsOf(kind);
  const lesions = plan.reduce((total, { pairs, most }) => total + pairs.length + 2 * most, 0);
  const progress = new OverallProgress(options, lesions * runs * data.count);
  const found: PairLesion[] = [];
  for (const { name, singles, pairs, most } of plan) {
    const lesions = await opened.lesionsOf(layerNamed(network, name));
    found.push(
      ...(await lesionPairs(lesions, name, data.count, classes, pairs, most, singles, bootstrap, () =>
        progress.next(),
      )),
    );
  }
  return found;
}
