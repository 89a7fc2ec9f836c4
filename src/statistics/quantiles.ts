/** Quantiles of sorted values, linear between order statistics. */

/** The quantile at `share` (0 to 1) of ascending values; NaN of none. */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below] as number, sorted[Math.ceil(at)] as number];
  return low === high ? low : low + (at - below) * (high - low);
}

/** The `steps` + 1 quantiles at equal distances from the smallest to the largest value, NaN dropped; empty where none is left. */
export function quantilesOf(values: ArrayLike<number>, steps: number): number[] {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  if (sorted.length === 0) return [];
  return Array.from({ length: steps + 1 }, (_, step) => quantile(sorted, step / steps));
}
