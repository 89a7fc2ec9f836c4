/** `patterns.json` as it is read back (src/patterns/patterns-file.ts): what the page relies on. Undefined numbers are null. */

type Maybe = number | null;

/** Why the patterns of a layer are not to be taken for discrete. */
export type ContinuumReason = "no split" | "noise" | "null";

export interface ClassMixEntry {
  /** The largest class, and its share. */
  readonly majority: number;
  readonly purity: Maybe;
  readonly entropy: Maybe;
  /** Inputs of each class, by class number. */
  readonly counts: readonly number[];
}

export interface PatternInput {
  readonly input: number;
  readonly label?: number;
  readonly prediction?: number;
  readonly probability: Maybe;
  readonly outlier: Maybe;
}

export interface PatternEntry {
  readonly pattern: number;
  readonly size: number;
  readonly persistence: Maybe;
  readonly meanProbability: Maybe;
  /** Null where nothing is known of labels, or of what the network answers. */
  readonly classes: ClassMixEntry | null;
  readonly predictions: ClassMixEntry | null;
  /** Share of the members that the network gets wrong. */
  readonly misclassified: Maybe;
  /** The most typical members first; the least typical first. */
  readonly exemplars: readonly PatternInput[];
  readonly boundary: readonly PatternInput[];
}

/** Against draws with every unit's values permuted over the inputs; z is null where all draws are alike. */
export interface DrawEntry {
  readonly observed: Maybe;
  readonly mean: Maybe;
  readonly sd: Maybe;
  readonly min: Maybe;
  readonly max: Maybe;
  readonly z: Maybe;
}

/** Against random sets of as many units of the layer. */
export interface SetEntry {
  readonly observed: Maybe;
  readonly mean: Maybe;
  readonly p: Maybe;
}

export interface PatternAmi {
  /** Inputs in no pattern are one group, or left out. */
  readonly withNoise: Maybe;
  readonly withoutNoise: Maybe;
}

/** The patterns of a layer, or of a cluster's units in it. */
export interface PatternLayer {
  readonly layer: string;
  readonly cluster?: number;
  readonly units: number;
  readonly layerUnits: number;
  readonly count: number;
  /** Share of the inputs in no pattern. */
  readonly noise: Maybe;
  readonly continuum: readonly ContinuumReason[];
  readonly ami: PatternAmi | null;
  readonly predictionAmi: PatternAmi | null;
  /** At N inputs, and at N/2 of them. */
  readonly counts: readonly { readonly inputs: number; readonly patterns: number; readonly noise: Maybe }[];
  readonly stability: { readonly ami: Maybe; readonly splits: number } | null;
  readonly noiseAgreement: {
    readonly kept: Maybe;
    readonly tried: number;
    readonly inputs: number;
    readonly sigma: Maybe;
    readonly share: number;
  } | null;
  readonly permuted: {
    readonly draws: number;
    readonly patterns: DrawEntry;
    readonly noise: DrawEntry;
  } | null;
  readonly random: {
    readonly draws: number;
    readonly inputs: number;
    readonly patterns: SetEntry;
    readonly noise: SetEntry;
    readonly ami: SetEntry | null;
  } | null;
  /** By descending persistence. */
  readonly patterns: readonly PatternEntry[];
  readonly outliers: { readonly threshold: Maybe; readonly inputs: readonly PatternInput[] };
}

/** How inputs go from pattern to pattern through layers; pattern -1 = in none. */
export interface PatternFlowEntry {
  readonly layers: readonly string[];
  /** From each layer to the next: pattern, pattern, inputs. */
  readonly links: readonly (readonly (readonly [number, number, number])[])[];
  /** Different sequences of patterns, and those that a single input has. */
  readonly sequences: number;
  readonly singles: number;
  readonly purity: Maybe;
  /** Inputs in no pattern of any layer. */
  readonly noise: number;
  readonly paths: readonly {
    readonly patterns: readonly number[];
    readonly inputs: number;
    readonly majority?: number;
    readonly purity?: Maybe;
  }[];
}

export interface PatternsDocument {
  readonly seed: number;
  readonly inputs: { readonly given: number; readonly used: number };
  readonly classNames: readonly string[] | null;
  readonly settings: {
    readonly aggregate: string;
    readonly scale: string;
    readonly metric: string;
    readonly selection: string;
    readonly minSamples: number;
    readonly minClusterSize: number;
  };
  readonly layers: readonly PatternLayer[];
  readonly flow: PatternFlowEntry | null;
}

/** What a report holds of `patterns.json`; the schema was checked when it was read. */
export const patternsOf = (content: Readonly<Record<string, unknown>> | null): PatternsDocument | null =>
  content as unknown as PatternsDocument | null;
