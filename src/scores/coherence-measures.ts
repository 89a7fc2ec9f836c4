/**
 * What coherence is measured by: every measure as data. A family of measures shares tables of a layer and gives values to
 * sets of units, whatever these are: subclusters or random sets (measures note, section 5).
 */
import type { RunOptions } from "../progress.ts";
import type { Tail } from "../statistics/rank-p.ts";
import type { Measure } from "./measures.ts";

export const COHERENCE_NAMES = [
  "meanCorrelation",
  "leadingShare",
  "silhouette",
  "profileCosine",
  "classAuroc",
  "impactCosine",
  "lossImpactCosine",
  "downstreamCosine",
  "labelCka",
  "purity",
  "score",
  "entropy",
] as const;

export type CoherenceName = (typeof COHERENCE_NAMES)[number];

/** A set's value of every measure of a family; NaN where it is undefined. */
export type CoherenceValues = Readonly<Partial<Record<CoherenceName, number>>>;

/** Measures that come from the same tables of a layer. */
export interface MeasureFamily {
  readonly names: readonly CoherenceName[];
  /** Random sets of each subcluster, where values are too dear for as many as are asked for. */
  readonly shuffles?: number | undefined;
  /**
   * Values of sets of units, in their order. With protocol `strict` the sets come as whole arrangements of the layer, one
   * set for each tested subcluster; with `paper` each stands for itself.
   */
  evaluate(sets: readonly Int32Array[], options: RunOptions): Promise<CoherenceValues[]>;
}

/** What a measure is, for people and for tests. */
export interface CoherenceMeasure {
  /** Which values speak for coherence: large ones (`upper`) or small ones. */
  readonly tail: Tail;
  readonly needsClasses: boolean;
  /** Whether it takes images made for the units: it has random sets of its own number then. */
  readonly needsImages: boolean;
  /** Whether values lie around 0, where random sets do not differ from unrelated units. */
  readonly isSigned: boolean;
  /** One line: "the subcluster's units ...". */
  readonly meaning: string;
}

export const COHERENCE_MEASURES: Readonly<Record<CoherenceName, CoherenceMeasure>> = {
  meanCorrelation: {
    tail: "upper",
    needsClasses: false,
    needsImages: false,
    isSigned: false,
    meaning: "act alike over the inputs: mean |correlation| of its pairs, 0 to 1",
  },
  leadingShare: {
    tail: "upper",
    needsClasses: false,
    needsImages: false,
    isSigned: false,
    meaning: "vary along one direction: share of the largest eigenvalue of their correlations, to 1",
  },
  silhouette: {
    tail: "upper",
    needsClasses: false,
    needsImages: false,
    isSigned: true,
    meaning: "are closer to each other than to the nearest other subcluster: silhouette on 1 - |correlation|",
  },
  profileCosine: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: true,
    meaning: "prefer the same classes: mean cosine of pairs of centred class means, to 1",
  },
  classAuroc: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: false,
    meaning: "tell one class from all others by their first component: best AUROC, 0.5 to 1",
  },
  impactCosine: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: true,
    meaning: "serve the same classes: mean cosine of what each unit's own lesion takes from class accuracies",
  },
  lossImpactCosine: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: true,
    meaning: "serve the same classes: mean cosine of what each unit's own lesion adds to class losses",
  },
  downstreamCosine: {
    tail: "upper",
    needsClasses: false,
    needsImages: false,
    isSigned: true,
    meaning: "push the network's answers alike: mean cosine of pairs of columns of the logit Jacobian, to 1",
  },
  labelCka: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: false,
    meaning: "arrange the inputs as their labels do: linear CKA with one-hot labels, 0 to 1",
  },
  purity: {
    tail: "upper",
    needsClasses: true,
    needsImages: false,
    isSigned: false,
    meaning: "are driven most by inputs of one class: share of the commonest label among the top 10",
  },
  score: {
    tail: "upper",
    needsClasses: false,
    needsImages: true,
    isSigned: false,
    meaning: "answer to one image that is made for all of them: sum of |mean pre-activation| on it",
  },
  entropy: {
    tail: "lower",
    needsClasses: true,
    needsImages: true,
    isSigned: false,
    meaning: "mean a class to the network, on that image: entropy of its answer in nats, low is coherent",
  },
};

/** One value for each measure. */
export function byCoherence<T>(value: (name: CoherenceName) => T): Record<CoherenceName, T> {
  return Object.fromEntries(COHERENCE_NAMES.map((name) => [name, value(name)])) as Record<CoherenceName, T>;
}

/** A measure in the form that is tested. */
export function measureOf(name: CoherenceName): Measure<CoherenceValues> {
  const read = (values: CoherenceValues): number => values[name] ?? Number.NaN;
  return {
    name,
    tail: COHERENCE_MEASURES[name].tail,
    isSigned: COHERENCE_MEASURES[name].isSigned,
    isEffectBySet: COHERENCE_MEASURES[name].needsImages,
    statistic: read,
    amount: read,
  };
}

/**
 * Six decimals: the tables are products of float32 numbers, so values that are equal by their definition differ behind
 * these, and must stay ties.
 */
export function roundedValue(value: number): number {
  return Math.round(value * 1e6) / 1e6 + 0;
}
