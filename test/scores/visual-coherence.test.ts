/** Images of subclusters against those of random sets: the published measures on real, small networks. */
import { describe, expect, it } from "vitest";
import { decodeLine, encodeLine } from "../../src/journal/journal-lines.ts";
import { layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { type Coherence, scoreCoherence } from "../../src/scores/coherence.ts";
import { coherenceEntries, coherenceEntry, coherenceRows } from "../../src/scores/coherence-file.ts";
import type { CoherenceName } from "../../src/scores/coherence-measures.ts";
import { testFamilies } from "../../src/scores/layer-coherence.ts";
import { effectsOf, networkRow } from "../../src/scores/measures.ts";
import type { DrawPlan } from "../../src/scores/null-values.ts";
import { drawNullSets, type Protocol } from "../../src/scores/nulls.ts";
import type { SurveyedLayer } from "../../src/scores/study.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { type LayerImages, type LayerVisuals, visualFamily } from "../../src/scores/visual-coherence.ts";
import type { Stratum } from "../../src/statistics/permutation-p.ts";
import { rng } from "../../src/statistics/rng.ts";
import type { VisualizedSet } from "../../src/visualize/image-runner.ts";
import { visualizeUnits } from "../../src/visualize/visualize-units.ts";
import { Family, randomPartition } from "../support/calibration.ts";
import { catchError } from "../support/catch-error.ts";
import { randomData, runModel, sketch } from "../support/models.ts";

/** Two convolutions of 12 and 11 units on coloured images of 6 x 6, and 3 classes. */
function tinyCnn(): Uint8Array {
  const s = sketch([3, 6, 6], { seed: 3 });
  const a = s.node("Relu", [s.conv(s.input, { name: "a", inputs: 3, units: 12 })]);
  const b = s.node("Relu", [s.conv(a, { name: "b", inputs: 12, units: 11 })]);
  const pooled = s.node("Flatten", [s.node("GlobalAveragePool", [b])]);
  return s.encode(s.dense(pooled, "logits", 11, 3));
}

const units = (count: number) => Int32Array.from({ length: count }, (_, unit) => unit);

function partitionOf(labels: Readonly<Record<string, readonly number[]>>): Partition {
  const layers = Object.entries(labels).map(([name, own]) => ({ name, labels: Int32Array.from(own) }));
  return { layers, clusters: 4, method: {}, quality: null };
}

/** All sets of so many units. */
function subsets(count: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: Math.max(0, count - from) }, (_, i) => from + i).flatMap((unit) =>
    subsets(count, size - 1, unit + 1).map((others) => [unit, ...others]),
  );
}

