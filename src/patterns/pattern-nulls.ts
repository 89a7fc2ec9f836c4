/** What patterns are held against: units that vary on their own, and random units of the same layer. */
import type { Compute } from "../compute/compute.ts";
import { type RunOptions, throwIfAborted } from "../progress.ts";
import { rankP, type Tail } from "../statistics/rank-p.ts";
import { rng } from "../statistics/rng.ts";
import { shuffleRange } from "../statistics/shuffle-range.ts";
import { type Clustering, clusterInputs, noiseShare } from "./cluster-inputs.ts";
import type { PatternSettings } from "./pattern-settings.ts";
import { patternAgreement } from "./pattern-table.ts";

/** Columns of a layer or of some of its units, scaled. */
export interface Columns {
  /** Inputs x columns, row-major. */
  readonly values: Float32Array;
  readonly count: number;
  /** Unit of each column. */
  readonly unit: Int32Array;
}

/** A value against draws of a null. */
export interface DrawTest {
  readonly observed: number;
  readonly mean: number;
  readonly sd: number;
  readonly min: number;
  readonly max: number;
  /** (observed - mean) / sd; infinite where the draws are all alike and the value is another one, NaN where it is not. */
  readonly z: number;
}

/** Patterns of inputs whose units are permuted independently (method note, controls (i)). */
export interface PermutedUnits {
  readonly draws: number;
  readonly patterns: DrawTest;
  readonly noise: DrawTest;
  /** AMI with the classes, noise as one group; null without labels. */
  readonly ami: DrawTest | null;
}

/**
 * Clusters the inputs again and again with each unit's values permuted over them, all columns of a unit alike: what units
 * do together is gone, what each does alone is kept.
 */
export async function permutedUnits(
  compute: Compute,
  columns: Columns,
  observed: Clustering,
  classes: Int32Array | null,
  settings: PatternSettings,
  key: readonly (string | number)[],
  options: RunOptions & { readonly onDraw?: (() => void) | undefined } = {},
): Promise<PermutedUnits | null> {
  const { nulls, seed } = settings;
  if (nulls === 0) return null;
  const { count, unit } = columns;
  const drawn: Clustering[] = [];
  for (let draw = 0; draw < nulls; draw++) {
    throwIfAborted(options.signal);
    const values = permuteUnits(columns, seed, ...key, draw);
    drawn.push(
      await clusterInputs(compute, values, count, unit.length, settings, { signal: options.signal }),
    );
    options.onDraw?.();
  }
  const test = (value: (found: Clustering) => number) => drawTest(value(observed), drawn.map(value));
  return {
    draws: nulls,
    patterns: test(({ persistence }) => persistence.length),
    noise: test(({ labels }) => noiseShare(labels)),
    ami: classes && test(({ labels }) => patternAgreement(labels, classes).withNoise),
  };
}

/** The columns with each unit's values permuted over the inputs, every draw from a stream of its own. */
export function permuteUnits(
  { values, count, unit }: Columns,
  seed: number,
  ...key: readonly (string | number)[]
): Float32Array {
  const width = unit.length;
  const random = rng(seed, "pattern null", ...key);
  const orders = new Map<number, Int32Array>();
  const made = new Float32Array(values.length);
  for (let column = 0; column < width; column++) {
    const id = unit[column] as number;
    let order = orders.get(id);
    if (order === undefined) {
      order = Int32Array.from({ length: count }, (_, row) => row);
      shuffleRange(order, 0, count, random);
    }
    orders.set(id, order);
    for (let row = 0; row < count; row++) {
      made[row * width + column] = values[(order[row] as number) * width + column] as number;
    }
  }
  return made;
}

export function drawTest(observed: number, draws: readonly number[]): DrawTest {
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const squares = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = Math.sqrt(squares / Math.max(1, draws.length - 1));
  return {
    observed,
    mean,
    sd,
    min: Math.min(...draws),
    max: Math.max(...draws),
    z: (observed - mean) / sd,
  };
}

/** A measure of a cluster's patterns and its p against random units of the same layer. */
export interface SetTest {
  readonly observed: number;
  readonly mean: number;
  /** (1 + hits) / (1 + draws), ties counted (protocol `strict`). */
  readonly p: number;
}

/** A cluster against random unit sets of its layer and size (method note, controls (ii)). */
export interface RandomUnits {
  readonly draws: number;
  /** Inputs that the cluster and the sets were compared on. */
  readonly inputs: number;
  /** More patterns, less noise, more agreement with the classes than random units have. */
  readonly patterns: SetTest;
  readonly noise: SetTest;
  readonly ami: SetTest | null;
}

export function randomUnits(
  observed: Clustering,
  drawn: readonly Clustering[],
  classes: Int32Array | null,
): RandomUnits {
  const test = (tail: Tail, value: (found: Clustering) => number): SetTest => {
    const values = Float64Array.from(drawn, value);
    const own = value(observed);
    const valid = values.filter((other) => !Number.isNaN(other));
    const { p } = rankP(own, values, tail, "aware", { minimumValid: Math.ceil(drawn.length / 2) });
    return { observed: own, mean: valid.reduce((sum, other) => sum + other, 0) / valid.length, p };
  };
  return {
    draws: drawn.length,
    inputs: observed.labels.length,
    patterns: test("upper", ({ persistence }) => persistence.length),
    noise: test("lower", ({ labels }) => noiseShare(labels)),
    ami: classes && test("upper", ({ labels }) => patternAgreement(labels, classes).withNoise),
  };
}
