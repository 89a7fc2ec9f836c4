import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { openLesions, runLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { CASES, CLASSES, conv, expectRerun, head, relu, setsOf, unread } from "../support/lesion-cases.ts";
import { randomData, sketch, withWeights } from "../support/models.ts";
import { plantedMlp } from "../support/planted.ts";

describe("a lesion equals a full re-run of the network with those weights zeroed", () => {
  it.each(CASES)("$title", async ({ shape, draw, batch, edits }) => {
    const model = sketch(shape, { batch: batch ?? "n" });
    const output = draw(model);
    const bytes = model.encode(output);
    const network = await loadNetworkBytes(bytes, "lesioned");
    const data = randomData(38, shape, CLASSES);
    const baseline = await evaluateNetwork(network, data);
    // The oracle runs a fixed batch with zeros behind the last input.
    const whole = batch ? Math.ceil(data.count / batch) * batch : data.count;
    const size = data.values.length / data.count;
    const padded = new Float32Array(whole * size);
    padded.set(data.values);
    const oracleData = { ...data, count: whole, values: padded };
    await expectRerun(baseline, bytes, oracleData, [...shape], batch);

    expect(network.layers.map(({ name }) => name)).toEqual([...Object.keys(edits), "head"]);
    for (const [name, edit] of Object.entries(edits)) {
      const layer = layerNamed(network, name);
      const sets = setsOf(layer.units);
      const outcomes = await runLesions(network, layer, sets, data);
      expect(outcomes).toHaveLength(sets.length);
      for (const [i, set] of sets.entries()) {
        await expectRerun(outcomes[i], edit(bytes, set), oracleData, [...shape], batch);
      }
      expect([...(outcomes[0]?.correct ?? [])]).toEqual([...baseline.correct]);
      expect(outcomes[0]?.loss).toBeCloseTo(baseline.loss, 5);
      // The sets must matter, or the comparison above says nothing.
      const changes = outcomes.map(({ loss }) => Math.abs(loss - baseline.loss));
      expect(Math.max(...changes)).toBeGreaterThan(1e-4);
    }
  });

  it("side by side as one after another, to the last bit", async () => {
    const model = sketch([8, 8]);
    const flat = model.node("Flatten", ["x"]);
    const a = relu(model, model.dense(flat, "a", 64, 160));
    const b = relu(model, model.dense(a, "b", 160, 120));
    const network = await loadNetworkBytes(model.encode(model.dense(b, "head", 120, CLASSES)), "wide");
    const data = randomData(2000, [8, 8], CLASSES);
    const random = rng(1, "wide sets");
    for (const lesion of ["zero", "mean", "resample"] as const) {
      for (const name of ["a", "b"]) {
        const layer = layerNamed(network, name);
        const sets = Array.from({ length: 3 * availableParallelism() + 5 }, () =>
          random
            .shuffle(Int32Array.from({ length: layer.units }, (_, unit) => unit))
            .slice(0, random.integer(100)),
        );
        const opened = await openLesions(network, layer, data, { lesion });
        const together = await opened.runDetailed(sets);
        expect(await opened.run(sets)).toEqual(together.outcomes);
        for (const [i, set] of sets.entries()) {
          const alone = await opened.runDetailed([set]);
          expect(together.outcomes[i]).toEqual(alone.outcomes[0]);
          expect(together.details[i]).toEqual(alone.details[0]);
        }
        await opened.dispose();
      }
    }
  });

  it("with more inputs and lesions than one run takes", async () => {
    const model = sketch([5]);
    const a = relu(model, model.dense("x", "a", 5, 12));
    const bytes = model.encode(model.dense(a, "head", 12, CLASSES));
    const network = await loadNetworkBytes(bytes, "many");
    const data = randomData(2501, [5], CLASSES);
    const random = rng(1, "many sets");
    const sets = Array.from({ length: 23 }, () => {
      const order = random.shuffle(Int32Array.from({ length: 12 }, (_, unit) => unit));
      return order.slice(0, random.integer(13));
    });
    const outcomes = await runLesions(network, layerNamed(network, "a"), sets, data);
    for (const i of [0, 7, 8, 15, 16, 22]) {
      const set = sets[i] as Int32Array;
      await expectRerun(outcomes[i], unread(bytes, "head.weight", set), data, [5]);
    }
  });
});

describe("lesions", () => {
  const chain = (seed = 0) => {
    const model = sketch([2, 4, 4], { seed });
    const a = model.batchNorm(relu(model, conv(model, "x", "a", 2, 4)), "bn", 4);
    const b = relu(model, conv(model, a, "b", 4, 5));
    return model.encode(head(model, b, 5));
  };

  it("of a whole layer that nothing bypasses make the output independent of the input", async () => {
    const network = await loadNetworkBytes(chain(), "chain");
    const one = randomData(30, [2, 4, 4], CLASSES, 1);
    const other = { ...randomData(30, [2, 4, 4], CLASSES, 2), labels: one.labels };
    for (const layer of network.layers.filter(({ isLogits }) => !isLogits)) {
      const all = Int32Array.from({ length: layer.units }, (_, unit) => unit);
      const [first] = await runLesions(network, layer, [all], one);
      const [second] = await runLesions(network, layer, [all], other);
      expect(first).toEqual(second);
      // One class takes all.
      expect(first?.correct.filter((count) => count > 0)).toEqual(Int32Array.of(10));
    }
  });

  it("do not depend on the order of the units in the file", async () => {
    const bytes = chain();
    const order = [2, 0, 3, 1];
    /** Row i of the new kernel is row order[i] of the old one. */
    const permuted = ["a.weight", "a.bias", "bn.gamma", "bn.beta", "bn.mean", "bn.variance"].reduce(
      (model, name) => {
        let old: number[] = [];
        withWeights(model, name, (i, value) => {
          old[i] = value;
          return value;
        });
        const rowSize = old.length / 4;
        old = old.slice();
        return withWeights(
          model,
          name,
          (i) => old[(order[Math.floor(i / rowSize)] as number) * rowSize + (i % rowSize)] as number,
        );
      },
      bytes,
    );
    const old: number[] = [];
    withWeights(bytes, "b.weight", (i, value) => {
      old[i] = value;
      return value;
    });
    const shuffled = withWeights(permuted, "b.weight", (i) => {
      const channel = Math.floor(i / 9) % 4;
      return old[i + ((order[channel] as number) - channel) * 9] as number;
    });
    const [one, other] = [await loadNetworkBytes(bytes, "one"), await loadNetworkBytes(shuffled, "other")];
    const data = randomData(60, [2, 4, 4], CLASSES);
    const sets = [[], [0], [1, 2], [0, 1, 3]].map((units) => Int32Array.from(units));
    const sameSets = sets.map((units) => units.map((unit) => order.indexOf(unit)));
    const expected = await runLesions(one, layerNamed(one, "a"), sets, data);
    const found = await runLesions(other, layerNamed(other, "a"), sameSets, data);
    for (const [i, outcome] of found.entries()) {
      expect([...outcome.correct]).toEqual([...(expected[i]?.correct ?? [])]);
      expect(outcome.loss).toBeCloseTo(expected[i]?.loss ?? Number.NaN, 5);
    }
    // Lesions in the layer behind are not touched at all.
    const [before] = await runLesions(one, layerNamed(one, "b"), [Int32Array.of(1, 4)], data);
    const [after] = await runLesions(other, layerNamed(other, "b"), [Int32Array.of(1, 4)], data);
    expect([...(after?.correct ?? [])]).toEqual([...(before?.correct ?? [])]);
  });

  it.each([0, 1])("of a planted block hurt only its classes (seed %i)", async (seed) => {
    const planted = plantedMlp(seed);
    const [count, size] = planted.inputShape;
    const network = await loadNetworkBytes(planted.model, "planted");
    const data: LabelledInputs = {
      count,
      labels: planted.labels,
      batch: (start, rows) => planted.inputs.slice(start * size, (start + rows) * size),
    };
    for (const { name, blocks } of planted.layers.slice(0, 2)) {
      const sets = [0, 1].map((block) =>
        Int32Array.from([...blocks.keys()].filter((unit) => blocks[unit] === block)),
      );
      const outcomes = await runLesions(network, layerNamed(network, name), sets, data);
      const perClass = count / 4;
      expect(outcomes.map(({ correct }) => [...correct])).toEqual([
        [0, 0, perClass, perClass],
        [perClass, perClass, 0, 0],
      ]);
    }
  });
});
