import type { LayerLesions } from "../network/lesions.ts";
import type { LesionKind } from "../network/replacement.ts";
import type { RunOptions } from "../progress.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import { type Baseline, type Damage, damageOf, damagesBy } from "./damage.ts";
import { dissociationsOf, type SubclusterDissociation } from "./dissociations.ts";
import type { SubclusterImportance } from "./importance.ts";
import { byMeasure, IMPORTANCE_MEASURES, type ImportanceName, MEASURES } from "./importance-measures.ts";
import type { ChangeIntervals } from "./intervals.ts";
import { keepOnly } from "./keep-only.ts";
import {
  comparedPass,
  keptPass,
  type LesionPass,
  type Measurements,
  nullPass,
  type SubclusterLesions,
} from "./measurements.ts";
import {
  type DrawPlan,
  drawCommonNulls,
  drawFurtherNulls,
  type Evaluate,
  type RankedLayer,
  stratumOf,
  verdictsAmong,
} from "./null-values.ts";
import { profileOf } from "./profile.ts";
import type { SurveyedLayer } from "./study.ts";

/** A layer's scores and what the network's are made of. */
export interface ScoredLayer {
  readonly subclusters: readonly SubclusterImportance[];
  readonly strata: Readonly<Record<ImportanceName, Stratum>>;
  readonly dissociations: readonly SubclusterDissociation[];
}

/** A layer whose subclusters are lesioned, and the random sets that all of them have. */
export interface LesionedLayer extends RankedLayer<Damage> {
  readonly layer: SurveyedLayer;
  readonly lesions: SubclusterLesions;
  /** Damages of further random sets. */
  readonly evaluate: Evaluate<Damage>;
}

/** Lesions a layer's subclusters and the random sets that all of them have. */
export async function lesionLayer(
  measurements: Measurements,
  layer: SurveyedLayer,
  baseline: Baseline,
  plan: DrawPlan,
  nextOptions: () => RunOptions,
): Promise<LesionedLayer> {
  const { settings } = measurements.survey;
  const lesions = await measurements.subclusters(layer, nextOptions());
  let round = 0;
  const evaluate = damagesBy(
    lesionsOf(measurements, (sets) => nullPass(layer, settings, round++, sets)),
    baseline,
  );
  return {
    layer,
    lesions,
    evaluate,
    trueValues: lesions.outcomes.map((outcome) => damageOf(outcome, baseline)),
    nulls: await drawCommonNulls(evaluate, layer, plan, layer.bins, nextOptions),
  };
}

/** Scores a layer's subclusters against its random sets. */
export async function scoreLayer(
  measurements: Measurements,
  lesioned: LesionedLayer,
  baseline: Baseline,
  plan: DrawPlan,
  nextOptions: () => RunOptions,
): Promise<ScoredLayer> {
  const { settings } = measurements.survey;
  const { layer, evaluate, trueValues: damages } = lesioned;
  const { details, intervals } = lesioned.lesions;
  const nulls = await drawFurtherNulls(
    evaluate,
    layer,
    damages,
    lesioned.nulls,
    IMPORTANCE_MEASURES,
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
          lesionsOf(measurements, (sets) => keptPass(layer, keptRound++, sets)),
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

/** Lesions that are taken from the measurements. */
function lesionsOf(
  measurements: Measurements,
  passOf: (sets: readonly Int32Array[]) => LesionPass,
): Pick<LayerLesions, "run"> {
  return { run: (sets, options = {}) => measurements.outcomes(passOf(sets), options) };
}
