import { beforeAll, describe, expect, it } from "vitest";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { claimOf } from "../../src/populations/claim.ts";
import type { ImpactFindings, Populations } from "../../src/populations/population-settings.ts";
import { responsePopulations } from "../../src/populations/populations.ts";
import {
  formatPopulations,
  formatPopulationTable,
  formatRelations,
} from "../../src/populations/populations-file.ts";
import { rng } from "../../src/statistics/rng.ts";
import { expectRefusal, randomData, sketch } from "../support/models.ts";
import { PER_CLASS, plantedRoles, randomMlp } from "../support/population-nets.ts";

const SHARE = 1 / 3;

let engine: Engine;
let network: Network;
const { model, data } = plantedRoles();
beforeAll(async () => {
  engine = localEngine(await createCpuCompute());
  network = await loadNetworkBytes(model, "roles.onnx");
  return () => engine.dispose();
});

const labelsOf = ({ coResponse }: Populations) => Array.from(coResponse.layers[0]?.labels ?? []);

describe("populations of planted roles", () => {
  let found: Populations;
  let impact: ImpactFindings;
  beforeAll(async () => {
    found = await engine.populations(network, data, { impact: "accuracy", seed: 1 });
    impact = found.impact as ImpactFindings;
  });

  it("puts units together that answer alike, and none that are dead or constant", () => {
    const [a, b, c, dead, d, constant] = labelsOf(found);
    expect(a).toBe(b);
    expect(c).toBe(d);
    expect(a).not.toBe(c);
    expect([dead, constant]).toEqual([-1, -1]);
    expect(Array.from(found.layers[0]?.responses.isDead ?? [])).toEqual([0, 0, 0, 1, 0, 0]);
  });

  it("finds the impact of each unit: none of a unit with a double, all of a unit that is needed", () => {
    const [zero, mean] = found.layers[0]?.lesions ?? [];
    expect(Array.from(zero?.accuracyImpact ?? [])).toEqual([0, 0, SHARE, Number.NaN, SHARE, 0]);
    expect(Array.from(zero?.classImpact.subarray(6, 9) ?? [])).toEqual([0, 1, 0]);
    // By its mean, a third, unit 2 still says enough: 4 (1 + 1/3) is above 5.
    expect(mean?.accuracyImpact[2]).toBe(0);
    expect(zero?.lossImpact[5]).toBe(0);
  });

  it("puts units together whose lesions hurt alike, and leaves out those without an impact", () => {
    expect(Array.from(impact.coImpact.layers[0]?.labels ?? [])).toEqual([-1, -1, 0, -1, 0, -1]);
    expect(Array.from(impact.ward.layers[0]?.labels ?? [])).toEqual([-1, -1, 0, -1, 0, -1]);
  });

  it("tells what is lost only jointly, in one share of what was right", () => {
    const pair = (one: number, other: number) =>
      impact.pairs.find(({ units }) => units[0] === one && units[1] === other);
    const backup = pair(0, 1);
    expect(Array.from(backup?.stateCounts ?? [])).toEqual([0, 2 * PER_CLASS, 0, PER_CLASS, 0]);
    expect(backup?.jointShare).toBeCloseTo(SHARE, 12);
    expect(backup?.lostShare).toBe(0);
    expect(Array.from(backup?.classJointShare ?? [])).toEqual([1, 0, 0]);
    expect(backup?.synergy).toBeGreaterThan(1);
    expect(backup?.interval.low).toBeGreaterThan(0.5);
    const path = pair(2, 4);
    expect(Array.from(path?.stateCounts ?? [])).toEqual([PER_CLASS, 2 * PER_CLASS, 0, 0, 0]);
    expect(path?.lostShare).toBeCloseTo(SHARE, 12);
    expect(path?.jointShare).toBe(0);
    expect(impact.pairs[0]?.units).toEqual([0, 1]);
  });

  it("tells backup from a common path by the lesion of a whole population", () => {
    const groups = impact.groups.filter(({ kind }) => kind === "co-response");
    const backup = groups.find(({ units }) => units[0] === 0);
    const path = groups.find(({ units }) => units[0] === 2);
    expect(backup?.accuracyImpact).toBeCloseTo(SHARE, 12);
    expect(backup?.accuracyRedundancy).toBeCloseTo(SHARE, 12);
    expect(path?.accuracyImpact).toBeCloseTo(SHARE, 12);
    expect(path?.accuracyRedundancy).toBeCloseTo(-SHARE, 12);
    expect(backup?.accuracyRedundancyInterval.low).toBeGreaterThan(0.15);
    expect(Array.from(backup?.classImpact ?? [])).toEqual([1, 0, 0]);
    expect(Array.from(backup?.stateCounts ?? [])).toEqual([PER_CLASS, 2 * PER_CLASS, 0, 0, 0]);
    data.labels.forEach((label, input) => {
      expect(backup?.states[input]).toBe(label === 0 ? 0 : 1);
    });
    // Of the ten sets of two of the five units that are alive, four take a third of the answers or more... the pairs with
    // 2 or 4 do as well, so a population of two is not rare.
    expect(backup?.verdicts?.accuracy.p).toBeGreaterThan(0.3);
  });

  it("gives equal bytes for equal seeds, and numbers or null in every place", async () => {
    const again = await engine.populations(network, data, { impact: "accuracy", seed: 1 });
    const text = formatPopulations(found);
    expect(formatPopulations(again)).toBe(text);
    expect(formatPopulationTable(again)).toBe(formatPopulationTable(found));
    const parsed = JSON.parse(text);
    expect(parsed).toMatchObject({
      schema: "brodmann/populations/1",
      impact: "accuracy",
      edges: "absolute",
      lesions: ["zero", "mean"],
      inputs: 3 * PER_CLASS,
      baseline: { accuracy: 1, classAccuracy: [1, 1, 1] },
      layers: [{ name: "hidden", units: 6, dead: [3], coResponse: 2, coImpact: 1 }],
    });
    expect(parsed.units).toHaveLength(6);
    expect(parsed.units[3]).toMatchObject({ dead: true, auroc: null, aurocClass: null, coResponse: -1 });
    expect(parsed.units[2].lesions.zero.classImpact).toEqual([0, 1, 0]);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    const rows = formatPopulationTable(found).trimEnd().split("\n");
    expect(rows).toHaveLength(7);
    expect(new Set(rows.map((row) => row.split(",").length)).size).toBe(1);
    expect(formatRelations(impact.relations).split("\n")).toHaveLength(impact.relations.length + 2);
  });

  it("takes pairs that are asked for, also of dead units", async () => {
    const pairs = [
      { layer: "hidden", units: [4, 0] as const },
      { layer: "hidden", units: [3, 1] as const },
    ];
    const options = { pairs, shuffles: 0, lesions: ["zero"] as const };
    const { impact: own } = await engine.populations(network, data, options);
    expect(own?.pairs.map(({ units }) => units)).toEqual([
      [0, 4],
      [1, 3],
    ]);
    expect(own?.pairs[1]?.synergy).toBeCloseTo(0, 6);
    expect(own?.groups.every(({ verdicts }) => verdicts === null)).toBe(true);
    for (const units of [[0, 9] as const, [2, 2] as const]) {
      await expectRefusal(
        () => engine.populations(network, data, { pairs: [{ layer: "hidden", units }] }),
        "E_USAGE_PAIRS",
      );
    }
  });

  it("refuses layers, partitions and settings that do not fit", async () => {
    await expectRefusal(() => engine.populations(network, data, { layers: ["logits"] }), "E_NETWORK_LAYER");
    await expectRefusal(() => engine.populations(network, data, { layers: ["nowhere"] }), "E_NETWORK_LAYER");
    await expectRefusal(() => engine.populations(network, data, { shuffles: 7 }), "E_USAGE_SHUFFLES");
    await expectRefusal(
      () => engine.populations(network, data, { partition: { method: "leiden", k: 3 } }),
      "E_USAGE_K",
    );
    const other = {
      layers: [{ name: "hidden", labels: Int32Array.of(0, 1) }],
      clusters: 2,
      method: {},
      quality: null,
    };
    await expectRefusal(() => engine.populations(network, data, { other }), "E_PARTITION_FIT");
    const oneClass = { ...data, labels: new Int32Array(data.count) };
    await expectRefusal(() => engine.populations(network, oneClass), "E_INPUT_LABELS");
    const numbers = { ...data, labels: new Int32Array(), targets: new Float32Array(3 * data.count) };
    await expectRefusal(() => engine.populations(network, numbers), "E_NETWORK_TASK");
  });

  it("takes a handful of inputs, with whatever they leave undefined", async () => {
    const few = { count: 2, labels: data.labels.slice(0, 2), batch: data.batch };
    const text = formatPopulations(await engine.populations(network, few, { seed: 2 }));
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(JSON.parse(text).inputs).toBe(2);
  });
});

