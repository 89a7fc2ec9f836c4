import type { Damage } from "./damage.ts";
import type { Measure } from "./measures.ts";

export type ImportanceName = "accuracy" | "classRange" | "loss";

/** The three measures of a lesion (method note 6.3, 6.4). */
export const MEASURES: Readonly<Record<ImportanceName, Measure<Damage>>> = {
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

/** All of them, in the order of their names. */
export const IMPORTANCE_MEASURES: readonly Measure<Damage>[] = IMPORTANCE_NAMES.map((name) => MEASURES[name]);

/** One value for each measure. */
export function byMeasure<T>(value: (name: ImportanceName) => T): Record<ImportanceName, T> {
  return { accuracy: value("accuracy"), classRange: value("classRange"), loss: value("loss") };
}
