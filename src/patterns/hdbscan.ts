/**
 * HDBSCAN with its probabilities, outlier scores and persistence, as method note 6 defines them: the flavour of
 * scikit-learn-contrib's `hdbscan`, except that equal distances merge at once. Campello, Moulavi & Sander 2013,
 * doi:10.1007/978-3-642-37456-2_14; Campello, Moulavi, Zimek & Sander 2015, doi:10.1145/2733381 (GLOSH); McInnes, Healy &
 * Astels 2017, doi:10.21105/joss.00205.
 *
 * Equal distances: core distances and the weights of the tree, all that the result is made of, are computed anew in
 * float64 from the values, so that they depend neither on the order of the points nor on the device; the float32 matrix
 * decides only which pairs they are taken from. Mathematically equal ones still differ where the values were rounded to
 * float32 anew, as moving or scaling the points does; what that rounding can have made different counts as equal.
 */
import type { Compute, DistanceMetric } from "../compute/compute.ts";
import { type PairDistances, pairDistances } from "../compute/distance-rows.ts";
import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { type CondensedTree, condense } from "./condense.ts";
import { requireDistances } from "./given-distances.ts";
import { equalRuns, mergeTree } from "./merge-tree.ts";
import { SAME_STABILITY, type Selection, selectClusters } from "./select.ts";
import { findNeighbours, spanningTree, treeSteps } from "./spanning-tree.ts";

/** What counts as a pattern. */
export interface PatternRules {
  /** Points of the smallest pattern, 2 or more. */
  readonly minClusterSize: number;
  /** The neighbour whose distance is a point's core distance, the point itself not counted; 1 or more. */
  readonly minSamples: number;
  readonly selection: Selection;
  /** Patterns that split off at a smaller distance are joined with their siblings; 0 joins none. */
  readonly epsilon: number;
}

export interface HdbscanSettings extends PatternRules {
  readonly metric: DistanceMetric;
}

/** Patterns of points, numbered by descending persistence, and what belongs to none (noise). */
export interface PointPatterns {
  /** Pattern of each point, -1 for noise. */
  readonly labels: Int32Array;
  /** How far inside its pattern each point is, 0 to 1; 0 for noise. */
  readonly probabilities: Float32Array;
  /** GLOSH, 0 to 1: how much thinner it is around a point than at the densest place of the cluster that it left last. */
  readonly outlierScores: Float32Array;
  /** Stability of each pattern per point and largest lambda, 0 to 1. */
  readonly persistence: Float64Array;
  /** Sum of 1 / (distance of leaving) - 1 / (distance of birth) over the points of each pattern. */
  readonly stability: Float64Array;
  /** Whether the points fall apart into two or more parts of `minClusterSize` anywhere; else all are noise. */
  readonly hasSplit: boolean;
  /** Points in the same place as an earlier one. */
  readonly duplicates: number;
}

/** Distances below this share of the largest one count as this share, so that 1 / distance stays finite. */
const LEAST_SHARE = 1e-12;

/**
 * Clusters the rows of `values`, count x width; these stay as they are. Fewer points than `minClusterSize`, or points
 * that are all the same, are noise. Throws `E_INPUT_VALUE` for values that are not finite, with row and column, and
 * `E_USAGE_PATTERN_RULES`.
 *
 * @example
 * const rules = { minClusterSize: 5, minSamples: 5, selection: "leaf", epsilon: 0 } as const;
 * const { labels } = await hdbscan(compute, activations, inputs, units, { ...rules, metric: "euclidean" });
 */
export async function hdbscan(
  compute: Pick<Compute, "distances">,
  values: Float32Array,
  count: number,
  width: number,
  settings: HdbscanSettings,
  options: RunOptions = {},
): Promise<PointPatterns> {
  requireRules(settings);
  const distances = await compute.distances(values, count, width, settings.metric, options);
  return findPatterns(distances, count, settings, pairDistances(values, width, settings.metric), options);
}

/**
 * The same from distances at hand, count x count, symmetric with a zero diagonal. Throws `E_INPUT_VALUE` for what cannot
 * be a distance.
 *
 * @example
 * const { labels } = await hdbscanOfDistances(distances, count, rules);
 */
export async function hdbscanOfDistances(
  distances: Float32Array,
  count: number,
  rules: PatternRules,
  options: RunOptions = {},
): Promise<PointPatterns> {
  requireRules(rules);
  requireDistances(distances, count);
  const exact = { of: (a: number, b: number) => distances[a * count + b] as number, rounding: 0 };
  return findPatterns(distances, count, rules, exact, options);
}

function requireRules({ minClusterSize, minSamples, epsilon }: PatternRules): void {
  const require = (isRight: boolean, name: string, found: number, expected: string): void => {
    if (isRight) return;
    throw new BrodmannError("E_USAGE_PATTERN_RULES", `${name}: found ${found}, expected ${expected}`);
  };
  const isInteger = Number.isInteger(minClusterSize) && minClusterSize >= 2;
  require(isInteger, "minClusterSize", minClusterSize, "an integer from 2");
  require(Number.isInteger(minSamples) && minSamples >= 1, "minSamples", minSamples, "an integer from 1");
  require(epsilon >= 0 && Number.isFinite(epsilon), "epsilon", epsilon, "a distance from 0");
}

