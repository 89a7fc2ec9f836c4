/**
 * False discovery rate: Benjamini & Hochberg 1995 (doi:10.1111/j.2517-6161.1995.tb02031.x) for independent or
 * positively dependent tests, Benjamini & Yekutieli 2001 (doi:10.1214/aos/1013699998) for any dependence.
 * NaN entries, of tests that are undefined, do not count as tests and stay NaN.
 */

/** Largest p that is significant at false discovery rate `q` (p_(i) <= i q / m); null where none is. */
export function bhThreshold(ps: ArrayLike<number>, q: number): number | null {
  return stepUpThreshold(ps, q, () => 1);
}

/** As `bhThreshold`, for tests of any dependence: p_(i) <= i q / (m sum_{j<=m} 1/j). */
export function byThreshold(ps: ArrayLike<number>, q: number): number | null {
  return stepUpThreshold(ps, q, harmonicNumber);
}

/** No p above this is significant by Benjamini-Yekutieli among so many tests, whatever the others are. */
export function byCeiling(tests: number, q: number): number {
  return q / harmonicNumber(tests);
}

/** Adjusted p of each test: the least false discovery rate at which it is significant. */
export function bhAdjust(ps: ArrayLike<number>): Float64Array {
  return stepUpAdjust(ps, () => 1);
}

/** As `bhAdjust`, for tests of any dependence. */
export function byAdjust(ps: ArrayLike<number>): Float64Array {
  return stepUpAdjust(ps, harmonicNumber);
}

function stepUpThreshold(
  ps: ArrayLike<number>,
  q: number,
  penalty: (tests: number) => number,
): number | null {
  const sorted = Float64Array.from(ps)
    .filter((p) => !Number.isNaN(p))
    .sort();
  const slope = q / (sorted.length * penalty(sorted.length));
  for (let rank = sorted.length; rank >= 1; rank--) {
    const p = sorted[rank - 1] as number;
    if (p <= rank * slope) return p;
  }
  return null;
}

function stepUpAdjust(ps: ArrayLike<number>, penalty: (tests: number) => number): Float64Array {
  const order: number[] = [];
  for (let i = 0; i < ps.length; i++) if (!Number.isNaN(ps[i])) order.push(i);
  order.sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const scale = order.length * penalty(order.length);
  const adjusted = new Float64Array(ps.length).fill(Number.NaN);
  let least = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const test = order[rank - 1] as number;
    least = Math.min(least, ((ps[test] as number) * scale) / rank);
    adjusted[test] = least;
  }
  return adjusted;
}

function harmonicNumber(tests: number): number {
  let sum = 0;
  for (let j = tests; j >= 1; j--) sum += 1 / j;
  return sum;
}
