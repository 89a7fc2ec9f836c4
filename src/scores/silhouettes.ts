/**
 * Silhouettes of sets of units on the distance 1 - |correlation| (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7). A
 * silhouette compares a set with the nearest other one, so it depends on how all units are divided.
 */
import type { ActivationTables } from "./activation-tables.ts";
import type { Protocol } from "./nulls.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/**
 * The mean silhouettes of sets, by their number. `strict`: the sets are whole arrangements of the layer, one set for each
 * tested subcluster; what these leave of the eligible units is one more set. `paper`: each set stands beside what it leaves of the
 * true subclusters. NaN where fewer than two units of the set vary.
 */
export function silhouettesOf(
  { correlations, norms, units }: ActivationTables,
  { tested, eligible }: LayerSubclusters,
  sets: readonly Int32Array[],
  protocol: Protocol,
): (number: number) => number {
  const count = tested.length;
  // Set 0: eligible units of none of the others; the last one is the set that stands for itself.
  const labels = new Int32Array(units);
  const sizes = new Float64Array(count + 2);
  const sums = new Float64Array(count + 2);
  let arranged = -1;
  const assign = (arrangement: readonly Int32Array[]) => {
    labels.fill(0);
    arrangement.forEach((set, label) => {
      for (const unit of set) labels[unit] = label + 1;
    });
    sizes.fill(0);
    for (const unit of eligible) {
      const label = labels[unit] as number;
      sizes[label] = (sizes[label] as number) + 1;
    }
  };
  return (number) => {
    const set = sets[number] as Int32Array;
    if (protocol === "paper") {
      const isTrue = tested.some(({ units: own }) => own === set);
      const others = tested.map(({ units: own }) => own);
      assign(isTrue ? others : [...others, set]);
    } else if (arranged !== Math.floor(number / count)) {
      arranged = Math.floor(number / count);
      assign(sets.slice(arranged * count, (arranged + 1) * count));
    }
    return meanSilhouette(set, labels, sizes, correlations, norms, eligible, sums);
  };
}

/** Mean silhouette of the units of `set`, whose label all of them have; `sums` is scratch space. */
function meanSilhouette(
  set: Int32Array,
  labels: Int32Array,
  sizes: Float64Array,
  correlations: Float32Array,
  norms: Float64Array,
  eligible: Int32Array,
  sums: Float64Array,
): number {
  const units = labels.length;
  const own = labels[set[0] as number] as number;
  let varying = 0;
  let total = 0;
  for (let i = 0; i < set.length; i++) {
    const unit = set[i] as number;
    if ((norms[unit] as number) > 0) varying++;
    sums.fill(0);
    const from = unit * units;
    for (let j = 0; j < eligible.length; j++) {
      const other = eligible[j] as number;
      const label = labels[other] as number;
      sums[label] = (sums[label] as number) + Math.abs(correlations[from + other] as number);
    }
    // Its correlation with itself is no distance.
    const within = (sums[own] as number) - Math.abs(correlations[from + unit] as number);
    const a = 1 - within / ((sizes[own] as number) - 1);
    let b = Number.POSITIVE_INFINITY;
    for (let label = 0; label < sizes.length; label++) {
      const size = sizes[label] as number;
      if (label === own || size === 0) continue;
      b = Math.min(b, 1 - (sums[label] as number) / size);
    }
    const larger = Math.max(a, b);
    if (larger > 0) total += (b - a) / larger;
  }
  return varying < 2 ? Number.NaN : total / set.length;
}
