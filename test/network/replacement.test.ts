import { describe, expect, it } from "vitest";
import { runJointLesions } from "../../src/network/joint-lesions.ts";
import type { LesionBatch, LesionRunner } from "../../src/network/lesion-runner.ts";
import { openLesions, runLesions } from "../../src/network/lesions.ts";
import { createMaskedRunner } from "../../src/network/masked-lesions.ts";
import { type Layer, layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { OutcomeDetail } from "../../src/network/outcome-details.ts";
import type { Outcome } from "../../src/network/outcomes.ts";
import { drawDonors, type LesionKind, meanOutput, RESAMPLES } from "../../src/network/replacement.ts";
import { createSubtractingRunner } from "../../src/network/subtracting-lesions.ts";
import { makeFloatTensor, makeNode, makeUntypedValueInfo } from "../../src/runtime/onnx.ts";
import { rng } from "../../src/statistics/rng.ts";
import { exportBytes } from "../support/exports.ts";
import { CASES, CLASSES, conv, type Data, head, outcomeOf, relu, setsOf } from "../support/lesion-cases.ts";
import { edited, expectRefusal, randomData, runModel, sketch } from "../support/models.ts";

const INPUTS = 23;
const SEED = 4;

/** The layer's output for all inputs at once, by ONNX Runtime. */
const outputOf = (bytes: Uint8Array, layer: Layer, data: Data, dims: readonly number[]) => {
  const model = edited(bytes, ({ graph }) => {
    if (graph) graph.output = [makeUntypedValueInfo(layer.output.value)];
  });
  return runModel(model, data.values, [data.count, ...dims]);
};

/**
 * The logits with a layer's output v made v * mask + replacement * (1 - mask) in the model itself; `replacement` is
 * the layer's output for all inputs at once.
 */
async function rerun(
  bytes: Uint8Array,
  layer: Layer,
  units: Int32Array,
  replacement: { readonly values: Float32Array; readonly dims: readonly number[] },
  data: Data,
  dims: readonly number[],
): Promise<Float32Array> {
  const { value, map } = layer.output;
  const mask = Float32Array.from(map.index, (unit) => (units.includes(unit) ? 0 : 1));
  const model = edited(bytes, ({ graph }) => {
    if (graph === undefined) return;
    const at = graph.node.findIndex((node) => node.output.includes(value));
    const node = graph.node[at];
    if (node) node.output = node.output.map((name) => (name === value ? "own" : name));
    graph.initializer.push(
      makeFloatTensor("mask", map.dims, mask),
      makeFloatTensor(
        "rest",
        map.dims,
        mask.map((kept) => 1 - kept),
      ),
      makeFloatTensor("replacement", replacement.dims, replacement.values),
    );
    graph.node.splice(
      at + 1,
      0,
      makeNode("Mul", ["own", "mask"], ["kept"]),
      makeNode("Mul", ["replacement", "rest"], ["replaced"]),
      makeNode("Add", ["kept", "replaced"], [value]),
    );
  });
  return runModel(model, data.values, [data.count, ...dims]);
}

/** x (4 tokens of 3) - a (6) - b (6), on rows of all tokens of all inputs, which come first or last - classes. */
function foldedNet(before: number): Uint8Array {
  const model = sketch([4, 3]);
  const turn = (from: string) =>
    before === 1 ? from : model.node("Transpose", [from], { perm: [1n, 0n, 2n] });
  const rows = model.node("Reshape", [turn("x"), model.ints([-1, 3])]);
  const a = relu(model, model.dense(rows, "a", 3, 6));
  const b = model.dense(a, "b", 6, 6);
  const apart = model.node("Reshape", [b, model.ints(before === 1 ? [-1, 4, 6] : [4, -1, 6])]);
  const flat = model.node("Reshape", [turn(apart), model.ints([-1, 24])]);
  return model.encode(model.dense(flat, "head", 24, CLASSES));
}

/** The layer's output with inputs in another order. */
function reordered(values: Float32Array, dims: readonly number[], axis: number, order: Int32Array) {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis] as number;
  return values.map((_, at) => {
    const [o, row, i] = [Math.floor(at / (inner * size)), Math.floor(at / inner) % size, at % inner];
    return values[(o * size + (order[row] as number)) * inner + i] as number;
  });
}

