/**
 * Two units of a layer lesioned together: what is lost only jointly tells that each backs up the other (Meyes et al. 2019,
 * arXiv 1901.08644; populations note, 2.3 and FP-6). Both shares are of one number, the inputs that the intact network gets
 * right, where the original figures divided by two.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import type { RunOptions } from "../progress.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import type { MeanBootstrap } from "../scores/mean-bootstrap.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { type Correctness, correctRow, countStates, statesOf, writeBits } from "./correctness.ts";
import { meanOf } from "./group-lesions.ts";
import { accuracyFall, type UnitLesions } from "./unit-lesions.ts";
import { likestPairs, type UnitSimilarity } from "./unit-similarity.ts";

/** Pairs of a layer that are lesioned in search of interaction, and how many of them are reported. */
const CANDIDATES = 100;
export const REPORTED_PAIRS = 10;
/** Units with the largest loss impacts of which all pairs are candidates: 66 pairs. */
const COSTLIEST = 12;

export type UnitPair = readonly [number, number];

export interface PairLesion {
  readonly layer: string;
  readonly units: UnitPair;
  /** I(P) and dL(P) of the pair. */
  readonly accuracyImpact: number;
  readonly lossImpact: number;
  /** dL(P) less the sum of the single ones, with its bootstrap interval; above 0 the units back each other up. */
  readonly synergy: number;
  readonly interval: Interval;
  /** Inputs in each of the states (`STATES`). */
  readonly stateCounts: Int32Array;
  /** Of the inputs that the intact network gets right: lost by one of the units alone or both, and lost only jointly. */
  readonly lostShare: number;
  readonly jointShare: number;
  /** The joint share of each class; NaN for classes of which nothing was right. */
  readonly classJointShare: Float64Array;
}

/**
 * The pairs worth lesioning: all of a small layer, else those of the units that cost most loss alone, then those that act most
 * alike, since what backs a unit up need not cost anything alone.
 */
export function candidatePairs(singles: UnitLesions, similarity: UnitSimilarity): UnitPair[] {
  const lesioned = Array.from(singles.lossImpact.keys()).filter((unit) =>
    Number.isFinite(singles.lossImpact[unit]),
  );
  const costliest = [...lesioned].sort(
    (a, b) => (singles.lossImpact[b] as number) - (singles.lossImpact[a] as number) || a - b,
  );
  const all = (lesioned.length * (lesioned.length - 1)) / 2;
  const first = pairsOf(all <= CANDIDATES ? lesioned : costliest.slice(0, COSTLIEST));
  const known = new Set(first.map(String));
  const alike = likestPairs(similarity, CANDIDATES).filter((pair) => !known.has(String(pair)));
  return [...first, ...alike].slice(0, CANDIDATES);
}

function pairsOf(units: readonly number[]): UnitPair[] {
  return units.flatMap((one, i) =>
    units.slice(i + 1).map((other): [number, number] => [Math.min(one, other), Math.max(one, other)]),
  );
}

/**
 * Lesions pairs of units of one layer on so many `inputs`; gives the `most` of strongest interaction (of either sign), the
 * strongest first.
 */
export async function lesionPairs(
  lesions: LayerLesions,
  layer: string,
  inputs: number,
  classes: InputClasses,
  pairs: readonly UnitPair[],
  most: number,
  singles: UnitLesions,
  bootstrap: MeanBootstrap,
  nextOptions: () => RunOptions,
): Promise<PairLesion[]> {
  if (pairs.length === 0) return [];
  const { details } = await lesions.runDetailed(pairs.map(toSet), nextOptions());
  const aloneImpact = (unit: number) => singles.lossImpact[unit] as number;
  const chosen = pairs
    .map((pair, number) => {
      const detail = details[number] as OutcomeDetail;
      const lossImpact = meanOf(detail.lossIncreases);
      return {
        pair,
        detail,
        lossImpact,
        synergy: lossImpact - aloneImpact(pair[0]) - aloneImpact(pair[1]),
      };
    })
    .sort(
      (a, b) => Math.abs(b.synergy) - Math.abs(a.synergy) || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1],
    )
    .slice(0, most);
  // The intervals need what the single lesions do to every input, which was not kept.
  const units = [...new Set(chosen.flatMap(({ pair }) => pair))];
  const alone = await lesions.runDetailed(
    units.map((unit) => Int32Array.of(unit)),
    nextOptions(),
  );
  const increasesOf = new Map(units.map((unit, i) => [unit, alone.details[i]?.lossIncreases]));
  const rows = new Float32Array(chosen.length * inputs);
  chosen.forEach(({ pair, detail }, number) => {
    const [one, other] = pair.map((unit) => increasesOf.get(unit) as Float64Array);
    detail.lossIncreases.forEach((increase, input) => {
      rows[number * inputs + input] = increase - (one?.[input] as number) - (other?.[input] as number);
    });
  });
  const intervals = await bootstrap.intervals(rows, chosen.length);
  return chosen.map(({ pair, detail, lossImpact, synergy }, number): PairLesion => {
    const states = pairStates(singles.correctness, pair, detail);
    const stateCounts = countStates(states);
    const [lost = 0, kept = 0, , jointly = 0] = stateCounts;
    const right = lost + kept + jointly;
    return {
      layer,
      units: pair,
      accuracyImpact: accuracyFall(detail),
      lossImpact,
      synergy,
      interval: intervals[number] as Interval,
      stateCounts,
      lostShare: lost / right,
      jointShare: jointly / right,
      classJointShare: classShares(states, classes),
    };
  });
}

function pairStates(correctness: Correctness, pair: UnitPair, { isCorrect }: OutcomeDetail): Uint8Array {
  const after = new Uint8Array(correctness.stride);
  writeBits(isCorrect, correctness.inputs, after);
  const alone = pair.map((unit) => correctRow(correctness, unit));
  return statesOf(correctness.intact, after, correctness.inputs, alone);
}

const toSet = (pair: UnitPair): Int32Array => Int32Array.from(pair);

/** Inputs lost only jointly of each class, as shares of those of the class that were right before. */
function classShares(states: Uint8Array, { labels, counts }: InputClasses): Float64Array {
  const jointly = new Float64Array(counts.length);
  const right = new Float64Array(counts.length);
  states.forEach((state, input) => {
    const c = labels[input] as number;
    if (state === 0 || state === 1 || state === 3) right[c] = (right[c] as number) + 1;
    if (state === 3) jointly[c] = (jointly[c] as number) + 1;
  });
  return jointly.map((count, c) => count / (right[c] as number));
}
