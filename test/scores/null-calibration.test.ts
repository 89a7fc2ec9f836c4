/**
 * Every p that is printed, where the partition knows nothing of the network. That the rank p is uniform whatever the sets
 * of an arrangement have to do with each other is counted out in `arrangements.test.ts`; here are the draws, the lesions
 * and the rows of the network on top of it.
 */
import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { type LayerLesions, openLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import { countClasses, type LabelledInputs } from "../../src/network/outcomes.ts";
import type { LesionKind } from "../../src/network/replacement.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { baselineOf, damagesBy } from "../../src/scores/damage.ts";
import { dissociationsOf } from "../../src/scores/dissociations.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import {
  byMeasure,
  IMPORTANCE_MEASURES,
  IMPORTANCE_NAMES,
  type ImportanceName,
  MEASURES,
} from "../../src/scores/importance-measures.ts";
import { KEPT_DRAWS, keepOnly, othersOf } from "../../src/scores/keep-only.ts";
import { type Match, matchBins } from "../../src/scores/matching.ts";
import { networkRow, type Verdict } from "../../src/scores/measures.ts";
import {
  commonDraws,
  type DrawPlan,
  drawCommonNulls,
  drawFurtherNulls,
  significanceLevels,
  stratumOf,
  verdictsAmong,
} from "../../src/scores/null-values.ts";
import { adjustedByMeasure } from "../../src/scores/scores-file.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  CLASSES,
  calibrationData,
  calibrationNetwork,
  Family,
  randomPartition,
  remembered,
} from "../support/calibration.ts";
import { plantedMlp } from "../support/planted.ts";

const SHUFFLES = 199;

interface Setting {
  readonly lesion?: LesionKind;
  readonly isSequential?: boolean;
  readonly match?: Match;
  readonly seeds: number;
}

/** Two of the six subclusters: one of three that share their sets, and the only one of its size. */
const SHARED = 0;
const ALONE = 5;

/** The p-values of random partitions, by seed. */
async function calibrate({ lesion = "zero", isSequential = false, match = "size", seeds }: Setting) {
  const bytes = calibrationNetwork();
  const tiny = await loadNetworkBytes(bytes, "calibration");
  const data = await calibrationData(bytes);
  const baseline = baselineOf(await evaluateNetwork(tiny, data), countClasses(data.labels, CLASSES), true);
  const opened = new Map<string, LayerLesions>();
  const bins: Record<string, readonly Int32Array[]> = {};
  for (const name of ["a", "b"]) {
    const layer = layerNamed(tiny, name);
    opened.set(name, remembered(await openLesions(tiny, layer, data, { lesion })));
    const eligible = Int32Array.from({ length: layer.units }, (_, unit) => unit);
    bins[name] = await matchBins(match, tiny, layer, eligible, data);
  }
  const list = (): number[] => [];
  const found = {
    rows: byMeasure(list),
    shared: byMeasure(list),
    alone: byMeasure(list),
    pairs: { a: list(), b: list() },
    /** Networks with any significant subcluster, layers with any significant dissociation. */
    significant: byMeasure(() => 0),
    dissociated: { a: 0, b: 0 },
    drawn: 0,
  };
  const base = commonDraws(isSequential, SHUFFLES, 2);
  for (let seed = 0; seed < seeds; seed++) {
    const common: DrawPlan = { protocol: "strict", shuffles: SHUFFLES, seed, base };
    const verdicts: Record<ImportanceName, Verdict>[] = [];
    const strata = byMeasure((): ReturnType<typeof stratumOf>[] => []);
    const lesioned = [];
    for (const layer of findSubclusters(tiny, randomPartition(seed, bins))) {
      const evaluate = damagesBy(opened.get(layer.name) as LayerLesions, baseline);
      const own = layer.tested.map(({ units }) => units);
      const nulls = await drawCommonNulls(evaluate, layer, common, bins[layer.name] ?? [], () => ({}));
      lesioned.push({ layer, evaluate, trueValues: await evaluate(own, {}), nulls });
    }
    const plan = { ...common, levels: significanceLevels(lesioned, IMPORTANCE_MEASURES, common) };
    for (const { layer, evaluate, trueValues: damages, nulls: drawn } of lesioned) {
      const alike = bins[layer.name] ?? [];
      const nulls = await drawFurtherNulls(
        evaluate,
        layer,
        damages,
        drawn,
        IMPORTANCE_MEASURES,
        plan,
        alike,
        () => ({}),
      );
      found.drawn += nulls.bySubcluster.reduce(
        (total, sets) => total + sets.length / (6 * SHUFFLES * seeds),
        0,
      );
      // By cluster, since the order in the layer is that of the first unit, which is not the same for all sizes.
      const order = layer.tested.map((_, i) => i).sort((i, j) => clusterOf(i) - clusterOf(j));
      function clusterOf(i: number): number {
        return layer.tested[i]?.cluster ?? -1;
      }
      verdicts.push(...order.map((number) => verdictsAmong(MEASURES, damages, number, nulls, plan)));
      for (const name of IMPORTANCE_NAMES)
        strata[name].push(stratumOf(layer, damages, nulls, MEASURES[name], base));
      const pairs = dissociationsOf(layer, damages, nulls, baseline, base);
      const own = layer.name as "a" | "b";
      // Clusters 0 and 1, if they dissociate; else p would be 1.
      const isFirst = ({ clusters }: (typeof pairs)[number]) => clusters[0] + clusters[1] === 1;
      found.pairs[own].push(pairs.find(isFirst)?.p ?? 1);
      if (pairs.some(({ q }) => q <= 0.05)) found.dissociated[own]++;
    }
    for (const name of IMPORTANCE_NAMES) {
      const own = verdicts.map((verdict) => verdict[name]);
      const row = networkRow(own, strata[name], rng(seed, "permutation", name));
      if (!Number.isNaN(row.permutationP)) found.rows[name].push(row.permutationP);
      if (row.significant > 0) found.significant[name]++;
      const [shared, alone] = [own[SHARED]?.p ?? Number.NaN, own[ALONE]?.p ?? Number.NaN];
      if (!Number.isNaN(shared)) found.shared[name].push(shared);
      if (!Number.isNaN(alone)) found.alone[name].push(alone);
    }
  }
  for (const lesions of opened.values()) await lesions.dispose();
  return { ...found, base };
}

