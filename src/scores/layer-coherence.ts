import type { RunOptions } from "../progress.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import {
  byCoherence,
  type CoherenceName,
  type CoherenceValues,
  type MeasureFamily,
  measureOf,
} from "./coherence-measures.ts";
import type { Verdict } from "./measures.ts";
import { type DrawPlan, drawNulls, stratumOf, verdictsAmong } from "./null-values.ts";
import type { SurveyedLayer } from "./study.ts";

/** What the measures make of a layer's subclusters. */
export interface LayerCoherence {
  /** By tested subcluster. */
  readonly values: readonly Readonly<Record<CoherenceName, number>>[];
  readonly verdicts: readonly Readonly<Record<CoherenceName, Verdict>>[];
  /** Values of every arrangement (strict); null for measures that have no family here. */
  readonly strata: Readonly<Record<CoherenceName, Stratum | null>>;
}

const UNDEFINED: Verdict = {
  p: Number.NaN,
  valid: 0,
  effect: Number.NaN,
  difference: Number.NaN,
  z: Number.NaN,
  amount: Number.NaN,
  quantiles: [],
};

/**
 * Tests a layer's subclusters by every family of measures against random sets of the same layer and size. All families
 * see the same random sets, the first ones where they take fewer.
 */
export async function testFamilies(
  families: readonly MeasureFamily[],
  layer: SurveyedLayer,
  plan: DrawPlan,
  nextOptions: () => RunOptions,
): Promise<LayerCoherence> {
  const own = layer.tested.map(({ units }) => units);
  const values: CoherenceValues[] = own.map(() => ({}));
  const verdicts: Partial<Record<CoherenceName, Verdict>>[] = own.map(() => ({}));
  const strata = new Map<CoherenceName, Stratum>();
  for (const { names, shuffles = plan.shuffles, evaluate } of families) {
    const ownPlan = { ...plan, shuffles, base: shuffles };
    const measures = Object.fromEntries(names.map((name) => [name, measureOf(name)]));
    const found = await evaluate(own, nextOptions());
    const nulls = await drawNulls(
      evaluate,
      layer,
      found,
      Object.values(measures),
      ownPlan,
      layer.bins,
      nextOptions,
    );
    found.forEach((value, number) => {
      values[number] = { ...values[number], ...value };
      verdicts[number] = {
        ...verdicts[number],
        ...verdictsAmong(measures, found, number, nulls, ownPlan),
      };
    });
    if (plan.protocol === "paper") continue;
    for (const name of names) strata.set(name, stratumOf(layer, found, nulls, measureOf(name), shuffles));
  }
  return {
    values: values.map((value) => byCoherence((name) => value[name] ?? Number.NaN)),
    verdicts: verdicts.map((verdict) => byCoherence((name) => verdict[name] ?? UNDEFINED)),
    strata: byCoherence((name) => strata.get(name) ?? null),
  };
}
