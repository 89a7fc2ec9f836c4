/** `scores.json` as it is read back (contract, "Files"): what the page may rely on. Undefined numbers are null. */

type Maybe = number | null;

/** One number for each measure. */
export type ByMeasure = Readonly<Record<string, Maybe>>;

/** How a null spreads: the true amount, and 21 quantiles of the random sets' amounts (none of no values). */
export interface NullSpread {
  readonly amount: Maybe;
  readonly quantiles: readonly Maybe[];
}

interface Verdicts {
  readonly p: ByMeasure;
  /** Adjusted by Benjamini-Yekutieli and Benjamini-Hochberg. */
  readonly q: ByMeasure;
  readonly bh: ByMeasure;
  readonly effect: ByMeasure;
  readonly difference: ByMeasure;
  readonly z: ByMeasure;
  readonly nulls: ByMeasure;
  readonly nullSpread: Readonly<Record<string, NullSpread>>;
}

export interface ImportanceEntry extends Verdicts {
  readonly accuracy: Maybe;
  readonly classAccuracy: readonly Maybe[];
  readonly meanClassAccuracy: Maybe;
  readonly classRange: Maybe;
  readonly loss: Maybe;
  readonly lossIncrease: Maybe;
  readonly intervals: {
    readonly lossIncrease: readonly [Maybe, Maybe];
    readonly meanClassAccuracyChange: readonly [Maybe, Maybe];
  };
  readonly flipRate: Maybe;
  readonly divergence: Maybe;
  readonly drawn: number;
  readonly profile: {
    /** Fall of each class's accuracy, 0 within the noise. */
    readonly classDrop: readonly Maybe[];
    readonly specialisation: Maybe;
    readonly gini: Maybe;
  };
  readonly keepOnly?: {
    readonly accuracy: Maybe;
    readonly loss: Maybe;
    readonly p: ByMeasure;
    readonly z: ByMeasure;
  };
}

/** The value of every measure stands under its name beside these. */
export interface CoherenceEntry extends Verdicts {
  readonly [measure: string]: unknown;
  readonly classAurocs: readonly Maybe[];
  readonly examples: readonly {
    readonly input: number;
    readonly label: number | null;
    readonly activation: Maybe;
  }[];
}

export interface SubclusterEntry {
  readonly layer: string;
  readonly cluster: number;
  readonly units: readonly number[];
  readonly layerUnits: number;
  readonly importance?: ImportanceEntry;
  readonly coherence?: CoherenceEntry;
}

/** A network's row for one measure. */
export interface NetworkEntry {
  readonly fisherStatistic: Maybe;
  readonly fisherP: Maybe;
  readonly permutationP: Maybe;
  readonly effect: Maybe;
  readonly effectError: Maybe;
  readonly tested: number;
  readonly undefinedP: number;
  /** Subclusters significant at 5 % by Benjamini-Yekutieli, and by Benjamini-Hochberg. */
  readonly significant: number;
  readonly significantBH: number;
  readonly bh: Maybe;
  readonly by: Maybe;
  /** Of coherence: what the measure asks, and which values speak for coherence. */
  readonly meaning?: string;
  readonly tail?: "upper" | "lower";
}

export interface ScoresDocument {
  readonly protocol: string;
  readonly seed: number;
  readonly shuffles: number;
  readonly lesion: string;
  readonly task: string;
  readonly match: string;
  readonly sequential?: boolean;
  readonly baseline?: {
    readonly inputs: number;
    readonly accuracy: Maybe;
    readonly classAccuracy: readonly Maybe[];
    readonly loss: Maybe;
  };
  readonly subclusters: readonly SubclusterEntry[];
  readonly filtered: number;
  readonly dissociations?: readonly {
    readonly layer: string;
    readonly clusters: readonly [number, number];
    readonly classes: readonly [number, number];
    readonly strength: Maybe;
    readonly p: Maybe;
    readonly q: Maybe;
  }[];
  readonly pairs?: readonly {
    readonly subclusters: readonly { readonly layer: string; readonly cluster: number }[];
    readonly lossIncrease: Maybe;
    readonly synergy: Maybe;
    readonly interval: readonly [Maybe, Maybe];
    readonly lostOnlyTogether: Maybe;
  }[];
  readonly coherence?: {
    readonly inputs: number;
    readonly visual: {
      readonly shuffles: number;
      /** Channels, height, width; null where there are no images. */
      readonly image: readonly number[] | null;
    };
    readonly notMeasured: readonly string[];
  };
  readonly network: {
    readonly importance?: Readonly<Record<string, NetworkEntry>>;
    readonly coherence?: Readonly<Record<string, NetworkEntry>>;
  };
}
