/** Patterns and populations made by hand for a report's document: small, complete, with names out to harm. */
import type { PatternEntry, PatternLayer, PatternsDocument } from "../../src/report/patterns-document.ts";
import type {
  GroupEntry,
  PairEntry,
  PopulationsDocument,
  RelationEntry,
  UnitEntry,
} from "../../src/report/populations-document.ts";
import type { ReportData } from "../../src/report/report-data.ts";
import { HOSTILE } from "./report-data.ts";

/** A pattern of `counts` inputs of each class. */
export function madePattern(
  pattern: number,
  counts: readonly number[],
  changes: Partial<PatternEntry> = {},
): PatternEntry {
  const size = counts.reduce((sum, inputs) => sum + inputs, 0);
  const most = Math.max(...counts);
  const majority = counts.indexOf(most);
  const mix = { majority, purity: most / size, entropy: 0.1, counts };
  return {
    pattern,
    size,
    persistence: 0.4 / (pattern + 1),
    meanProbability: 0.9,
    classes: mix,
    predictions: mix,
    misclassified: 0.1,
    exemplars: [
      { input: 4, label: majority, prediction: majority, probability: 1, outlier: 0 },
      { input: 7, label: majority, prediction: (majority + 1) % 3, probability: 0.9, outlier: 0.1 },
    ],
    boundary: [{ input: 99, label: majority, prediction: majority, probability: 0.3, outlier: 0.6 }],
    ...changes,
  };
}

export function madeLayer(
  layer: string,
  patterns: readonly PatternEntry[],
  changes: Partial<PatternLayer> = {},
): PatternLayer {
  const count = patterns.length;
  return {
    layer,
    units: 10,
    layerUnits: 10,
    count,
    noise: 0.25,
    continuum: [],
    ami: { withNoise: 0.5, withoutNoise: 0.8 },
    predictionAmi: null,
    counts: [
      { inputs: 60, patterns: count, noise: 0.25 },
      { inputs: 30, patterns: 2, noise: 0.3 },
    ],
    stability: { ami: 0.7, splits: 5 },
    noiseAgreement: { kept: 0.9, tried: 60, inputs: 45, sigma: 0.03, share: 0.1 },
    permuted: {
      draws: 10,
      patterns: { observed: count, mean: 1, sd: 0.5, min: 0, max: 2, z: 4 },
      noise: { observed: 0.25, mean: 0.9, sd: 0.1, min: 0.8, max: 1, z: -6.5 },
    },
    random: null,
    patterns,
    outliers: {
      threshold: 0.8,
      inputs: [{ input: 11, label: 1, prediction: 2, probability: 0, outlier: 0.9 }],
    },
    ...changes,
  };
}

export function madePatterns(changes: Partial<PatternsDocument> = {}): PatternsDocument {
  return {
    seed: 0,
    inputs: { given: 600, used: 60 },
    classNames: null,
    settings: {
      aggregate: "mean",
      scale: "abs-max",
      metric: "euclidean",
      selection: "leaf",
      minSamples: 5,
      minClusterSize: 5,
    },
    layers: [
      madeLayer("conv1", [madePattern(0, [20, 0, 1])], {
        noise: 0.65,
        continuum: ["noise", "null"],
      }),
      madeLayer("conv1", [madePattern(0, [9, 0, 0])], {
        cluster: 0,
        units: 4,
        layerUnits: 12,
        random: {
          draws: 19,
          inputs: 60,
          patterns: { observed: 1, mean: 2.5, p: 0.9 },
          noise: { observed: 0.85, mean: 0.7, p: 0.95 },
          ami: null,
        },
      }),
      madeLayer(HOSTILE, [
        ...[
          [0, 20, 0],
          [15, 0, 0],
          [2, 0, 8],
        ].map((counts, number) => madePattern(number, counts)),
      ]),
    ],
    flow: {
      layers: ["conv1", HOSTILE],
      links: [
        [
          [-1, -1, 10],
          [-1, 0, 20],
          [-1, 2, 9],
          [0, -1, 5],
          [0, 1, 15],
          [0, 2, 1],
        ],
      ],
      sequences: 6,
      singles: 1,
      purity: 0.95,
      noise: 10,
      paths: [
        { patterns: [-1, 0], inputs: 20, majority: 1, purity: 1 },
        { patterns: [0, 1], inputs: 15, majority: 0, purity: 1 },
        { patterns: [-1, -1], inputs: 10, majority: 2, purity: 0.5 },
      ],
    },
    ...changes,
  };
}

const KINDS = ["zero", "mean"] as const;

