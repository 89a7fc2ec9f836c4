/**
 * The random sets of a layer and what they do: all of them, or as many as the verdicts need.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { RunOptions } from "../progress.ts";
import { byCeiling } from "../statistics/multiplicity.ts";
import { type RankP, rankP } from "../statistics/rank-p.ts";
import { safeHits, sequentialP } from "../statistics/sequential-p.ts";
import { type Baseline, type Damage, damageOf } from "./damage.ts";
import type { Measure } from "./measures.ts";
import { drawNullSets, type Protocol } from "./nulls.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** How many random sets are drawn, and how. */
export interface DrawPlan {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  /** Draws that every subcluster has; fewer than `shuffles` where the others come one after another. */
  readonly base: number;
  /** Subclusters of the network that are tested. */
  readonly tests: number;
}

/** False discovery rate of verdicts on subclusters, by Benjamini & Yekutieli (method note, section 2). */
const LEVEL = 0.05;

/** Fewest draws that every subcluster has: where one layer of many matters, the network's p is about 1 / 40 at the least. */
const LEAST_BASE = 39;

/**
 * Draws that all subclusters of all layers have in common. The network's permutation p rests on these alone, fixed
 * before anything is seen, so it stays exact (method note 8.2 needs whole arrangements). They are enough for a floor
 * of 1 / (shuffles + 1) over the layers together: a network of a single layer is drawn in full.
 */
export function commonDraws(isSequential: boolean, shuffles: number, layers: number): number {
  if (!isSequential) return shuffles;
  const forFloor = Math.ceil((shuffles + 1) ** (1 / layers) - 1e-9) - 1;
  return Math.min(shuffles, Math.max(LEAST_BASE, forFloor));
}

/** A layer's random sets: damages by subcluster, in the order of the draws. */
export interface NullDamages {
  readonly bySubcluster: readonly (readonly Damage[])[];
  /** A number for each subcluster: random sets of equal numbers are drawn alike, so they are shared (`kindsOf`). */
  readonly kinds: readonly number[];
}

/**
 * Kinds of subclusters, numbered in their order: those of one kind have as many units in each of the bins, not only in
 * all. A random set takes its units from the same bins as its subcluster, so sets of one size but other bins are no null.
 */
export function kindsOf(layer: LayerSubclusters, bins: readonly Int32Array[]): number[] {
  const known = new Map<string, number>();
  return layer.tested.map(({ units }) => {
    const own = new Set(units);
    const key = bins.map((bin) => bin.filter((unit) => own.has(unit)).length).join();
    const kind = known.get(key) ?? known.size;
    known.set(key, kind);
    return kind;
  });
}

/**
 * Runs the random sets of a layer. Subclusters of one kind share theirs (strict), so they are drawn until the
 * verdicts of all of them are safe.
 */
export async function drawNullDamages(
  lesions: Pick<LayerLesions, "run">,
  layer: LayerSubclusters,
  trueDamages: readonly Damage[],
  measures: readonly Measure<Damage>[],
  baseline: Baseline,
  plan: DrawPlan,
  bins: readonly Int32Array[],
  nextOptions: () => RunOptions,
): Promise<NullDamages> {
  const { protocol, shuffles, seed, base } = plan;
  const bySubcluster: Damage[][] = layer.tested.map(() => []);
  const nulls = { bySubcluster, kinds: kindsOf(layer, bins) };
  let open = layer.tested.map((_, number) => number);
  for (let drawn = 0; drawn < shuffles && open.length > 0; ) {
    // Rounds that grow: few sets too many, and few passes over the inputs.
    const round = drawn === 0 ? base : Math.min(shuffles - drawn, Math.max(10, Math.ceil(drawn / 4)));
    const sets = drawNullSets(layer, protocol, round, seed, { first: drawn, bins });
    const isOpen = layer.tested.map((_, number) => open.includes(number));
    const wanted = sets.filter((_, i) => isOpen[i % layer.tested.length]);
    const outcomes = await lesions.run(wanted, nextOptions());
    outcomes.forEach((outcome, i) => {
      bySubcluster[open[i % open.length] as number]?.push(damageOf(outcome, baseline));
    });
    drawn += round;
    const isSafe = (number: number) => {
      const pool = poolOf(number, nulls, protocol);
      const siblings = siblingsOf(number, nulls, trueDamages, protocol);
      return measures.every((measure) => {
        const value = measure.statistic(trueDamages[number] as Damage);
        return Number.isNaN(value) || rankOf(measure, value, siblings, pool, drawn, plan).isStopped;
      });
    };
    if (drawn === shuffles) break;
    const unsafe = new Set(open.filter((number) => !isSafe(number)).map((number) => nulls.kinds[number]));
    open = open.filter((number) => unsafe.has(nulls.kinds[number]));
  }
  return nulls;
}

