/** How far patterns depend on the inputs at hand: on their number, on their choice, and on noise in them. */
import type { Compute } from "../compute/compute.ts";
import { agreementOf } from "../partition/compare.ts";
import { type RunOptions, throwIfAborted } from "../progress.ts";
import { rng } from "../statistics/rng.ts";
import { type Clustering, clusterInputs, noiseShare } from "./cluster-inputs.ts";
import { leastInputs, type PatternSettings } from "./pattern-settings.ts";
import { noiseAsGroup } from "./pattern-table.ts";
import { takeRows } from "./scale-columns.ts";

/** Patterns of so many inputs. */
export interface PatternCount {
  readonly inputs: number;
  readonly patterns: number;
  readonly noise: number;
}

export function countPatterns({ labels, persistence }: Clustering): PatternCount {
  return { inputs: labels.length, patterns: persistence.length, noise: noiseShare(labels) };
}

/** Agreement of clusterings that have a third of their inputs, and no more than these, in common. */
export interface SplitStability {
  readonly splits: number;
  /** Inputs of each clustering, and those that both have. */
  readonly inputs: number;
  readonly common: number;
  /** AMI on the common inputs, noise as one group; NaN where neither clustering has patterns there. */
  readonly values: readonly number[];
  /** Mean of the defined ones. */
  readonly ami: number;
}

/**
 * Splits the inputs into three random parts, again and again: the first and the second are each clustered with the third,
 * and compared on it. Null where the parts are too small.
 */
export async function splitStability(
  compute: Compute,
  values: Float32Array,
  count: number,
  settings: PatternSettings,
  key: readonly (string | number)[],
  options: RunOptions & { readonly onSplit?: (() => void) | undefined } = {},
): Promise<SplitStability | null> {
  const width = values.length / count;
  const part = Math.floor(count / 3);
  if (settings.splits === 0 || 2 * part < leastInputs(settings)) return null;
  const amis: number[] = [];
  for (let split = 0; split < settings.splits; split++) {
    throwIfAborted(options.signal);
    const order = Int32Array.from({ length: count }, (_, row) => row);
    rng(settings.seed, "pattern split", ...key, split).shuffle(order);
    const common = order.slice(0, part);
    const labels: Int32Array[] = [];
    for (const side of [1, 2]) {
      // The common inputs come first; clustering does not depend on the order.
      const rows = Int32Array.of(...common, ...order.subarray(side * part, (side + 1) * part));
      const own = takeRows(values, width, rows);
      const found = await clusterInputs(compute, own, rows.length, width, settings, {
        signal: options.signal,
      });
      labels.push(found.labels.slice(0, part));
    }
    const [first, second] = labels as [Int32Array, Int32Array];
    const isEmpty = [...first, ...second].every((label) => label < 0);
    amis.push(isEmpty ? Number.NaN : agreementOf(noiseAsGroup(first), noiseAsGroup(second)).ami);
    options.onSplit?.();
  }
  const defined = amis.filter((value) => !Number.isNaN(value));
  const ami = defined.reduce((sum, value) => sum + value, 0) / defined.length;
  return { splits: settings.splits, inputs: 2 * part, common: part, values: amis, ami };
}

/** How many inputs of patterns stay there when the inputs get Gaussian noise. */
export interface NoiseAgreement {
  /** Standard deviation of the noise, and as a share of that of the inputs' numbers. */
  readonly sigma: number;
  readonly share: number;
  /** Inputs that were tried, and those of them that are in patterns. */
  readonly tried: number;
  readonly inputs: number;
  /** Share of the latter that keep their pattern; NaN where there are none. */
  readonly kept: number;
}

/** Inputs whose distances to the noisy ones are measured at once. */
const BLOCK = 1500;
/** Distances of the same inputs differ by rounding from one matrix to another. */
const ROUNDING = 1e-5;

/**
 * Which of the inputs `rows`, whose noisy forms are the rows of `noisy`, keep their pattern. A noisy input has the pattern
 * of the input nearest to it by mutual reachability, its own clean form aside; it is noise where that is farther away than
 * any of the pattern's members is from its nearest fellow. Without noise all keep theirs.
 */
export async function keptPatterns(
  compute: Compute,
  clean: Float32Array,
  noisy: Float32Array,
  rows: Int32Array,
  found: Clustering,
  settings: PatternSettings,
  options: RunOptions = {},
): Promise<Pick<NoiseAgreement, "tried" | "inputs" | "kept">> {
  const { labels } = found;
  const { metric, minSamples } = settings;
  const { signal } = options;
  const count = labels.length;
  const width = clean.length / count;
  const distances = await compute.distances(clean, count, width, metric, { signal });
  const core = Float32Array.from({ length: count }, (_, row) =>
    kthSmallest(distances.subarray(row * count, (row + 1) * count), row, minSamples),
  );
  const reach = new Float32Array(found.persistence.length);
  for (let row = 0; row < count; row++) {
    const label = labels[row] as number;
    if (label < 0) continue;
    let nearest = Number.POSITIVE_INFINITY;
    for (let other = 0; other < count; other++) {
      if (other === row || labels[other] !== label) continue;
      nearest = Math.min(nearest, mutual(row, other, distances[row * count + other] as number));
    }
    reach[label] = Math.max(reach[label] as number, nearest);
  }
  function mutual(one: number, other: number, distance: number): number {
    return Math.max(core[one] as number, core[other] as number, distance);
  }
  // Noisy inputs x inputs, block by block.
  const cross = new Float32Array(rows.length * count);
  for (let start = 0; start < count; start += BLOCK) {
    throwIfAborted(signal);
    const size = Math.min(BLOCK, count - start);
    const both = new Float32Array((rows.length + size) * width);
    both.set(noisy);
    both.set(clean.subarray(start * width, (start + size) * width), noisy.length);
    const made = await compute.distances(both, rows.length + size, width, metric, { signal });
    for (let row = 0; row < rows.length; row++) {
      const from = row * (rows.length + size) + rows.length;
      cross.set(made.subarray(from, from + size), row * count + start);
    }
  }
  let [inputs, kept] = [0, 0];
  for (let row = 0; row < rows.length; row++) {
    const own = rows[row] as number;
    const label = labels[own] as number;
    if (label < 0) continue;
    inputs++;
    const line = cross.subarray(row * count, (row + 1) * count);
    const ownCore = kthSmallest(line, own, minSamples);
    let [nearest, pattern] = [Number.POSITIVE_INFINITY, -1];
    for (let other = 0; other < count; other++) {
      if (other === own) continue;
      const distance = Math.max(ownCore, core[other] as number, line[other] as number);
      if (distance < nearest) [nearest, pattern] = [distance, labels[other] as number];
    }
    if (pattern === label && nearest <= (reach[label] as number) * (1 + ROUNDING)) kept++;
  }
  return { tried: rows.length, inputs, kept: kept / inputs };
}

/** The k-th smallest of the distances of a row, that at `own` left out. */
function kthSmallest(row: Float32Array, own: number, k: number): number {
  const best = new Float32Array(k).fill(Number.POSITIVE_INFINITY);
  for (let at = 0; at < row.length; at++) {
    const value = row[at] as number;
    if (at === own || value >= (best[k - 1] as number)) continue;
    let place = k - 1;
    for (; place > 0 && (best[place - 1] as number) > value; place--) best[place] = best[place - 1] as number;
    best[place] = value;
  }
  return best[k - 1] as number;
}