describe("with random labels in place of the partition", () => {
  const SETTINGS: readonly (readonly [string, Setting])[] = [
    ["lesions by zero", { seeds: 300 }],
    ["lesions by mean", { lesion: "mean", seeds: 150 }],
    ["lesions by resampling", { lesion: "resample", seeds: 150 }],
    ["sequential draws", { isSequential: true, seeds: 150 }],
    ["random sets matched on weight norm", { match: "norm", seeds: 150 }],
    ["random sets matched on activation", { match: "activation", seeds: 150 }],
  ];
  // Each setting: 5 of rows, 8 of subclusters, 2 of pairs, 5 of verdicts. Then twice 6 of kept subclusters.
  const family = new Family(6 * 20 + 2 * 6);

  it.each(SETTINGS)("p-values are uniform and verdicts rare: %s", async (_, setting) => {
    const { seeds, isSequential = false } = setting;
    const found = await calibrate(setting);
    for (const name of ["accuracy", "loss"] as const) {
      expect(found.rows[name]).toHaveLength(seeds);
      family.expectNotSmall(found.rows[name], `network, ${name}`);
      family.expectNotLarge(found.rows[name], `network, ${name}`);
    }
    // The range has no value where a lesion is harmless.
    expect(found.rows.classRange.length).toBeGreaterThan(seeds / 2);
    family.expectNotSmall(found.rows.classRange, "network, range");
    for (const [where, together] of [
      ["shared", 3],
      ["alone", 1],
    ] as const) {
      for (const name of IMPORTANCE_NAMES) family.expectNotSmall(found[where][name], `${where}, ${name}`);
      // Losses have no ties but those of equal sets; p has steps of this size.
      const step = 1 / (together * (found.base + 1));
      family.expectNotLarge(
        found[where].loss.map((p) => p - step),
        `${where}, loss`,
      );
    }
    // Many pairs do not dissociate and have p = 1.
    for (const layer of ["a", "b"] as const) {
      family.expectNotSmall(found.pairs[layer], `pair of ${layer}`);
      family.expectRare(found.dissociated[layer], seeds, 0.05, `dissociations of ${layer}`);
    }
    // With no true effect every discovery is false: by BY they are in 5 % of the networks at the most.
    for (const name of IMPORTANCE_NAMES) family.expectRare(found.significant[name], seeds, 0.05, name);
    if (isSequential) expect(found.drawn).toBeLessThan(0.5);
    else expect(found.drawn).toBeCloseTo(1, 12);
  });

  it.each([false, true])(
    "p-values of subclusters that are kept alone are uniform, sequential: %s",
    async (isSequential) => {
      const bytes = calibrationNetwork();
      const network = await loadNetworkBytes(bytes, "calibration");
      const data = await calibrationData(bytes);
      const baseline = baselineOf(
        await evaluateNetwork(network, data),
        countClasses(data.labels, CLASSES),
        true,
      );
      const ps = { shared: byKept(), alone: byKept() };
      function byKept(): Record<"accuracy" | "loss", number[]> {
        return { accuracy: [], loss: [] };
      }
      const opened = new Map<string, LayerLesions>();
      for (const name of ["a", "b"]) {
        opened.set(name, await openLesions(network, layerNamed(network, name), data, { lesion: "mean" }));
      }
      for (let seed = 0; seed < 100; seed++) {
        const units = (count: number) => [Int32Array.from({ length: count }, (_, unit) => unit)];
        const bins = { a: units(12), b: units(11) };
        for (const layer of findSubclusters(network, randomPartition(seed, bins))) {
          const own = layer.name === "a" ? bins.a : bins.b;
          const lesions = opened.get(layer.name) as LayerLesions;
          const keeping: Pick<LayerLesions, "run"> = {
            run: (sets) => lesions.run(sets.map((kept) => othersOf(kept, layer.layerUnits))),
          };
          const kept = await keepOnly(keeping, layer, baseline, { seed, isSequential }, own, () => ({}));
          const [where, cluster] = layer.name === "a" ? (["shared", 0] as const) : (["alone", 2] as const);
          const number = layer.tested.findIndex((found) => found.cluster === cluster);
          for (const name of ["accuracy", "loss"] as const) {
            ps[where][name].push(kept[number]?.verdicts[name].p ?? Number.NaN);
          }
        }
      }
      for (const lesions of opened.values()) await lesions.dispose();
      for (const [where, together] of [
        ["shared", 3],
        ["alone", 1],
      ] as const) {
        for (const name of ["accuracy", "loss"] as const)
          family.expectNotSmall(ps[where][name], `${where}, kept ${name}`);
        const step = 1 / (together * ((isSequential ? 9 : KEPT_DRAWS) + 1));
        family.expectNotLarge(
          ps[where].loss.map((p) => p - step),
          `${where}, kept loss`,
        );
      }
      if (isSequential) family.expectComplete();
    },
  );
});

