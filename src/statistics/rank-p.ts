/**
 * Rank p-values of one value against its null (North, Curtis & Sham 2002, doi:10.1086/341527; Phipson & Smyth
 * 2010, doi:10.2202/1544-6115.1585): p = (1 + hits) / (N + 1), which is never 0.
 */

export interface RankP {
  /** (1 + hits) / (valid + 1), or NaN where it is undefined. */
  readonly p: number;
  /** Null values at least as extreme as the true one (`aware`) or more extreme (`strict`). */
  readonly hits: number;
  /** Null values that are not NaN. */
  readonly valid: number;
}

/** `upper`: large values are extreme; `lower`: small ones are. */
export type Tail = "upper" | "lower";

/** `strict` counts null values beyond the true one only (paper); `aware` counts equal ones too. */
export type Ties = "strict" | "aware";

export interface RankOptions {
  /** With fewer valid null values than this p is NaN; default 1. The strict protocol passes half the shuffles. */
  readonly minimumValid?: number | undefined;
}

/**
 * One-sided rank p of `value` among the values of `nullValues`. NaN null values are dropped; a NaN true value
 * has p NaN.
 *
 * @example
 * rankP(0.9, new Float64Array([0.1, 0.2, 0.9]), "upper", "aware"); // { p: 0.5, hits: 1, valid: 3 }
 */
export function rankP(
  value: number,
  nullValues: Float64Array,
  tail: Tail,
  ties: Ties,
  options: RankOptions = {},
): RankP {
  let more = 0;
  let equal = 0;
  let valid = 0;
  for (const other of nullValues) {
    if (Number.isNaN(other)) continue;
    valid++;
    if (other === value) equal++;
    else if (tail === "upper" ? other > value : other < value) more++;
  }
  const hits = ties === "aware" ? more + equal : more;
  const isDefined = !Number.isNaN(value) && valid >= Math.max(1, options.minimumValid ?? 1);
  return { p: isDefined ? (1 + hits) / (valid + 1) : Number.NaN, hits, valid };
}

/**
 * Centre of the cell of a rank p with `valid` null values, p - 1 / (2 (valid + 1)): its logarithm has a mean near
 * that of a continuous uniform p, so Fisher's method may take it.
 */
export function centerP(p: number, valid: number): number {
  return p - 1 / (2 * (valid + 1));
}
