/** What is told of each pattern (method note, sections 3 and 8). */
import { agreementOf } from "../partition/compare.ts";
import type { Clustering } from "./cluster-inputs.ts";

/** What is known of the inputs that patterns are made of. */
export interface InputFacts {
  /** Class of each input; null where there are none. */
  readonly labels: Int32Array | null;
  /** Class that the network gives each input; null where it is no classifier. */
  readonly predictions: Int32Array | null;
}

/** Classes among the inputs of a pattern. */
export interface ClassMix {
  /** Inputs of each class, by class number. */
  readonly counts: Int32Array;
  /** The largest class, the first of equal ones, and its share. */
  readonly majority: number;
  readonly purity: number;
  /** Entropy of the classes in nats. */
  readonly entropy: number;
}

/** A set of inputs that a layer treats alike. */
export interface Pattern {
  readonly persistence: number;
  /** Rows of the sample, ascending. */
  readonly members: Int32Array;
  readonly meanProbability: number;
  readonly classes: ClassMix | null;
  readonly predictions: ClassMix | null;
  /** Share of the members that the network gets wrong; NaN where it is not known. */
  readonly misclassified: number;
  /** Rows of the most typical members, the most probable first, and of the least typical, the least probable first. */
  readonly exemplars: Int32Array;
  readonly boundary: Int32Array;
}

/** Typical members, and members on the boundary, that are named. */
export const EXAMPLES = 8;

/** The patterns by descending persistence. */
export function describePatterns(found: Clustering, facts: InputFacts): Pattern[] {
  const { labels, predictions } = facts;
  return Array.from(found.persistence, (persistence, pattern) => {
    const members = rowsOf(found.labels, pattern);
    // Several members may be as typical: the one that fits the layer better comes first.
    const typical = members
      .slice()
      .sort(
        (a, b) =>
          (found.probabilities[b] as number) - (found.probabilities[a] as number) ||
          (found.outlierScores[a] as number) - (found.outlierScores[b] as number) ||
          a - b,
      );
    const probability = members.reduce((sum, row) => sum + (found.probabilities[row] as number), 0);
    const wrong = members.filter((row) => predictions?.[row] !== labels?.[row]).length;
    return {
      persistence,
      members,
      meanProbability: probability / members.length,
      classes: labels && classMix(members, labels),
      predictions: predictions && classMix(members, predictions),
      misclassified: labels && predictions ? wrong / members.length : Number.NaN,
      exemplars: typical.slice(0, EXAMPLES),
      boundary: typical.slice(-EXAMPLES).reverse(),
    };
  });
}

function rowsOf(labels: Int32Array, pattern: number): Int32Array {
  return Int32Array.from(labels.keys()).filter((row) => labels[row] === pattern);
}

/** Classes of the given inputs. */
export function classMix(rows: Int32Array, classes: Int32Array): ClassMix {
  const most = rows.reduce((largest, row) => Math.max(largest, classes[row] as number), -1);
  const counts = new Int32Array(most + 1);
  for (const row of rows) counts[classes[row] as number] = (counts[classes[row] as number] as number) + 1;
  const majority = counts.reduce(
    (best, count, label) => (count > (counts[best] as number) ? label : best),
    0,
  );
  const entropy = counts.reduce((sum, count) => {
    const share = count / rows.length;
    return share > 0 ? sum - share * Math.log(share) : sum;
  }, 0);
  return { counts, majority, purity: (counts[majority] ?? 0) / rows.length, entropy };
}

/** Agreement of patterns with a labelling of the same inputs. */
export interface PatternAgreement {
  /** AMI with all noise as one more group; NaN where all inputs have the same label, which nothing can agree with. */
  readonly withNoise: number;
  /** AMI over the inputs that are in patterns; NaN as well where there are none. */
  readonly withoutNoise: number;
}

/** Agreement of patterns (-1 = noise) with the inputs' classes. */
export function patternAgreement(labels: Int32Array, classes: Int32Array): PatternAgreement {
  const ami = (patterns: Int32Array): number => {
    const known = classes.filter((_, row) => (patterns[row] as number) >= 0);
    return new Set(known).size < 2 ? Number.NaN : agreementOf(patterns, classes).ami;
  };
  return { withNoise: ami(noiseAsGroup(labels)), withoutNoise: ami(labels) };
}

/** The labels with all noise in a group of its own. */
export function noiseAsGroup(labels: Int32Array): Int32Array {
  const groups = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  return labels.map((label) => (label < 0 ? groups : label));
}

/** Statistics of a column over the members of a pattern, in the order of the arrays that hold them. */
export const BOX_STATISTICS = ["min", "lower", "q1", "mean", "q3", "upper", "max", "iqr"] as const;

/**
 * Box statistics of every recorded column over each pattern's members: patterns x columns x `BOX_STATISTICS`. Quartiles
 * are exact (linear interpolation between members); lower = max(q1 - 1.5 IQR, min), upper = min(q3 + 1.5 IQR, max).
 */
export function boxStatistics(
  values: Float32Array,
  columns: number,
  patterns: readonly Pick<Pattern, "members">[],
): Float32Array {
  const width = BOX_STATISTICS.length;
  const boxes = new Float32Array(patterns.length * columns * width);
  for (const [pattern, { members }] of patterns.entries()) {
    const own = new Float32Array(members.length);
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let at = 0; at < own.length; at++) {
        own[at] = values[(members[at] as number) * columns + column] as number;
        sum += own[at] as number;
      }
      own.sort();
      const [min, max] = [own[0] as number, own.at(-1) as number];
      const [q1, q3] = [quantile(own, 0.25), quantile(own, 0.75)];
      const iqr = q3 - q1;
      const [lower, upper] = [Math.max(q1 - 1.5 * iqr, min), Math.min(q3 + 1.5 * iqr, max)];
      const box = [min, lower, q1, sum / own.length, q3, upper, max, iqr];
      boxes.set(box, (pattern * columns + column) * width);
    }
  }
  return boxes;
}

/** Quantile of ascending numbers, interpolated linearly between neighbours. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** Inputs that fit no pattern of the layer: the outlier scores above their 0.95 quantile. */
export interface GlobalOutliers {
  readonly threshold: number;
  /** Rows of the sample, the strongest outlier first. */
  readonly rows: Int32Array;
}

export function globalOutliers({ outlierScores }: Clustering): GlobalOutliers {
  const threshold = quantile(outlierScores.slice().sort(), 0.95);
  const rows = Int32Array.from(outlierScores.keys())
    .filter((row) => (outlierScores[row] as number) > threshold)
    .sort((a, b) => (outlierScores[b] as number) - (outlierScores[a] as number) || a - b);
  return { threshold, rows };
}