describe("with random labels in place of the partition", () => {
  it("p-values of scores and entropies are uniform, and verdicts rare", async () => {
    const network = await loadNetworkBytes(tinyCnn(), "tiny");
    // Images of all sets that an arrangement can have: a set's image is the same beside whichever others.
    const known = new Map<string, VisualizedSet>();
    for (const [name, sets] of [
      ["a", subsets(12, 4)],
      ["b", [...subsets(11, 4), ...subsets(11, 3)]],
    ] as const) {
      const found = await visualizeUnits(network, name, sets, { steps: 8 });
      for (const set of found.sets) known.set(`${name}:${set.units.join()}`, set);
    }
    expect(known.size).toBe(495 + 330 + 165);
    const seeds = 300;
    const bins = { a: [units(12)], b: [units(11)] };
    const family = new Family(2 * (4 + 2 + 2));
    const names = ["score", "entropy"] as const;
    const list = () => ({ score: [] as number[], entropy: [] as number[] });
    const found = { rows: list(), shared: list(), alone: list(), paper: list() };
    const significant = { score: 0, entropy: 0 };
    const test = (name: string, layer: SurveyedLayer, protocol: Protocol, seed: number) => {
      const of = (set: Int32Array) => known.get(`${name}:${set.join()}`);
      const visuals: LayerVisuals = { of, reason: null };
      const plan: DrawPlan = { protocol, shuffles: 199, base: 199, seed };
      return testFamilies([visualFamily(visuals, 19)], layer, plan, () => ({}));
    };
    for (let seed = 0; seed < seeds; seed++) {
      const verdicts = { score: [], entropy: [] } as Record<"score" | "entropy", { p: number }[]>;
      const strata: Record<"score" | "entropy", Stratum[]> = { score: [], entropy: [] };
      const all = [];
      for (const layer of findSubclusters(network, randomPartition(seed, bins))) {
        const surveyed = { ...layer, bins: bins[layer.name as "a" | "b"], hasMeans: true };
        const strict = await test(layer.name, surveyed, "strict", seed);
        const paper = await test(layer.name, surveyed, "paper", seed);
        const at = layer.tested.findIndex(({ cluster }) => cluster === (layer.name === "a" ? 0 : 2));
        for (const name of names) {
          const { p, valid } = strict.verdicts[at]?.[name] ?? { p: Number.NaN, valid: 0 };
          found[layer.name === "a" ? "shared" : "alone"][name].push(p);
          // Of sets of one size, the others of every arrangement with it.
          expect(valid).toBe(layer.name === "a" ? 3 * 20 - 1 : 19);
          if (layer.name === "a") found.paper[name].push(paper.verdicts[at]?.[name].p ?? Number.NaN);
          strata[name].push(strict.strata[name] as Stratum);
          expect(paper.strata[name]).toBeNull();
        }
        all.push(...strict.verdicts);
      }
      for (const name of names) {
        verdicts[name] = all.map((verdict) => verdict[name]);
        const row = networkRow(
          all.map((verdict) => verdict[name]),
          strata[name],
          rng(seed, "permutation", name),
        );
        found.rows[name].push(row.permutationP);
        if (row.significant > 0) significant[name]++;
      }
    }
    for (const name of names) {
      for (const [where, ps] of Object.entries(found)) {
        expect(ps[name]).toHaveLength(seeds);
        family.expectNotSmall(ps[name], `${where}, ${name}`);
      }
      family.expectNotLarge(found.rows[name], `rows, ${name}`);
      family.expectNotLarge(
        found.alone[name].map((p) => p - 1 / 20),
        `alone, ${name}`,
      );
      family.expectRare(significant[name], seeds, 0.05, name);
      // Images differ: with equal values everywhere p would be 1 throughout.
      family.expectMean(found.shared[name], 0.5 + 1 / 120, `shared, ${name}`);
    }
    family.expectComplete();
  });
});

/** A pattern of 3 x 3 pixels without a mean: one of the eight waves of the cosine transform. */
function wave(number: number): number[] {
  const [down, right] = [Math.floor((number + 1) / 3), (number + 1) % 3];
  const at = (frequency: number, place: number) => Math.cos((Math.PI * frequency * (place + 0.5)) / 3);
  return Array.from({ length: 9 }, (_, i) => at(down, Math.floor(i / 3)) * at(right, i % 3));
}

/** The pattern that each unit of `mix` reads: units 0 to 3 the same one. */
const PATTERNS = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 1];

/** Grey images of 10 x 10; maps of eight patterns, units that read one each, and a class for each pattern. */
function plantedCnn(): Uint8Array {
  const s = sketch([1, 10, 10]);
  const zeros = (name: string, size: number) => s.floats(name, [size], new Float32Array(size));
  const waves = s.floats(
    "waves.weight",
    [8, 1, 3, 3],
    PATTERNS.slice(3, 11).flatMap((pattern) => wave(pattern)),
  );
  const maps = s.node("Conv", [s.input, waves, zeros("waves.bias", 8)], { kernel_shape: [3n, 3n] });
  const isOwn = (isRead: boolean) => (isRead ? 1 : 0);
  const reading = PATTERNS.flatMap((own) =>
    Array.from({ length: 8 }, (_, pattern) => isOwn(own === pattern)),
  );
  const mix = s.floats("mix.weight", [12, 8, 1, 1], reading);
  const mixed = s.node(
    "Conv",
    [s.node("Relu", [maps]), mix, zeros("mix.bias", 12)],
    { kernel_shape: [1n, 1n] },
    { name: "mix" },
  );
  const pooled = s.node("Flatten", [s.node("GlobalAveragePool", [s.node("Relu", [mixed])])]);
  const votes = Array.from({ length: 96 }, (_, i) => {
    const [c, unit] = [Math.floor(i / 12), i % 12];
    return PATTERNS[unit] === c ? 8 / PATTERNS.filter((pattern) => pattern === c).length : 0;
  });
  const logits = s.floats("logits.weight", [8, 12], votes);
  return s.encode(
    s.node("Gemm", [pooled, logits, zeros("logits.bias", 8)], { transB: 1n }, { name: "logits" }),
  );
}

