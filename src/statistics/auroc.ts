/**
 * Area under the receiver operating characteristic by mid-ranks (Mann & Whitney 1947, doi:10.1214/aoms/1177730491): how
 * surely a value of one class is above one of any other, ties counting half.
 */

/**
 * AUROC of each class against all others, (R_c - n_c (n_c + 1) / 2) / (n_c (N - n_c)) with R_c the class's sum of ranks;
 * NaN for classes without inputs, or with all of them. `ranks` are 1 ... N, equal values at their mean rank; `counts` are
 * the inputs of each class.
 *
 * @example
 * classAurocs(Float32Array.of(1, 2, 3, 4), Int32Array.of(0, 0, 1, 1), Int32Array.of(2, 2)); // 0, 1
 */
export function classAurocs(ranks: Float32Array, labels: Int32Array, counts: Int32Array): Float64Array {
  const sums = new Float64Array(counts.length);
  for (let i = 0; i < labels.length; i++) {
    const c = labels[i] as number;
    sums[c] = (sums[c] as number) + (ranks[i] as number);
  }
  return sums.map((sum, c) => {
    const own = counts[c] as number;
    return (sum - (own * (own + 1)) / 2) / (own * (labels.length - own));
  });
}
