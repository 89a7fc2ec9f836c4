/** The measures of a document, and what a subcluster's value of one looks like beside its random sets. No DOM. */

import type { ScoresDocument, SubclusterEntry } from "../scores-document.ts";
import { measureLabel } from "./measure-names.ts";

export type MeasureKind = "importance" | "coherence";

export interface MeasureChoice {
  readonly kind: MeasureKind;
  /** Its key in scores.json. */
  readonly name: string;
  readonly label: string;
  /** A sentence without its full stop: what large (or small) values say. */
  readonly meaning: string;
  /** Of the axis that shows amounts. */
  readonly axis: string;
  /** Whether amounts are shares, shown in percentage points. */
  readonly isShare: boolean;
  /** Whether small values speak for the subcluster. */
  readonly isLow: boolean;
}

type Text = Pick<MeasureChoice, "meaning" | "axis">;

const IMPORTANCE: Readonly<Record<string, Text>> = {
  accuracy: {
    meaning: "how far the mean class accuracy falls when the subcluster is lesioned",
    axis: "fall of the mean class accuracy, in percentage points",
  },
  classRange: {
    meaning: "whether the lesion hits some classes much more than others",
    axis: "range of the class accuracies' changes, against their mean",
  },
  loss: {
    meaning: "how much the loss rises when the subcluster is lesioned",
    axis: "rise of the loss",
  },
};

/** The measures that were computed for at least one subcluster, in the document's order. */
export function measuresOf(scores: ScoresDocument, kind: MeasureKind): readonly MeasureChoice[] {
  return Object.entries(scores.network[kind] ?? {}).flatMap(([name, { meaning }]) => {
    const text: Text | undefined = kind === "importance" ? IMPORTANCE[name] : undefined;
    const label = measureLabel(name);
    const choice: MeasureChoice = {
      kind,
      name,
      label,
      meaning: text?.meaning ?? meaning ?? label,
      axis: text?.axis ?? label,
      isShare: kind === "importance" && name === "accuracy",
      isLow: name === "entropy",
    };
    return scores.subclusters.some((entry) => readingOf(entry, choice, scores) !== null) ? [choice] : [];
  });
}

/** A subcluster's verdict by one measure. */
export interface Reading {
  readonly amount: number;
  /** The 5 % and 95 % quantiles of the random sets' amounts; null where they are not known. */
  readonly low: number | null;
  readonly high: number | null;
  readonly p: number | null;
  /** Adjusted by Benjamini-Yekutieli, and by Benjamini-Hochberg. */
  readonly q: number | null;
  readonly bh: number | null;
  readonly effect: number | null;
  readonly z: number | null;
  readonly difference: number | null;
}

/** Null where the measure is undefined for the subcluster. */
export function readingOf(
  entry: SubclusterEntry,
  { kind, name }: Pick<MeasureChoice, "kind" | "name">,
  scores: ScoresDocument,
): Reading | null {
  const verdicts = entry[kind];
  const amount = verdicts && amountOf(entry, kind, name, scores);
  if (!verdicts || !isNumber(amount)) return null;
  // Files of before the spreads have none.
  const quantiles = verdicts.nullSpread?.[name]?.quantiles ?? [];
  return {
    amount,
    low: quantiles[1] ?? null,
    high: quantiles[19] ?? null,
    p: verdicts.p[name] ?? null,
    q: verdicts.q[name] ?? null,
    bh: verdicts.bh[name] ?? null,
    effect: verdicts.effect[name] ?? null,
    z: verdicts.z[name] ?? null,
    difference: verdicts.difference[name] ?? null,
  };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function amountOf(entry: SubclusterEntry, kind: MeasureKind, name: string, { baseline }: ScoresDocument) {
  const amount = entry[kind]?.nullSpread?.[name]?.amount;
  if (isNumber(amount)) return amount;
  const { importance } = entry;
  if (kind === "coherence") return entry.coherence?.[name];
  if (name === "loss") return importance?.lossIncrease;
  if (name === "classRange") return importance?.classRange;
  const intact = (baseline?.classAccuracy ?? []).filter(isNumber);
  if (intact.length === 0 || !isNumber(importance?.meanClassAccuracy)) return null;
  return intact.reduce((sum, value) => sum + value, 0) / intact.length - importance.meanClassAccuracy;
}

/** How a picture shows values: as they are, in standard deviations of the random sets, or as effect. */
export type Scale = "amount" | "z" | "effect";

/** A value on a picture's axis, with where nine in ten random sets lie. */
export interface Placed {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Null where the scale is undefined: cosines have no effect, nor have lesions that do no harm. */
export function placed(reading: Reading, scale: Scale): Placed | null {
  const { amount, low, high, difference, z, effect } = reading;
  if (scale === "amount") return { value: amount, low, high };
  const mean = difference === null ? null : amount - difference;
  const each = (place: (value: number) => number): Pick<Placed, "low" | "high"> => ({
    low: low === null ? null : place(low),
    high: high === null ? null : place(high),
  });
  if (scale === "z") {
    if (z === null || mean === null) return null;
    const sd = z === 0 ? null : (difference as number) / z;
    return { value: z, ...(sd === null ? { low: null, high: null } : each((value) => (value - mean) / sd)) };
  }
  if (effect === null || mean === null) return null;
  return { value: effect, ...each((value) => (value <= 0 ? 0 : (2 * value) / (value + mean))) };
}

/** How the p of many subclusters are adjusted for each other. */
export type Adjustment = "q" | "bh";

export const ADJUSTMENTS: Readonly<Record<Adjustment, string>> = {
  q: "Benjamini-Yekutieli",
  bh: "Benjamini-Hochberg",
};

export const isSignificant = (reading: Reading | null, by: Adjustment): boolean => {
  const adjusted = reading?.[by] ?? null;
  return adjusted !== null && adjusted <= 0.05;
};