const PLANTED = partitionOf({ mix: [0, 0, 0, 0, 1, 2, 1, 2, 1, 2, 1, 2] });

/** Options that keep the other measures short. */
const SHORT = { shuffles: 199, seed: 1 } as const;

async function scorePlanted(options: Parameters<typeof scoreCoherence>[3] = {}) {
  const network = await loadNetworkBytes(plantedCnn(), "planted");
  const data = randomData(40, [1, 10, 10], 8);
  return scoreCoherence(network, data, PLANTED, { ...SHORT, visual: { steps: 40 }, ...options });
}

const subclusterOf = (scores: Coherence, cluster: number) => {
  const found = scores.subclusters.find((subcluster) => subcluster.cluster === cluster);
  if (found === undefined) throw new Error(`no cluster ${cluster}`);
  return found;
};

describe("units that share what they like", () => {
  it("have one image for all of them, which means their class to the network", async () => {
    const scores = await scorePlanted();
    const planted = subclusterOf(scores, 0);
    // The smallest p of three sets of one size in 20 arrangements, or with one random set that does as much.
    expect(planted.verdicts.score.p).toBeLessThanOrEqual(2 / 60);
    expect(planted.verdicts.score.effect).toBeGreaterThan(1.1);
    expect(planted.verdicts.entropy.p).toBeLessThanOrEqual(2 / 60);
    expect(planted.verdicts.entropy.effect).toBeLessThan(0.9);
    for (const cluster of [1, 2]) {
      expect(subclusterOf(scores, cluster).verdicts.score.p).toBeGreaterThan(0.05);
      expect(subclusterOf(scores, cluster).verdicts.entropy.p).toBeGreaterThan(0.05);
    }
    // Their columns of the Jacobian are the same, too.
    expect(planted.values.downstreamCosine).toBeCloseTo(1, 6);
    expect(planted.verdicts.downstreamCosine.p).toBeLessThanOrEqual(2 / 600);
    expect(scores.notMeasured).toEqual([]);
  });

  it("have the p, effects and numbers of the definition", async () => {
    const network = await loadNetworkBytes(plantedCnn(), "planted");
    const strict = await scorePlanted({ visual: { steps: 6, shuffles: 7 } });
    const [layer] = findSubclusters(network, PLANTED);
    if (layer === undefined) throw new Error("no layer");
    // All images one by one, in batches of one.
    const valuesOf = async (set: ArrayLike<number>) => {
      const options = { steps: 6, seed: SHORT.seed, batch: 1 };
      const [found] = (await visualizeUnits(network, "mix", [set], options)).sets;
      return found as VisualizedSet;
    };
    const others = [];
    for (const set of drawNullSets(layer, "strict", 7, SHORT.seed)) others.push(await valuesOf(set));
    const own = [];
    for (const cluster of [0, 1, 2]) own.push(await valuesOf(subclusterOf(strict, cluster).units));
    for (const [name, sign] of [
      ["score", 1],
      ["entropy", -1],
    ] as const) {
      for (const cluster of [0, 1, 2]) {
        const { values, verdicts, dispersion } = subclusterOf(strict, cluster);
        const mine = own[cluster] as VisualizedSet;
        expect(values[name]).toBeCloseTo(mine[name], 5);
        expect(dispersion).toBeCloseTo(mine.dispersion, 4);
        // All arrangements, the true one's other sets of the size included; 1e-6 for the last bits of other batches.
        const pool = [...own, ...others].map((set) => set[name]);
        const hits = pool.filter((value) => sign * (value - mine[name]) >= -1e-6).length;
        expect(verdicts[name].p).toBeCloseTo(hits / 24, 9);
        expect(verdicts[name].valid).toBe(23);
        const mean = others.reduce((sum, set) => sum + set[name] / others.length, 0);
        expect(verdicts[name].effect).toBeCloseTo((2 * mine[name]) / (mine[name] + mean), 4);
      }
      const rows = coherenceRows(strict) as Record<string, { shuffles: number; meaning: string }>;
      expect(rows[name]?.shuffles).toBe(7);
      expect(rows[name]?.meaning).toMatch(/image/);
      expect(rows.meanCorrelation?.shuffles).toBe(199);
    }
    // The rows' floor: one layer of 8 arrangements.
    expect(strict.arrangements?.score.map((table) => table.length)).toEqual([8]);
    expect(strict.arrangements?.meanCorrelation.map((table) => table.length)).toEqual([200]);

    const paper = await scorePlanted({ protocol: "paper", shuffles: 19, visual: { steps: 6, shuffles: 5 } });
    const drawn = [];
    for (const set of drawNullSets(layer, "paper", 5, SHORT.seed)) drawn.push(await valuesOf(set));
    const mine = own[0] as VisualizedSet;
    const first = layer.tested.findIndex(({ cluster }) => cluster === 0);
    const five = drawn.filter((_, i) => i % 3 === first).map(({ score }) => score);
    const { verdicts } = subclusterOf(paper, 0);
    expect(verdicts.score.p).toBe((1 + five.filter((value) => value > mine.score + 1e-6).length) / 6);
    const effect = five.reduce((sum, value) => sum + (2 * mine.score) / (mine.score + value) / 5, 0);
    expect(verdicts.score.effect).toBeCloseTo(effect, 5);
    expect(paper.network.score.permutationP).toBeNaN();
  });

  it("average effects over random sets, or compare with their mean", () => {
    expect(effectsOf(2, [1, 3, Number.NaN], false, true).effect).toBeCloseTo((4 / 3 + 4 / 5) / 2, 12);
    expect(effectsOf(2, [1, 3, Number.NaN]).effect).toBe(1);
  });
});

