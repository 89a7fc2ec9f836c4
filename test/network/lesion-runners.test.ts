import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import type { LesionRunner } from "../../src/network/lesion-runner.ts";
import { createLesionRunner, runLesions } from "../../src/network/lesions.ts";
import { createMaskedRunner } from "../../src/network/masked-lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { recordUnits } from "../../src/network/record.ts";
import { createSubtractingRunner } from "../../src/network/subtracting-lesions.ts";
import { rng } from "../../src/statistics/rng.ts";
import { randomData, runModel, type Sketch, sketch, withWeights } from "../support/models.ts";

const CLASSES = 3;

const relu = (model: Sketch, from: string) => model.node("Relu", [from]);

interface Case {
  readonly title: string;
  readonly shape: readonly number[];
  readonly batch?: number;
  readonly units: number;
  /** The layer `a` is read by the dense layer `b` alone, and is as wide as `units` x `featuresPerUnit`. */
  readonly featuresPerUnit?: number;
  /** Whether the kernel of `b` has one row (MatMul, plain Gemm) or one column (transB) per feature. */
  readonly isFeatureRow?: boolean;
  readonly draw: (model: Sketch) => string;
}

const CASES: readonly Case[] = [
  {
    title: "an MLP",
    shape: [5],
    units: 9,
    draw: (model) => {
      const b = relu(model, model.dense(relu(model, model.dense("x", "a", 5, 9)), "b", 9, 7));
      return model.dense(b, "head", 7, CLASSES);
    },
  },
  {
    title: "the layer in front of the logits",
    shape: [5],
    units: 8,
    draw: (model) => model.dense(model.node("Sigmoid", [model.dense("x", "a", 5, 8)]), "b", 8, CLASSES),
  },
  {
    title: "a Gemm with alpha, beta and an untransposed kernel",
    shape: [5],
    units: 6,
    isFeatureRow: true,
    draw: (model) => {
      const a = model.node("Tanh", [model.dense("x", "a", 5, 6)]);
      const parameters = [model.floats("b.weight", [6, 7]), model.floats("b.bias", [7])];
      const b = model.node("Gemm", [a, ...parameters], { alpha: 0.5, beta: 2 }, { name: "b" });
      return model.dense(relu(model, b), "head", 7, CLASSES);
    },
  },
  {
    title: "a Gemm with one bias for all",
    shape: [5],
    units: 6,
    isFeatureRow: true,
    draw: (model) => {
      const parameters = [model.floats("b.weight", [6, 7]), model.floats("b.bias", [1], [0.75])];
      const b = model.node(
        "Gemm",
        [relu(model, model.dense("x", "a", 5, 6)), ...parameters],
        {},
        { name: "b" },
      );
      return model.dense(relu(model, b), "head", 7, CLASSES);
    },
  },
  {
    title: "MatMul with an added bias",
    shape: [5],
    units: 6,
    isFeatureRow: true,
    draw: (model) => {
      const a = relu(model, model.dense("x", "a", 5, 6));
      const b = model.node("MatMul", [a, model.floats("b.weight", [6, 4])], {}, { name: "b" });
      const sum = model.node("Add", [b, model.floats("b.bias", [4])]);
      return model.dense(relu(model, sum), "head", 4, CLASSES);
    },
  },
  {
    title: "a batch norm behind the activation function",
    shape: [5],
    units: 7,
    draw: (model) => {
      const a = model.batchNorm(relu(model, model.dense("x", "a", 5, 7)), "norm", 7);
      return model.dense(relu(model, model.dense(a, "b", 7, 6)), "head", 6, CLASSES);
    },
  },
  {
    title: "a convolution flattened into a dense layer",
    shape: [2, 4, 4],
    units: 5,
    featuresPerUnit: 16,
    draw: (model) => {
      const a = relu(model, model.conv("x", { name: "a", inputs: 2, units: 5 }));
      const b = relu(model, model.dense(model.node("Flatten", [a]), "b", 80, 6));
      return model.dense(b, "head", 6, CLASSES);
    },
  },
  {
    title: "a convolution behind global pooling",
    shape: [2, 4, 4],
    units: 6,
    draw: (model) => {
      const a = relu(model, model.conv("x", { name: "a", inputs: 2, units: 6 }));
      const mean = model.node("Flatten", [model.node("GlobalAveragePool", [a])]);
      return model.dense(relu(model, model.dense(mean, "b", 6, 4)), "head", 4, CLASSES);
    },
  },
  {
    title: "a residual stream and the input past the reader",
    shape: [5],
    units: 6,
    draw: (model) => {
      const stream = model.dense("x", "stem", 5, 4);
      const a = relu(model, model.dense(stream, "a", 4, 6));
      const b = model.node("Add", [model.dense(a, "b", 6, 4), stream]);
      return model.dense(model.node("Concat", [relu(model, b), "x"], { axis: 1n }), "head", 9, CLASSES);
    },
  },
  {
    title: "a single unit",
    shape: [5],
    units: 1,
    draw: (model) => {
      const b = relu(model, model.dense(relu(model, model.dense("x", "a", 5, 1)), "b", 1, 4));
      return model.dense(b, "head", 4, CLASSES);
    },
  },
  {
    title: "a batch of 4 written into a reshape",
    shape: [2, 2],
    batch: 4,
    units: 6,
    draw: (model) => {
      const flat = model.node("Reshape", ["x", model.ints([4, 4])]);
      const b = relu(model, model.dense(relu(model, model.dense(flat, "a", 4, 6)), "b", 6, 5));
      return model.dense(b, "head", 5, CLASSES);
    },
  },
];