/**
 * The damages that a subcluster is compared with, in the order of the draws. Strict: random sets of one kind are
 * shared within the layer (method note 5.2). Paper: every subcluster has its own.
 */
export function poolOf(
  number: number,
  { bySubcluster, kinds }: NullDamages,
  protocol: Protocol,
): readonly Damage[] {
  if (protocol === "paper") return bySubcluster[number] ?? [];
  const alike = bySubcluster.filter((_, other) => kinds[other] === kinds[number]);
  const draws = alike[0]?.length ?? 0;
  return Array.from({ length: draws }, (_, draw) => alike.map((damages) => damages[draw] as Damage)).flat();
}

/** The other subclusters of the layer that share a subcluster's random sets. */
export function siblingsOf(
  number: number,
  { kinds }: NullDamages,
  trueDamages: readonly Damage[],
  protocol: Protocol,
): readonly Damage[] {
  if (protocol === "paper") return [];
  return trueDamages.filter((_, other) => other !== number && kinds[other] === kinds[number]);
}

/**
 * Rank p of a subcluster's statistic among its pool of `drawn` draws, and whether it is safe before all sets are drawn:
 * with so many hits its q will be above 0.05, whatever follows here or elsewhere.
 *
 * Sets of one arrangement depend on each other, so a shared pool is no sample of independent values and
 * (1 + hits) / (N + 1) over it can be too small. Whole arrangements are exchangeable under the null, the true one among
 * them, and the sets of equal size within each as well: the rank among all of these, `siblings` of the true arrangement
 * included, is uniform whatever the dependence (method note 8.2, step 1).
 */
export function rankOf(
  { statistic, tail, isAlwaysDefined }: Measure<Damage>,
  value: number,
  siblings: readonly Damage[],
  pool: readonly Damage[],
  drawn: number,
  { protocol, shuffles, base, tests }: Omit<DrawPlan, "seed">,
): RankP & { readonly isStopped: boolean } {
  const values = Float64Array.from([...siblings, ...pool], statistic);
  if (base === shuffles) {
    const minimumValid = protocol === "strict" ? shuffles / 2 : 1;
    const ties = protocol === "strict" ? "aware" : "strict";
    return { ...rankP(value, values, tail, ties, { minimumValid }), isStopped: false };
  }
  const together = siblings.length + 1;
  // With fewer tests a larger p is significant: where some may be undefined, it could be a single one.
  const hits = safeHits(shuffles, byCeiling(isAlwaysDefined ? tests : 1, LEVEL), together);
  const ranked = sequentialP(value, values, tail, { hits, base, together });
  if (ranked.hits >= hits) return { ...ranked, isStopped: true };
  const isDefined = ranked.valid >= drawn / 2;
  // All draws to come could not make it defined.
  const isLost = ranked.valid + together * (shuffles - drawn) < shuffles / 2;
  return { ...ranked, p: isDefined ? ranked.p : Number.NaN, isStopped: isLost };
}