describe("preprocessing", () => {
  it("stands between the image and the network, so that the entropy is the network's on a valid image", async () => {
    const [mean, std] = [[0.4], [0.25]] as const;
    const images: LayerImages[] = [];
    const onImages = (layer: LayerImages) => images.push(layer);
    const scores = await scorePlanted({ visual: { steps: 6, shuffles: 2, mean, std }, onImages });
    const [sheet] = images;
    if (sheet === undefined) throw new Error("no images");
    expect(sheet).toMatchObject({ layer: "mix", shape: { channels: 1, height: 10, width: 10 } });
    expect(sheet.rows.map(({ cluster, random }) => [cluster, random.length])).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    for (const { cluster, image } of sheet.rows) {
      expect(image.every((value) => value >= 0 && value <= 1)).toBe(true);
      const seen = image.map((value) => (value - mean[0]) / std[0]);
      const logits = Array.from(await runModel(plantedCnn(), seen, [1, 1, 10, 10]), Math.exp);
      const total = logits.reduce((sum, value) => sum + value, 0);
      const entropy = -logits.reduce((sum, value) => sum + (value / total) * Math.log(value / total), 0);
      expect(subclusterOf(scores, cluster).values.entropy).toBeCloseTo(entropy, 5);
    }
    const plain = await scorePlanted({ visual: { steps: 6, shuffles: 2 } });
    expect(plain.subclusters[0]?.values.score).not.toBeCloseTo(
      scores.subclusters[0]?.values.score as number,
      1,
    );
  });
});

