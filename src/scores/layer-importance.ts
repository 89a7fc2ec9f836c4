import type { LesionKind } from "../network/replacement.ts";
import type { RunOptions } from "../progress.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import { type Baseline, type Damage, damageOf, damagesBy } from "./damage.ts";
import { dissociationsOf, type SubclusterDissociation } from "./dissociations.ts";
import type { SubclusterImportance } from "./importance.ts";
import { byMeasure, IMPORTANCE_NAMES, type ImportanceName, MEASURES } from "./importance-measures.ts";
import type { ChangeIntervals } from "./intervals.ts";
import { keepOnly } from "./keep-only.ts";
import { comparedPass, keptPass, type LesionPass, type Measurements, nullPass } from "./measurements.ts";
import { type DrawPlan, drawNulls, stratumOf, verdictsAmong } from "./null-values.ts";
import { profileOf } from "./profile.ts";
import type { SurveyedLayer } from "./study.ts";

/** A layer's scores and what the network's are made of. */
export interface ScoredLayer {
  readonly subclusters: readonly SubclusterImportance[];
  readonly strata: Readonly<Record<ImportanceName, Stratum>>;
  readonly dissociations: readonly SubclusterDissociation[];
}

/** Scores a layer's subclusters against its random sets. */
export async function scoreLayer(
  measurements: Measurements,
  layer: SurveyedLayer,
  baseline: Baseline,
  plan: DrawPlan,
  nextOptions: () => RunOptions,
): Promise<ScoredLayer> {
  const { settings } = measurements.survey;
  const { outcomes, details, intervals } = await measurements.subclusters(layer, nextOptions());
  const damages = outcomes.map((outcome) => damageOf(outcome, baseline));
  const measures = IMPORTANCE_NAMES.map((name) => MEASURES[name]);
  const lesionsOf = (passOf: (sets: readonly Int32Array[]) => LesionPass) => ({
    run: (sets: readonly Int32Array[], options: RunOptions = {}) =>
      measurements.outcomes(passOf(sets), options),
  });
  let round = 0;
  const nulls = await drawNulls(
    damagesBy(
      lesionsOf((sets) => nullPass(layer, settings, round++, sets)),
      baseline,
    ),
    layer,
    damages,
    measures,
    plan,
    layer.bins,
    nextOptions,
  );
  const compared = layer.tested.map(() => new Map<LesionKind, Damage>());
  for (const kind of settings.compare) {
    const found = await measurements.outcomes(comparedPass(layer, kind), nextOptions());
    found.forEach((outcome, number) => {
      compared[number]?.set(kind, damageOf(outcome, baseline));
    });
  }
  const isStrict = plan.protocol === "strict";
  let keptRound = 0;
  const kept =
    isStrict && layer.hasMeans
      ? await keepOnly(
          lesionsOf((sets) => keptPass(layer, keptRound++, sets)),
          layer,
          baseline,
          settings,
          layer.bins,
          nextOptions,
        )
      : null;
  const subclusters = layer.tested.map(({ cluster, units }, number): SubclusterImportance => {
    const damage = damages[number] as Damage;
    const { flipRate, divergence } = details[number] as (typeof details)[number];
    return {
      layer: layer.name,
      cluster,
      units,
      layerUnits: layer.layerUnits,
      damage,
      verdicts: verdictsAmong(MEASURES, damages, number, nulls, plan),
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
  };
}
