/** How the amounts of random groups spread, from their quantiles: the shape that a strip draws. */

type Maybe = number | null;

/** A curve over a range of amounts. */
export interface Density {
  readonly low: number;
  readonly high: number;
  /** Amounts, evenly from `low` to `high`, and the density there; its area is 1. */
  readonly x: readonly number[];
  readonly density: readonly number[];
  readonly median: number;
}

const SAMPLES = 200;
const POINTS = 121;
/** Room beside the outermost values, as a share of the range. */
const ROOM = 0.06;

/**
 * A smooth density (Gaussian kernels of the width of Silverman 1986, eq. 3.31) of what the quantiles of a null were taken from,
 * over a range that holds `amount` as well. Null where there are none.
 *
 * @example
 * densityOf([0, 1, 2], 5)?.median; // 1
 */
export function densityOf(quantiles: readonly Maybe[], amount: Maybe): Density | null {
  const known = quantiles.filter((value): value is number => value !== null);
  if (known.length < 2 || known.length < quantiles.length) return null;
  const [least, most] = [known[0] as number, known.at(-1) as number];
  const from = Math.min(least, amount ?? least);
  const to = Math.max(most, amount ?? most);
  // All equal: a range of some width around them.
  const range = to - from || Math.abs(to) * 0.2 || 1;
  const samples = Array.from({ length: SAMPLES }, (_, at) => quantileAt(known, (at + 0.5) / SAMPLES));
  const width = Math.max(bandwidthOf(samples), range / 80);
  const pad = Math.max(ROOM * range, least - 2.5 * width < from || most + 2.5 * width > to ? 2.5 * width : 0);
  const [low, high] = [from - pad, to + pad];
  const x = Array.from({ length: POINTS }, (_, at) => low + ((high - low) * at) / (POINTS - 1));
  const density = x.map((place) => {
    let sum = 0;
    for (const sample of samples) sum += Math.exp(-0.5 * ((place - sample) / width) ** 2);
    return sum / (SAMPLES * width * Math.sqrt(2 * Math.PI));
  });
  return { low, high, x, density, median: quantileAt(known, 0.5) };
}

/** The quantile of a share, on the line between its neighbours among evenly spaced ones. */
export function quantileAt(quantiles: readonly number[], share: number): number {
  const place = share * (quantiles.length - 1);
  const below = Math.min(quantiles.length - 2, Math.floor(place));
  const [low, high] = [quantiles[below] as number, quantiles[below + 1] as number];
  return low + (place - below) * (high - low);
}

function bandwidthOf(samples: readonly number[]): number {
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length;
  const quartiles =
    (samples[(samples.length * 3) / 4 - 1] as number) - (samples[samples.length / 4] as number);
  const spread = Math.min(Math.sqrt(variance), quartiles / 1.34) || Math.sqrt(variance);
  return 0.9 * spread * samples.length ** -0.2;
}
