/**
 * Rank correlations of several quantities over the same things, with bootstrap intervals: Spearman 1904, partial correlations
 * of ranks (Kendall 1942), percentile intervals (Efron & Tibshirani 1993, doi:10.1201/9780429246593).
 *
 * Things may fall into strata (layers): ranks are then taken within each, from 0 to 1, so that differences between strata
 * are not taken for a relation within them, and draws keep the size of every stratum.
 */
import { type Interval, percentileInterval } from "./bootstrap.ts";
import type { Rng } from "./rng.ts";

/** Two quantities, by their numbers; with a third one held fixed for a partial correlation. */
export interface RankPair {
  readonly first: number;
  readonly second: number;
  readonly given?: number | undefined;
}

export interface RankRelation {
  /** NaN where one of the quantities does not vary (or is told by the given one). */
  readonly rho: number;
  readonly interval: Interval;
  /** Things that the correlation rests on. */
  readonly count: number;
}

/**
 * Correlations of the pairs. `strata` hold the values of each stratum, quantities x things; things with a value that is not
 * finite must have been left out.
 *
 * @example
 * const [relation] = rankRelations([[a, b]], [{ first: 0, second: 1 }], 1000, rng(0, "relations"));
 */
export function rankRelations(
  strata: readonly (readonly Float64Array[])[],
  pairs: readonly RankPair[],
  draws: number,
  random: Rng,
): RankRelation[] {
  const ranked = strata
    .filter((quantities) => (quantities[0]?.length ?? 0) > 0)
    .map((quantities) => quantities.map(orderOf));
  const count = ranked.reduce((total, quantities) => total + (quantities[0]?.length ?? 0), 0);
  const quantities = strata[0]?.length ?? 0;
  const rhos = pairs.map(() => new Float64Array(draws));
  const correlate = makeCorrelator(ranked, quantities);
  const ones = ranked.map(([first]) => new Float64Array(first?.length ?? 0).fill(1));
  const found = pairs.map((pair) => relationOf(correlate(ones), pair));
  const times = ranked.map(([first]) => new Float64Array(first?.length ?? 0));
  for (let draw = 0; draw < draws; draw++) {
    for (const own of times) {
      own.fill(0);
      for (let i = 0; i < own.length; i++) {
        const at = random.integer(own.length);
        own[at] = (own[at] as number) + 1;
      }
    }
    const correlation = correlate(times);
    pairs.forEach((pair, number) => {
      (rhos[number] as Float64Array)[draw] = relationOf(correlation, pair);
    });
  }
  return found.map((rho, number) => ({
    rho,
    count,
    interval: Number.isNaN(rho)
      ? { low: Number.NaN, high: Number.NaN }
      : percentileInterval(rhos[number] as Float64Array),
  }));
}

/** The things in the order of a quantity, and where equal values end. */
interface Order {
  readonly length: number;
  readonly order: Int32Array;
  /** For each place in the order whether the next value is another one. */
  readonly isLast: Uint8Array;
}

function orderOf(values: Float64Array): Order {
  const order = Int32Array.from(values.keys()).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
  const isLast = Uint8Array.from(order, (thing, place) =>
    values[thing] === values[order[place + 1] as number] ? 0 : 1,
  );
  return { length: values.length, order, isLast };
}

/** Correlations of ranks of things that count as often as `times` says, quantities x quantities; the array is reused. */
function makeCorrelator(
  ranked: readonly (readonly Order[])[],
  quantities: number,
): (times: readonly Float64Array[]) => { readonly size: number; readonly values: Float64Array } {
  const products = new Float64Array(quantities * quantities);
  const values = new Float64Array(quantities * quantities);
  const ranks = ranked.map((own) => own.map(({ length }) => new Float64Array(length)));
  return (times) => {
    products.fill(0);
    ranked.forEach((own, stratum) => {
      const weights = times[stratum] as Float64Array;
      const ownRanks = ranks[stratum] as Float64Array[];
      own.forEach((order, quantity) => {
        centredRanks(order, weights, ownRanks[quantity] as Float64Array);
      });
      for (let a = 0; a < quantities; a++) {
        const first = ownRanks[a] as Float64Array;
        for (let b = 0; b <= a; b++) {
          const second = ownRanks[b] as Float64Array;
          let sum = 0;
          for (let i = 0; i < first.length; i++) {
            sum += (weights[i] as number) * (first[i] as number) * (second[i] as number);
          }
          products[a * quantities + b] = (products[a * quantities + b] as number) + sum;
        }
      }
    });
    for (let a = 0; a < quantities; a++) {
      for (let b = 0; b <= a; b++) {
        const scale = Math.sqrt(
          (products[a * quantities + a] as number) * (products[b * quantities + b] as number),
        );
        const value = scale > 0 ? (products[a * quantities + b] as number) / scale : Number.NaN;
        values[a * quantities + b] = value;
        values[b * quantities + a] = value;
      }
    }
    return { size: quantities, values };
  };
}

/** Mean ranks less their mean, as shares of the stratum's size: all strata then have the same range. */
function centredRanks({ order, isLast }: Order, weights: Float64Array, ranks: Float64Array): void {
  const total = order.length;
  let before = 0;
  let within = 0;
  let first = 0;
  for (let place = 0; place < order.length; place++) {
    within += weights[order[place] as number] as number;
    if (!isLast[place]) continue;
    const rank = (before + within / 2) / total - 0.5;
    for (; first <= place; first++) ranks[order[first] as number] = rank;
    before += within;
    within = 0;
  }
}

function relationOf(
  { size, values }: { readonly size: number; readonly values: Float64Array },
  { first, second, given }: RankPair,
): number {
  const plain = values[first * size + second] as number;
  if (given === undefined) return bounded(plain);
  const [toFirst, toSecond] = [
    values[first * size + given] as number,
    values[second * size + given] as number,
  ];
  const rest = (1 - toFirst ** 2) * (1 - toSecond ** 2);
  // Of what the given quantity tells to the last digit nothing is left.
  return rest > 1e-12 ? bounded((plain - toFirst * toSecond) / Math.sqrt(rest)) : Number.NaN;
}

const bounded = (rho: number): number => (Number.isNaN(rho) ? rho : Math.max(-1, Math.min(1, rho)));
