/** The controls of the measures note, section 7. */
import { describe, expect, it } from "vitest";
import { runJointLesions } from "../../src/network/joint-lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import { formatScores } from "../../src/scores/scores-file.ts";
import { CLASSES, conv, head, outcomeOf, relu } from "../support/lesion-cases.ts";
import { randomData, runModel, sketch, withWeights } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";

function plantedCase(seed: number) {
  const planted = plantedMlp(seed);
  const [count, size] = planted.inputShape;
  const data: LabelledInputs = {
    count,
    labels: planted.labels,
    batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
  };
  const partition: Partition = {
    layers: planted.layers.map(({ name, blocks }) => ({ name, labels: blocks })),
    clusters: 2,
    method: { name: "planted" },
    quality: null,
  };
  return { planted, data, partition };
}

describe("a network of two independent tasks", () => {
  it.each(["zero", "mean", "resample"] as const)("dissociates doubly in every layer: %s", async (lesion) => {
    const { planted, data, partition } = plantedCase(1);
    const network = await loadNetworkBytes(planted.model, "planted");
    const others = (["zero", "mean", "resample"] as const).filter((kind) => kind !== lesion);
    const scores = await scoreImportance(network, data, partition, { lesion, compare: others });
    expect(scores.lesion).toBe(lesion);
    expect(scores.dissociations.map(({ layer }) => layer).sort()).toEqual(["hidden1", "hidden2"]);
    for (const { clusters, classes, p, q } of scores.dissociations) {
      // Each cluster serves the classes of its own block.
      expect(classes.map((c) => Math.floor(c / 2))).toEqual([...clusters]);
      // A random half may hit one class of each block as hard.
      expect(p).toBeLessThan(0.05);
      expect(q).toBe(p);
    }
    for (const {
      cluster,
      profile,
      verdicts,
      intervals,
      flipRate,
      keepOnly,
      compared,
      damage,
    } of scores.subclusters) {
      const drops = [...profile.drops];
      const isOwn = (c: number) => Math.floor(c / 2) === cluster;
      const [own, foreign] = [drops.filter((_, c) => isOwn(c)), drops.filter((_, c) => !isOwn(c))];
      expect(Math.min(...own)).toBeGreaterThan(Math.max(...foreign));
      // What another input brings in disturbs the other block's classes as well.
      if (lesion !== "resample") {
        expect(Math.max(...foreign)).toBe(0);
        expect(profile.specialisation).toBeGreaterThanOrEqual(0.4);
      }
      expect([1 / 400, 2 / 400]).toContain(verdicts.loss.p);
      expect(intervals.lossIncrease.low).toBeGreaterThan(0);
      expect(intervals.lossIncrease.low).toBeLessThan(damage.lossIncrease);
      expect(intervals.lossIncrease.high).toBeGreaterThan(damage.lossIncrease);
      expect(intervals.meanChange.high).toBeLessThan(0);
      // Half of the inputs are of the other block and keep their class.
      if (lesion !== "resample") expect(flipRate).toBeLessThanOrEqual(0.5);
      expect(flipRate).toBeGreaterThan(0.2);
      // A block alone keeps its own classes; no random half of the layer keeps as little of the other's.
      expect(keepOnly?.damage.classAccuracy[2 * cluster]).toBe(1);
      expect([...compared.keys()].sort()).toEqual([...others].sort());
    }
    expect(scores.agreement).toHaveLength(3);
    expect(scores.agreement.every(({ loss }) => Math.abs(loss) <= 1)).toBe(true);
    expect(scores.network.loss).toMatchObject({ significant: 4, significantBH: 4 });
    expect(scores.network.loss.permutationP).toBeLessThan(0.001);
    expect(JSON.parse(formatScores(scores))).toMatchObject({ lesion, match: "size", sequential: false });

    // Two subclusters of one block lie on one path; those of both blocks together take everything.
    const synergy = (one: number, other: number) =>
      scores.pairs.find(
        ({ subclusters: [a, b] }) => a.layer !== b.layer && a.cluster === one && b.cluster === other,
      )?.synergy ?? Number.NaN;
    expect(scores.pairs).toHaveLength(6);
    expect(synergy(0, 0)).toBeLessThan(0);
    expect(synergy(1, 1)).toBeLessThan(0);
  });
});

describe("an untrained network", () => {
  it("shows nothing beyond the false discovery rate, and no network p below chance", async () => {
    const found: number[] = [];
    let significant = 0;
    for (let seed = 0; seed < 12; seed++) {
      const model = sketch([6], { seed });
      const a = relu(model, model.dense("x", "a", 6, 24));
      const b = relu(model, model.dense(a, "b", 24, 20));
      const network = await loadNetworkBytes(model.encode(model.dense(b, "head", 20, CLASSES)), "untrained");
      const data = randomData(60, [6], CLASSES, seed);
      const partition: Partition = {
        layers: [
          { name: "a", labels: Int32Array.from({ length: 24 }, (_, unit) => unit % 4) },
          { name: "b", labels: Int32Array.from({ length: 20 }, (_, unit) => unit % 3) },
        ],
        clusters: 4,
        method: {},
        quality: null,
      };
      const scores = await scoreImportance(network, data, partition, { seed });
      const { loss, accuracy } = scores.network;
      found.push(loss.permutationP);
      if (loss.significant + accuracy.significant > 0) significant++;
      if (scores.dissociations.some(({ q }) => q <= 0.05)) significant++;
    }
    // Two families of tests for each of 12 networks: more than 5 false discoveries at 5 % happen once in 1,000 times.
    expect(significant).toBeLessThanOrEqual(5);
    expect(found.filter((p) => p <= 0.05).length).toBeLessThanOrEqual(3);
    expect(found.reduce((sum, p) => sum + p / 12, 0)).toBeGreaterThan(0.25);
  });
});

describe("lesions of two layers at once", () => {
  it("equal a full re-run with both zeroed, and single ones are those of one layer", async () => {
    const model = sketch([2, 4, 4]);
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const bytes = model.encode(head(model, relu(model, conv(model, a, "b", 4, 5)), 5));
    const network = await loadNetworkBytes(bytes, "joint");
    const data = randomData(30, [2, 4, 4], CLASSES);
    const [first, second] = [layerNamed(network, "a"), layerNamed(network, "b")];
    const lesions = [
      [
        { layer: first, units: Int32Array.of(1, 2) },
        { layer: second, units: Int32Array.of(0, 4) },
      ],
      [{ layer: second, units: Int32Array.of(0, 4) }],
    ];
    const { outcomes, details } = await runJointLesions(network, lesions, data);
    const withoutB = withWeights(bytes, "head.weight", (i, old) => ([0, 4].includes(i % 5) ? 0 : old));
    const withoutBoth = withWeights(withoutB, "b.weight", (i, old) =>
      [1, 2].includes(Math.floor(i / 9) % 4) ? 0 : old,
    );
    for (const [i, edited] of [withoutBoth, withoutB].entries()) {
      const expected = outcomeOf(await runModel(edited, data.values, [30, 2, 4, 4]), data.labels);
      expect(outcomes[i]?.correct).toEqual(expected.correct);
      expect(outcomes[i]?.loss).toBeCloseTo(expected.loss, 5);
    }
    expect(details[0]?.lossIncreases).not.toEqual(details[1]?.lossIncreases);
  });
});
