import { describe, expect, it } from "vitest";
import { openLesions } from "../../src/network/lesions.ts";
import { type Layer, layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { exportBytes, exportData, loadExport, unreadBy } from "../support/exports.ts";
import { randomData, runModel, sketch, withWeights } from "../support/models.ts";

async function detailOf(network: Network, layer: Layer, set: Int32Array, data: LabelledInputs) {
  const lesions = await openLesions(network, layer, data);
  try {
    const { outcomes, details } = await lesions.runDetailed([Int32Array.of(), set]);
    const [none, detail] = details;
    if (none === undefined || detail === undefined) throw new Error("no details");
    return { none, detail, outcomes };
  } finally {
    await lesions.dispose();
  }
}

const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

describe("details of a lesion", () => {
  it("in next-token prediction: of tokens, and the loss of every input", async () => {
    const [count, length, vocabulary] = [50, 6, 12];
    const bytes = exportBytes("gpt-addmm");
    const network = await loadExport("gpt-addmm");
    const data = exportData("gpt-addmm", count, 2);
    const random = rng(0, "next");
    const labels = Int32Array.from({ length: count * length }, () => random.integer(vocabulary));
    const readerNumber = network.layers.findIndex(({ weights }) => weights.kernel.inputs === 40);
    const [layer, reader] = network.layers.slice(readerNumber - 1) as [Layer, Layer];
    const set = Int32Array.from({ length: 30 }, (_, unit) => unit);
    const { none, detail } = await detailOf(network, layer, set, { ...data, labels });

    const logProbabilities = async (model: Uint8Array) => {
      const logits = await runModel(model, data.values, [count, length]);
      return Array.from(labels, (_, token) => {
        const row = [...logits.subarray(token * vocabulary, (token + 1) * vocabulary)];
        const norm = Math.log(total(row.map((value) => Math.exp(value))));
        return row.map((value) => value - norm);
      });
    };
    const before = await logProbabilities(bytes);
    const after = await logProbabilities(unreadBy(bytes, network, layer, reader, set));
    const best = (row: readonly number[]) => row.indexOf(Math.max(...row));
    const flips = before.filter((row, token) => best(row) !== best(after[token] ?? [])).length;
    expect(flips).toBeGreaterThan(0);
    expect(detail.flipRate).toBeCloseTo(flips / labels.length, 12);
    const divergences = before.map((row, token) =>
      total(row.map((logP, c) => Math.exp(logP) * (logP - (after[token]?.[c] ?? 0)))),
    );
    expect(detail.divergence).toBeCloseTo(total(divergences) / labels.length, 5);
    const right = (rows: readonly number[][]) =>
      Uint8Array.from(rows, (row, token) => (best(row) === labels[token] ? 1 : 0));
    expect(detail.isCorrectIntact).toEqual(right(before));
    expect(detail.isCorrect).toEqual(right(after));
    expect(detail.lossIncreases).toHaveLength(count);
    detail.lossIncreases.forEach((increase, input) => {
      const tokens = Array.from({ length }, (_, i) => input * length + i);
      const expected = tokens.map((token) => {
        const label = labels[token] as number;
        return (before[token]?.[label] ?? 0) - (after[token]?.[label] ?? 0);
      });
      expect(increase).toBeCloseTo(total(expected) / length, 4);
    });
    expect([none.flipRate, none.divergence, ...none.lossIncreases].every((value) => value === 0)).toBe(true);
  });

  it("in a regression: squared errors of every input; nothing is right or wrong", async () => {
    const model = sketch([5]);
    const a = model.node("Relu", [model.dense("x", "a", 5, 8)]);
    const bytes = model.encode(model.dense(a, "head", 8, 3));
    const network = await loadNetworkBytes(bytes, "regression");
    const { count, values, batch } = randomData(40, [5], 2);
    const random = rng(0, "targets");
    const targets = Float32Array.from({ length: 3 * count }, () => random.normal());
    const data = { count, batch, labels: new Int32Array(), targets };
    const set = Int32Array.of(1, 4);
    const { detail, outcomes } = await detailOf(network, layerNamed(network, "a"), set, data);
    const errorsOf = async (edited: Uint8Array) => {
      const found = await runModel(edited, values, [count, 5]);
      return targets.map((target, i) => ((found[i] as number) - target) ** 2);
    };
    const before = await errorsOf(bytes);
    const after = await errorsOf(
      withWeights(bytes, "head.weight", (at, old) => (set.includes(at % 8) ? 0 : old)),
    );
    detail.lossIncreases.forEach((increase, input) => {
      const own = [0, 1, 2].map(
        (output) => (after[3 * input + output] ?? 0) - (before[3 * input + output] ?? 0),
      );
      expect(increase).toBeCloseTo(total(own) / 3, 5);
    });
    expect(total(detail.lossIncreases) / count).toBeCloseTo(
      (outcomes[1]?.loss ?? 0) - (outcomes[0]?.loss ?? 0),
      6,
    );
    expect([detail.flipRate, detail.divergence]).toEqual([Number.NaN, Number.NaN]);
    expect([...detail.isCorrect, ...detail.isCorrectIntact]).toEqual([]);
  });
});