/** Mean over inputs, in float64. */
function averaged(values: Float32Array, dims: readonly number[], axis: number) {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis] as number;
  const sums = new Float64Array(values.length / size);
  values.forEach((value, at) => {
    const cell = Math.floor(at / (inner * size)) * inner + (at % inner);
    sums[cell] = (sums[cell] as number) + value;
  });
  return Float32Array.from(sums, (sum) => sum / size);
}

/** Logits of every run of a lesion: five where it resamples. */
async function rerunsOf(
  kind: LesionKind,
  bytes: Uint8Array,
  network: Network,
  layer: Layer,
  units: Int32Array,
  data: Data,
  dims: readonly number[],
): Promise<Float32Array[]> {
  const { shape = [], batchAxis = 0 } = network.probe.values.get(layer.output.value) ?? {};
  const full = shape.map((size, axis) => (axis === batchAxis ? data.count : size));
  const own = await outputOf(bytes, layer, data, dims);
  const replacements = [];
  if (kind === "zero") replacements.push({ values: own.map(() => 0), dims: full });
  if (kind === "mean") {
    const one = full.map((size, axis) => (axis === batchAxis ? 1 : size));
    replacements.push({ values: averaged(own, full, batchAxis), dims: one });
  }
  if (kind === "resample") {
    for (const donors of drawDonors(data.count, SEED)) {
      replacements.push({ values: reordered(own, full, batchAxis, donors), dims: full });
    }
  }
  const logits: Float32Array[] = [];
  for (const replacement of replacements) {
    logits.push(await rerun(bytes, layer, units, replacement, data, dims));
  }
  return logits;
}

/** Expects an outcome to equal full runs of the edited model, to the count of inputs. */
function expectReruns(found: Outcome | undefined, runs: readonly Float32Array[], data: Data): void {
  const expected = runs.map((logits) => outcomeOf(logits, data.labels));
  expect(found?.runs).toBe(runs.length);
  for (let c = 0; c < CLASSES; c++) {
    const correct = expected.reduce((total, run) => total + (run.correct[c] as number), 0);
    const doubtful = expected.reduce((total, run) => total + (run.doubtful[c] as number), 0);
    expect(Math.abs((found?.correct[c] ?? Number.NaN) - correct)).toBeLessThanOrEqual(doubtful);
  }
  expect(found?.loss).toBeCloseTo(expected.reduce((total, { loss }) => total + loss, 0) / runs.length, 5);
}

/** A row's softmax in float64. */
function softmax(logits: Float32Array, input: number): number[] {
  const row = [...logits.subarray(input * CLASSES, (input + 1) * CLASSES)];
  const most = Math.max(...row);
  const total = row.reduce((sum, value) => sum + Math.exp(value - most), 0);
  return row.map((value) => Math.exp(value - most) / total);
}

/** Expects what happens to every input, from the logits of the intact and the lesioned network. */
function expectDetail(
  found: OutcomeDetail | undefined,
  intact: Float32Array,
  runs: readonly Float32Array[],
  data: Data,
): void {
  const best = (p: readonly number[]) => p.indexOf(Math.max(...p));
  let [flips, divergence] = [0, 0];
  data.labels.forEach((label, input) => {
    const p0 = softmax(intact, input);
    expect(found?.isCorrectIntact[input]).toBe(best(p0) === label ? 1 : 0);
    let increase = 0;
    runs.forEach((logits, run) => {
      const p = softmax(logits, input);
      if (best(p) !== best(p0)) flips++;
      divergence += p0.reduce((sum, value, c) => sum + value * Math.log(value / (p[c] as number)), 0);
      increase += Math.log((p0[label] as number) / (p[label] as number)) / runs.length;
      expect(found?.isCorrect[run * data.count + input]).toBe(best(p) === label ? 1 : 0);
    });
    expect(found?.lossIncreases[input]).toBeCloseTo(increase, 4);
  });
  const total = runs.length * data.count;
  expect(found?.flipRate).toBeCloseTo(flips / total, 12);
  expect(found?.divergence).toBeCloseTo(divergence / total, 5);
}

