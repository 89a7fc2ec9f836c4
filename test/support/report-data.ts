/** A report's document made by hand: three small layers (or many large ones), every kind of score, and names out to harm. */

import { REPORT_SCHEMA, type ReportData } from "../../src/report/report-data.ts";
import type {
  CoherenceEntry,
  ImportanceEntry,
  NetworkEntry,
  NullSpread,
  ScoresDocument,
  SubclusterEntry,
} from "../../src/report/scores-document.ts";
import type { UnitMap } from "../../src/report/unit-map.ts";
import { type Rng, rng } from "../../src/statistics/rng.ts";

/** Ends a script and runs another wherever a page takes text for markup. */
export const HOSTILE = "</script><img src=x onerror=alert(1)>";

export interface MadeReport {
  readonly layers?: readonly { readonly name: string; readonly units: number }[];
  readonly clusters?: number;
  readonly seed?: number;
}

const LAYERS = [
  { name: "conv1", units: 12 },
  { name: HOSTILE, units: 10 },
  { name: "/model/fc.2/Gemm", units: 9 },
];

/** One PNG pixel. */
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Unit u of a layer is in cluster u mod `clusters`; the last unit of every layer is in none. The same seed, the same document. */
export function reportData({ layers = LAYERS, clusters = 3, seed = 0 }: MadeReport = {}): ReportData {
  const random = rng(seed, "report");
  const subclusters = layers.flatMap(({ name, units }) =>
    Array.from({ length: clusters }, (_, cluster) => subcluster(name, units, cluster, clusters, random)),
  );
  const [first] = layers;
  return {
    schema: REPORT_SCHEMA,
    name: `${HOSTILE}.onnx`,
    graph: { kind: "weights", scope: "global", layers, facts: { model: `${HOSTILE}.onnx`, norm: "l1" } },
    map: madeMap(layers, clusters, random),
    partition: {
      clusters,
      method: { name: "spectral", k: clusters, seed: 0 },
      quality: madeQuality(clusters),
      coAssignment: layers.map(({ units }) =>
        Array.from({ length: units }, (_, unit) => (unit === units - 1 ? null : 0.3 + (0.7 * unit) / units)),
      ),
    },
    scores: scoresOf(subclusters),
    classNames: ["zero", HOSTILE, "two"],
    pictures: {
      inputs: { 4: PIXEL, 7: PIXEL },
      subclusters: [{ layer: first?.name ?? "", cluster: 0, image: PIXEL, random: [PIXEL, PIXEL] }],
    },
    run: madeRun(),
    files: [
      { name: "graph.npz", sizeBytes: 3_234_804 },
      { name: HOSTILE, sizeBytes: 12 },
    ],
    patterns: null,
    populations: null,
  };
}

/** Units of cluster `cluster` among `units`. */
const unitsOf = (units: number, cluster: number, clusters: number): number[] =>
  Array.from({ length: units - 1 }, (_, unit) => unit).filter((unit) => unit % clusters === cluster);

function subcluster(
  layer: string,
  units: number,
  cluster: number,
  clusters: number,
  random: Rng,
): SubclusterEntry {
  // The first cluster matters, the others do not.
  const p = cluster === 0 ? 0.001 : Math.ceil(random.uniform() * 180 + 19) / 200;
  return {
    layer,
    cluster,
    units: unitsOf(units, cluster, clusters),
    layerUnits: units,
    importance: importance(p, random),
    coherence: coherence(p, random),
  };
}

function verdicts(measures: readonly string[], p: number, random: Rng) {
  const each = <Value>(value: (measure: string) => Value) =>
    Object.fromEntries(measures.map((measure) => [measure, value(measure)]));
  return {
    p: each(() => p),
    q: each(() => Math.min(1, p * 8)),
    bh: each(() => Math.min(1, p * 3)),
    effect: each(() => 1 + (0.5 - p) * 1.6),
    difference: each(() => (0.5 - p) / 5),
    z: each(() => (0.5 - p) * 6),
    nulls: each(() => 199),
    nullSpread: each((): NullSpread => {
      const centre = random.uniform();
      return {
        amount: centre + (0.5 - p),
        quantiles: Array.from({ length: 21 }, (_, at) => centre - 0.5 + at / 20),
      };
    }),
  };
}

function importance(p: number, random: Rng): ImportanceEntry {
  const isGood = p < 0.05;
  const accuracies = [isGood ? 0.4 : 0.95, isGood ? 0.7 : 0.94, 0.96];
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / 3;
  const range = verdicts(["accuracy", "classRange", "loss"], p, random);
  return {
    ...range,
    effect: { ...range.effect, classRange: null },
    p: { ...range.p, classRange: isGood ? p : null },
    accuracy: mean,
    classAccuracy: accuracies,
    meanClassAccuracy: mean,
    classRange: isGood ? 3.2 : null,
    loss: isGood ? 0.9 : 0.12,
    lossIncrease: isGood ? 0.78 : -0.004,
    intervals: {
      lossIncrease: isGood ? [0.6, 0.95] : [-0.02, 0.01],
      meanClassAccuracyChange: isGood ? [-0.4, -0.2] : [-0.02, 0.01],
    },
    flipRate: isGood ? 0.3 : 0.01,
    divergence: isGood ? 0.5 : 0.01,
    drawn: 199,
    profile: {
      classDrop: isGood ? [0.55, 0.25, 0] : [0, 0.01, 0],
      specialisation: isGood ? 0.4 : null,
      gini: 0.5,
    },
    keepOnly: { accuracy: 0.5, loss: 1.4, p: { accuracy: p, loss: p }, z: { accuracy: 1, loss: 1 } },
  };
}

