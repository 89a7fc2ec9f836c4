import { describe, expect, it } from "vitest";
import { decodeLine, encodeLine } from "../../src/journal/journal-lines.ts";
import { runLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { recordUnits } from "../../src/network/record.ts";
import type { Partition } from "../../src/partition/partition.ts";
import type { Progress } from "../../src/progress.ts";
import type { Records } from "../../src/records.ts";
import {
  type CoherenceOptions,
  mergeCoherence,
  scoreCoherence,
  scoreCoherenceShard,
} from "../../src/scores/coherence.ts";
import {
  COHERENCE_MEASURES,
  COHERENCE_NAMES,
  type CoherenceName,
} from "../../src/scores/coherence-measures.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import { formatScores, formatSubclusterTable } from "../../src/scores/scores-file.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { exportData, loadExport } from "../support/exports.ts";
import { expectRefusal, randomData, sketch, withWeights } from "../support/models.ts";

const CLASSES = 4;
const INPUTS = 800;
const PER_CLASS = 4;
const UNITS = CLASSES * PER_CLASS;

/**
 * x (4) - hidden (16) - 4 classes: four units, spread over the layer, stand for each class; all of them read the feature of
 * their class, with some of the others, and speak for it. The features are noisy, so that every unit is of use.
 */
async function classNetwork(
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  shifts: readonly number[] = [1.5, 1.5, 1.5, 1.5],
) {
  const order = rng(1, "order").shuffle(
    Int32Array.from({ length: UNITS }, (_, unit) => Math.floor(unit / PER_CLASS)),
  );
  const model = sketch([CLASSES]);
  const hidden = model.node("Relu", [model.dense("x", "hidden", CLASSES, UNITS)]);
  let bytes = model.encode(model.dense(hidden, "logits", UNITS, CLASSES));
  const random = rng(2, "weights");
  bytes = withWeights(bytes, "hidden.weight", (i) => {
    const isOwn = i % CLASSES === order[Math.floor(i / CLASSES)];
    return (isOwn ? 1 : 0) + 0.2 * random.normal();
  });
  bytes = withWeights(bytes, "hidden.bias", () => 0.2 * random.uniform());
  bytes = withWeights(bytes, "logits.weight", (i) => (Math.floor(i / UNITS) === order[i % UNITS] ? 1 : 0));
  bytes = withWeights(bytes, "logits.bias", () => 0);
  const network = await loadNetworkBytes(change(bytes), "classes");
  const { count, labels, values } = randomData(INPUTS, [CLASSES], CLASSES);
  labels.forEach((label, input) => {
    values[input * CLASSES + label] = (values[input * CLASSES + label] as number) + (shifts[label] ?? 0);
  });
  const batch = (start: number, rows: number) => values.slice(start * CLASSES, (start + rows) * CLASSES);
  const data: LabelledInputs = { count, labels, batch };
  return { network, data, partition: partitionOf({ hidden: order }) };
}

const partitionOf = (layers: Readonly<Record<string, Int32Array>>): Partition => ({
  layers: Object.entries(layers).map(([name, labels]) => ({ name, labels })),
  clusters: CLASSES,
  method: { name: "external" },
  quality: null,
});

/** Measures by which units of one class belong together, whatever the others do. */
const SHARED = [
  "meanCorrelation",
  "leadingShare",
  "silhouette",
  "profileCosine",
  "impactCosine",
  "lossImpactCosine",
] as const;

type Entry = readonly [key: string, value: unknown];

function recorder() {
  const entries: Entry[] = [];
  const onRecord = (key: string, value: unknown) => {
    entries.push(decodeLine(encodeLine([key, value])) as Entry);
  };
  return { entries, onRecord };
}

const byKey = (entries: readonly Entry[]): Records => new Map(entries.map(([key, value]) => [key, [value]]));

describe("coherence of units that stand for classes", () => {
  it("is significant, for each subcluster and for the network", async () => {
    const { network, data, partition } = await classNetwork();
    const scores = await scoreCoherence(network, data, partition);
    expect(scores).toMatchObject({
      protocol: "strict",
      shuffles: 199,
      inputs: INPUTS,
      task: "classification",
    });
    expect(scores.subclusters.map(({ cluster }) => cluster)).toEqual([0, 1, 2, 3]);
    for (const name of SHARED) {
      for (const { values, verdicts } of scores.subclusters) {
        // Of 3 + 800 sets that share the null the other true ones are as coherent, and random ones may be the same units.
        expect(verdicts[name].p, name).toBeLessThanOrEqual(10 / 800);
        expect(verdicts[name].z, name).toBeGreaterThan(3);
        expect(verdicts[name].valid).toBeLessThanOrEqual(3 + 4 * 199);
        const { effect } = verdicts[name];
        if (COHERENCE_MEASURES[name].isSigned) expect(effect).toBeNaN();
        else expect(effect).toBeGreaterThan(1.2);
        expect(values[name]).toBeGreaterThan(0.6);
      }
      expect(scores.network[name].permutationP, name).toBeLessThanOrEqual(0.02);
      expect(scores.arrangements?.[name].map(({ length }) => length)).toEqual([200]);
    }
    for (const { values } of scores.subclusters) expect(values.purity).toBe(1);
    expect(scores.network.silhouette.significant).toBe(4);
    for (const { cluster, classAurocs, examples } of scores.subclusters) {
      expect(classAurocs.indexOf(Math.max(...classAurocs))).toBe(cluster);
      expect(examples).toHaveLength(10);
      expect(examples.filter(({ label }) => label === cluster).length).toBeGreaterThanOrEqual(8);
      for (const { input, label } of examples) expect(label).toBe(data.labels[input]);
      const activations = examples.map(({ activation }) => activation);
      expect(activations).toEqual([...activations].sort((a, b) => b - a));
    }
    const { similarity } = scores;
    for (let i = 0; i < 16; i++) {
      if (i % 5 === 0) expect(similarity?.[i]).toBe(1);
      else expect(similarity?.[i]).toBeLessThan(0.3);
    }
  });

  it("is that of the one subcluster that knows of the classes", async () => {
    // Feature 0 tells class 0 from the others, which nothing parts.
    const { network, data, partition } = await classNetwork((bytes) => bytes, [2.5, 0, 0, 0]);
    const { subclusters } = await scoreCoherence(network, data, partition);
    for (const name of ["classAuroc", "labelCka", "purity"] as const) {
      const [first, ...others] = subclusters.map(({ values }) => values[name]);
      expect(first, name).toBeGreaterThan(1.2 * Math.max(...others));
      // Sets with two of its units, a quarter of all, may tell the class nearly as well.
      expect(subclusters[0]?.verdicts[name].p, name).toBeLessThanOrEqual(
        name === "labelCka" ? 10 / 800 : 0.27,
      );
      expect(subclusters[0]?.verdicts[name].effect, name).toBeGreaterThan(1.1);
    }
  });

  it("is not, with the labels of units or of inputs in random order", async () => {
    const { network, data, partition } = await classNetwork();
    const names = COHERENCE_NAMES.filter((name) => !COHERENCE_MEASURES[name].needsImages);
    const ps = new Map(names.map((name) => [name, 1]));
    for (let seed = 0; seed < 3; seed++) {
      const [layer] = partition.layers;
      const units = rng(seed, "units").shuffle(Int32Array.from(layer?.labels ?? []));
      const { network: rows } = await scoreCoherence(network, data, partitionOf({ hidden: units }), { seed });
      for (const name of names) {
        expect(rows[name].significant).toBe(0);
        ps.set(name, (ps.get(name) ?? 1) * rows[name].permutationP);
      }
    }
    // Products of three uniform p: this small in 2.5 of 10,000 cases.
    for (const product of ps.values()) expect(product).toBeGreaterThan(2e-6);
    const labels = rng(5, "inputs").shuffle(Int32Array.from(data.labels));
    const { network: rows } = await scoreCoherence(network, { ...data, labels }, partition);
    expect(rows.meanCorrelation.permutationP).toBeLessThanOrEqual(0.02);
    for (const name of ["labelCka", "classAuroc", "purity"] as const) {
      expect(rows[name].permutationP).toBeGreaterThan(0.02);
    }
  });

  it("rests on what the layer puts out, and on lesions of single units", async () => {
    const { network, data, partition } = await classNetwork();
    const { subclusters } = await scoreCoherence(network, data, partition);
    const hidden = layerNamed(network, "hidden");
    const { values } = await recordUnits(network, [hidden], data, "output");
    const [first] = subclusters;
    const own = first?.units ?? new Int32Array();
    const rows = Array.from(own, (unit) => values.subarray(unit * INPUTS, (unit + 1) * INPUTS));
    const pearson = (a: Float32Array, b: Float32Array) => {
      const mean = (row: Float32Array) => row.reduce((sum, value) => sum + value / INPUTS, 0);
      const [ma, mb] = [mean(a), mean(b)];
      const product = (c: Float32Array, mc: number, d: Float32Array, md: number) =>
        c.reduce((sum, value, i) => sum + (value - mc) * ((d[i] as number) - md), 0);
      return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
    };
    const pairs = rows.flatMap((row, i) => rows.slice(0, i).map((other) => Math.abs(pearson(row, other))));
    const mean = pairs.reduce((sum, value) => sum + value / pairs.length, 0);
    expect(first?.values.meanCorrelation).toBeCloseTo(mean, 5);
    // Falls of class accuracies by plain lesions; within two standard errors of the intact accuracy they are none.
    const [intact, ...lesioned] = await runLesions(
      network,
      hidden,
      [new Int32Array(), ...Array.from(own, (unit) => Int32Array.of(unit))],
      data,
    );
    const impacts = lesioned.map(({ correct }) =>
      Array.from(correct, (count, c) => {
        const accuracy = (intact?.correct[c] as number) / 200;
        const fall = accuracy - count / 200;
        return Math.abs(fall) < 2 * Math.sqrt((accuracy * (1 - accuracy)) / 200) ? 0 : fall;
      }),
    );
    const known = impacts.filter((impact) => impact.some((fall) => fall !== 0));
    expect(first?.unitsWithoutImpact).toBe(own.length - known.length);
    const cosines = known.flatMap((a, i) =>
      known.slice(0, i).map((b) => {
        const dot = a.reduce((sum, fall, c) => sum + fall * (b[c] as number), 0);
        return dot / (Math.hypot(...a) * Math.hypot(...b));
      }),
    );
    const cosine = cosines.reduce((sum, value) => sum + value / cosines.length, 0);
    expect(first?.values.impactCosine).toBeCloseTo(cosine, 5);
  });

  it("has random sets of its own in protocol paper", async () => {
    const { network, data, partition } = await classNetwork();
    const scores = await scoreCoherence(network, data, partition, { protocol: "paper" });
    expect(scores.arrangements).toBeNull();
    for (const { verdicts } of scores.subclusters) {
      expect(verdicts.meanCorrelation).toMatchObject({ p: 0.05, valid: 19 });
      expect(verdicts.silhouette.p).toBe(0.05);
    }
    expect(scores.network.meanCorrelation.permutationP).toBeNaN();
    expect(scores.network.meanCorrelation.fisherP).toBeLessThan(0.001);
  });
});

describe("the bytes of coherence", () => {
  const text = async (options: CoherenceOptions = {}) => {
    const { network, data, partition } = await classNetwork();
    return formatScores(null, await scoreCoherence(network, data, partition, options));
  };

  it("are those of the seed, and do not depend on importance", async () => {
    const [one, again, other] = [await text(), await text(), await text({ seed: 1 })];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    const { network, data, partition } = await classNetwork();
    const importance = await scoreImportance(network, data, partition);
    const coherence = await scoreCoherence(network, data, partition);
    const both = JSON.parse(formatScores(importance, coherence));
    const alone = JSON.parse(one);
    expect(both.network.coherence).toEqual(alone.network.coherence);
    const part = (file: { subclusters: { coherence: unknown; importance: unknown }[] }) =>
      file.subclusters.map((subcluster) => subcluster.coherence);
    expect(part(both)).toEqual(part(alone));
    const onlyImportance = JSON.parse(formatScores(importance));
    expect(both.network.importance).toEqual(onlyImportance.network.importance);
    expect(both.baseline).toEqual(onlyImportance.baseline);
    expect(alone.baseline).toBeUndefined();
    expect(Object.keys(both.arrangements)).toEqual(["accuracy", "classRange", "loss", ...COHERENCE_NAMES]);
    for (const name of COHERENCE_NAMES) expect(both.network.coherence[name].meaning).toContain("units");
    const table = formatSubclusterTable(importance, coherence).trimEnd().split("\n");
    expect(table).toHaveLength(5);
    const widths = table.map((line) => line.split(",").length);
    expect(new Set(widths).size).toBe(1);
    expect(table[0]).toMatch(
      /^layer,cluster,size,layerUnits,accuracy,.*,drawn,meanCorrelation,.*,topInputs$/,
    );
  });

  it.each(["strict", "paper"] as const)("come from records and shards as well: %s", async (protocol) => {
    const network = await loadNetworkBytes(twoLayers(), "two layers");
    const data = randomData(80, [4], 3);
    const labels = (count: number) => Int32Array.from({ length: count }, (_, unit) => unit % 3);
    const partition = partitionOf({ a: labels(9), b: labels(7), logits: labels(3) });
    const plain = formatScores(null, await scoreCoherence(network, data, partition, { protocol }));
    const all = recorder();
    const options = { protocol, onRecord: all.onRecord };
    expect(formatScores(null, await scoreCoherence(network, data, partition, options))).toBe(plain);
    for (let kept = 0; kept <= all.entries.length; kept++) {
      const rest = recorder();
      const resumed = {
        protocol,
        earlier: byKey(all.entries.slice(0, kept)),
        onRecord: rest.onRecord,
      };
      expect(formatScores(null, await scoreCoherence(network, data, partition, resumed))).toBe(plain);
      expect(rest.entries.map(([key]) => key)).toEqual(all.entries.slice(kept).map(([key]) => key));
    }
    const shards: Records[] = [];
    for (const number of [1, 2, 3]) {
      const { entries, onRecord } = recorder();
      await scoreCoherenceShard(network, data, partition, { number, of: 3 }, { protocol, onRecord });
      shards.push(byKey(entries));
    }
    expect(formatScores(null, await mergeCoherence([...shards].reverse()))).toBe(plain);
    const error = await catchError(() => mergeCoherence(shards.slice(1)));
    expect(error.message).toMatch(/^journal: found no complete coherence\/layer\/a, expected one$/);
  });

  const twoLayers = () => {
    const model = sketch([4]);
    const a = model.node("Relu", [model.dense("x", "a", 4, 9)]);
    const b = model.node("Relu", [model.dense(a, "b", 9, 7)]);
    return model.encode(model.dense(b, "logits", 7, 3));
  };
});

describe("what coherence cannot tell", () => {
  const undefinedNames = (row: Readonly<Record<string, unknown>>) =>
    COHERENCE_NAMES.filter((name) => row[name] === null);
  // The networks here read no images.
  const isMissing = (name: CoherenceName) =>
    COHERENCE_MEASURES[name].needsClasses || COHERENCE_MEASURES[name].needsImages;
  const byClasses = COHERENCE_NAMES.filter(isMissing);

  it("is null in a regression: whatever needs classes", async () => {
    const model = sketch([5]);
    const a = model.node("Relu", [model.dense("x", "a", 5, 8)]);
    const network = await loadNetworkBytes(model.encode(model.dense(a, "out", 8, 2)), "regression");
    const { count, batch } = randomData(100, [5], 2);
    const random = rng(0, "targets");
    const targets = Float32Array.from({ length: 200 }, () => random.normal());
    const data = { count, batch, labels: new Int32Array(), targets };
    const partition = partitionOf({ a: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1) });
    const scores = JSON.parse(formatScores(null, await scoreCoherence(network, data, partition)));
    expect(scores.task).toBe("regression");
    for (const { coherence } of scores.subclusters) {
      expect(undefinedNames(coherence)).toEqual(byClasses);
      expect(undefinedNames(coherence.p)).toEqual(byClasses);
      expect(coherence.unitsWithoutImpact).toBeNull();
      expect(coherence.classAurocs).toEqual([]);
      expect(coherence.examples[0].label).toBeNull();
    }
    expect(scores.network.coherence.profileCosine).toMatchObject({ tested: 0, permutationP: null });
    expect(scores.network.coherence.silhouette.tested).toBe(2);
  });

  it("is null for tokens: whatever needs a class of the input", async () => {
    const network = await loadExport("gpt-dynamo");
    const data = exportData("gpt-dynamo", 20, 2);
    const random = rng(0, "next");
    const labels = Int32Array.from({ length: 120 }, () => random.integer(12));
    const layer = layerNamed(network, "node_addmm_2");
    const partition = partitionOf({
      [layer.name]: Int32Array.from({ length: layer.units }, (_, unit) => unit % 2),
    });
    const scores = await scoreCoherence(network, { ...data, labels }, partition);
    expect(scores.task).toBe("next-token");
    for (const { values, examples } of scores.subclusters) {
      for (const name of COHERENCE_NAMES) {
        expect(Number.isNaN(values[name]), name).toBe(isMissing(name));
      }
      expect(examples).toHaveLength(10);
    }
  });

  it("is counted: units that are constant, or not finite for some input", async () => {
    // Unit 0 is never active; unit 1 is the root of a number that is negative for some inputs.
    const model = sketch([4]);
    const first = model.node("Relu", [model.dense("x", "hidden", 4, 9)]);
    const factor = model.floats("factor", [9], [0, 1, 1, 1, 1, 1, 1, 1, 1]);
    const shift = model.floats("shift", [9], [0, -1, 0, 0, 0, 0, 0, 0, 0]);
    const scaled = model.node("Mul", [first, factor]);
    const shifted = model.node("Add", [scaled, shift]);
    const bytes = model.encode(model.dense(model.node("Sqrt", [shifted]), "logits", 9, 3));
    const network = await loadNetworkBytes(bytes, "roots");
    const data = randomData(60, [4], 3);
    const partition = partitionOf({ hidden: Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2) });
    const { subclusters } = await scoreCoherence(network, data, partition);
    expect(subclusters.map(({ constantUnits }) => constantUnits)).toEqual([1, 0, 0]);
    expect(subclusters.map(({ undefinedUnits }) => undefinedUnits)).toEqual([1, 0, 0]);
    const [one, two] = subclusters;
    expect(one?.values.meanCorrelation).toBeNaN();
    expect(one?.verdicts.meanCorrelation.p).toBeNaN();
    expect(two?.values.meanCorrelation).toBeGreaterThan(0);
    expect(two?.verdicts.meanCorrelation.p).toBeGreaterThan(0);
  });

  it("leaves nothing where no unit varies", async () => {
    const { network, data, partition } = await classNetwork((bytes) => {
      const still = withWeights(bytes, "hidden.weight", () => 0);
      return withWeights(still, "hidden.bias", () => 0.5);
    });
    const scores = await scoreCoherence(network, data, partition);
    for (const { values, verdicts, constantUnits, examples } of scores.subclusters) {
      expect(constantUnits).toBe(PER_CLASS);
      expect(examples).toEqual([]);
      for (const name of ["meanCorrelation", "silhouette", "classAuroc", "profileCosine"] as const) {
        expect(values[name]).toBeNaN();
        expect(verdicts[name].p).toBeNaN();
      }
    }
    expect(JSON.parse(formatScores(null, scores)).coherence.similarity[0][1]).toBeNull();
  });

  it("is said of inputs of a single class", async () => {
    const { network, data, partition } = await classNetwork();
    const labels = new Int32Array(INPUTS);
    await expectRefusal(() => scoreCoherence(network, { ...data, labels }, partition), "E_INPUT_LABELS");
  });
});

it("tells how far it is, and stops when told to", async () => {
  const { network, data, partition } = await classNetwork();
  const seen: Progress[] = [];
  await scoreCoherence(network, data, partition, { onProgress: (progress) => seen.push(progress) });
  const last = (phase: string) => seen.filter((progress) => progress.phase === phase).at(-1);
  expect(last("lesions of hidden")).toMatchObject({ done: UNITS * INPUTS, total: UNITS * INPUTS });
  expect(last("coherence")).toMatchObject({ done: 5 * 4 * 200, total: 5 * 4 * 200 });
  const stop = new AbortController();
  const onProgress = ({ phase }: Progress) => {
    if (phase === "coherence") stop.abort();
  };
  const run = () => scoreCoherence(network, data, partition, { onProgress, signal: stop.signal });
  expect((await catchError(run)).code).toBe("E_INTERRUPTED");
});
