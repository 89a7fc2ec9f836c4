/**
 * Fisher's method of combining independent p-values (Fisher 1932, Statistical Methods for Research Workers):
 * X = -2 sum(ln q_i) is chi-square with 2 S degrees of freedom under the null. Inputs are centred rank p-values
 * (`centerP`). NaN entries, of tests that are undefined, are left out; with none left the result is NaN.
 */

import { portable, portableLog } from "./portable.ts";

/** Fisher's combined p of the centred p-values `q`. */
export function fisherP(q: ArrayLike<number>): number {
  const { half, count } = negativeLogSum(q);
  if (count === 0) return Number.NaN;
  if (half === Number.POSITIVE_INFINITY) return 0;
  if (half <= 0) return 1;
  // Even degrees of freedom: P = exp(-h) * sum over j < S of h^j / j!, with h = X / 2. In logarithms, since
  // exp(-h) and h^j both leave the range of doubles when there are hundreds of terms.
  const logHalf = Math.log(half);
  let logTerm = 0;
  let largest = 0;
  let sum = 1;
  for (let j = 1; j < count; j++) {
    logTerm += logHalf - Math.log(j);
    if (logTerm > largest) {
      sum = sum * Math.exp(largest - logTerm) + 1;
      largest = logTerm;
    } else {
      sum += Math.exp(logTerm - largest);
    }
  }
  return portable(Math.min(1, Math.exp(largest - half + Math.log(sum))));
}

/** Mean of -ln q, about 1 under the null and larger the smaller the p-values: the "Fisher statistic". */
export function fisherStatistic(q: ArrayLike<number>): number {
  const { half, count } = negativeLogSum(q);
  return count === 0 ? Number.NaN : half / count;
}

function negativeLogSum(q: ArrayLike<number>): { half: number; count: number } {
  let half = 0;
  let count = 0;
  for (let i = 0; i < q.length; i++) {
    const value = q[i] as number;
    if (Number.isNaN(value)) continue;
    half -= portableLog(value);
    count++;
  }
  return { half, count };
}
