import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AnalyzeOptions, analyzeNetwork, clustersPerLayer } from "../src/analyze.ts";
import type { Compute } from "../src/compute/compute.ts";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { type Engine, localEngine } from "../src/engine.ts";
import { recordGraphUnits } from "../src/graph/activation-graph.ts";
import { buildUnitGraph } from "../src/graph/build-unit-graph.ts";
import { loadNetworkBytes } from "../src/network/network.ts";
import type { LabelledInputs } from "../src/network/outcomes.ts";
import { assessPartition } from "../src/partition/assess.ts";
import { comparePartitions } from "../src/partition/compare.ts";
import type { Partition } from "../src/partition/partition.ts";
import { formatPartition } from "../src/partition/partition-file.ts";
import { partitionGraph } from "../src/partition/partition-graph.ts";
import { measureTransfer } from "../src/partition/transfer.ts";
import { scoreImportance } from "../src/scores/importance.ts";
import { formatScores } from "../src/scores/scores-file.ts";
import { expectRefusal, randomData, sketch } from "./support/models.ts";
import { plantedMlp } from "./support/planted.ts";

let compute: Compute;
let engine: Engine;
beforeAll(async () => {
  compute = await createCpuCompute();
  engine = localEngine(compute);
});
afterAll(() => compute.dispose());

const planted = plantedMlp(3);
const [count, size] = planted.inputShape;
const data: LabelledInputs = {
  count,
  labels: planted.labels,
  batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
};
const load = () => loadNetworkBytes(planted.model, "planted");

/** Expects the labels of a layer to be its planted blocks, but for the clusters' names. */
function expectBlocks({ layers }: Partition, name: string): void {
  const blocks = planted.layers.find((layer) => layer.name === name)?.blocks ?? new Int32Array();
  const labels = layers.find((layer) => layer.name === name)?.labels ?? new Int32Array();
  const pairs = new Set([...blocks].map((block, unit) => `${block} ${labels[unit]}`));
  expect(labels).toHaveLength(blocks.length);
  expect(pairs.size, `${name}: ${[...pairs].join("; ")}`).toBe(2);
}