describe("sequential draws", () => {
  it("have the verdicts of the full run, subcluster by subcluster, at a fraction of its draws", async () => {
    // One layer whose clusters matter, one whose labels are random.
    const planted = plantedMlp(1);
    const [count, size] = planted.inputShape;
    const network = await loadNetworkBytes(planted.model, "planted");
    const data: LabelledInputs = {
      count,
      labels: planted.labels,
      batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
    };
    const [first] = planted.layers;
    let [drawn, significant] = [0, 0];
    for (const shuffles of [199, 999]) {
      const labels = rng(shuffles, "labels").shuffle(
        Int32Array.from({ length: 24 }, (_, i) => (i < 9 ? 2 : i < 17 ? 3 : 4)),
      );
      const partition: Partition = {
        layers: [
          { name: "hidden1", labels: first?.blocks ?? new Int32Array() },
          { name: "hidden2", labels },
        ],
        clusters: 5,
        method: {},
        quality: null,
      };
      const full = await scoreImportance(network, data, partition, { shuffles });
      const some = await scoreImportance(network, data, partition, { shuffles, isSequential: true });
      for (const name of IMPORTANCE_NAMES) {
        const isSignificant = (scores: typeof full) =>
          Array.from(adjustedByMeasure(scores.subclusters)[name].by, (q) => q <= 0.05);
        expect(isSignificant(some)).toEqual(isSignificant(full));
        significant += isSignificant(full).filter(Boolean).length;
      }
      some.subclusters.forEach(({ layer, damage, drawn: own, verdicts }, i) => {
        expect(damage).toEqual(full.subclusters[i]?.damage);
        // Clusters that matter are drawn in full, to the same p.
        if (layer === "hidden1") expect(verdicts.loss).toEqual(full.subclusters[i]?.verdicts.loss);
        drawn += own / (5 * shuffles);
      });
      expect(some.commonDraws).toBe(39);
      expect(some.network.loss.permutationP).toBeLessThan(0.05);
    }
    expect(significant).toBeGreaterThan(3);
    expect(drawn / 2).toBeLessThan(0.7);
  });

  it("fix the draws of the network's p beforehand, enough for its floor", () => {
    expect(commonDraws(false, 199, 4)).toBe(199);
    expect(commonDraws(true, 199, 4)).toBe(39);
    expect(commonDraws(true, 199, 1)).toBe(199);
    expect(commonDraws(true, 1999, 2)).toBe(44);
    expect((1 + commonDraws(true, 9999, 2)) ** 2).toBe(10_000);
  });
});
