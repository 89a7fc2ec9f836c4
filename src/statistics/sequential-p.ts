/**
 * Sequential Monte Carlo p-values (Besag & Clifford 1991, doi:10.1093/biomet/78.2.301): null values are drawn one
 * after another until `hits` of them are at least as extreme as the true value, or all are drawn. A true value like
 * any other is soon outdone, so most of the draws go to those that matter.
 *
 * With the h-th hit at draw l, p = h / l; without it p = (1 + hits) / (N + 1). Under the null P(p <= h / l) =
 * P(fewer than h hits in l - 1 draws) = h / l, so p is exact on its grid. A first part of the draws may be fixed: where
 * it holds h hits or more already, p = (1 + hits) / (base + 1), larger than any that is stopped later, and the argument
 * goes through. Fewer hits may do there: a true value that goes on then has a smaller p than it would have had there, and
 * that of one that goes no further is that of a fixed number of draws.
 *
 * Where every draw gives m values that depend on each other, and the true value has m - 1 siblings, whole draws are
 * exchangeable with the true m values: in place of l come the m l values before draw l, siblings and the true value
 * counted, among which the true one is in place h or better with probability h / (m l).
 */
import type { RankP, Tail } from "./rank-p.ts";

export interface SequentialOptions {
  /** Hits that end the drawing. */
  readonly hits: number;
  /** Draws at the beginning that are made whatever they give; default none. */
  readonly base?: number | undefined;
  /** Hits that end the drawing with the fixed part, at most `hits`; default `hits`. */
  readonly baseHits?: number | undefined;
  /** Values of a draw; default 1. */
  readonly together?: number | undefined;
}

/**
 * Hits that end the drawing so that no verdict at `level` or below can differ from that of all `draws`, whatever would
 * have followed: both h / (m l) and (1 + h) / (m (draws + 1)) are above `level`, with m = `together`.
 */
export function safeHits(draws: number, level: number, together: number = 1): number {
  return Math.max(Math.floor(level * together * draws) + 1, leastHits(draws, level, together));
}

/** Hits with which p is above `level` after all `draws`: (1 + h) / (m (draws + 1)) > `level`, with m = `together`. */
export function leastHits(draws: number, level: number, together: number = 1): number {
  // Rounding must not take a p that equals the level for one above it.
  return Math.floor(level * together * (draws + 1) + 1e-9);
}

/**
 * Sequential p of `value` among `others`: its `together` - 1 siblings, then the values of the draws in their order.
 * Equal values count as hits, NaN ones are dropped, draws behind the one with the last hit are not looked at. A NaN true
 * value has p NaN.
 *
 * @example
 * sequentialP(0.3, Float64Array.of(0.1, 0.5, 0.2, 0.4, 0.9), "upper", { hits: 2 }); // { p: 0.5, hits: 2, valid: 4, isStopped: true }
 */
export function sequentialP(
  value: number,
  others: Float64Array,
  tail: Tail,
  { hits: enough, base = 0, baseHits = enough, together = 1 }: SequentialOptions,
): RankP & { readonly isStopped: boolean } {
  let hits = 0;
  let valid = 0;
  const isKnown = !Number.isNaN(value);
  for (let draw = 0, from = 0; from < others.length; draw++) {
    const before = valid;
    const end = together * (draw + 1) - 1;
    for (; from < end; from++) {
      const other = others[from] as number;
      if (Number.isNaN(other)) continue;
      valid++;
      if (tail === "upper" ? other >= value : other <= value) hits++;
    }
    if (!isKnown || draw < base || hits < (draw === base ? baseHits : enough)) continue;
    const p = draw === base ? (1 + hits) / (valid + 1) : enough / (before + 1);
    return { p, hits, valid, isStopped: true };
  }
  const p = isKnown && valid > 0 ? (1 + hits) / (valid + 1) : Number.NaN;
  return { p, hits, valid, isStopped: false };
}