/** Unit u of a layer adds a loss of (u - 1) / 100 when it is lesioned; the last unit is dead. */
export function madeUnits(layer: string, units: number): UnitEntry[] {
  return Array.from({ length: units }, (_, unit) => {
    const loss = (unit - 1) / 100;
    const impact = {
      accuracyImpact: unit / 200,
      accuracyInterval: [0, unit / 100] as const,
      lossImpact: loss,
      lossInterval: [loss - 0.01, loss + 0.01] as const,
      flipRate: 0.01,
    };
    return {
      layer,
      unit,
      dead: unit === units - 1,
      coResponse: unit % 2,
      coImpact: unit < 3 ? -1 : 0,
      coImpactWard: -1,
      magnitude: 1 + unit,
      selectivity: 1 / (1 + unit),
      auroc: 0.5 + unit / 40,
      aurocClass: unit % 3,
      sparseness: 0.5,
      lesions: Object.fromEntries(KINDS.map((kind) => [kind, impact])),
    };
  });
}

const interval = (rho: number) => [rho - 0.1, rho + 0.1] as const;

function madeRelations(layer: string | null): RelationEntry[] {
  return KINDS.flatMap((kind) =>
    ["magnitude", "selectivity", "auroc", "sparseness", `accuracyImpact ${kind}`].map((first, at) => ({
      layer,
      first,
      second: `lossImpact ${kind}`,
      given: null,
      rho: at / 10 - 0.2,
      interval: interval(at / 10 - 0.2),
      units: 9,
    })),
  );
}

const STATES = { lost: 6, kept: 580, gained: 2, "lost only jointly": 3, "never right": 9 };

export function madeGroup(changes: Partial<GroupEntry> = {}): GroupEntry {
  const verdict = { p: 0.005, effect: 1.8, difference: 0.1, z: 4, nulls: 199 };
  return {
    kind: "co-response",
    layer: "conv1",
    population: 0,
    units: [0, 2, 4],
    accuracyImpact: 0.05,
    lossImpact: 0.4,
    flipRate: 0.1,
    redundancy: { accuracy: 0.02, interval: [0.01, 0.03], loss: 0.2 },
    states: STATES,
    against: { accuracy: verdict, loss: verdict },
    ...changes,
  };
}

export function madePair(changes: Partial<PairEntry> = {}): PairEntry {
  return {
    layer: "conv1",
    units: [0, 3],
    accuracyImpact: 0.01,
    lossImpact: 0.03,
    synergy: 0.01,
    interval: [0.005, 0.015],
    states: STATES,
    lostShare: 0.01,
    lostOnlyJointlyShare: 0.005,
    ...changes,
  };
}

export function madePopulations(changes: Partial<PopulationsDocument> = {}): PopulationsDocument {
  const names = ["conv1", HOSTILE];
  const tellings = KINDS.flatMap((lesion) =>
    (["magnitude", "selectivity", "auroc"] as const).map((indicator, at) => ({
      indicator,
      lesion,
      rho: at / 10 - 0.3,
      interval: interval(at / 10 - 0.3),
    })),
  );
  const test = { mean: 0.01, sd: 0.02, z: 3, p: 0.002 };
  return {
    seed: 0,
    inputs: 600,
    response: "correlation",
    impact: "loss",
    partitions: { coResponse: { clusters: 2 } },
    layers: names.map((name, at) => ({
      name,
      units: at === 0 ? 12 : 10,
      dead: [at === 0 ? 11 : 9],
      coResponse: 2,
      coImpact: 1,
      lesions: KINDS.map((kind) => ({ kind, withoutAccuracyImpact: 6, withoutLossImpact: 3 })),
    })),
    units: [...madeUnits("conv1", 12), ...madeUnits(HOSTILE, 10)],
    lesions: KINDS,
    shuffles: 199,
    nullInputs: 600,
    baseline: { accuracy: 0.95, loss: 0.1 },
    relations: [...names, null].flatMap(madeRelations),
    agreements: [
      {
        partitions: ["co-response", "co-impact"],
        shuffles: 5000,
        overall: { units: 18, ami: 0.3, ari: 0.2, withinLayers: { ami: test, ari: test } },
        layers: names.map((name) => ({
          name,
          units: 9,
          ami: 0.3,
          ari: 0.2,
          shuffled: { ami: test, ari: { ...test, p: 0.7 } },
        })),
      },
      { partitions: ["co-response", HOSTILE], overall: null, layers: [] },
    ],
    groups: [
      madeGroup(),
      madeGroup({ population: 1, layer: HOSTILE, lossImpact: 0.9 }),
      madeGroup({ kind: "co-impact", population: 7, lossImpact: 0.1, against: null }),
    ],
    pairs: [madePair({ synergy: 0.001 }), madePair({ layer: HOSTILE, units: [5, 6] })],
    claim: [...names, null].map((layer) => ({
      layer,
      units: 9,
      tellings,
      lesionKinds: [{ lesions: ["zero", "mean"] as const, rho: 0.5, interval: interval(0.5) }],
      toldBy: [],
    })),
    ...changes,
  };
}

/** The document with both. */
export const withFindings = (
  data: ReportData,
  patterns: PatternsDocument | null = madePatterns(),
  populations: PopulationsDocument | null = madePopulations(),
): ReportData => ({
  ...data,
  patterns: patterns as unknown as ReportData["patterns"],
  populations: populations as unknown as ReportData["populations"],
});
