import { describe, expect, it } from "vitest";
import { extractCluster } from "../../src/extract/extract-cluster.ts";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { decodeModel } from "../../src/runtime/onnx.ts";
import { rng } from "../../src/statistics/rng.ts";
import { exportBytes, exportData } from "../support/exports.ts";
import { expectRefusal, randomData, sketch } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";

const partitionOf = (layers: readonly { name: string; labels: ArrayLike<number> }[]): Partition => ({
  layers: layers.map(({ name, labels }) => ({ name, labels: Int32Array.from(labels) })),
  clusters: 1 + Math.max(...layers.flatMap(({ labels }) => Array.from(labels))),
  method: { name: "test" },
  quality: null,
});

async function planted() {
  const { model, inputs, labels, layers } = plantedMlp(1);
  const network = await loadNetworkBytes(model, "planted.onnx");
  const count = labels.length;
  const batch = (start: number, rows: number) => inputs.slice(start * 8, (start + rows) * 8);
  const data: LabelledInputs = { count, labels, batch };
  const partition = partitionOf(layers.map(({ name, blocks }) => ({ name, labels: blocks })));
  return { network, data, partition };
}

describe("extractCluster", () => {
  it("keeps the classes of a planted block, and random groups lose some", async () => {
    const { network, data, partition } = await planted();
    const made = await extractCluster(network, data, partition, 1);
    expect(made.layers.map(({ layer, units, form }) => [layer, units.length, form])).toEqual([
      ["hidden1", 12, "narrowed"],
      ["hidden2", 12, "narrowed"],
    ]);
    // 8 x 24 + 24 x 24 + 24 x 4 weights and 52 biases; the block's are half of each but for the inputs and logits.
    expect(made.parameters).toEqual({ before: 916, after: 8 * 12 + 12 * 12 + 12 * 4 + 12 + 12 + 4 });
    expect(made.logits.largestDifference).toBeLessThan(1e-5 * made.logits.largest);
    const { accuracy, classAccuracy, shuffles } = made.performance;
    expect(shuffles).toBe(19);
    expect(classAccuracy.slice(2).map((one) => one?.kept)).toEqual([1, 1]);
    expect(accuracy?.intact).toBe(1);
    expect(accuracy?.kept).toBeLessThan(1);
    const { graph: _, metadataProps, producerName } = decodeModel(made.bytes);
    expect(producerName).toBe("brodmann");
    expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))).toEqual({
      "brodmann.source": "planted.onnx",
      "brodmann.cluster": "1",
    });
  });

  it("scores what the file scores, and random groups as files of their own", async () => {
    const { network, data, partition } = await planted();
    const shuffles = 3;
    const made = await extractCluster(network, data, partition, 0, { shuffles, seed: 5 });
    const scoresOf = async (bytes: Uint8Array) => {
      const { correct, loss } = await evaluateNetwork(await loadNetworkBytes(bytes, "sub"), data);
      const classes = Array.from(correct, (right) => right / 60);
      return { accuracy: classes.reduce((sum, share) => sum + share, 0) / 4, classes, loss };
    };
    const own = await scoresOf(made.bytes);
    const random: (typeof own)[] = [];
    for (let draw = 0; draw < shuffles; draw++) {
      const layers = made.layers.map(({ layer: name, units, layerUnits }) => {
        const order = rng(5, "extract", name, draw).shuffle(
          Int32Array.from({ length: layerUnits }, (_, u) => u),
        );
        const labels = new Int32Array(layerUnits).fill(-1);
        for (const unit of order.subarray(0, units.length)) labels[unit] = 0;
        return { name, labels };
      });
      const { bytes } = await extractCluster(network, data, partitionOf(layers), 0, { shuffles: 1 });
      random.push(await scoresOf(bytes));
    }
    const { accuracy, classAccuracy, loss } = made.performance;
    const expected = (kept: number, others: readonly number[], sign: number) => ({
      kept: expect.closeTo(kept, 5),
      random: {
        mean: expect.closeTo(others.reduce((sum, one) => sum + one, 0) / shuffles, 5),
        least: expect.closeTo(Math.min(...others), 5),
        most: expect.closeTo(Math.max(...others), 5),
      },
      p: (1 + others.filter((one) => sign * one >= sign * kept).length) / (1 + shuffles),
    });
    expect(accuracy).toMatchObject(
      expected(
        own.accuracy,
        random.map((one) => one.accuracy),
        1,
      ),
    );
    expect(loss).toMatchObject(
      expected(
        own.loss,
        random.map((one) => one.loss),
        -1,
      ),
    );
    classAccuracy.forEach((found, c) => {
      expect(found).toMatchObject(
        expected(
          own.classes[c] ?? 0,
          random.map((one) => one.classes[c] ?? 0),
          1,
        ),
      );
    });
  });

  it("leaves layers that the partition does not name whole, and takes out units of no cluster", async () => {
    const { network, data, partition } = await planted();
    const [first] = partition.layers;
    if (first === undefined) throw new Error("no layer");
    const labels = first.labels.map((label, unit) => (unit % 3 === 0 ? -1 : label));
    const made = await extractCluster(network, data, partitionOf([{ name: first.name, labels }]), 0);
    expect(made.layers).toHaveLength(1);
    expect([...(made.layers[0]?.units ?? [])]).toEqual(
      [...labels.keys()].filter((unit) => labels[unit] === 0),
    );
    const sub = await loadNetworkBytes(made.bytes, "sub");
    expect(sub.layers.map(({ units }) => units)).toEqual([made.layers[0]?.units.length, 24, 4]);
  });

  it("scores tokens of a language model, and predictions by their loss alone", async () => {
    const gpt = await loadNetworkBytes(exportBytes("gpt-dynamo"), "gpt");
    const { values, batch } = exportData("gpt-dynamo", 6, 2);
    const tokens: LabelledInputs = { count: 6, labels: Int32Array.from(values), batch };
    const halves = gpt.layers
      .filter(({ isLogits }) => !isLogits)
      .map(({ name, units }) => ({
        name,
        labels: Int32Array.from({ length: units }, (_, unit) => unit % 2),
      }));
    const words = await extractCluster(gpt, tokens, partitionOf(halves), 1, { shuffles: 2 });
    expect(words.logits.largestDifference).toBeLessThan(1e-4 * Math.max(1, words.logits.largest));
    const sub = await loadNetworkBytes(words.bytes, "sub");
    const { correct } = await evaluateNetwork(sub, tokens);
    const right = correct.reduce((sum, one) => sum + one, 0);
    expect(words.performance.accuracy?.kept).toBeCloseTo(right / values.length, 9);

    const model = sketch([5]);
    const a = model.node("Tanh", [model.dense("x", "a", 5, 6)]);
    const network = await loadNetworkBytes(model.encode(model.dense(a, "head", 6, 1)), "regression");
    const data = { ...randomData(20, [5], 2), labels: new Int32Array() };
    const targets = Float32Array.from({ length: 20 }, (_, i) => i / 20);
    const labels = [0, 0, 1, 1, 1, 0];
    const found = await extractCluster(
      network,
      { ...data, targets },
      partitionOf([{ name: "a", labels }]),
      1,
    );
    expect(found.performance).toMatchObject({ accuracy: null, classAccuracy: [] });
    expect(found.performance.loss.random?.least).toBeGreaterThan(0);
  });

  it("refuses clusters that are not there or have no units to keep, and partitions of other networks", async () => {
    const { network, data, partition } = await planted();
    const unknown = await expectRefusal(
      () => extractCluster(network, data, partition, 7),
      "E_PARTITION_CLUSTER",
    );
    expect(unknown.message).toContain("found no cluster 7, expected one of 0, 1");
    const onlyLogits = partitionOf([
      { name: "hidden1", labels: new Int32Array(24) },
      { name: "logits", labels: [0, 0, 1, 1] },
    ]);
    const none = await expectRefusal(
      () => extractCluster(network, data, onlyLogits, 1),
      "E_PARTITION_CLUSTER",
    );
    expect(none.message).toContain("found no units of cluster 1 but inputs and logits");
    const short = partitionOf([{ name: "hidden1", labels: [0, 1] }]);
    await expectRefusal(() => extractCluster(network, data, short, 0), "E_PARTITION_FIT");
    const signal = AbortSignal.abort();
    const interrupted = extractCluster(network, data, partition, 0, { signal });
    await expect(interrupted).rejects.toMatchObject({ code: "E_INTERRUPTED" });
    const wrong = { ...data, labels: new Int32Array(data.count).fill(9) };
    await expectRefusal(() => extractCluster(network, wrong, partition, 0), "E_INPUT_LABELS");
  });
});
