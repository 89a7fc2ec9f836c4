/** Rank correlation (Spearman 1904): Pearson's correlation of ranks, equal values sharing their mean rank. */

/** Spearman's correlation of two lists; pairs with a NaN are dropped. NaN where one of them does not vary. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const isKnown = a.map((value, i) => !Number.isNaN(value) && !Number.isNaN(b[i] as number));
  const x = averageRanks(a.filter((_, i) => isKnown[i]));
  const y = averageRanks(b.filter((_, i) => isKnown[i]));
  // Ranks of either list have this mean, ties or not.
  const mean = (x.length - 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  x.forEach((rank, i) => {
    const [dx, dy] = [rank - mean, (y[i] as number) - mean];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

/** Ranks from 0, equal values at their mean. */
function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end] as number] === values[order[first] as number]) end++;
    for (let at = first; at < end; at++) ranks[order[at] as number] = (first + end - 1) / 2;
    first = end;
  }
  return ranks;
}
