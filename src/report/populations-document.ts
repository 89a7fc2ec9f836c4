/** `populations.json` as it is read back (src/populations/populations-file.ts): what the page relies on. Undefined numbers are null. */

type Maybe = number | null;
type Interval = readonly [Maybe, Maybe];

/** What a lesion of one kind does to a unit. */
export interface UnitImpact {
  /** Accuracy that is lost, and loss that is added; signed. */
  readonly accuracyImpact: Maybe;
  readonly accuracyInterval: Interval;
  readonly lossImpact: Maybe;
  readonly lossInterval: Interval;
  readonly flipRate: Maybe;
}

export interface UnitEntry {
  readonly layer: string;
  readonly unit: number;
  readonly dead: boolean;
  /** Population; -1 = none. */
  readonly coResponse: number;
  readonly coImpact?: number;
  readonly coImpactWard?: number;
  readonly magnitude: Maybe;
  readonly selectivity: Maybe;
  readonly auroc: Maybe;
  readonly aurocClass: Maybe;
  readonly sparseness: Maybe;
  readonly lesions: Readonly<Record<string, UnitImpact>>;
}

/** A rank correlation of two quantities over the units of a layer; of all layers, within each, where it is null. */
export interface RelationEntry {
  readonly layer: string | null;
  readonly first: string;
  readonly second: string;
  /** What is held fixed; null = nothing. */
  readonly given: string | null;
  readonly rho: Maybe;
  readonly interval: Interval;
  readonly units: number;
}

export interface ShuffleTest {
  readonly mean: Maybe;
  readonly sd: Maybe;
  readonly z: Maybe;
  readonly p: Maybe;
}

interface Indices {
  readonly units: number;
  readonly ami: Maybe;
  readonly ari: Maybe;
}

export interface AgreementEntry {
  readonly partitions: readonly [string, string];
  readonly shuffles?: number;
  /** Null where the two have no unit in common. */
  readonly overall:
    | (Indices & { readonly withinLayers: { readonly ami: ShuffleTest; readonly ari: ShuffleTest } })
    | null;
  readonly layers: readonly (Indices & {
    readonly name: string;
    readonly shuffled: { readonly ami: ShuffleTest; readonly ari: ShuffleTest };
  })[];
}

/** Inputs by what a lesion does to them. */
export interface StateCounts {
  readonly lost: number;
  readonly kept: number;
  readonly gained: number;
  readonly "lost only jointly": number;
  readonly "never right": number;
}

interface GroupVerdict {
  readonly p: Maybe;
  readonly effect: Maybe;
  readonly difference: Maybe;
  readonly z: Maybe;
  readonly nulls: number;
}

/** A population lesioned as a whole. */
export interface GroupEntry {
  readonly kind: string;
  readonly layer: string;
  readonly population: number;
  readonly units: readonly number[];
  readonly accuracyImpact: Maybe;
  readonly lossImpact: Maybe;
  readonly flipRate: Maybe;
  /** What it loses beyond the sum of what its units lose alone. */
  readonly redundancy: { readonly accuracy: Maybe; readonly interval: Interval; readonly loss: Maybe };
  readonly states: StateCounts;
  /** Against random sets; null where there are none. */
  readonly against: { readonly accuracy: GroupVerdict; readonly loss: GroupVerdict } | null;
}

/** Two units lesioned together. */
export interface PairEntry {
  readonly layer: string;
  readonly units: readonly [number, number];
  readonly accuracyImpact: Maybe;
  readonly lossImpact: Maybe;
  readonly synergy: Maybe;
  readonly interval: Interval;
  readonly states: StateCounts;
  readonly lostShare: Maybe;
  readonly lostOnlyJointlyShare: Maybe;
}

export interface Telling {
  readonly indicator: "magnitude" | "selectivity" | "auroc";
  readonly lesion: string;
  readonly rho: Maybe;
  readonly interval: Interval;
}

/** What is told in one layer, or in all of them together (null). */
export interface ClaimEntry {
  readonly layer: string | null;
  readonly units: number;
  readonly tellings: readonly Telling[];
  readonly lesionKinds: readonly {
    readonly lesions: readonly [string, string];
    readonly rho: Maybe;
    readonly interval: Interval;
  }[];
  /** What tells importance alone; null where nothing is defined. */
  readonly toldBy: readonly string[] | null;
}

/** Of recorded activations, which nothing can be lesioned in, what stands below `units` is missing. */
export interface PopulationsDocument {
  readonly seed: number;
  readonly inputs: number;
  readonly response: string;
  readonly impact: string;
  readonly partitions: Readonly<Record<string, { readonly clusters: number }>>;
  readonly layers: readonly {
    readonly name: string;
    readonly units: number;
    readonly dead: readonly number[];
    /** Populations. */
    readonly coResponse: number;
    readonly coImpact?: number;
    readonly lesions: readonly {
      readonly kind: string;
      readonly withoutAccuracyImpact: number;
      readonly withoutLossImpact: number;
    }[];
  }[];
  readonly units: readonly UnitEntry[];
  readonly lesions?: readonly string[];
  readonly shuffles?: number;
  readonly nullInputs?: number;
  readonly baseline?: { readonly accuracy: Maybe; readonly loss: Maybe };
  readonly relations?: readonly RelationEntry[];
  readonly agreements?: readonly AgreementEntry[];
  readonly groups?: readonly GroupEntry[];
  readonly pairs?: readonly PairEntry[];
  readonly claim?: readonly ClaimEntry[];
}

/** What a report holds of `populations.json`; the schema was checked when it was read. */
export const populationsOf = (
  content: Readonly<Record<string, unknown>> | null,
): PopulationsDocument | null => content as unknown as PopulationsDocument | null;

/** Numbers of every unit for every class: most of the file, and nothing that the page shows. */
const BULKY: ReadonlySet<string> = new Set(["profile", "classImpact", "classLossImpact"]);

/** The content of populations.json as a report keeps it. */
export function slimPopulations(
  content: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const units = JSON.stringify(content.units ?? [], (key, value: unknown) =>
    BULKY.has(key) ? undefined : value,
  );
  return { ...content, units: JSON.parse(units) as unknown };
}
