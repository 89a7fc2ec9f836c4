/** `patterns.json` (schema "brodmann/patterns/1"), `patterns.csv`, `pattern-inputs.csv` and `pattern-units.npz`. */
import type { NpyArray } from "../data/npy.ts";
import { joinNpz } from "../data/npz.ts";
import { formatCsv } from "../scores/csv.ts";
import { formatEntries, formatLines, type Json, numberOrNull } from "../scores/scores-json.ts";
import { flowStations, type PatternRun, type Patterns } from "./find-patterns.ts";
import type { LayerPatterns } from "./layer-patterns.ts";
import type { DrawTest, SetTest } from "./pattern-nulls.ts";
import { BOX_STATISTICS, type ClassMix, type Pattern, type PatternAgreement } from "./pattern-table.ts";

/** Version of the file. */
export const PATTERNS_SCHEMA = "brodmann/patterns/1";

/** What is said of a layer with a reason in `continuum`. */
export const NO_PATTERNS = "no discrete patterns found; the layer varies continuously";

/** What is told of a run beside its patterns. */
export interface PatternFacts {
  /** Name of the model, or of the file of recorded activations. */
  readonly model: string;
  readonly classNames: readonly string[] | null;
  /** Label that each cluster id has in its partition's file; null where they are the same. */
  readonly clusterLabels: readonly number[] | null;
}

/** Seven digits are what float32 tells. */
const short = (value: number): number | null => numberOrNull(Number(value.toPrecision(7)));

/**
 * Patterns as JSON, a line for each layer and cluster; equal patterns give equal bytes. Inputs are named by their numbers in
 * the data that was given.
 *
 * @example
 * await writeFile("patterns.json", formatPatterns(found, { model: "mnist-cnn.onnx", classNames: null, clusterLabels: null }));
 */
export function formatPatterns(found: Patterns, facts: PatternFacts): string {
  const { settings, given, inputs, layers, flow } = found;
  const stations = flowStations(
    layers,
    layers.every(({ cluster }) => cluster !== null),
  );
  const lines: [string, string][] = [
    ["schema", JSON.stringify(PATTERNS_SCHEMA)],
    ["model", JSON.stringify(facts.model)],
    ["seed", JSON.stringify(settings.seed)],
    ["inputs", JSON.stringify({ given, used: inputs.length })],
    ["classNames", JSON.stringify(facts.classNames)],
    ["settings", JSON.stringify(settings)],
    ["boxStatistics", JSON.stringify(BOX_STATISTICS)],
    ["layers", formatEntries(layers.map((layer, number) => layerEntry(layer, number, found, facts)))],
    [
      "flow",
      flow === null
        ? "null"
        : JSON.stringify({
            layers: stations.map(({ layer }) => layer),
            links: flow.flows.map(({ links }) => links.map((link) => [link.from, link.to, link.inputs])),
            sequences: flow.sequences,
            singles: flow.singles,
            purity: short(flow.purity),
            noise: flow.noise,
            paths: flow.paths.map(({ patterns, inputs: size, classes }) => ({
              patterns,
              inputs: size,
              ...(classes && { majority: classes.majority, purity: short(classes.purity) }),
            })),
          }),
    ],
  ];
  return formatLines(lines);
}

function layerEntry(found: LayerPatterns, number: number, run: PatternRun, facts: PatternFacts): Json {
  const { counts, stability, noiseAgreement, permuted, random } = found;
  const count = ({ inputs, patterns, noise }: typeof counts.all) => ({
    inputs,
    patterns,
    noise: short(noise),
  });
  const test = ({ observed, mean, sd, min, max, z }: DrawTest) => ({
    observed: short(observed),
    mean: short(mean),
    sd: short(sd),
    min: short(min),
    max: short(max),
    z: short(z),
  });
  const setTest = ({ observed, mean, p }: SetTest) => ({
    observed: short(observed),
    mean: short(mean),
    p: numberOrNull(p),
  });
  return {
    layer: found.layer,
    ...(found.cluster === null ? {} : { cluster: labelOf(found.cluster, facts) }),
    units: found.units.length,
    layerUnits: found.layerUnits,
    ...(found.cluster === null ? {} : { unitNumbers: Array.from(found.units) }),
    columns: found.columnUnit.length,
    constantUnits: found.constantUnits,
    duplicates: found.duplicates,
    count: found.patterns.length,
    noise: short(found.noise),
    continuum: [...found.continuum],
    warning: found.continuum.length > 0 ? NO_PATTERNS : null,
    hasSplit: found.hasSplit,
    ami: agreementEntry(found.classAgreement),
    predictionAmi: agreementEntry(found.predictionAgreement),
    counts: [count(counts.all), count(counts.half)],
    stability: stability && {
      ami: short(stability.ami),
      splits: stability.splits,
      inputs: stability.inputs,
      common: stability.common,
      values: stability.values.map(short),
    },
    noiseAgreement: noiseAgreement && {
      kept: short(noiseAgreement.kept),
      tried: noiseAgreement.tried,
      inputs: noiseAgreement.inputs,
      sigma: short(noiseAgreement.sigma),
      share: noiseAgreement.share,
    },
    permuted: permuted && {
      draws: permuted.draws,
      patterns: test(permuted.patterns),
      noise: test(permuted.noise),
      ami: permuted.ami && test(permuted.ami),
    },
    random: random && {
      draws: random.draws,
      inputs: random.inputs,
      patterns: setTest(random.patterns),
      noise: setTest(random.noise),
      ami: random.ami && setTest(random.ami),
    },
    patterns: found.patterns.map((pattern, id) => patternEntry(pattern, id, found, run)),
    outliers: {
      threshold: short(found.outliers.threshold),
      inputs: Array.from(found.outliers.rows, (row) => inputEntry(row, found, run)),
    },
    boxes: found.patterns.length > 0 ? `boxes${number}` : null,
  };
}

