import { describe, expect, it } from "vitest";
import { runLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import { IMPORTANCE_NAMES } from "../../src/scores/importance-measures.ts";
import { formatScores } from "../../src/scores/scores-file.ts";
import { rng } from "../../src/statistics/rng.ts";
import { exportData, loadExport } from "../support/exports.ts";
import { expectRefusal, randomData, sketch } from "../support/models.ts";

const halves = (name: string, units: number): Partition => ({
  layers: [{ name, labels: Int32Array.from({ length: units }, (_, unit) => (unit < units / 2 ? 0 : 1)) }],
  clusters: 2,
  method: { name: "halves" },
  quality: null,
});

/** x (5) - a (8) - b (6) - 2 outputs; b and out read a. */
function forked() {
  const model = sketch([5]);
  const a = model.node("Relu", [model.dense("x", "a", 5, 8)]);
  const b = model.node("Relu", [model.dense(a, "b", 8, 6)]);
  const made = model.node("Add", [model.dense(a, "past", 8, 2), model.dense(b, "head", 6, 2)]);
  return loadNetworkBytes(model.encode(made), "forked");
}

function regressionData(): LabelledInputs {
  const { count, batch } = randomData(200, [5], 2);
  const random = rng(0, "targets");
  return {
    count,
    batch,
    labels: new Int32Array(),
    targets: Float32Array.from({ length: 400 }, () => random.normal()),
  };
}

interface ScoresFile {
  task: string;
  lesionAt: string;
  baseline: { accuracy: number | null; loss: number; r2?: number };
  subclusters: {
    layer: string;
    importance: Record<string, unknown> & { p: Record<string, number | null> };
  }[];
}

const written = (text: string) => JSON.parse(text) as ScoresFile;

describe("scores of a regression", () => {
  it("rest on the loss; what needs right answers is null", async () => {
    const scores = await scoreImportance(await forked(), regressionData(), halves("a", 8));
    const { task, baseline, subclusters } = written(formatScores(scores));
    expect(task).toBe("regression");
    expect(baseline.accuracy).toBeNull();
    // Random targets: no better than a constant.
    expect(baseline.r2).toBeLessThan(0);
    expect(subclusters).toHaveLength(2);
    for (const { importance } of subclusters) {
      expect([
        importance.accuracy,
        importance.classRange,
        importance.p.accuracy,
        importance.p.classRange,
      ]).toEqual([null, null, null, null]);
      expect(importance.p.loss).toBeGreaterThanOrEqual(0.005);
    }
    expect(IMPORTANCE_NAMES.map((name) => scores.network[name].tested)).toEqual([0, 0, 2]);
  });
});

describe("scores of a regression by several kinds of lesion", () => {
  it("have intervals, kept subclusters and pairs of squared errors, and no flips", async () => {
    const network = await forked();
    const data = regressionData();
    const scores = await scoreImportance(network, data, halves("a", 8), {
      lesion: "mean",
      compare: ["zero", "resample"],
      isSequential: true,
    });
    const { subclusters, agreement, pairs, dissociations } = JSON.parse(formatScores(scores));
    for (const { importance } of subclusters) {
      const { flipRate, divergence, intervals, lossIncrease, keepOnly, byLesion, profile } = importance;
      expect([flipRate, divergence, keepOnly.accuracy, keepOnly.p.accuracy]).toEqual([
        null,
        null,
        null,
        null,
      ]);
      expect(intervals.meanClassAccuracyChange).toEqual([null, null]);
      expect(profile).toEqual({ classDrop: [], specialisation: null, gini: null });
      const [low, high] = intervals.lossIncrease;
      expect(low).toBeLessThan(lossIncrease);
      expect(high).toBeGreaterThan(lossIncrease);
      expect(keepOnly.p.loss).toBeGreaterThanOrEqual(1 / 40);
      expect(byLesion.zero.accuracy).toBeNull();
      expect(byLesion.resample.loss).toBeGreaterThan(0);
    }
    expect(agreement.map(({ accuracy }: { accuracy: null }) => accuracy)).toEqual([null, null, null]);
    expect(dissociations).toEqual([]);
    // Each half alone is what is left when the other one takes its means.
    expect(scores.subclusters[0]?.keepOnly?.damage.loss).toBe(scores.subclusters[1]?.damage.loss);
    const all = Int32Array.from({ length: 8 }, (_, unit) => unit);
    const [both] = await runLesions(network, layerNamed(network, "a"), [all], data, { lesion: "mean" });
    expect(pairs).toHaveLength(1);
    expect(pairs[0].lostOnlyTogether).toBeNull();
    expect(pairs[0].lossIncrease).toBeCloseTo((both?.loss ?? 0) - scores.baseline.outcome.loss, 5);
    const singles = subclusters.reduce(
      (sum: number, { importance }: { importance: { lossIncrease: number } }) =>
        sum + importance.lossIncrease,
      0,
    );
    expect(pairs[0].synergy).toBeCloseTo(pairs[0].lossIncrease - singles, 5);
  });
});

describe("scores of next-token prediction", () => {
  it("count tokens", async () => {
    const network = await loadExport("gpt-dynamo");
    const data = exportData("gpt-dynamo", 20, 2);
    const random = rng(0, "next");
    const labels = Int32Array.from({ length: 120 }, () => random.integer(12));
    const layer = layerNamed(network, "node_addmm_2");
    const scores = await scoreImportance(network, { ...data, labels }, halves(layer.name, layer.units));
    const { task, baseline } = written(formatScores(scores));
    expect(task).toBe("next-token");
    expect(scores.baseline.classCounts.reduce((sum, count) => sum + count, 0)).toBe(120);
    const right = scores.baseline.outcome.correct.reduce((sum, count) => sum + count, 0);
    expect(baseline.accuracy).toBeCloseTo(right / 120, 12);
  });
});

describe("scores of lesions at one consumer", () => {
  it("are those of its lesions, for the layers that it reads", async () => {
    const network = await forked();
    const data = randomData(200, [5], 2);
    const partition = { ...halves("a", 8), layers: [...halves("a", 8).layers, ...halves("b", 6).layers] };
    const scores = await scoreImportance(network, data, partition, { consumer: "past" });
    const { lesionAt, subclusters } = written(formatScores(scores));
    expect(lesionAt).toBe("consumer:past");
    expect(subclusters.map(({ layer }) => layer)).toEqual(["a", "a"]);
    const set = Int32Array.of(0, 1, 2, 3);
    const [outcome] = await runLesions(network, layerNamed(network, "a"), [set], data, { consumer: "past" });
    expect(scores.subclusters[0]?.damage.loss).toBe(outcome?.loss);
    const [kept, both] = await runLesions(
      network,
      layerNamed(network, "a"),
      [Int32Array.of(4, 5, 6, 7), Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7)],
      data,
      { consumer: "past", lesion: "mean" },
    );
    expect(scores.subclusters[0]?.keepOnly?.damage.loss).toBe(kept?.loss);
    const byMean = await scoreImportance(network, data, partition, { consumer: "past", lesion: "mean" });
    expect(byMean.pairs[0]?.lossIncrease).toBeCloseTo((both?.loss ?? 0) - scores.baseline.outcome.loss, 5);
    const everywhere = await scoreImportance(network, data, partition);
    expect(written(formatScores(everywhere)).lesionAt).toBe("output");
    expect(everywhere.subclusters[0]?.damage.loss).not.toBe(outcome?.loss);
    await expectRefusal(
      () => scoreImportance(network, data, partition, { consumer: "c" }),
      "E_NETWORK_LAYER",
    );
  });
});
