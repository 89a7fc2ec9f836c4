import type { Patterns } from "../patterns/find-patterns.ts";
import type { LayerPatterns } from "../patterns/layer-patterns.ts";
import type { PatternSettings } from "../patterns/pattern-settings.ts";
import { labelOf, NO_PATTERNS, type PatternFacts } from "../patterns/patterns-file.ts";
import { formatTable } from "./terminal.ts";

/** A column's title, and its cell in the row of a layer. */
type Column = readonly [title: string, cell: (layer: LayerPatterns) => string];

const clusterColumn = (facts: PatternFacts): Column => [
  "cluster",
  ({ cluster }) => (cluster === null ? "all" : String(labelOf(cluster, facts))),
];

const RANDOM_COLUMNS: readonly Column[] = [
  ["p", ({ random }) => number(random?.patterns.p)],
  ["p noise", ({ random }) => number(random?.noise.p)],
  ["p AMI", ({ random }) => number(random?.ami?.p)],
];

/** Patterns as text: a row for each layer and cluster, what the columns mean, and how they were made. */
export function formatPatternResults(found: Patterns, facts: PatternFacts): string {
  const { layers, flow, settings, inputs, labels } = found;
  const hasClusters = layers.some(({ cluster }) => cluster !== null);
  const columns: readonly Column[] = [
    ["layer", ({ layer }) => layer],
    ...(hasClusters ? [clusterColumn(facts)] : []),
    ["units", ({ units }) => String(units.length)],
    ["patterns", ({ patterns }) => String(patterns.length)],
    [`at ${Math.floor(inputs.length / 2)}`, ({ counts }) => String(counts.half.patterns)],
    ["noise", ({ noise }) => percent(noise)],
    ["purity", (layer) => number(meanPurity(layer))],
    ["AMI", ({ classAgreement }) => number(classAgreement?.withNoise)],
    ["AMI in", ({ classAgreement }) => number(classAgreement?.withoutNoise)],
    ["AMI net", ({ predictionAgreement }) => number(predictionAgreement?.withNoise)],
    ["null", ({ permuted }) => (permuted === null ? "-" : permuted.patterns.mean.toFixed(1))],
    ["z", ({ permuted }) => formatZ(permuted?.patterns.z)],
    ["stable", ({ stability }) => number(stability?.ami)],
    ["kept", ({ noiseAgreement }) => percent(noiseAgreement?.kept)],
    ...(hasClusters ? RANDOM_COLUMNS : []),
    ["", ({ continuum }) => (continuum.length === 0 ? "" : `continuum (${continuum.join(", ")})`)],
  ];
  const lines = layers.map((layer) => columns.map(([, cell]) => cell(layer)));
  const isContinuous = layers.some(({ continuum }) => continuum.length > 0);
  const noisy = layers.find(({ noiseAgreement }) => noiseAgreement !== null)?.noiseAgreement;
  const random = layers.find((layer) => layer.random !== null)?.random;
  const classes = labels && new Set(labels).size;
  const hasPositions = layers.some(({ columnStatistic }) => columnStatistic.some((name) => name !== "value"));
  return [
    formatTable(
      columns.map(([title]) => title),
      lines,
    ),
    "",
    `inputs: ${inputsInWords(found)}; at ${Math.floor(inputs.length / 2)}: patterns of half of them.`,
    `patterns: ${describeSettings(settings, hasPositions)}.`,
    "noise: share of inputs in no pattern. purity: mean share of a pattern's largest class, by inputs.",
    "AMI: agreement with the classes, noise as one group; in: over the inputs in patterns; net: with the network's answers.",
    `null, z: patterns of ${settings.nulls} draws with each unit's values permuted over the inputs, and how far the count is from them.`,
    `stable: AMI on the third that ${settings.splits} pairs of clusterings of two thirds have in common.`,
    ...(noisy
      ? [
          `kept: share of inputs in patterns (of ${noisy.tried} tried) that stay there under noise of sigma ${noisy.sigma.toPrecision(3)} (${noisy.share} of the inputs' standard deviation).`,
        ]
      : []),
    ...(random
      ? [
          `p: more patterns, less noise, more agreement than ${random.draws} random unit sets of the same layer and size, on ${random.inputs} inputs.`,
        ]
      : []),
    ...(flow
      ? [
          `flow: ${flow.sequences} sequences of patterns through the layers, ${flow.singles} of a single input; ${flow.noise} inputs are noise throughout, and the other sequences that several inputs share have a purity of ${number(flow.purity)}.`,
        ]
      : []),
    ...(isContinuous
      ? [
          `continuum: ${NO_PATTERNS} (no split: one dense place; noise: most inputs in no pattern; null: as many as where units are permuted).`,
        ]
      : []),
    ...(classes === 1 ? ["All inputs have the same class: agreement is undefined."] : []),
  ].join("\n");
}

function inputsInWords({ inputs, given, labels, settings }: Patterns): string {
  if (inputs.length === given)
    return `all ${given}${labels ? "" : ", without labels"} (seed ${settings.seed})`;
  const kind = labels ? "with as many of each class as there are" : "without labels";
  return `${inputs.length} of ${given}, a sample ${kind} (seed ${settings.seed})`;
}

/** The settings in words. */
function describeSettings(settings: PatternSettings, hasPositions: boolean): string {
  const { aggregate, scale, metric, selection, minSamples, minClusterSize, epsilon } = settings;
  const scaled = {
    "abs-max": "units by their largest absolute value",
    "z-score": "units by z-score",
    layer: "the layer by its largest absolute value",
  };
  return [
    ...(hasPositions ? [`${aggregate} of positions`] : aggregate === "none" ? ["every position"] : []),
    `${scaled[scale]}`,
    `HDBSCAN ${selection} (${metric}), smallest pattern ${minClusterSize}`,
    `${minSamples} neighbours (the input itself not counted)`,
    `epsilon ${epsilon}`,
  ].join("; ");
}

function meanPurity({ patterns }: LayerPatterns): number {
  let [sum, count] = [0, 0];
  for (const { members, classes } of patterns) {
    sum += members.length * (classes?.purity ?? Number.NaN);
    count += members.length;
  }
  return sum / count;
}

function number(value: number = Number.NaN): string {
  return Number.isFinite(value) ? value.toFixed(3) : "-";
}

function percent(value: number = Number.NaN): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(1)}%` : "-";
}

function formatZ(z: number = Number.NaN): string {
  if (Number.isNaN(z)) return "-";
  return Number.isFinite(z) ? z.toFixed(1) : z > 0 ? "inf" : "-inf";
}
