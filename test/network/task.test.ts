import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { runLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { targetVariance } from "../../src/network/tally.ts";
import { taskOf, withTask } from "../../src/network/task.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { exportBytes, exportData, loadExport, referenceOf, unreadBy } from "../support/exports.ts";
import { expectRefusal, randomData, runModel, sketch, withWeights } from "../support/models.ts";

/** x (5) - a (8) - Relu - so many outputs. */
function regressor(outputs: number, isFlat = false): Uint8Array {
  const model = sketch([5]);
  const a = model.node("Relu", [model.dense("x", "a", 5, 8)]);
  const made = model.dense(a, "head", 8, outputs);
  return model.encode(isFlat ? model.node("Squeeze", [made, model.ints([1])]) : made);
}

const load = (bytes: Uint8Array) => loadNetworkBytes(bytes, "task");
const targetsFor = (size: number) => {
  const random = rng(0, "targets");
  return Float32Array.from({ length: size }, () => 2 * random.normal() + 1);
};

describe("a regression", () => {
  it.each([
    [1, false],
    [1, true],
    [3, false],
  ])(
    "of %i outputs (squeezed: %s) has the mean squared error for its loss, intact and lesioned",
    async (outputs, isFlat) => {
      const bytes = regressor(outputs, isFlat);
      const network = await load(bytes);
      const { count, values, batch } = randomData(700, [5], 2);
      const targets = targetsFor(count * outputs);
      const data: LabelledInputs = { count, batch, labels: new Int32Array(), targets };
      const errorOf = async (model: Uint8Array) => {
        const found = await runModel(model, values, [count, 5]);
        return (
          targets.reduce((sum, value, i) => sum + (value - (found[i] as number)) ** 2, 0) / targets.length
        );
      };
      const { correct, loss } = await evaluateNetwork(network, data);
      expect(correct).toHaveLength(0);
      expect(loss).toBeCloseTo(await errorOf(bytes), 5);
      const sets = [Int32Array.of(), Int32Array.of(1, 4), Int32Array.of(0, 1, 2, 3, 4, 5, 6)];
      const outcomes = await runLesions(network, layerNamed(network, "a"), sets, data);
      for (const [i, set] of sets.entries()) {
        const edited = withWeights(bytes, "head.weight", (at, old) => (set.includes(at % 8) ? 0 : old));
        expect(outcomes[i]?.loss).toBeCloseTo(await errorOf(edited), 5);
      }
    },
  );

  it("of one output takes whole numbers that are stored as floats, but no class numbers", async () => {
    const network = await load(regressor(1));
    const data = randomData(20, [5], 3);
    const asFloats = { ...data, targets: Float32Array.from(data.labels) };
    expect(taskOf(withTask(network, asFloats))).toEqual({ name: "regression", answers: 1, width: 1 });
    const error = await catchError(async () => withTask(network, data));
    expect(error.code).toBe("E_INPUT_LABELS");
  });

  it("has its targets' variance for the loss of a constant", () => {
    // Outputs 0, 2 and 1, 5: means 1 and 3, variances 1 and 4.
    expect(targetVariance(Float32Array.of(0, 1, 2, 5), 2)).toBe(2.5);
  });
});

describe("next-token prediction", () => {
  const VOCABULARY = 12;
  const COUNT = 60;

  function tokens(name: string): LabelledInputs & { readonly values: Float32Array } {
    const data = exportData(name, COUNT, 2);
    const random = rng(0, "next");
    const labels = Int32Array.from({ length: data.values.length }, () => random.integer(VOCABULARY));
    return { ...data, labels };
  }

  async function rerun(bytes: Uint8Array, { values, labels }: ReturnType<typeof tokens>) {
    const logits = await runModel(bytes, values, [COUNT, values.length / COUNT]);
    const correct = new Int32Array(VOCABULARY);
    let loss = 0;
    labels.forEach((label, token) => {
      const row = Array.from(logits.subarray(token * VOCABULARY, (token + 1) * VOCABULARY));
      const best = Math.max(...row);
      if (row.indexOf(best) === label) correct[label] = (correct[label] as number) + 1;
      loss +=
        best + Math.log(row.reduce((sum, value) => sum + Math.exp(value - best), 0)) - (row[label] ?? 0);
    });
    return { correct, loss: loss / labels.length };
  }

  it.each(["gpt-addmm", "gpt-dynamo", "llama"])(
    "%s: accuracy and loss are over tokens, intact and lesioned",
    async (name) => {
      const bytes = exportBytes(name);
      const network = await loadExport(name);
      const length = referenceOf(name).shape[1] as number;
      const data = tokens(name);
      expect(taskOf(withTask(network, data))).toEqual({
        name: "next-token",
        answers: length,
        width: VOCABULARY,
      });
      const intact = await evaluateNetwork(network, data);
      const expected = await rerun(bytes, data);
      expect(intact.correct).toEqual(expected.correct);
      expect(intact.loss).toBeCloseTo(expected.loss, 5);
      // Hidden neurons of the first block: the layer in front of the first that reads 40 features.
      const readerNumber = network.layers.findIndex(({ weights }) => weights.kernel.inputs === 40);
      const reader = network.layers[readerNumber];
      const layer = network.layers[readerNumber - 1];
      if (reader === undefined || layer === undefined) throw new Error("no hidden layer");
      const set = Int32Array.from({ length: 30 }, (_, unit) => unit);
      const [none, found] = await runLesions(network, layer, [Int32Array.of(), set], data);
      expect(none?.correct).toEqual(intact.correct);
      const edited = await rerun(unreadBy(bytes, network, layer, reader, set), data);
      expect(found?.correct).toEqual(edited.correct);
      expect(found?.loss).toBeCloseTo(edited.loss, 5);
      expect(Math.abs(edited.loss - expected.loss)).toBeGreaterThan(1e-3);
    },
  );

  it("with the tokens of all inputs in one axis of the logits", async () => {
    const model = sketch([4, 3]);
    const flat = model.node("Reshape", ["x", model.ints([-1, 3])]);
    const a = model.node("Relu", [model.dense(flat, "a", 3, 6)]);
    const bytes = model.encode(model.dense(a, "head", 6, 5));
    const network = await load(bytes);
    expect(taskOf(network)).toEqual({ name: "next-token", answers: 4, width: 5 });
    const { count, values, batch } = randomData(30, [4, 3], 2);
    const labels = Int32Array.from({ length: count * 4 }, (_, i) => (i * i) % 5);
    const logits = await runModel(bytes, values, [count, 4, 3]);
    const right = labels.filter((label, token) => {
      const row = logits.subarray(token * 5, (token + 1) * 5);
      return row.indexOf(Math.max(...row)) === label;
    });
    const [outcome] = await runLesions(network, layerNamed(network, "a"), [Int32Array.of()], {
      count,
      batch,
      labels,
    });
    expect(outcome?.correct.reduce((sum, value) => sum + value, 0)).toBe(right.length);
  });
});

describe("data that do not fit the network's output", () => {
  const answers = (labels: number[], targets?: number[]): LabelledInputs => ({
    count: 2,
    batch: (_, rows) => new Float32Array(5 * rows),
    labels: Int32Array.from(labels),
    targets: targets === undefined ? null : Float32Array.from(targets),
  });

  it.each<[string, number, LabelledInputs, RegExp]>([
    [
      "a number for three classes",
      3,
      answers([], [0.5, 1.5]),
      /found 1 numbers .*expected one class number from 0 to 2/,
    ],
    ["tokens for three classes", 3, answers([0, 1, 2, 0]), /found 2 class numbers/],
    ["one-hot rows", 2, answers([], [0, 1, 1, 0]), /found 2 numbers/],
    ["two numbers for one", 1, answers([], [0.5, 1, 2, 3]), /expected one number/],
    ["two whole numbers for one", 1, answers([0, 1, 2, 3]), /expected one number/],
  ])("%s", async (_, outputs, data, message) => {
    const network = await load(regressor(outputs));
    const refusal = await expectRefusal(() => withTask(network, data), "E_INPUT_LABELS");
    expect(refusal.message).toMatch(message);
    await expectRefusal(() => evaluateNetwork(network, data), "E_INPUT_LABELS");
  });

  it("a class for each input of a language model", async () => {
    const network = await loadExport("gpt-dynamo");
    const refusal = await expectRefusal(
      () => withTask(network, exportData("gpt-dynamo", 10, 4)),
      "E_INPUT_LABELS",
    );
    expect(refusal.message).toContain("expected 6 token numbers from 0 to 11");
  });

  it("token numbers that are none", async () => {
    const network = await loadExport("gpt-dynamo");
    const { count, labels } = exportData("gpt-dynamo", 60, 2);
    const data = { count, labels, batch: (_: number, rows: number) => new Float32Array(6 * rows).fill(0.5) };
    await expectRefusal(() => evaluateNetwork(network, { ...data, count: 10 }), "E_INPUT_TOKENS");
  });

  it("an output of too many axes", async () => {
    const model = sketch([2, 4, 4]);
    const network = await load(model.encode(model.conv("x", { name: "a", inputs: 2, units: 3 })));
    await expectRefusal(() => taskOf(network), "E_NETWORK_OUTPUT");
  });
});
