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

/** Draws that several statistics see alike. */
export interface BootstrapDraws {
  readonly inputs: number;
  readonly draws: number;
  /** Calls `visit` as `bootstrap` does, with the same draws each time. */
  each(visit: (counts: Float64Array, draw: number) => void): void;
}

/** Counts that are kept, 2 bytes each; beyond them draws are made anew each time. */
const MOST_COUNTS = 2 ** 24;

/** `stream` gives the stream of the draws from its beginning each time it is called. */
export function bootstrapDraws(inputs: number, draws: number, stream: () => Rng): BootstrapDraws {
  let kept: Uint16Array | null = null;
  return {
    inputs,
    draws,
    each(visit) {
      if (kept !== null) {
        const counts = new Float64Array(inputs);
        for (let draw = 0; draw < draws; draw++) {
          counts.set(kept.subarray(draw * inputs, (draw + 1) * inputs));
          visit(counts, draw);
        }
        return;
      }
      const drawn = inputs * draws <= MOST_COUNTS ? new Uint16Array(inputs * draws) : null;
      bootstrap(inputs, draws, stream(), (counts, draw) => {
        drawn?.set(counts, draw * inputs);
        visit(counts, draw);
      });
      kept = drawn;
    },
  };
}

/** The central interval that holds `coverage` of the values, linear between order statistics; NaN values are dropped. */
export function percentileInterval(values: Float64Array, coverage: number = 0.95): Interval {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return { low: quantile(sorted, (1 - coverage) / 2), high: quantile(sorted, (1 + coverage) / 2) };
}