describe("where images cannot be made", () => {
  const isMissing = ({ subclusters, network }: Coherence, name: CoherenceName) =>
    subclusters.every(
      ({ values, verdicts }) => Number.isNaN(values[name]) && Number.isNaN(verdicts[name].p),
    ) &&
    Number.isNaN(network[name].permutationP) &&
    network[name].tested === 0;

  it("a network without image input says so, and the other measures run", async () => {
    const s = sketch([2, 4, 5], { seed: 3 });
    const a = s.node("Relu", [s.conv(s.input, { name: "a", inputs: 2, units: 8 })]);
    const bytes = s.encode(s.dense(s.node("Flatten", [s.node("GlobalAveragePool", [a])]), "logits", 8, 3));
    const network = await loadNetworkBytes(bytes, "two planes");
    const partition = partitionOf({ a: [0, 0, 0, 0, 1, 1, 1, 1] });
    const scores = await scoreCoherence(network, randomData(30, [2, 4, 5], 3), partition);
    expect(isMissing(scores, "score") && isMissing(scores, "entropy")).toBe(true);
    expect(scores.notMeasured).toHaveLength(1);
    expect(scores.notMeasured[0]).toMatch(
      /score and entropy: two planes: found inputs of shape \[N, 2, 4, 5\]/,
    );
    expect(scores.visual).toMatchObject({ shape: null, tested: 0 });
    expect(scores.arrangements?.score).toEqual([]);
    for (const name of ["meanCorrelation", "labelCka", "downstreamCosine"] as const) {
      expect(scores.network[name].permutationP).toBeGreaterThan(0);
    }
    const entry = coherenceEntry(scores) as { visual: unknown; notMeasured: readonly string[] };
    expect(entry.visual).toEqual({ shuffles: 19, steps: 65, image: null, tested: 0, filtered: 0 });
    expect(entry.notMeasured).toEqual(scores.notMeasured);
    expect(coherenceEntries(scores)[0]).toMatchObject({ score: null, entropy: null, dispersion: null });
  });

  it("subclusters of two units, or of nearly a layer, are left out and counted", async () => {
    const network = await loadNetworkBytes(tinyCnn(), "tiny");
    const data = randomData(30, [3, 6, 6], 3);
    const partition = partitionOf({
      a: [0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2],
      b: [0, 0, 1, 1, -1, -1, -1, -1, -1, -1, -1],
    });
    const visual = { steps: 2, shuffles: 4 };
    const scores = await scoreCoherence(network, data, partition, { visual });
    const shown = scores.subclusters.filter(({ values }) => !Number.isNaN(values.score));
    expect(shown.map(({ layer, units: own }) => [layer, own.length])).toEqual([
      ["a", 3],
      ["a", 7],
    ]);
    expect(scores.visual).toMatchObject({ tested: 2, filtered: 3 });
    expect(scores.network.score).toMatchObject({ tested: 2, undefinedP: 3 });
    expect(scores.network.meanCorrelation.tested).toBe(5);
    // A layer whose subclusters are all too small.
    const pairs = partitionOf({ a: [0, 0, 1, 1, ...new Array(8).fill(-1)] });
    const small = await scoreCoherence(network, data, pairs, { visual });
    expect(isMissing(small, "score")).toBe(true);
    expect(small.visual).toMatchObject({ tested: 0, filtered: 2 });
    expect(small.network.silhouette.tested).toBe(2);
  });

  it("0 random sets leave them out, and bad numbers are refused", async () => {
    const scores = await scorePlanted({ visual: { shuffles: 0 } });
    expect(isMissing(scores, "entropy")).toBe(true);
    expect(scores.notMeasured).toEqual(["score and entropy: left out; --visual-shuffles 19 measures them"]);
    expect((await catchError(() => scorePlanted({ visual: { shuffles: 1.5 } }))).code).toBe(
      "E_USAGE_SHUFFLES",
    );
    expect((await catchError(() => scorePlanted({ visual: { imageShape: [4, 4] } }))).code).toBe(
      "E_USAGE_IMAGE_SHAPE",
    );
  });
});

it("goes on behind the last layer that was recorded, and gives the same", async () => {
  const network: Network = await loadNetworkBytes(tinyCnn(), "tiny");
  const data: LabelledInputs = randomData(30, [3, 6, 6], 3);
  const partition = partitionOf({
    a: [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2],
    b: [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2],
  });
  const records = new Map<string, unknown[]>();
  const order: string[] = [];
  const visual = { steps: 3, shuffles: 3 };
  const whole = await scoreCoherence(network, data, partition, {
    visual,
    onRecord: (key, value) => {
      records.set(key, [decodeLine(encodeLine(value))]);
      order.push(key);
    },
    onImages: ({ layer }) => order.push(layer),
  });
  expect(order).toEqual([
    "coherence/survey",
    "a",
    "coherence/layer/a",
    "b",
    "coherence/layer/b",
    "coherence/similarity",
  ]);
  records.delete("coherence/layer/b");
  const made: string[] = [];
  const resumed = await scoreCoherence(network, data, partition, {
    visual,
    earlier: records,
    onImages: ({ layer }) => made.push(layer),
  });
  expect(made).toEqual(["b"]);
  expect(coherenceRows(resumed)).toEqual(coherenceRows(whole));
  expect(coherenceEntries(resumed)).toEqual(coherenceEntries(whole));
  expect(layerNamed(network, "a").units).toBe(12);
});