const agreementEntry = (agreement: PatternAgreement | null): Json =>
  agreement && {
    withNoise: short(agreement.withNoise),
    withoutNoise: short(agreement.withoutNoise),
  };

function patternEntry(pattern: Pattern, number: number, found: LayerPatterns, run: PatternRun): Json {
  const { classes, predictions } = pattern;
  const mix = ({ majority, purity, entropy, counts }: ClassMix): Json => ({
    majority,
    purity: short(purity),
    entropy: short(entropy),
    counts: Array.from(counts),
  });
  return {
    pattern: number,
    size: pattern.members.length,
    persistence: short(pattern.persistence),
    meanProbability: short(pattern.meanProbability),
    classes: classes && mix(classes),
    predictions: predictions && mix(predictions),
    misclassified: short(pattern.misclassified),
    exemplars: Array.from(pattern.exemplars, (row) => inputEntry(row, found, run)),
    boundary: Array.from(pattern.boundary, (row) => inputEntry(row, found, run)),
  };
}

function inputEntry(row: number, found: LayerPatterns, { inputs, labels, predictions }: PatternRun): Json {
  return {
    input: inputs[row] as number,
    ...(labels && { label: labels[row] as number }),
    ...(predictions && { prediction: predictions[row] as number }),
    probability: short(found.probabilities[row] as number),
    outlier: short(found.outlierScores[row] as number),
  };
}

/** The label that a cluster has in the partition's file. */
export function labelOf(cluster: number, { clusterLabels }: Pick<PatternFacts, "clusterLabels">): number {
  return clusterLabels?.[cluster] ?? cluster;
}

/** `patterns.csv`: a row for each pattern of a layer or cluster. */
export function formatPatternTable(found: Patterns, facts: PatternFacts): string {
  const header = [
    ...["layer", "cluster", "pattern", "size", "persistence", "meanProbability"],
    ...["majority", "purity", "entropy", "predicted", "predictedPurity", "misclassified"],
    ...["exemplars", "boundary"],
  ];
  const named = (rows: Int32Array) => Array.from(rows, (row) => found.inputs[row]).join(" ");
  const rows = found.layers.flatMap(({ layer, cluster, patterns }) =>
    patterns.map((pattern, number) => [
      layer,
      cluster === null ? "" : labelOf(cluster, facts),
      number,
      pattern.members.length,
      digits(pattern.persistence),
      digits(pattern.meanProbability),
      pattern.classes?.majority ?? "",
      digits(pattern.classes?.purity ?? Number.NaN),
      digits(pattern.classes?.entropy ?? Number.NaN),
      pattern.predictions?.majority ?? "",
      digits(pattern.predictions?.purity ?? Number.NaN),
      digits(pattern.misclassified),
      named(pattern.exemplars),
      named(pattern.boundary),
    ]),
  );
  return formatCsv([header, ...rows]);
}

const digits = (value: number): number => Number(value.toPrecision(7));

/** `pattern-inputs.csv`: a row for each input, with its pattern, probability and outlier score in each layer and cluster. */
export function formatPatternInputs(found: Patterns, facts: PatternFacts): string {
  const { inputs, labels, predictions, layers } = found;
  const header = [
    ...["input", "label", "prediction"],
    ...layers.flatMap(({ layer, cluster }) => {
      const name = cluster === null ? layer : `${layer} cluster ${labelOf(cluster, facts)}`;
      return [`pattern ${name}`, `probability ${name}`, `outlier ${name}`];
    }),
  ];
  const rows = Array.from(inputs, (input, row) => [
    input,
    labels?.[row] ?? "",
    predictions?.[row] ?? "",
    ...layers.flatMap((layer) => [
      layer.labels[row] as number,
      digits(layer.probabilities[row] as number),
      digits(layer.outlierScores[row] as number),
    ]),
  ]);
  return formatCsv([header, ...rows]);
}

/**
 * `pattern-units.npz`: `inputs`, the numbers of the inputs, and for the n-th layer or cluster with patterns `boxes<n>`
 * (patterns x columns x `BOX_STATISTICS`, float32) with `units<n>`, the unit of each column.
 */
export function formatPatternUnits({ inputs, layers }: Patterns): Uint8Array {
  const arrays: Record<string, NpyArray> = {
    inputs: { shape: [inputs.length], dtype: "int32", values: inputs },
  };
  layers.forEach(({ patterns, columnUnit, boxes }, number) => {
    if (patterns.length === 0) return;
    const shape = [patterns.length, columnUnit.length, BOX_STATISTICS.length];
    arrays[`boxes${number}`] = { shape, dtype: "float32", values: boxes };
    arrays[`units${number}`] = { shape: [columnUnit.length], dtype: "int32", values: columnUnit };
  });
  return joinNpz(arrays);
}
