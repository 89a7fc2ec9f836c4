/**
 * The random sets of a layer and the values that a score gives them: of all of them, or of as many as the verdicts need.
 */
import type { RunOptions } from "../progress.ts";
import { byAdjust, byCeiling } from "../statistics/multiplicity.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import { quantilesOf } from "../statistics/quantiles.ts";
import { type RankP, rankP } from "../statistics/rank-p.ts";
import { leastHits, safeHits, sequentialP } from "../statistics/sequential-p.ts";
import { effectsOf, type Measure, QUANTILE_STEPS, type Verdict } from "./measures.ts";
import { drawNullSets, type Protocol } from "./nulls.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** How many random sets are drawn, and how. */
export interface DrawPlan {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  /** Draws that every subcluster has; fewer than `shuffles` where the others come one after another. */
  readonly base: number;
  /** Sequential: the largest p of each measure, by name, that can be significant (`significanceLevels`); default 0.05. */
  readonly levels?: ReadonlyMap<string, number> | undefined;
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

/** Values of a layer's random sets, by subcluster in the order of the draws. */
export interface NullValues<Value> {
  readonly bySubcluster: readonly (readonly Value[])[];
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

/** The values of sets of units, in their order. */
export type Evaluate<Value> = (sets: readonly Int32Array[], options: RunOptions) => Promise<Value[]>;

/**
 * Evaluates the random sets of a layer. Subclusters of one kind share theirs (strict), so they are drawn until the
 * verdicts of all of them are safe.
 */
export async function drawNulls<Value>(
  evaluate: Evaluate<Value>,
  layer: LayerSubclusters,
  trueValues: readonly Value[],
  measures: readonly Measure<Value>[],
  plan: DrawPlan,
  bins: readonly Int32Array[],
  nextOptions: () => RunOptions,
): Promise<NullValues<Value>> {
  const nulls = await drawCommonNulls(evaluate, layer, plan, bins, nextOptions);
  return drawFurtherNulls(evaluate, layer, trueValues, nulls, measures, plan, bins, nextOptions);
}

/** Evaluates the random sets that all subclusters have: all of them, but for sequential draws. */
export async function drawCommonNulls<Value>(
  evaluate: Evaluate<Value>,
  layer: LayerSubclusters,
  { protocol, seed, base }: DrawPlan,
  bins: readonly Int32Array[],
  nextOptions: () => RunOptions,
): Promise<NullValues<Value>> {
  const values = await evaluate(drawNullSets(layer, protocol, base, seed, { bins }), nextOptions());
  const count = layer.tested.length;
  const bySubcluster = layer.tested.map((_, number) => values.filter((_, i) => i % count === number));
  return { bySubcluster, kinds: kindsOf(layer, bins) };
}

/** Evaluates further random sets of the subclusters whose verdicts the common ones leave open. */
export async function drawFurtherNulls<Value>(
  evaluate: Evaluate<Value>,
  layer: LayerSubclusters,
  trueValues: readonly Value[],
  common: NullValues<Value>,
  measures: readonly Measure<Value>[],
  plan: DrawPlan,
  bins: readonly Int32Array[],
  nextOptions: () => RunOptions,
): Promise<NullValues<Value>> {
  const { protocol, shuffles, seed, base } = plan;
  const { kinds } = common;
  const bySubcluster = common.bySubcluster.map((values) => [...values]);
  const nulls = { bySubcluster, kinds };
  const isSafe = (number: number, drawn: number): boolean => {
    const pool = poolOf(number, nulls, protocol);
    const siblings = siblingsOf(number, nulls, trueValues, protocol);
    return measures.every((measure) => {
      const value = measure.statistic(trueValues[number] as Value);
      return Number.isNaN(value) || rankOf(measure, value, siblings, pool, drawn, plan).isStopped;
    });
  };
  let open = layer.tested.map((_, number) => number);
  for (let drawn = base; drawn < shuffles; ) {
    const unsafe = new Set(
      open.filter((number) => !isSafe(number, drawn)).map((number) => kinds[number] as number),
    );
    open = open.filter((number) => unsafe.has(kinds[number] as number));
    if (open.length === 0) break;
    // Rounds that grow: few sets too many, and few passes over the inputs.
    const round = Math.min(shuffles - drawn, Math.max(10, Math.ceil(drawn / 4)));
    const sets = drawNullSets(layer, protocol, round, seed, { first: drawn, bins });
    const isOpen = layer.tested.map((_, number) => open.includes(number));
    const wanted = sets.filter((_, i) => isOpen[i % layer.tested.length]);
    const values = await evaluate(wanted, nextOptions());
    values.forEach((value, i) => {
      bySubcluster[open[i % open.length] as number]?.push(value);
    });
    drawn += round;
  }
  return nulls;
}

/** A layer's true values and its random sets so far. */
export interface RankedLayer<Value> {
  readonly trueValues: readonly Value[];
  readonly nulls: NullValues<Value>;
}

/**
 * The largest p of each measure with which a subcluster of the network can be significant by Benjamini & Yekutieli, as
 * far as the common draws tell. No p after all draws is below (1 + hits) / (m (shuffles + 1)), with the hits among the
 * common draws and m subclusters that share their sets; were all p as small as that, p up to this level would be
 * significant, and with larger ones the level only falls. So whatever lies above it needs no more draws, and the
 * verdicts are those of all draws. Undefined where nothing is drawn sequentially.
 */
export function significanceLevels<Value>(
  layers: readonly RankedLayer<Value>[],
  measures: readonly Measure<Value>[],
  plan: DrawPlan,
): ReadonlyMap<string, number> | undefined {
  const { shuffles, base, protocol } = plan;
  if (base === shuffles) return undefined;
  const levels = measures.map((measure): [string, number] => {
    const least = layers.flatMap(({ trueValues, nulls }) =>
      trueValues.flatMap((trueValue, number) => {
        const value = measure.statistic(trueValue);
        const siblings = siblingsOf(number, nulls, trueValues, protocol);
        const common = Float64Array.from(
          [...siblings, ...poolOf(number, nulls, protocol)],
          measure.statistic,
        );
        if (Number.isNaN(value) || !isDefinedAmong(common, base)) return [];
        const { hits } = rankP(value, common, measure.tail, "aware");
        return [(1 + hits) / ((1 + siblings.length) * (shuffles + 1))];
      }),
    );
    const significant = byAdjust(least).filter((q) => q <= LEVEL).length;
    return [measure.name, (significant / least.length || 0) * byCeiling(least.length, LEVEL)];
  });
  return new Map(levels);
}

/** Whether enough of the siblings and the common draws have a statistic for a sequential p. */
function isDefinedAmong(common: Float64Array, base: number): boolean {
  return common.filter((value) => !Number.isNaN(value)).length >= base / 2;
}

/**
 * The values that a subcluster is compared with, in the order of the draws. Strict: random sets of one kind are
 * shared within the layer (method note 5.2). Paper: every subcluster has its own.
 */
export function poolOf<Value>(
  number: number,
  { bySubcluster, kinds }: NullValues<Value>,
  protocol: Protocol,
): readonly Value[] {
  if (protocol === "paper") return bySubcluster[number] ?? [];
  const alike = bySubcluster.filter((_, other) => kinds[other] === kinds[number]);
  const draws = alike[0]?.length ?? 0;
  return Array.from({ length: draws }, (_, draw) => alike.map((values) => values[draw] as Value)).flat();
}

/** The other subclusters of the layer that share a subcluster's random sets. */
export function siblingsOf<Value>(
  number: number,
  { kinds }: NullValues<Value>,
  trueValues: readonly Value[],
  protocol: Protocol,
): readonly Value[] {
  if (protocol === "paper") return [];
  return trueValues.filter((_, other) => other !== number && kinds[other] === kinds[number]);
}

/**
 * Rank p of a subcluster's statistic among its pool of `drawn` draws, and whether it is safe before all sets are drawn:
 * with so many hits it will not be significant, whatever follows here or elsewhere. Sequential draws: whether a statistic
 * that can be undefined has a p is told by the common draws.
 *
 * Sets of one arrangement depend on each other, so a shared pool is no sample of independent values and
 * (1 + hits) / (N + 1) over it can be too small. Whole arrangements are exchangeable under the null, the true one among
 * them, and the sets of equal size within each as well: the rank among all of these, `siblings` of the true arrangement
 * included, is uniform whatever the dependence (method note 8.2, step 1).
 */
export function rankOf<Value>(
  { name, statistic, tail }: Measure<Value>,
  value: number,
  siblings: readonly Value[],
  pool: readonly Value[],
  drawn: number,
  { protocol, shuffles, base, levels }: Omit<DrawPlan, "seed">,
): RankP & { readonly isStopped: boolean } {
  const values = Float64Array.from([...siblings, ...pool], statistic);
  if (base === shuffles) {
    const minimumValid = protocol === "strict" ? shuffles / 2 : 1;
    const ties = protocol === "strict" ? "aware" : "strict";
    return { ...rankP(value, values, tail, ties, { minimumValid }), isStopped: false };
  }
  const together = siblings.length + 1;
  const common = values.subarray(0, together * (base + 1) - 1);
  if (!isDefinedAmong(common, base)) {
    return { ...rankP(Number.NaN, values, tail, "aware"), isStopped: true };
  }
  const level = levels?.get(name) ?? LEVEL;
  const ranked = sequentialP(value, values, tail, {
    hits: safeHits(shuffles, level, together),
    base,
    baseHits: leastHits(shuffles, level, together),
    together,
  });
  const isDefined = ranked.isStopped || ranked.valid >= drawn / 2;
  return { ...ranked, p: isDefined ? ranked.p : Number.NaN };
}

/** Verdicts of several measures on subcluster `number` of a layer with these values against its random sets. */
export function verdictsAmong<Name extends string, Value>(
  measures: Readonly<Record<Name, Measure<Value>>>,
  trueValues: readonly Value[],
  number: number,
  nulls: NullValues<Value>,
  plan: DrawPlan,
): Record<Name, Verdict> {
  const value = trueValues[number] as Value;
  const siblings = siblingsOf(number, nulls, trueValues, plan.protocol);
  const pool = poolOf(number, nulls, plan.protocol);
  const drawn = nulls.bySubcluster[number]?.length ?? 0;
  const verdicts = Object.entries<Measure<Value>>(measures).map(([name, measure]) => {
    const { p, valid } = rankOf(measure, measure.statistic(value), siblings, pool, drawn, plan);
    const amount = measure.amount(value);
    const amounts = pool.map(measure.amount);
    const isBySet = measure.isEffectBySet && plan.protocol === "paper";
    const effects = effectsOf(amount, amounts, measure.isSigned, isBySet);
    return [name, { p, valid, ...effects, amount, quantiles: quantilesOf(amounts, QUANTILE_STEPS) }];
  });
  return Object.fromEntries(verdicts) as Record<Name, Verdict>;
}

/** A layer's true arrangement and the `draws` that all its subclusters have. */
export function stratumOf<Value>(
  layer: LayerSubclusters,
  trueValues: readonly Value[],
  { bySubcluster }: NullValues<Value>,
  { tail, statistic }: Measure<Value>,
  draws: number,
): Stratum {
  const sign = tail === "upper" ? 1 : -1;
  const rows = [
    trueValues,
    ...Array.from({ length: draws }, (_, b) => bySubcluster.map((nulls) => nulls[b] as Value)),
  ];
  return {
    sizes: layer.tested.map(({ units }) => units.length),
    values: Float64Array.from(rows.flat(), (value) => sign * statistic(value)),
  };
}