describe("lesions by mean and by resampling", () => {
  it.each(CASES.filter(({ batch }) => batch === undefined))(
    "equal a full re-run with the same replacement: $title",
    async ({ shape, draw, edits }) => {
      const model = sketch(shape);
      const bytes = model.encode(draw(model));
      const network = await loadNetworkBytes(bytes, "replaced");
      const data = randomData(INPUTS, shape, CLASSES);
      const intact = await runModel(bytes, data.values, [INPUTS, ...shape]);
      let most = 0;
      for (const name of Object.keys(edits)) {
        const layer = layerNamed(network, name);
        const [none = new Int32Array(), , half = none] = setsOf(layer.units);
        const sets = [none, half];
        const ofAllKinds = await openLesions(network, layer, data, { seed: SEED });
        for (const lesion of ["zero", "mean", "resample"] as const) {
          const lesions = await openLesions(network, layer, data, { lesion, seed: SEED });
          const { outcomes, details } = await lesions.runDetailed(sets);
          // A second round gives the same, whatever was run before.
          expect(await lesions.run([half])).toEqual(outcomes.slice(1));
          expect(await ofAllKinds.run([half], { lesion })).toEqual(outcomes.slice(1));
          await lesions.dispose();
          for (const [i, set] of sets.entries()) {
            const runs = await rerunsOf(lesion, bytes, network, layer, set, data, shape);
            expectReruns(outcomes[i], runs, data);
            expectDetail(details[i], intact, runs, data);
          }
          expect(details[0]?.flipRate).toBe(0);
          most = Math.max(most, ...(details[1]?.lossIncreases ?? []).map(Math.abs));
        }
        await ofAllKinds.dispose();
      }
      // The sets must matter, or the comparison above says nothing.
      expect(most).toBeGreaterThan(1e-2);
    },
  );

  it("agree between the two ways to run them, over several batches", async () => {
    const model = sketch([5], { seed: 2 });
    const hidden = relu(model, model.dense(relu(model, model.dense("x", "a", 5, 9)), "b", 9, 7));
    const bytes = model.encode(model.dense(hidden, "head", 7, CLASSES));
    const network = await loadNetworkBytes(bytes, "both");
    const layer = layerNamed(network, "a");
    const data = randomData(24, [5], CLASSES);
    const donors = randomData(24, [5], CLASSES, 9);
    const means = await meanOutput(network, layer, data);
    for (const kind of ["mean", "resample"] as const) {
      const masked = await createMaskedRunner(network, layer, 24);
      const subtracting = await createSubtractingRunner(network, layer, 24);
      if (subtracting === null) throw new Error("found no subtracting runner, expected one");
      // Batches of 12, 12 and then fewer.
      for (const [start, rows] of [
        [0, 12],
        [12, 12],
        [5, 3],
      ] as const) {
        const load = async (runner: LesionRunner): Promise<LesionBatch> => {
          const batch = await runner.load(data.batch(start, rows), rows);
          const intact = (await batch.run([new Int32Array()])).slice();
          const logits = await runModel(bytes, data.batch(start, rows), [rows, 5]);
          for (let input = 0; input < rows; input++) {
            softmax(logits, input).forEach((p, c) => {
              expect(Math.exp(intact[input * CLASSES + c] as number)).toBeCloseTo(p, 5);
            });
          }
          return kind === "resample" ? batch.withDonors(donors.batch(start, rows)) : batch.withMeans(means);
        };
        const [maskedBatch, subtractingBatch] = [await load(masked), await load(subtracting)];
        for (const set of setsOf(9)) {
          const byMask = (await maskedBatch.run([set])).slice();
          const bySubtraction = await subtractingBatch.run([set]);
          expect(bySubtraction).toHaveLength(rows * CLASSES);
          byMask.forEach((value, at) => {
            expect(bySubtraction[at]).toBeCloseTo(value, 5);
          });
        }
      }
      await masked.dispose();
      await subtracting.dispose();
    }
  });

  it("work with a batch size that is written into the network, padding left out", async () => {
    const model = sketch([2, 3, 3], { batch: 4 });
    const a = relu(model, conv(model, "x", "a", 2, 4));
    const flat = model.node("Reshape", [conv(model, a, "b", 4, 3), model.ints([4, -1])]);
    const fixed = await loadNetworkBytes(
      model.encode(model.dense(relu(model, flat), "head", 27, CLASSES)),
      "4",
    );
    const free = sketch([2, 3, 3]);
    const other = relu(free, conv(free, "x", "a", 2, 4));
    const flatOther = free.node("Flatten", [conv(free, other, "b", 4, 3)]);
    const open = await loadNetworkBytes(
      free.encode(free.dense(relu(free, flatOther), "head", 27, CLASSES)),
      "n",
    );
    // 10 inputs in batches of 4.
    const data = randomData(10, [2, 3, 3], CLASSES);
    const sets = setsOf(4);
    for (const lesion of ["mean", "resample"] as const) {
      const found = await runLesions(fixed, layerNamed(fixed, "a"), sets, data, { lesion });
      const expected = await runLesions(open, layerNamed(open, "a"), sets, data, { lesion });
      found.forEach(({ correct, loss, runs }, i) => {
        expect([...correct]).toEqual([...(expected[i]?.correct ?? [])]);
        expect(loss).toBeCloseTo(expected[i]?.loss ?? Number.NaN, 5);
        expect(runs).toBe(expected[i]?.runs);
      });
    }
  });

  it("of units with infinite values leave no trace of them", async () => {
    const model = sketch([3]);
    const bias = model.floats("a.bias", [4], [1000, 0.5, 0.2, 0.1]);
    const a = model.node(
      "Exp",
      [model.node("Gemm", ["x", model.floats("a.weight", [4, 3]), bias], { transB: 1n }, { name: "a" })],
      {},
    );
    const b = model.node("Reciprocal", [model.node("Add", [a, model.floats("one", [1], [1])])]);
    const bytes = model.encode(model.dense(b, "head", 4, CLASSES));
    const network = await loadNetworkBytes(bytes, "infinite");
    const layer = { ...layerNamed(network, "a") };
    // The value in front of the reciprocal, where unit 0 is infinite.
    const site = { ...layer, output: { ...layer.output, value: a } };
    const runner = await createMaskedRunner(network, site, 5);
    const batch = await runner.load(randomData(5, [3], CLASSES).values, 5);
    const found = await batch.run([Int32Array.of(0)]);
    expect([...found].every(Number.isFinite)).toBe(true);
    await runner.dispose();
  });

  it("take the mean of every position in float64", async () => {
    const model = sketch([2, 3, 3]);
    const bytes = model.encode(head(model, relu(model, conv(model, "x", "a", 2, 4)), 4));
    const network = await loadNetworkBytes(bytes, "means");
    const data = randomData(50, [2, 3, 3], CLASSES);
    const layer = layerNamed(network, "a");
    const found = await meanOutput(network, layer, data);
    const values = await outputOf(bytes, layer, data, [2, 3, 3]);
    const { shape = [] } = network.probe.values.get(layer.output.value) ?? {};
    const expected = averaged(values, [50, ...shape.slice(1)], 0);
    expect(found).toHaveLength(expected.length);
    expected.forEach((value, at) => {
      expect(found[at]).toBeCloseTo(value, 6);
    });
  });

  it.each([
    ["gpt-addmm", [6], 1, 6],
    ["tokens in front of the inputs", [4, 3], 4, 1],
    ["tokens behind the inputs", [4, 3], 1, 4],
  ] as const)(
    "keep a mean and a donor for each row where rows are folded into the batch: %s",
    async (name, dims, before, after) => {
      const bytes = name === "gpt-addmm" ? exportBytes(name) : foldedNet(before);
      const network = await loadNetworkBytes(bytes, name);
      const count = 150;
      const random = rng(0, "folded", name);
      const isTokens = name === "gpt-addmm";
      const size = dims.reduce<number>((product, extent) => product * extent, 1);
      const values = Float32Array.from({ length: count * size }, () =>
        isTokens ? random.integer(12) : random.normal(),
      );
      const labels = Int32Array.from({ length: isTokens ? count * size : count }, () => random.integer(3));
      const batch = (start: number, rows: number) => values.slice(start * size, (start + rows) * size);
      const data = { count, values, labels, batch };
      // Hidden neurons of the first block: the layer in front of the first that reads 40 features.
      const readerNumber = network.layers.findIndex(({ weights }) => weights.kernel.inputs === 40);
      const layer = isTokens ? (network.layers[readerNumber - 1] as Layer) : layerNamed(network, "a");
      const own = await outputOf(bytes, layer, data, dims);
      const width = own.length / (before * count * after);
      expect(width).toBe(layer.units);
      const full = [before * count * after, width];
      const blocks = [before, count, after * width];
      const means = averaged(own, blocks, 1);
      const inner = after * width;
      const repeated = own.map(
        (_, at) => means[Math.floor(at / (inner * count)) * inner + (at % inner)] ?? 0,
      );
      expect(await meanOutput(network, layer, data)).toHaveLength(means.length);
      const units = Int32Array.from({ length: layer.units - 3 }, (_, unit) => unit + 1);
      const lesion = [{ layer, units }];
      for (const kind of ["mean", "resample"] as const) {
        const replacements =
          kind === "mean"
            ? [repeated]
            : drawDonors(count, SEED).map((donors) => reordered(own, blocks, 1, donors));
        let expected = 0;
        for (const replacement of replacements) {
          const edit = { values: replacement, dims: full };
          const logits = await rerun(bytes, layer, units, edit, data, dims);
          expected += outcomeOf(logits, labels, logits.length / labels.length).loss / replacements.length;
        }
        const options = { lesion: kind, seed: SEED };
        const [intact, found] = await runLesions(network, layer, [Int32Array.of(), units], data, options);
        expect(found?.loss).toBeCloseTo(expected, 5);
        expect(Math.abs(expected - (intact?.loss ?? Number.NaN))).toBeGreaterThan(1e-3);
        const joint = await runJointLesions(network, [lesion], data, options);
        expect(joint.outcomes[0]?.loss).toBeCloseTo(expected, 5);
      }
    },
  );

  it("refuse means where inputs cannot be told apart", async () => {
    const model = sketch([5], { batch: 4 });
    const x = model.node("Transpose", ["x"]);
    const a = relu(model, model.node("MatMul", [model.floats("a.weight", [6, 5]), x], {}, { name: "a" }));
    const fold = model.node("Reshape", [a, model.ints([6, 4])]);
    const z = model.node("MatMul", [model.floats("head.weight", [CLASSES, 6]), fold], {}, { name: "head" });
    const network = await loadNetworkBytes(model.encode(model.node("Transpose", [z])), "folded");
    const data = randomData(8, [5], CLASSES);
    const layer = layerNamed(network, "a");
    if (network.probe.fixedBatch === null) throw new Error("found a free batch, expected a fixed one");
    await expectRefusal(
      () => runLesions(network, layer, [Int32Array.of(0)], data, { lesion: "mean" }),
      "E_NETWORK_UNSUPPORTED",
    );
  });
});

describe("drawDonors", () => {
  it("gives every input another one, each once, in a single cycle", () => {
    const all = drawDonors(40, 1);
    expect(all).toHaveLength(RESAMPLES);
    for (const donors of all) {
      const seen = new Set<number>();
      for (let input = 0; !seen.has(input); input = donors[input] as number) seen.add(input);
      expect(seen.size).toBe(40);
    }
    expect(drawDonors(40, 1)).toEqual(all);
    expect(drawDonors(40, 2)).not.toEqual(all);
    expect(new Set(all.map(String)).size).toBe(RESAMPLES);
    expect(drawDonors(2, 0)[0]).toEqual(Int32Array.of(1, 0));
  });

  it("draws every other input equally often", () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 600; seed++) {
      for (const donors of drawDonors(6, seed)) {
        counts.set(donors[2] as number, (counts.get(donors[2] as number) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 3, 4, 5]);
    // 3,000 draws of five inputs: a standard deviation of 22.
    for (const count of counts.values()) expect(Math.abs(count - 600)).toBeLessThan(100);
  });
});
