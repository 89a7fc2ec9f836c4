import type { Stratum } from "../statistics/permutation-p.ts";
import type { Damage } from "./damage.ts";
import { effectsOf, type Measure, type Verdict } from "./measures.ts";
import { type DrawPlan, type NullDamages, poolOf, rankOf, siblingsOf } from "./null-damages.ts";
import type { LayerSubclusters } from "./subclusters.ts";

export type ImportanceName = "accuracy" | "classRange" | "loss";

/** The three measures of a lesion (method note 6.3, 6.4). */
export const MEASURES: Readonly<Record<ImportanceName, Measure<Damage>>> = {
  accuracy: {
    name: "accuracy",
    tail: "lower",
    isAlwaysDefined: true,
    statistic: ({ meanClassAccuracy }) => meanClassAccuracy,
    amount: ({ meanChange }) => -meanChange,
  },
  classRange: {
    name: "classRange",
    tail: "upper",
    isAlwaysDefined: false,
    statistic: ({ classRange }) => classRange,
    amount: ({ classRange }) => classRange,
  },
  loss: {
    name: "loss",
    tail: "upper",
    isAlwaysDefined: true,
    statistic: ({ lossIncrease }) => lossIncrease,
    amount: ({ lossIncrease }) => lossIncrease,
  },
};

export const IMPORTANCE_NAMES: readonly ImportanceName[] = ["accuracy", "classRange", "loss"];

/** One value for each measure. */
export function byMeasure<T>(value: (name: ImportanceName) => T): Record<ImportanceName, T> {
  return { accuracy: value("accuracy"), classRange: value("classRange"), loss: value("loss") };
}

/** Verdicts on subcluster `number` of a layer with these damages against its random sets. */
export function verdictsOf(
  damages: readonly Damage[],
  number: number,
  nulls: NullDamages,
  plan: DrawPlan,
): Record<ImportanceName, Verdict> {
  const damage = damages[number] as Damage;
  const siblings = siblingsOf(number, nulls, damages, plan.protocol);
  const pool = poolOf(number, nulls, plan.protocol);
  const drawn = nulls.bySubcluster[number]?.length ?? 0;
  return byMeasure((name) => {
    const measure = MEASURES[name];
    const { p, valid } = rankOf(measure, measure.statistic(damage), siblings, pool, drawn, plan);
    return { p, valid, ...effectsOf(measure.amount(damage), pool.map(measure.amount)) };
  });
}

/** A layer's true arrangement and the `draws` that all its subclusters have. */
export function stratumOf(
  layer: LayerSubclusters,
  damages: readonly Damage[],
  { bySubcluster }: NullDamages,
  { tail, statistic }: Measure<Damage>,
  draws: number,
): Stratum {
  const sign = tail === "upper" ? 1 : -1;
  const rows = [
    damages,
    ...Array.from({ length: draws }, (_, b) => bySubcluster.map((nulls) => nulls[b] as Damage)),
  ];
  return {
    sizes: layer.tested.map(({ units }) => units.length),
    values: Float64Array.from(rows.flat(), (damage) => sign * statistic(damage)),
  };
}
