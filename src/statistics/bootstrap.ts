/**
 * The bootstrap over inputs (Efron & Tibshirani 1993, doi:10.1201/9780429246593): inputs are drawn with replacement,
 * as many as there are, and a statistic is taken of every such draw. Percentile intervals; paired where a statistic
 * compares two networks on the same inputs, since both then see the same draw.
 */
import { quantile } from "./quantiles.ts";
import type { Rng } from "./rng.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Calls `visit` with every draw: how often it holds each input. The array is reused. */
export function bootstrap(
  inputs: number,
  draws: number,
  rng: Rng,
  visit: (counts: Float64Array, draw: number) => void,
): void {
  const counts = new Float64Array(inputs);
  for (let draw = 0; draw < draws; draw++) {
    counts.fill(0);
    for (let i = 0; i < inputs; i++) {
      const input = rng.integer(inputs);
      counts[input] = (counts[input] as number) + 1;
    }
    visit(counts, draw);
  }
}

/** The central interval that holds `coverage` of the values, linear between order statistics; NaN values are dropped. */
export function percentileInterval(values: Float64Array, coverage: number = 0.95): Interval {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return { low: quantile(sorted, (1 - coverage) / 2), high: quantile(sorted, (1 + coverage) / 2) };
}
