/**
 * How magnitude, selectivity and impact of units go together, and how far the partitions that come of them agree (populations
 * note, FP-5).
 */
import { BrodmannError } from "../errors.ts";
import type { LesionKind } from "../network/replacement.ts";
import { testAgreement } from "../partition/agreement-test.ts";
import type { Partition, TestedComparison } from "../partition/partition.ts";
import { DRAWS } from "../scores/mean-bootstrap.ts";
import { type RankPair, type RankRelation, rankRelations } from "../statistics/rank-relations.ts";
import { rng } from "../statistics/rng.ts";
import type { UnitLesions } from "./unit-lesions.ts";
import type { UnitResponses } from "./unit-responses.ts";

/** Shufflings of labels that agreement is tested by (populations note, FP-5). */
export const LABEL_SHUFFLES = 5000;

/** What is known of the units of a layer. */
export interface UnitFacts {
  readonly layer: string;
  readonly responses: UnitResponses;
  /** By kind of lesion, in the order in which they were asked for. */
  readonly lesions: readonly UnitLesions[];
}

/** Quantities of a unit; those of lesions end in the kind: `lossImpact zero`. */
export type QuantityName = string;

/** The rank correlation of two quantities of the units of one layer, or of all layers together. */
export interface Relation extends RankRelation {
  /** Null: all layers, each unit ranked in its own. */
  readonly layer: string | null;
  readonly first: QuantityName;
  readonly second: QuantityName;
  /** The quantity that is held fixed, where the correlation is a partial one. */
  readonly given: QuantityName | null;
}

export const IMPACT_QUANTITIES = [
  "accuracyImpact",
  "lossImpact",
  "largestClassImpact",
  "largestClassLossImpact",
] as const;

/** All relations, by layer and then those of all layers together. */
export function relationsOf(layers: readonly UnitFacts[], seed: number): Relation[] {
  const kinds = layers[0]?.lesions.map(({ kind }) => kind) ?? [];
  const { names, pairs } = pairsOf(kinds);
  const strata = layers.map((facts) => ({ layer: facts.layer, values: quantitiesOf(facts) }));
  const relate = (layer: string | null, some: readonly (readonly Float64Array[])[]) =>
    rankRelations(some, pairs, DRAWS, rng(seed, "relations", layer ?? "")).map(
      (relation, number): Relation => {
        const { first, second, given } = pairs[number] as RankPair;
        return {
          layer,
          first: names[first] as string,
          second: names[second] as string,
          given: given === undefined ? null : (names[given] as string),
          ...relation,
        };
      },
    );
  return [
    ...strata.flatMap(({ layer, values }) => relate(layer, [values])),
    ...(strata.length > 1
      ? relate(
          null,
          strata.map(({ values }) => values),
        )
      : []),
  ];
}

/** The quantities by name, and which of them are correlated. */
function pairsOf(kinds: readonly LesionKind[]): {
  readonly names: readonly QuantityName[];
  readonly pairs: readonly RankPair[];
} {
  const indicators = ["magnitude", "selectivity", "auroc", "sparseness"];
  const names = [
    ...indicators,
    ...kinds.flatMap((kind) => IMPACT_QUANTITIES.map((name) => `${name} ${kind}`)),
  ];
  const at = (name: string) => names.indexOf(name);
  const pairs: RankPair[] = [
    { first: at("magnitude"), second: at("selectivity") },
    { first: at("magnitude"), second: at("auroc") },
    { first: at("selectivity"), second: at("auroc") },
  ];
  for (const kind of kinds) {
    for (const impact of IMPACT_QUANTITIES) {
      for (const indicator of indicators) {
        pairs.push({ first: at(indicator), second: at(`${impact} ${kind}`) });
      }
    }
    for (const impact of ["accuracyImpact", "lossImpact"]) {
      for (const indicator of ["selectivity", "auroc"]) {
        pairs.push({ first: at(indicator), second: at(`${impact} ${kind}`), given: at("magnitude") });
      }
    }
    pairs.push({ first: at(`accuracyImpact ${kind}`), second: at(`lossImpact ${kind}`) });
  }
  kinds.forEach((one, number) => {
    for (const other of kinds.slice(number + 1)) {
      for (const impact of IMPACT_QUANTITIES) {
        pairs.push({ first: at(`${impact} ${one}`), second: at(`${impact} ${other}`) });
      }
    }
  });
  return { names, pairs };
}

/** The quantities of the units that are alive and have all of them as finite numbers, in the order of their names. */
function quantitiesOf({ responses, lesions }: UnitFacts): Float64Array[] {
  const all = [
    responses.magnitude,
    responses.selectivity,
    responses.auroc,
    responses.sparseness,
    ...lesions.flatMap((found) => [
      found.accuracyImpact,
      found.lossImpact,
      largestOf(found.classImpact, found.units),
      largestOf(found.classLossImpact, found.units),
    ]),
  ];
  const some = Array.from(responses.isDead.keys()).filter((unit) =>
    all.every((values) => Number.isFinite(values[unit])),
  );
  return all.map((values) => Float64Array.from(some, (unit) => values[unit] as number));
}

/** The largest entry of each row that is a number; NaN without any. */
export function largestOf(values: Float64Array, rows: number): Float64Array {
  const width = values.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    let largest = Number.NaN;
    for (let c = 0; c < width; c++) {
      const value = values[row * width + c] as number;
      if (!(value <= largest) && !Number.isNaN(value)) largest = value;
    }
    return largest;
  });
}

/** Partitions by the name of what they are made of. */
export type NamedPartitions = readonly { readonly name: string; readonly partition: Partition }[];

/** Agreement of two partitions against labels shuffled within layers; null where they have no unit in common. */
export interface NamedAgreement {
  readonly names: readonly [string, string];
  readonly comparison: TestedComparison | null;
}

/** Agreement of every two partitions. */
export function agreementsOf(partitions: NamedPartitions, seed: number): NamedAgreement[] {
  return partitions.flatMap((one, number) =>
    partitions.slice(number + 1).map((other) => ({
      names: [one.name, other.name] as const,
      comparison: compare(one.partition, other.partition, seed),
    })),
  );
}

function compare(one: Partition, other: Partition, seed: number): TestedComparison | null {
  try {
    return testAgreement(one, other, LABEL_SHUFFLES, seed);
  } catch (error) {
    const isDisjoint = error instanceof BrodmannError && /^E_PARTITION_(DISJOINT|LAYERS)$/.test(error.code);
    if (isDisjoint) return null;
    throw error;
  }
}