describe("analyzeNetwork", () => {
  it.each<[string, AnalyzeOptions, readonly string[]]>([
    ["weights, global", {}, ["x", "hidden1", "hidden2", "logits"]],
    ["weights, local", { scope: "local" }, ["x", "hidden1", "hidden2", "logits"]],
    ["activations, global", { kind: "activations" }, ["hidden1", "hidden2"]],
    ["activations, local", { kind: "activations", scope: "local" }, ["hidden1", "hidden2"]],
  ])("finds the planted areas and their importance: %s", async (_, options, layers) => {
    const { graph, partition, importance } = await analyzeNetwork(await load(), data, engine, {
      ...options,
      partition: { method: "spectral", k: 2 },
      seed: 1,
    });
    expect(graph).toMatchObject({ kind: options.kind ?? "weights", scope: options.scope ?? "global" });
    expect(graph.layers.map(({ name }) => name)).toEqual(layers);
    expect(partition.clusters).toBe(options.scope === "local" ? 2 * layers.length : 2);
    for (const name of ["hidden1", "hidden2"]) expectBlocks(partition, name);
    expect(importance).toMatchObject({ protocol: "strict", shuffles: 199, seed: 1 });
    expect(importance?.subclusters.map(({ layer }) => layer)).toEqual([
      "hidden1",
      "hidden1",
      "hidden2",
      "hidden2",
    ]);
    // Of 2 x 200 sets the other cluster does more harm to one of the two, and a random set may be much the same units.
    for (const { verdicts } of importance?.subclusters ?? [])
      expect(verdicts.loss.p).toBeLessThanOrEqual(3 / 400);
    expect(importance?.network.loss.permutationP).toBeLessThan(0.001);
  });

  it("is the graph, the partition and the scores, one after another, and hands each over", async () => {
    const network = await load();
    const order: string[] = [];
    const { graph, partition, importance } = await analyzeNetwork(network, data, engine, {
      partition: { method: "spectral", k: 3 },
      seed: 4,
      onGraph: async (made) => {
        order.push(`graph ${made.matrix.size}`);
      },
      onPartition: async (made, of) => {
        order.push(`partition ${made.clusters} of ${of.matrix.size}`);
      },
      onLayer: (scores) => order.push(`scores of ${scores[0]?.layer}`),
    });
    const size = graph.matrix.size;
    expect(order).toEqual([
      `graph ${size}`,
      `partition ${partition.clusters} of ${size}`,
      "scores of hidden1",
      "scores of hidden2",
    ]);
    const alone = await partitionGraph(compute, graph, { method: "spectral", k: 3, seed: 4 });
    expect(formatPartition(alone)).toBe(formatPartition(partition));
    const scores = await scoreImportance(network, data, partition, { seed: 4 });
    expect(formatScores(scores)).toBe(formatScores(importance));
  });

  it("gives each layer of a local graph as many clusters as the global partition has there", async () => {
    const model = sketch([5], { seed: 8 });
    const a = model.node("Relu", [model.dense("x", "a", 5, 12)]);
    const b = model.node("Relu", [model.dense(a, "b", 12, 9)]);
    const network = await loadNetworkBytes(model.encode(model.dense(b, "logits", 9, 3)), "local");
    const inputs = randomData(120, [5], 3);
    for (const kind of ["weights", "activations"] as const) {
      const options: AnalyzeOptions = { kind, partition: { method: "spectral", k: 5 }, seed: 2 };
      const global = await analyzeNetwork(network, inputs, engine, options);
      const local = await analyzeNetwork(network, inputs, engine, { ...options, scope: "local" });
      const expected = clustersPerLayer(global.partition);
      expect(local.partition.method.kPerLayer).toEqual(Object.fromEntries(expected));
      // k-means leaves none of these few clusters empty in the layer around which the part is built.
      const centres = kind === "weights" ? ["b"] : ["a", "b"];
      const found = clustersPerLayer(local.partition);
      for (const name of centres) {
        expect(found.get(name)).toBeLessThanOrEqual(expected.get(name) as number);
        expect(found.get(name)).toBeGreaterThanOrEqual(1);
      }
      // Clusters of different layers are unrelated: no id occurs in two of them.
      const ids = local.partition.layers.map(({ labels }) => new Set(labels.filter((label) => label >= 0)));
      const total = ids.reduce((sum, { size: some }) => sum + some, 0);
      expect(new Set(ids.flatMap((some) => [...some])).size).toBe(total);
    }
  });

  it("partitions local graphs by Louvain without a number of clusters", async () => {
    const { partition } = await analyzeNetwork(await load(), data, engine, {
      scope: "local",
      partition: { method: "louvain" },
    });
    expect(partition.method).toEqual({ name: "louvain", resolution: 1, seed: 0 });
    expectBlocks(partition, "hidden1");
  });

  it("gives the same numbers for the same seed, and other partitions than chance", async () => {
    const run = async (seed: number, method: "spectral" | "random") =>
      analyzeNetwork(await load(), data, engine, { seed, partition: { method, k: 2 } });
    const [first, again] = [await run(5, "spectral"), await run(5, "spectral")];
    expect(formatPartition(again.partition)).toBe(formatPartition(first.partition));
    expect(formatScores(again.importance)).toBe(formatScores(first.importance));
    const random = await run(5, "random");
    const agreement = comparePartitions(first.partition, random.partition);
    expect(Math.abs(agreement.overall.ari)).toBeLessThan(0.3);
    expect(random.partition.quality?.ncut).toBeGreaterThan(2 * (first.partition.quality?.ncut ?? 1));
  });

  it.each([
    ["weights", "spectral", ["seeds", "k 1", "k 3"]],
    ["activations", "spectral", ["seeds", "bootstraps", "k 1", "k 3"]],
    ["activations", "louvain", ["seeds", "bootstraps", "resolution 0.841", "resolution 1.19"]],
    ["weights", "leiden", ["seeds", "resolution 0.841", "resolution 1.19"]],
  ] as const)("assesses a partition of %s by %s as `partition` does", async (kind, method, names) => {
    const network = await load();
    const settings = { method, k: method === "spectral" ? 2 : undefined } as const;
    const { graph, partition } = await analyzeNetwork(network, data, engine, {
      kind,
      samples: 100,
      partition: settings,
      seed: 3,
      nulls: 9,
      stability: 2,
      protocol: "paper",
    });
    const { nulls, stability, agreement } = partition.quality ?? {};
    expect(agreement).toBeUndefined();
    expect(nulls?.map((test) => [test.null, test.draws])).toEqual(
      kind === "weights"
        ? [["weights", 9]]
        : [
            ["weights", 9],
            ["inputs", 9],
          ],
    );
    for (const { ncut, modularity } of nulls ?? []) expect([ncut.p, modularity.p]).toEqual([0.1, 0.1]);
    expect(stability?.rows.map(({ name }) => name)).toEqual(names);
    // The planted halves stay, whatever the seed and the inputs.
    for (const { name, ami } of stability?.rows.slice(0, kind === "weights" ? 1 : 2) ?? []) {
      if (method === "spectral") expect(ami, name).toBe(1);
    }
    const recorded =
      kind === "weights" ? null : await recordGraphUnits(network, data, { samples: 100, seed: 3 });
    const alone = await partitionGraph(compute, graph, { ...settings, seed: 3 });
    const assessed = await assessPartition(
      engine,
      graph,
      alone,
      { ...settings, seed: 3 },
      { nulls: 9, stability: 2 },
      recorded,
    );
    expect(formatPartition(assessed)).toBe(formatPartition(partition));
  });

  it.each(["weights", "activations"] as const)(
    "compares the partition of %s with the other's",
    async (kind) => {
      const network = await load();
      const options: AnalyzeOptions = {
        kind,
        partition: { method: "spectral", k: 2 },
        seed: 1,
        agreement: true,
        protocol: "paper",
      };
      const { partition, otherPartition, graph } = await analyzeNetwork(network, data, engine, options);
      const other = kind === "weights" ? "activations" : "weights";
      const otherGraph = await buildUnitGraph(network, data, compute, { ...options, kind: other });
      const alone = await partitionGraph(compute, otherGraph, { method: "spectral", k: 2, seed: 1 });
      expect(formatPartition(otherPartition as Partition)).toBe(formatPartition(alone));
      // Both find the two planted areas.
      const { agreement } = partition.quality ?? {};
      const { eigenvalues: _, ...quality } = alone.quality ?? {};
      expect(agreement).toMatchObject({ kind: other, clusters: 2, shuffles: 5000, ...quality });
      expect(agreement?.overall).toMatchObject({ units: 48, ami: 1, ari: 1 });
      expect(agreement?.overall.withinLayers.ami.p).toBe(1 / 5001);
      expect(agreement?.transfer).toEqual({
        toOther: measureTransfer(otherGraph, alone, partition),
        fromOther: measureTransfer(graph, partition, alone),
      });
      expect(agreement?.transfer.toOther?.ratio).toBeCloseTo(1, 12);
      expect(agreement?.transfer.fromOther).toMatchObject({ nodes: 48 });
    },
  );

  it("compares local partitions, of which weights have no transfer", async () => {
    const { partition, otherPartition } = await analyzeNetwork(await load(), data, engine, {
      scope: "local",
      partition: { method: "spectral", k: 2 },
      agreement: true,
      protocol: "paper",
    });
    expect(otherPartition?.method).toMatchObject({ kPerLayer: { hidden1: 2, hidden2: 2 } });
    const { agreement } = partition.quality ?? {};
    expect(agreement?.overall).toMatchObject({ units: 48, ami: 1 });
    expect(agreement?.transfer).toMatchObject({ fromOther: null, toOther: { nodes: 48, ratio: 1 } });
  });

  it("stops when it is interrupted between its steps", async () => {
    const controller = new AbortController();
    const done: string[] = [];
    await expect(
      analyzeNetwork(await load(), data, engine, {
        signal: controller.signal,
        partition: { method: "spectral", k: 2 },
        onPartition: async () => {
          done.push("partition");
          controller.abort();
        },
        onLayer: () => done.push("scores"),
      }),
    ).rejects.toMatchObject({ code: "E_INTERRUPTED" });
    expect(done).toEqual(["partition"]);
  });
});

describe("buildUnitGraph", () => {
  it("needs inputs for activations only", async () => {
    const network = await load();
    await expectRefusal(
      () => buildUnitGraph(network, null, compute, { kind: "activations" }),
      "E_USAGE_DATA",
    );
    const graph = await buildUnitGraph(network, null, compute, { norm: "l2" });
    expect(graph).toMatchObject({ kind: "weights", scope: "global", facts: { norm: "l2" } });
  });
});