export const COHERENCE_MEASURES: readonly string[] = ["meanCorrelation", "profileCosine", "score", "entropy"];

function coherence(p: number, random: Rng): CoherenceEntry {
  const found = verdicts(COHERENCE_MEASURES, p, random);
  return {
    ...found,
    effect: { ...found.effect, profileCosine: null },
    meanCorrelation: 0.4,
    profileCosine: 0.1,
    score: 12,
    entropy: 0.3,
    classAurocs: [0.9, 0.4, 0.5],
    examples: [
      { input: 4, label: 1, activation: 2.1 },
      { input: 7, label: 0, activation: 1.9 },
    ],
  };
}

const network = (changes: Partial<NetworkEntry> = {}): NetworkEntry => ({
  fisherStatistic: 2.2,
  fisherP: 0.0004,
  permutationP: 0.0001,
  effect: 1.31,
  effectError: 0.05,
  tested: 9,
  undefinedP: 0,
  significant: 3,
  significantBH: 3,
  bh: 0.0002,
  by: 0.0003,
  ...changes,
});

function scoresOf(subclusters: readonly SubclusterEntry[]): ScoresDocument {
  const tested = subclusters.length;
  const significant = subclusters.filter(({ cluster }) => cluster === 0).length;
  const of = (changes: Partial<NetworkEntry> = {}) =>
    network({ tested, significant, significantBH: significant, ...changes });
  const [one, other] = subclusters;
  return {
    protocol: "strict",
    seed: 0,
    shuffles: 199,
    lesion: "zero",
    task: "classification",
    match: "size",
    sequential: false,
    baseline: { inputs: 600, accuracy: 0.95, classAccuracy: [0.97, 0.93, 0.95], loss: 0.13 },
    subclusters,
    filtered: 2,
    dissociations: [
      { layer: one?.layer ?? "", clusters: [0, 1], classes: [0, 1], strength: 0.2, p: 0.01, q: 0.04 },
    ],
    pairs:
      one && other
        ? [
            {
              subclusters: [one, other],
              lossIncrease: 1.2,
              synergy: 0.3,
              interval: [0.1, 0.5],
              lostOnlyTogether: 0.1,
            },
          ]
        : [],
    coherence: {
      inputs: 600,
      visual: { shuffles: 19, image: [1, 28, 28] },
      notMeasured: ["downstreamCosine: the network has no gradient here"],
    },
    network: {
      importance: {
        accuracy: of(),
        classRange: of({
          tested: significant,
          undefinedP: tested - significant,
          permutationP: 0.6,
          by: 1,
          bh: 0.7,
          effect: null,
          effectError: null,
        }),
        loss: of({ permutationP: 0.0002 }),
      },
      coherence: {
        meanCorrelation: of({
          permutationP: 0.03,
          by: 0.2,
          bh: 0.06,
          meaning: "the subcluster's units act alike over the inputs",
        }),
        profileCosine: of({
          permutationP: 0.4,
          significant: 0,
          significantBH: 0,
          by: 1,
          bh: 0.8,
          effect: null,
          effectError: null,
          meaning: "the subcluster's units prefer the same classes",
        }),
        score: of({
          permutationP: null,
          by: null,
          bh: null,
          tested: 0,
          undefinedP: tested,
          significant: 0,
          significantBH: 0,
          meaning: "one image drives them all",
        }),
        entropy: of({
          permutationP: 0.7,
          by: 1,
          bh: 0.8,
          significant: 0,
          significantBH: 1,
          effect: 0.9,
          meaning: "that image means a class",
        }),
      },
    },
  };
}

