/** Everything that is told of the patterns of one layer, or of one cluster of its units (method note, section 8). */
import type { Compute } from "../compute/compute.ts";
import type { LayerActivations } from "../network/record-activations.ts";
import type { RunOptions } from "../progress.ts";
import { type Clustering, clusterInputs, noiseShare } from "./cluster-inputs.ts";
import { type PermutedUnits, permutedUnits, type RandomUnits, randomUnits } from "./pattern-nulls.ts";
import type { PatternSettings } from "./pattern-settings.ts";
import {
  countPatterns,
  keptPatterns,
  type NoiseAgreement,
  type PatternCount,
  type SplitStability,
  splitStability,
} from "./pattern-stability.ts";
import {
  boxStatistics,
  describePatterns,
  type GlobalOutliers,
  globalOutliers,
  type InputFacts,
  type Pattern,
  type PatternAgreement,
  patternAgreement,
} from "./pattern-table.ts";
import { type InputSample, nestedRows } from "./sample-inputs.ts";
import { type ColumnScaling, takeColumns, takeRows } from "./scale-columns.ts";

/** Why patterns may be none: no split in the tree, most inputs are noise, as many patterns as units on their own have. */
export type ContinuumReason = "no split" | "noise" | "null";

/** Patterns of one layer, or of a cluster's units in it. Rows are those of the sample. */
export interface LayerPatterns {
  readonly layer: string;
  /** Id in the partition; null for the whole layer. */
  readonly cluster: number | null;
  /** Units of the layer that the inputs were told apart by. */
  readonly units: Int32Array;
  readonly layerUnits: number;
  /** Units that answer to all inputs alike. */
  readonly constantUnits: number;
  /** Unit and statistic of each recorded column, as `recordActivations` gives them. */
  readonly columnUnit: Int32Array;
  readonly columnStatistic: LayerActivations["columnStatistic"];
  /** Pattern (-1 = noise), membership probability and GLOSH outlier score of each row. */
  readonly labels: Int32Array;
  readonly probabilities: Float32Array;
  readonly outlierScores: Float32Array;
  readonly duplicates: number;
  readonly hasSplit: boolean;
  /** By descending persistence. */
  readonly patterns: readonly Pattern[];
  /** Patterns x columns x `BOX_STATISTICS`, of the recorded columns before they are scaled. */
  readonly boxes: Float32Array;
  readonly outliers: GlobalOutliers;
  readonly noise: number;
  /** Agreement with the classes of the inputs, and with the network's answers. */
  readonly classAgreement: PatternAgreement | null;
  readonly predictionAgreement: PatternAgreement | null;
  /** Patterns of all inputs, and of half of them (nested). */
  readonly counts: { readonly all: PatternCount; readonly half: PatternCount };
  readonly stability: SplitStability | null;
  readonly noiseAgreement: NoiseAgreement | null;
  readonly permuted: PermutedUnits | null;
  /** Null for a whole layer. */
  readonly random: RandomUnits | null;
  /** Why no discrete patterns were found; empty where there are. */
  readonly continuum: readonly ContinuumReason[];
}

/** A layer as it was recorded and scaled, with what all of its clusters share. */
export interface RecordedLayer {
  readonly name: string;
  readonly layerUnits: number;
  readonly activations: LayerActivations;
  /** Inputs x columns, scaled. */
  readonly scaled: Float32Array;
  readonly scaling: ColumnScaling;
  /** Some of the inputs with noise, scaled alike, and the noise; null where there is none. */
  readonly noisy:
    | (Pick<NoiseAgreement, "sigma" | "share"> & { readonly scaled: Float32Array; readonly rows: Int32Array })
    | null;
}

/** The units to look at: all of a layer, or a cluster's, with random sets of as many. */
export interface UnitChoice {
  readonly cluster: number | null;
  readonly units: Int32Array;
  readonly randomSets: readonly Int32Array[];
}

/** Inputs that a cluster and random sets are compared on at the most: there are many of them. */
const RANDOM_INPUTS = 500;
/** Share of noise above which there is no talk of patterns. */
const MOST_NOISE = 0.5;

/** Clusterings and the like that `layerPatterns` counts as steps. */
export function countSteps({ nulls, splits }: PatternSettings, sets: number): number {
  return 1 + splits + nulls + sets;
}

/**
 * The patterns of some units of a layer.
 *
 * @param onStep Called after each of `countSteps` steps.
 */
