/**
 * Bates distribution: the mean of k independent uniform numbers. Refers the mean of the Fisher p-values of k
 * replicates to what it would be if all were uniform.
 */
import { BrodmannError } from "../errors.ts";

/**
 * P(mean of `k` uniforms <= `mean`). NaN in gives NaN out.
 *
 * The textbook sum (1/k!) sum_j (-1)^j C(k,j) (k x - j)^k cancels badly for large k. The density of the sum of n
 * uniforms is the cardinal B-spline of order n, whose recurrence has positive terms only,
 * M_n(y) = (y M_{n-1}(y) + (n - y) M_{n-1}(y - 1)) / (n - 1), and integrates to sum_{i>=0} M_{n+1}(y - i)
 * (de Boor 1972, doi:10.1016/0021-9045(72)90080-9).
 *
 * @example
 * batesCdf(0.1, 5); // 0.00026
 */
export function batesCdf(mean: number, k: number): number {
  if (!(Number.isInteger(k) && k >= 1)) {
    throw new BrodmannError("E_INTERNAL_BATES", `batesCdf: found k = ${k}, expected an integer from 1`);
  }
  if (Number.isNaN(mean)) return Number.NaN;
  if (mean <= 0) return 0;
  if (mean >= 1) return 1;
  const whole = Math.floor(k * mean);
  const fraction = k * mean - whole;
  // spline[i] = M_n(fraction + i), raised in place from order 1 to k + 1.
  const spline = new Float64Array(k + 1);
  spline[0] = 1;
  for (let order = 2; order <= k + 1; order++) {
    for (let i = order - 1; i >= 0; i--) {
      const y = fraction + i;
      const left = i === 0 ? 0 : (order - y) * (spline[i - 1] as number);
      spline[i] = (y * (spline[i] as number) + left) / (order - 1);
    }
  }
  let total = 0;
  for (let i = 0; i <= whole; i++) total += spline[i] as number;
  return Math.min(1, total);
}
