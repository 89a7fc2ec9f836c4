import { fisherP, fisherStatistic } from "../statistics/fisher.ts";
import { bhAdjust, byAdjust } from "../statistics/multiplicity.ts";
import { permutationP, type Stratum } from "../statistics/permutation-p.ts";
import { centerP, type Tail } from "../statistics/rank-p.ts";
import type { Rng } from "../statistics/rng.ts";

/** One number of a lesion (or of another score), with what makes it remarkable. */
export interface Measure<Value> {
  readonly name: string;
  readonly tail: Tail;
  /** The statistic that is ranked against the null. */
  statistic(value: Value): number;
  /** What the effect 2t / (t + r) compares; NaN or a negative amount where the effect is undefined. */
  amount(value: Value): number;
  /** Whether amounts lie around 0, so that their ratio says nothing and there is no such effect; default false. */
  readonly isSigned?: boolean | undefined;
  /** Whether protocol `paper` averages 2t / (t + r) over the random sets instead of taking their mean as r; default false. */
  readonly isEffectBySet?: boolean | undefined;
}

/** Outcome of one measure for one subcluster. */
export interface Verdict {
  readonly p: number;
  /** Null values that p rests on. */
  readonly valid: number;
  /** 2t / (t + r) with r the mean over the null: 1 = no difference, above 1 = more than random sets. */
  readonly effect: number;
  /** t - r, and (t - r) / sd of the null. */
  readonly difference: number;
  readonly z: number;
  /** The true amount, and how those of the null spread: their quantiles in steps of 5 % from the least to the largest; none of no values. */
  readonly amount: number;
  readonly quantiles: readonly number[];
}

/** Steps of a null's quantiles. */
export const QUANTILE_STEPS = 20;

/** Effects of a true value against null values (method note 6.3, 6.4; `isBySet`: 7.2). */
export function effectsOf(
  amount: number,
  nullAmounts: readonly number[],
  isSigned: boolean = false,
  isBySet: boolean = false,
): Pick<Verdict, "effect" | "difference" | "z"> {
  const known = nullAmounts.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((total, value) => total + value, 0) / known.length;
  const variance = known.reduce((total, value) => total + (value - mean) ** 2, 0) / known.length;
  const isDefined = !isSigned && amount > 0 && mean > 0;
  const difference = amount - mean;
  const effectAgainst = (other: number) => (2 * amount) / (amount + other);
  const effect = isBySet
    ? known.reduce((total, value) => total + effectAgainst(value), 0) / known.length
    : effectAgainst(mean);
  return {
    effect: isDefined ? effect : Number.NaN,
    difference,
    z: variance > 0 ? difference / Math.sqrt(variance) : Number.NaN,
  };
}

/** A network's row for one measure (method note 8.1, 8.2). */
export interface NetworkRow {
  /** Mean of -ln q over subclusters with a p. */
  readonly fisherStatistic: number;
  /** Fisher's chi-square p; assumes independent subclusters, so descriptive only. */
  readonly fisherP: number;
  /** Exact p of permuted labels; NaN in protocol `paper`. */
  readonly permutationP: number;
  /** Mean effect over subclusters where it is defined, and its standard error. */
  readonly effect: number;
  readonly effectError: number;
  /** Subclusters with a p, and without one. */
  readonly tested: number;
  readonly undefinedP: number;
  readonly undefinedEffect: number;
  /** Subclusters with a Benjamini-Yekutieli q of at most 0.05, and with a Benjamini-Hochberg one. */
  readonly significant: number;
  readonly significantBH: number;
  /** This row's p (strict: of permutations, paper: Fisher's) adjusted for the family of rows it is printed with. */
  readonly bh: number;
  readonly by: number;
}

/** Rows of one family with their p adjusted for each other (method note 8.2, "Multiplicity"). */
export function adjustRows<Name extends string>(
  rows: Readonly<Record<Name, Omit<NetworkRow, "bh" | "by">>>,
): Record<Name, NetworkRow> {
  const names = Object.keys(rows) as Name[];
  const ps = names.map((name) =>
    Number.isNaN(rows[name].permutationP) ? rows[name].fisherP : rows[name].permutationP,
  );
  const [bh, by] = [bhAdjust(ps), byAdjust(ps)];
  const adjusted = names.map((name, i) => [name, { ...rows[name], bh: bh[i], by: by[i] }]);
  return Object.fromEntries(adjusted) as Record<Name, NetworkRow>;
}

/** Permutations of the network-level test (method note 8.2, step 4). */
export const PERMUTATIONS = 9999;

/** Aggregates a measure's verdicts; `strata` (strict only) hold every arrangement's statistics. */
export function networkRow(
  verdicts: readonly Verdict[],
  strata: readonly Stratum[] | null,
  rng: Rng,
): Omit<NetworkRow, "bh" | "by"> {
  const defined = verdicts.filter(({ p }) => !Number.isNaN(p));
  const q = defined.map(({ p, valid }) => centerP(p, valid));
  const effects = verdicts.map(({ effect }) => effect).filter((effect) => !Number.isNaN(effect));
  const effect = effects.reduce((total, value) => total + value, 0) / effects.length;
  const variance = effects.reduce((total, value) => total + (value - effect) ** 2, 0) / (effects.length - 1);
  return {
    fisherStatistic: fisherStatistic(q),
    fisherP: fisherP(q),
    permutationP: strata === null ? Number.NaN : permutationP(strata, PERMUTATIONS, rng).p,
    effect,
    effectError: Math.sqrt(variance / effects.length),
    tested: defined.length,
    undefinedP: verdicts.length - defined.length,
    undefinedEffect: verdicts.length - effects.length,
    significant: countSmall(byAdjust(defined.map(({ p }) => p))),
    significantBH: countSmall(bhAdjust(defined.map(({ p }) => p))),
  };
}

const countSmall = (ps: Float64Array): number => ps.filter((p) => p <= 0.05).length;