/** Sets of no, one, some, most and all units. */
function setsOf(units: number): Int32Array[] {
  const order = rng(0, "sets", units).shuffle(Int32Array.from({ length: units }, (_, unit) => unit));
  const sizes = new Set([0, 1, Math.floor(units / 2), units - 1, units]);
  return [...sizes].filter((size) => size >= 0).map((size) => order.slice(0, size));
}

/** Log-probabilities of every lesion for all inputs, lesion by lesion. */
async function logProbabilitiesOf(
  runner: LesionRunner,
  lesions: readonly Int32Array[],
  data: LabelledInputs,
  rows: number,
): Promise<number[][]> {
  const found: number[][] = lesions.map(() => []);
  expect(runner.inputsAtOnce).toBeGreaterThanOrEqual(rows);
  for (let start = 0; start < data.count; start += rows) {
    const batch = await runner.load(data.batch(start, rows), rows);
    for (let first = 0; first < lesions.length; first += runner.lesionsAtOnce) {
      const some = lesions.slice(first, first + runner.lesionsAtOnce);
      const values = await batch.run(some);
      expect(await batch.runApart(some)).toEqual(values);
      some.forEach((_, i) => {
        const part = values.subarray(i * rows * CLASSES, (i + 1) * rows * CLASSES);
        found[first + i]?.push(...part);
      });
    }
  }
  return found;
}

function logSoftmax(logits: Float32Array): number[] {
  const found: number[] = [];
  for (let start = 0; start < logits.length; start += CLASSES) {
    const row = [...logits.subarray(start, start + CLASSES)];
    const most = Math.max(...row);
    const total = most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
    found.push(...row.map((value) => value - total));
  }
  return found;
}

