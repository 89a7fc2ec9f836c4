/**
 * Network-level permutation p of Fisher's statistic over subclusters that depend on each other (Pesarin & Salmaso
 * 2010, doi:10.1002/9780470689516: nonparametric combination of dependent tests). The subclusters of a layer
 * partition it and share their inputs, so Fisher's chi-square does not hold for them; whole arrangements of a
 * layer are exchangeable instead, whatever the dependence inside it.
 */
import { BrodmannError } from "../errors.ts";
import { portableLog } from "./portable.ts";
import type { Rng } from "./rng.ts";

/** One layer of one replicate: a statistic of every subcluster under the true labels and under shuffled ones. */
export interface Stratum {
  /** Units of each subcluster. */
  readonly sizes: ArrayLike<number>;
  /**
   * Arrangements x subclusters, row-major, larger = more extreme, NaN = undefined. Row 0 holds the true
   * arrangement, rows 1 ... n those of the shuffled labels.
   */
  readonly values: Float64Array;
}

export interface PermutationP {
  /** Sum over strata and subclusters of -ln q under the true labels. */
  readonly statistic: number;
  /** (1 + draws at least as extreme) / (draws + 1). NaN where no subcluster has a true value. */
  readonly p: number;
}

/**
 * Permutation p of a row of strata, as `combinedP` of their arrangements. A stratum without subclusters changes nothing.
 *
 * @param draws Number of random rows; 9999 in the strict protocol.
 */
export function permutationP(strata: readonly Stratum[], draws: number, rng: Rng): PermutationP {
  const found = strata.filter(({ sizes }) => sizes.length > 0);
  const { statistic, p } = combinedP(found.map(arrangementStatistics), draws, rng);
  const isDefined = found.some(({ sizes, values }) =>
    values.subarray(0, sizes.length).some((value) => !Number.isNaN(value)),
  );
  return { statistic, p: isDefined ? p : Number.NaN };
}

/**
 * Permutation p of the sum of strata, each given by the statistics of its arrangements, the true one first
 * (`arrangementStatistics`). Layers are strata, and so are the layers of replicates. Every draw takes one arrangement per
 * stratum at random, the true one included: the observed row and the draws are then exchangeable under the null, so p is
 * exact, ties included. With a single stratum p is about 1 / (n + 1) at the least; without any it is NaN.
 */
export function combinedP(tables: readonly ArrayLike<number>[], draws: number, rng: Rng): PermutationP {
  let statistic = 0;
  for (const table of tables) statistic += table[0] as number;
  if (tables.length === 0) return { statistic, p: Number.NaN };
  // Equal sums may differ in their last bits where the same terms were added in another order.
  const threshold = statistic - 1e-12 * Math.max(1, statistic);
  let hits = 0;
  for (let draw = 0; draw < draws; draw++) {
    let total = 0;
    for (const table of tables) total += table[rng.integer(table.length)] as number;
    if (total >= threshold) hits++;
  }
  return { statistic, p: (1 + hits) / (draws + 1) };
}

/**
 * Sum over subclusters of -ln q for each arrangement, with q the centred rank among all values of its size. Nine decimals:
 * files hold them as they are, and sums of the same terms in another order stay equal.
 */
export function arrangementStatistics(stratum: Stratum): Float64Array {
  const { sizes, values } = stratum;
  const subclusters = sizes.length;
  const arrangements = values.length / subclusters;
  if (!(Number.isInteger(arrangements) && arrangements >= 1)) {
    throw new BrodmannError(
      "E_INTERNAL_PERMUTATION",
      `permutationP: found ${values.length} values, expected a positive multiple of ${subclusters} subclusters`,
    );
  }
  const columnsBySize = new Map<number, number[]>();
  for (let i = 0; i < subclusters; i++) {
    const size = sizes[i] as number;
    const columns = columnsBySize.get(size);
    if (columns === undefined) columnsBySize.set(size, [i]);
    else columns.push(i);
  }
  const statistics = new Float64Array(arrangements);
  for (const columns of columnsBySize.values()) {
    const pool = new Float64Array(arrangements * columns.length);
    let valid = 0;
    for (let b = 0; b < arrangements; b++) {
      for (const i of columns) {
        const value = values[b * subclusters + i] as number;
        if (!Number.isNaN(value)) pool[valid++] = value;
      }
    }
    const sorted = pool.subarray(0, valid).sort();
    for (let b = 0; b < arrangements; b++) {
      let sum = 0;
      for (const i of columns) {
        const value = values[b * subclusters + i] as number;
        // An undefined term counts with its expectation under the null, the mean of -ln of a uniform p.
        sum += Number.isNaN(value) ? 1 : -portableLog((countAtLeast(sorted, value) - 0.5) / valid);
      }
      statistics[b] = (statistics[b] as number) + sum;
    }
  }
  return statistics.map((sum) => Math.round(sum * 1e9) / 1e9);
}

/** Entries of ascending `sorted` that are not below `value`. */
function countAtLeast(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return sorted.length - low;
}