describe("populations of other networks", () => {
  it("go by every partitioner, edge and response, and compare with a partition that is given", async () => {
    const { network: mlp } = await randomMlp([6, 14, 10, 3], 1);
    const inputs = randomData(80, [6], 3, 1);
    const other = {
      layers: [{ name: "layer1", labels: Int32Array.from({ length: 14 }, (_, unit) => unit % 3) }],
      clusters: 3,
      method: { name: "external" },
      quality: null,
    };
    const base = { shuffles: 0, lesions: ["mean"] as const, other };
    for (const options of [
      { partition: { method: "spectral" as const, k: 3 }, edges: "square" as const },
      {
        partition: { method: "louvain" as const },
        edges: "positive" as const,
        correlation: "spearman" as const,
      },
      { partition: { method: "random" as const, k: 2 }, response: "profile" as const },
    ]) {
      const { coResponse, impact } = await engine.populations(mlp, inputs, { ...base, ...options });
      expect(coResponse.layers.map(({ name }) => name)).toEqual(["layer1", "layer2"]);
      expect(coResponse.method.name).toBe(options.partition.method);
      if ("k" in options.partition) {
        for (const { labels } of coResponse.layers) {
          expect(new Set(labels.filter((label) => label >= 0)).size).toBe(options.partition.k);
        }
      }
      const names = impact?.agreements.map((agreement) => agreement.names.join("/"));
      expect(names).toContain("co-response/given");
      const given = impact?.agreements.find((agreement) => agreement.names[1] === "given");
      expect(given?.comparison?.layers.find(({ name }) => name === "layer1")?.shuffled.ami.p).toBeGreaterThan(
        0,
      );
    }
  });

  it("count a convolution's channels by their mean, or by their largest value", async () => {
    const draft = sketch([1, 4, 4]);
    const maps = draft.node("Relu", [draft.conv(draft.input, { name: "conv", inputs: 1, units: 4 })]);
    const flat = draft.node("Flatten", [maps], { axis: 1n });
    const conv = await loadNetworkBytes(draft.encode(draft.dense(flat, "logits", 64, 3)), "conv.onnx");
    const inputs = randomData(60, [1, 4, 4], 3);
    const of = async (aggregate: "mean" | "max") => {
      const { layers } = await engine.populations(conv, inputs, {
        aggregate,
        shuffles: 0,
        lesions: ["zero"],
      });
      return layers[0]?.responses.magnitude ?? new Float64Array();
    };
    const [mean, max] = [await of("mean"), await of("max")];
    expect(mean).toHaveLength(4);
    mean.forEach((value, unit) => {
      expect(max[unit]).toBeGreaterThan(value);
    });
  });

  it("of random labels are not rarer than random sets", async () => {
    const ps: number[] = [];
    for (let trial = 0; trial < 12; trial++) {
      const { network: mlp } = await randomMlp([6, 12, 3], trial);
      const inputs = randomData(60, [6], 3, trial);
      // Populations at random: the partitioner that looks at nothing.
      const { impact } = await engine.populations(mlp, inputs, {
        partition: { method: "random", k: 2 },
        lesions: ["zero"],
        seed: trial,
      });
      const [first] = impact?.groups.filter(({ verdicts }) => verdicts !== null) ?? [];
      if (first?.verdicts) ps.push(first.verdicts.loss.p);
    }
    expect(ps.length).toBeGreaterThan(9);
    const mean = ps.reduce((sum, p) => sum + p, 0) / ps.length;
    // Uniform: 0.5, with a standard error of 0.29 / sqrt(10).
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.32);
  });

  it("find what the planted relation says of the claim", async () => {
    const { network: mlp } = await randomMlp([6, 30, 3], 3);
    const { impact } = await engine.populations(mlp, randomData(120, [6], 3, 3), { shuffles: 0 });
    const [row] = claimOf(impact?.relations ?? [], ["zero", "mean"]);
    const relation = (first: string, second: string) =>
      impact?.relations.find((one) => one.first === first && one.second === second && one.given === null);
    expect(row?.layer).toBe("layer1");
    expect(row?.tellings).toHaveLength(6);
    expect(row?.tellings.find(({ indicator, kind }) => indicator === "auroc" && kind === "mean")?.rho).toBe(
      relation("auroc", "lossImpact mean")?.rho,
    );
    expect(row?.kinds[0]?.rho).toBe(relation("lossImpact zero", "lossImpact mean")?.rho);
    const sure = { rho: 0.97, interval: { low: 0.93, high: 0.99 }, count: 30 };
    const relations = [{ layer: "a", first: "magnitude", second: "lossImpact zero", given: null, ...sure }];
    expect(claimOf(relations, ["zero"])[0]?.isToldBy).toEqual(["magnitude (lesions by zero)"]);
    const unknown = { rho: Number.NaN, interval: { low: Number.NaN, high: Number.NaN }, count: 1 };
    const undefinedOnes = relations.map((one) => ({ ...one, ...unknown }));
    expect(claimOf(undefinedOnes, ["zero"])[0]).toMatchObject({ strongest: null, isToldBy: null });
  });
});