describe("masked and subtracting lesions", () => {
  it.each(CASES)(
    "agree with each other and with zeroed weights: $title",
    async ({ shape, batch, units, featuresPerUnit = 1, isFeatureRow = false, draw }) => {
      const model = sketch(shape, { batch: batch ?? "n", seed: 2 });
      const bytes = model.encode(draw(model));
      const network = await loadNetworkBytes(bytes, "lesioned");
      const layer = layerNamed(network, "a");
      expect(layer.units).toBe(units);
      const data = randomData(24, shape, CLASSES);
      const sets = setsOf(units);
      const rows = batch ?? 12;
      const masked = await createMaskedRunner(network, layer, data.count);
      const subtracting = await createSubtractingRunner(network, layer, data.count);
      if (subtracting === null) throw new Error("found no subtracting runner, expected one");
      try {
        const byMask = await logProbabilitiesOf(masked, sets, data, rows);
        const bySubtraction = await logProbabilitiesOf(subtracting, sets, data, rows);
        const features = units * featuresPerUnit;
        for (const [i, set] of sets.entries()) {
          const zeroed = withWeights(bytes, "b.weight", (at, old, [outputs = 1, inputs = 1]) => {
            const feature = isFeatureRow ? Math.floor(at / inputs) : at % features;
            expect(isFeatureRow ? outputs : inputs).toBe(features);
            return set.includes(Math.floor(feature / featuresPerUnit)) ? 0 : old;
          });
          const logits = await runModel(zeroed, data.values, [data.count, ...shape], batch);
          const expected = logSoftmax(logits);
          expect(expected).toHaveLength(data.count * CLASSES);
          // Sums of float32 in another order.
          expected.forEach((value, at) => {
            expect(byMask[i]?.[at]).toBeCloseTo(value, 4);
            expect(bySubtraction[i]?.[at]).toBeCloseTo(value, 4);
          });
        }
        // The sets must matter, or the comparisons above say nothing.
        const [none = [], ...others] = byMask;
        const change = Math.max(
          ...others.flatMap((row) => row.map((v, at) => Math.abs(v - (none[at] ?? 0)))),
        );
        expect(change).toBeGreaterThan(1e-2);
      } finally {
        await masked.dispose();
        await subtracting.dispose();
      }
    },
  );

  it("keep their digits where the lesioned unit outweighs all others", async () => {
    const model = sketch([5], { seed: 2 });
    // Unit 0 is 300,000 everywhere: its share of a sum leaves no digit of the others behind.
    const bias = model.floats("a.bias", [6], [3e5, 0.1, 0.2, 0.3, 0.4, 0.5]);
    const a = model.node(
      "Gemm",
      ["x", model.floats("a.weight", [6, 5]), bias],
      { transB: 1n },
      { name: "a" },
    );
    const b = relu(model, model.dense(relu(model, a), "b", 6, 7));
    const bytes = model.encode(model.dense(b, "head", 7, CLASSES));
    const network = await loadNetworkBytes(bytes, "outweighed");
    const data = randomData(12, [5], CLASSES);
    const sets = [[0], [0, 4], [0, 1, 2, 3]].map((units) => Int32Array.from(units));
    const runner = await createLesionRunner(network, layerNamed(network, "a"), data.count);
    const found = await logProbabilitiesOf(runner, sets, data, 12);
    await runner.dispose();
    for (const [i, set] of sets.entries()) {
      const zeroed = withWeights(bytes, "b.weight", (at, old) => (set.includes(at % 6) ? 0 : old));
      const expected = logSoftmax(await runModel(zeroed, data.values, [12, 5]));
      expected.forEach((value, at) => {
        expect(found[i]?.[at]).toBeCloseTo(value, 4);
      });
    }
  });

  it.each<[string, (model: Sketch) => string]>([
    [
      "a convolution reads the layer",
      (model) => {
        const a = relu(model, model.conv("x", { name: "a", inputs: 2, units: 4 }));
        const b = relu(model, model.conv(a, { name: "b", inputs: 4, units: 3 }));
        return model.dense(model.node("Flatten", [b]), "head", 48, CLASSES);
      },
    ],
    [
      "two dense layers read it",
      (model) => {
        const a = relu(model, model.dense(model.node("Flatten", ["x"]), "a", 32, 6));
        const both = ["b", "c"].map((name) => relu(model, model.dense(a, name, 6, 4)));
        return model.dense(model.node("Concat", both, { axis: 1n }), "head", 8, CLASSES);
      },
    ],
    [
      "the logits read it a second time",
      (model) => {
        const a = relu(model, model.dense(model.node("Flatten", ["x"]), "a", 32, 6));
        const b = model.node("Concat", [relu(model, model.dense(a, "b", 6, 4)), a], { axis: 1n });
        return model.dense(b, "head", 10, CLASSES);
      },
    ],
    [
      "the reader's bias is computed",
      (model) => {
        const flat = model.node("Flatten", ["x"]);
        const a = relu(model, model.dense(flat, "a", 32, 6));
        const bias = model.dense(flat, "bias", 32, 4);
        const b = model.node("Gemm", [a, model.floats("b.weight", [6, 4]), bias], {}, { name: "b" });
        return model.dense(relu(model, b), "head", 4, CLASSES);
      },
    ],
  ])("are masked where %s", async (_, draw) => {
    const model = sketch([2, 4, 4]);
    const network = await loadNetworkBytes(model.encode(draw(model)), "masked");
    const layer = layerNamed(network, "a");
    expect(await createSubtractingRunner(network, layer, 10)).toBeNull();
    const runner = await createLesionRunner(network, layer, 10);
    await runner.dispose();
    // The empty lesion is the baseline here as well.
    const data = randomData(30, [2, 4, 4], CLASSES);
    const [outcome] = await runLesions(network, layer, [new Int32Array()], data);
    const baseline = await evaluateNetwork(network, data);
    expect(outcome?.correct).toEqual(baseline.correct);
    expect(outcome?.loss).toBeCloseTo(baseline.loss, 6);
  });
});