async function findPatterns(
  distances: Float32Array,
  count: number,
  rules: PatternRules,
  exact: PairDistances,
  options: RunOptions,
): Promise<PointPatterns> {
  if (count < 2) return allNoise(count);
  const counter = new StepCounter("patterns", treeSteps(count), options);
  const found = await findNeighbours(distances, count, rules.minSamples, counter);
  const { neighbour, nearestEarlier, largestDistance } = found;
  if (!Number.isFinite(largestDistance)) {
    throw new BrodmannError(
      "E_INPUT_VALUE",
      "points: found distances beyond float32, expected less than 3e38",
      {
        hint: "Divide the values by their maximum.",
      },
    );
  }
  const core = Float64Array.from(neighbour, (other, point) => exact.of(point, other));
  const { from, to } = await spanningTree(distances, count, core, counter);
  // Points that are all in one place are at distance 0 of each other, whatever number stands for it.
  const least = LEAST_SHARE * largestDistance || LEAST_SHARE;
  const weight = Float64Array.from(from, (a, edge) => {
    const b = to[edge] as number;
    return Math.max(core[a] as number, core[b] as number, exact.of(a, b), least);
  });
  const tree = condense(mergeTree(count, from, to, weight, exact.rounding), rules.minClusterSize);
  const isSelected = selectClusters(tree, rules.selection, rules.epsilon);
  return {
    ...describePatterns(tree, isSelected),
    duplicates: nearestEarlier.reduce((sum, distance) => sum + (distance <= least ? 1 : 0), 0),
  };
}

function allNoise(count: number): PointPatterns {
  return {
    labels: new Int32Array(count).fill(-1),
    probabilities: new Float32Array(count),
    outlierScores: new Float32Array(count),
    persistence: new Float64Array(0),
    stability: new Float64Array(0),
    hasSplit: false,
    duplicates: 0,
  };
}

function describePatterns(tree: CondensedTree, isSelected: Uint8Array): Omit<PointPatterns, "duplicates"> {
  const { clusters, parent, pointCluster, pointLambda, largestLambda, deepestLambda } = tree;
  const count = pointCluster.length;
  // The selected cluster at or around each cluster.
  const owner = new Int32Array(clusters).fill(-1);
  for (let cluster = 1; cluster < clusters; cluster++) {
    owner[cluster] = isSelected[cluster] === 1 ? cluster : (owner[parent[cluster] as number] as number);
  }
  const order = orderPatterns(tree, owner);
  const label = new Int32Array(clusters).fill(-1);
  for (const [number, cluster] of order.entries()) label[cluster] = number;
  const labels = new Int32Array(count);
  const probabilities = new Float32Array(count);
  const outlierScores = new Float32Array(count);
  for (let point = 0; point < count; point++) {
    const last = pointCluster[point] as number;
    const lambda = pointLambda[point] as number;
    const deepest = deepestLambda[last] as number;
    outlierScores[point] = (deepest - lambda) / deepest;
    const pattern = owner[last] as number;
    labels[point] = pattern < 0 ? -1 : (label[pattern] as number);
    if (pattern < 0) continue;
    const largest = largestLambda[pattern] as number;
    probabilities[point] = Math.min(lambda, largest) / largest;
  }
  return {
    labels,
    probabilities,
    outlierScores,
    persistence: Float64Array.from(order, (cluster) => persistenceOf(tree, cluster)),
    stability: Float64Array.from(order, (cluster) => tree.stability[cluster] as number),
    hasSplit: clusters > 1,
  };
}

/** Selected clusters by descending persistence; those of equal persistence by their smallest member. */
function orderPatterns(tree: CondensedTree, owner: Int32Array): number[] {
  const smallestMember = new Map<number, number>();
  for (const [point, last] of tree.pointCluster.entries()) {
    const pattern = owner[last] as number;
    if (pattern >= 0 && !smallestMember.has(pattern)) smallestMember.set(pattern, point);
  }
  const byMember = (a: number, b: number) =>
    (smallestMember.get(a) as number) - (smallestMember.get(b) as number);
  const ascending = [...smallestMember.keys()].sort(
    (a, b) => persistenceOf(tree, a) - persistenceOf(tree, b),
  );
  const values = ascending.map((cluster) => persistenceOf(tree, cluster));
  const runs = [...equalRuns(values, (values.at(-1) ?? 0) * SAME_STABILITY)];
  return runs.reverse().flatMap(([first, end]) => ascending.slice(first, end).sort(byMember));
}

function persistenceOf({ stability, size, deepestLambda }: CondensedTree, cluster: number): number {
  return (stability[cluster] as number) / ((size[cluster] as number) * (deepestLambda[0] as number));
}