export async function layerPatterns(
  compute: Compute,
  recorded: RecordedLayer,
  choice: UnitChoice,
  sample: InputSample,
  facts: InputFacts,
  settings: PatternSettings,
  options: RunOptions & { readonly onStep?: (() => void) | undefined } = {},
): Promise<LayerPatterns> {
  const { activations, name, layerUnits } = recorded;
  const { signal, onStep = () => {} } = options;
  const count = sample.inputs.length;
  const taken = columnsOf(activations, choice.units);
  const unit = Int32Array.from(taken, (column) => activations.columnUnit[column] as number);
  const width = taken.length;
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const values = takeColumns(recorded.scaled, activations.columns, taken, all);
  const key = [name, choice.cluster ?? -1];

  const cluster = (rows: Int32Array): Promise<Clustering> =>
    clusterInputs(compute, takeRows(values, width, rows), rows.length, width, settings, { signal });
  const found = await cluster(all);
  const half = await cluster(nestedRows(sample, Math.floor(count / 2)));
  onStep();
  const stability = await splitStability(compute, values, count, settings, key, { signal, onSplit: onStep });
  const noiseAgreement = recorded.noisy && (await measureNoise(recorded.noisy));
  const { labels, predictions } = facts;
  const permuted = await permutedUnits(compute, { values, count, unit }, found, labels, settings, key, {
    signal,
    onDraw: onStep,
  });
  const random = choice.randomSets.length === 0 ? null : await compareRandom();

  const patterns = describePatterns(found, facts);
  const raw = takeColumns(activations.values, activations.columns, taken, all);
  const noise = noiseShare(found.labels);
  return {
    layer: name,
    cluster: choice.cluster,
    units: choice.units,
    layerUnits,
    constantUnits: countConstant(unit, taken, recorded.scaling.isConstant),
    columnUnit: unit,
    columnStatistic: Array.from(
      taken,
      (column) => activations.columnStatistic[column] as LayerActivations["columnStatistic"][number],
    ),
    labels: found.labels,
    probabilities: found.probabilities,
    outlierScores: found.outlierScores,
    duplicates: found.duplicates,
    hasSplit: found.hasSplit,
    patterns,
    boxes: boxStatistics(raw, width, patterns),
    outliers: globalOutliers(found),
    noise,
    classAgreement: labels && patternAgreement(found.labels, labels),
    predictionAgreement: predictions && patternAgreement(found.labels, predictions),
    counts: { all: countPatterns(found), half: countPatterns(half) },
    stability,
    noiseAgreement,
    permuted,
    random,
    continuum: continuumReasons(found, permuted),
  };

  async function measureNoise(noisy: NonNullable<RecordedLayer["noisy"]>): Promise<NoiseAgreement> {
    const rows = Int32Array.from(noisy.rows.keys());
    const own = takeColumns(noisy.scaled, activations.columns, taken, rows);
    const { sigma, share } = noisy;
    const kept = await keptPatterns(compute, values, own, noisy.rows, found, settings, { signal });
    return { sigma, share, ...kept };
  }

  async function compareRandom(): Promise<RandomUnits> {
    const rows = nestedRows(sample, RANDOM_INPUTS);
    const classes = labels && Int32Array.from(rows, (row) => labels[row] as number);
    const clusterUnits = (units: Int32Array) => {
      const columns = columnsOf(activations, units);
      const own = takeColumns(recorded.scaled, activations.columns, columns, rows);
      return clusterInputs(compute, own, rows.length, columns.length, settings, { signal });
    };
    const observed = await clusterUnits(choice.units);
    const drawn: Clustering[] = [];
    for (const units of choice.randomSets) {
      drawn.push(await clusterUnits(units));
      onStep();
    }
    return randomUnits(observed, drawn, classes);
  }
}

/** Columns of the given units, in the order of the layer's columns. */
function columnsOf({ columnUnit }: LayerActivations, units: Int32Array): Int32Array {
  const wanted = new Set(units);
  return Int32Array.from(columnUnit.keys()).filter((column) => wanted.has(columnUnit[column] as number));
}

function countConstant(unit: Int32Array, taken: Int32Array, isConstant: Uint8Array): number {
  const varying = new Set(unit.filter((_, at) => isConstant[taken[at] as number] === 0));
  return new Set(unit).size - varying.size;
}

/** Why there may be no discrete patterns (method note, controls (iii)). */
export function continuumReasons(
  found: Pick<Clustering, "hasSplit" | "labels" | "persistence">,
  permuted: Pick<PermutedUnits, "patterns"> | null,
): ContinuumReason[] {
  const reasons: ContinuumReason[] = [];
  if (!found.hasSplit) reasons.push("no split");
  if (noiseShare(found.labels) > MOST_NOISE) reasons.push("noise");
  const count = found.persistence.length;
  if (permuted !== null && count >= permuted.patterns.min && count <= permuted.patterns.max) {
    reasons.push("null");
  }
  return reasons;
}