describe("memory", () => {
  /** The most inputs that a computation asks for at once. */
  async function mostAskedFor(
    count: number,
    run: (data: LabelledInputs) => Promise<unknown>,
  ): Promise<number> {
    const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
    let most = 0;
    let next = 0;
    await run({
      count,
      labels,
      batch(start, rows) {
        most = Math.max(most, rows);
        // In order and each once, so that inputs may come from a stream.
        expect(start).toBe(next);
        next = start + rows;
        return new Float32Array(rows * 5).fill(0.5);
      },
    });
    expect(next).toBe(count);
    return most;
  }

  const draw = (isConvolutional: boolean) => {
    const model = sketch([5]);
    const first = relu(model, model.dense("x", "a", 5, 3000));
    const b = relu(model, model.dense(first, "b", 3000, 4));
    if (!isConvolutional) return model.encode(model.dense(b, "head", 4, CLASSES));
    const map = model.node("Reshape", [b, model.ints([-1, 4, 1, 1])]);
    const c = relu(model, model.conv(map, { name: "c", inputs: 4, units: 4, kernel: [1, 1] }));
    return model.encode(model.dense(model.node("Flatten", [c]), "head", 4, CLASSES));
  };

  it("of evaluation, lesions and recordings is that of one batch, whatever the number of inputs", async () => {
    const network = await loadNetworkBytes(draw(false), "wide");
    const convolutional = await loadNetworkBytes(draw(true), "wide convolution");
    const sets = [Int32Array.of(0), Int32Array.of(1, 2)];
    const runs: Record<string, (data: LabelledInputs) => Promise<unknown>> = {
      evaluate: (data) => evaluateNetwork(network, data),
      subtract: (data) => runLesions(network, layerNamed(network, "a"), sets, data),
      mask: (data) => runLesions(convolutional, layerNamed(convolutional, "b"), sets, data),
      record: (data) => recordUnits(network, [layerNamed(network, "b")], data, "preActivation"),
    };
    for (const [name, run] of Object.entries(runs)) {
      const [few, many] = [await mostAskedFor(9000, run), await mostAskedFor(18_000, run)];
      expect(many, name).toBe(few);
      // 3,000 floats per input: a batch of less than 32 MB.
      expect(many, name).toBeLessThan(2700);
    }
  });
});