describe("populations of recorded activations", () => {
  const samples = 90;
  const labels = Int32Array.from({ length: samples }, (_, i) => i % 3);
  const random = rng(0, "recorded");
  /** Two units of each of two roles, and a constant one. */
  const values = Float32Array.from({ length: 5 * samples }, (_, at) => {
    const [unit, sample] = [Math.floor(at / samples), at % samples];
    if (unit === 4) return 1;
    return (labels[sample] === (unit < 2 ? 0 : 1) ? 1 : 0) + 0.1 * random.normal();
  });
  const recorded = { name: "recorded", rows: { units: 5, inputs: samples, values } };

  it("need no network", async () => {
    const found = await responsePopulations(recorded, labels, engine);
    const [a, b, c, d, e] = labelsOf(found);
    expect([a === b, c === d, a === c, e]).toEqual([true, true, false, -1]);
    expect(found.impact).toBeNull();
    expect(Array.from(found.layers[0]?.responses.aurocClass ?? []).slice(0, 4)).toEqual([0, 0, 1, 1]);
    expect(JSON.parse(formatPopulations(found)).relations).toBeUndefined();
    expect(formatPopulationTable(found).split("\n")[0]).not.toContain("coImpact");
  });

  it("need a label for each sample, of several classes", async () => {
    await expectRefusal(() => responsePopulations(recorded, labels.slice(1), engine), "E_INPUT_LABELS");
    await expectRefusal(
      () => responsePopulations(recorded, new Int32Array(samples), engine),
      "E_INPUT_LABELS",
    );
  });

  it("without two units that vary are none", async () => {
    const flat = { units: 2, inputs: samples, values: new Float32Array(2 * samples) };
    const found = await responsePopulations({ name: "flat", rows: flat }, labels, engine);
    expect(labelsOf(found)).toEqual([-1, -1]);
    expect(found.coResponse.clusters).toBe(0);
  });
});
