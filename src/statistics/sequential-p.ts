/**
 * Sequential Monte Carlo p-values (Besag & Clifford 1991, doi:10.1093/biomet/78.2.301): null values are drawn one
 * after another until `hits` of them are at least as extreme as the true value, or all are drawn. A true value like
 * any other is soon outdone, so most of the draws go to those that matter.
 *
 * With the h-th hit at draw l, p = h / l; without it p = (1 + hits) / (N + 1). Under the null P(p <= h / l) =
 * P(fewer than h hits in l - 1 draws) = h / l, so p is exact on its grid. A first part of the draws may be fixed: where
 * it holds h hits or more already, p = (1 + hits) / (base + 1), larger than any that is stopped later, and the argument
 * goes through.
 */
import type { RankP, Tail } from "./rank-p.ts";

export interface SequentialOptions {
  /** Hits that end the drawing. */
  readonly hits: number;
  /** Values at the beginning that are drawn whatever they are; default none. */
  readonly base?: number | undefined;
}

/**
 * Hits that end the drawing so that no verdict at `level` or below can differ from that of all `draws` values,
 * whatever would have followed: both h / l and (1 + h) / (draws + 1) are above `level`.
 */
export function safeHits(draws: number, level: number): number {
  return Math.floor(level * draws) + 1;
}

/**
 * Sequential p of `value` among `nullValues` in the order in which they were drawn; equal values count as hits, NaN
 * null values are dropped, values behind the last hit are not looked at. A NaN true value has p NaN.
 *
 * @example
 * sequentialP(0.3, Float64Array.of(0.1, 0.5, 0.2, 0.4, 0.9), "upper", { hits: 2 }); // { p: 0.5, hits: 2, valid: 4 }
 */
export function sequentialP(
  value: number,
  nullValues: Float64Array,
  tail: Tail,
  { hits: enough, base = 0 }: SequentialOptions,
): RankP {
  let hits = 0;
  let valid = 0;
  for (let draw = 0; draw < nullValues.length; draw++) {
    if (draw === base && hits >= enough) break;
    const other = nullValues[draw] as number;
    if (Number.isNaN(other)) continue;
    valid++;
    if (tail === "upper" ? other >= value : other <= value) {
      hits++;
      if (draw >= base && hits === enough && !Number.isNaN(value)) return { p: enough / valid, hits, valid };
    }
  }
  return { p: Number.isNaN(value) || valid === 0 ? Number.NaN : (1 + hits) / (valid + 1), hits, valid };
}