function madeQuality(k: number): NonNullable<ReportData["partition"]["quality"]> {
  const test = (mean: number, sd: number, z: number, p: number) => ({ mean, sd, z, p });
  const agreement = {
    units: 20,
    onlyFirst: 8,
    onlySecond: 0,
    neither: 3,
    ari: 0.12,
    ami: 0.18,
    nmi: 0.3,
    vi: 1.9,
    elementCentric: 0.4,
  };
  const shuffled = { ami: test(0, 0.04, 4.5, 0.0002), ari: test(0, 0.03, 4, 0.0002) };
  // As it is read back: without the units' co-assignment, which stands beside it.
  const stability = {
    runs: 10,
    rows: [
      { name: "seeds", runs: 10, ami: 0.81, leastAmi: 0.7, elementCentric: 0.75, clusters: k },
      { name: `k ${k + 1}`, runs: 1, ami: 0.7, leastAmi: 0.7, elementCentric: 0.6, clusters: k + 1 },
    ],
    unstable: 7,
    threshold: 0.6,
  };
  const quality = {
    ncut: 1.21,
    modularity: 0.34,
    eigenvalues: [
      {
        part: "all",
        values: Array.from({ length: k + 4 }, (_, at) => (at < k ? 1 - at / 50 : 0.6 - at / 40)),
      },
    ],
    nulls: [
      {
        null: "weights",
        draws: 50,
        ncut: test(1.8, 0.05, -11.8, 0.02),
        modularity: test(0.1, 0.02, 12, 0.02),
      },
    ],
    stability,
    agreement: {
      kind: "activations",
      clusters: k,
      ncut: 1.4,
      modularity: 0.3,
      shuffles: 5000,
      overall: { ...agreement, withinLayers: shuffled, freely: shuffled },
      layers: [
        { ...agreement, name: HOSTILE, shuffled },
        {
          ...agreement,
          name: "conv1",
          units: 0,
          ari: null,
          ami: null,
          shuffled: { ami: test(0, 0, 0, 1), ari: test(0, 0, 0, 1) },
        },
      ],
      transfer: { toOther: { nodes: 20, own: 0.3, other: 0.1, ratio: 0.33 }, fromOther: null },
    },
  };
  return quality as unknown as NonNullable<ReportData["partition"]["quality"]>;
}

/** Places drawn at random; as many edges and bundles as a page is given at most for so many units. */
function madeMap(layers: Required<MadeReport>["layers"], clusters: number, random: Rng): UnitMap {
  const units = layers.flatMap(({ units: size }, layer) =>
    Array.from({ length: size }, (_, unit) => ({
      layer,
      unit,
      cluster: unit === size - 1 ? -1 : unit % clusters,
    })),
  );
  const count = units.length;
  const edges = Array.from({ length: Math.min(12_000, 4 * count) }, (_, at) => ({
    source: at % count,
    target: ((at % count) + 1 + random.integer(count - 1)) % count,
    weight: 1 / (1 + at / count),
  }));
  const bundles = layers.slice(1).flatMap((_, from) =>
    Array.from({ length: clusters ** 2 }, (_, at) => ({
      fromLayer: from,
      fromCluster: Math.floor(at / clusters),
      toLayer: from + 1,
      toCluster: at % clusters,
      weight: at % (clusters + 1) === 0 ? 3 : random.uniform(),
    })),
  );
  const drawn = bundles.sort((a, b) => b.weight - a.weight).slice(0, 600);
  const round = (value: number) => Number(value.toFixed(4));
  return {
    units: {
      layer: units.map(({ layer }) => layer),
      unit: units.map(({ unit }) => unit),
      cluster: units.map(({ cluster }) => cluster),
      degree: units.map(() => round(random.uniform() * 5)),
      x: units.map(() => round(random.uniform())),
      y: units.map(() => round(random.uniform())),
      total: count,
    },
    edges: {
      source: edges.map(({ source }) => source),
      target: edges.map(({ target }) => target),
      weight: edges.map(({ weight }) => round(weight)),
      total: 3 * edges.length,
    },
    bundles: {
      fromLayer: drawn.map(({ fromLayer }) => fromLayer),
      fromCluster: drawn.map(({ fromCluster }) => fromCluster),
      toLayer: drawn.map(({ toLayer }) => toLayer),
      toCluster: drawn.map(({ toCluster }) => toCluster),
      weight: drawn.map(({ weight }) => round(weight)),
      total: bundles.length,
    },
  };
}

const madeRun = (): Readonly<Record<string, unknown>> => ({
  schema: "brodmann/run/1",
  version: "0.1.0",
  command: ["brodmann", "analyze", `models/${HOSTILE}.onnx`, "--data", "my digits.npz", "--out", "run"],
  inputs: {
    model: {
      path: `models/${HOSTILE}.onnx`,
      sha256: "53af6f40a8509dc35cd6776f14049c9ef78c71fb33a0e52c1026620c1ec64585",
    },
    data: {
      path: "my digits.npz",
      labelsPath: null,
      format: "npz",
      sha256: "44a66dad3653c4db39cf3adaffd19d6b2b0ebf48ec49c4f7726f4d44d070af31",
      labelsSha256: null,
      skip: 0,
      take: 600,
      notes: [],
      classNames: ["zero", HOSTILE, "two"],
    },
  },
  device: "cpu",
  graph: { kind: "weights", scope: "global" },
  zeroWeightShare: 0,
  skipped: [{ node: HOSTILE, operator: "LSTM", reason: "recurrent" }],
  machine: {
    node: "v20.20.2",
    platform: "linux x64",
    processor: "a processor",
    memoryBytes: 16e9,
    onnxRuntime: { version: "1.30.0", providers: ["cpu"], threads: 2 },
  },
  seconds: 12.3,
  finished: "2026-11-21T18:14:41.502Z",
});
