import { describe, expect, it } from "vitest";
import { loadNetworkBytes } from "../../src/network/network.ts";
import { classCount, countClasses, OutcomeTally } from "../../src/network/outcomes.ts";
import { expectRefusal, sketch } from "../support/models.ts";

describe("OutcomeTally", () => {
  it("counts right inputs by class and averages losses over batches", () => {
    const tally = new OutcomeTally(2, 2);
    const logs = Float32Array.from([-0.1, -2, -3, -0.5, -0.25, -1.5], (value) => value);
    // Labels 0, 1, 1: the third input is wrong.
    const labels = Int32Array.of(0, 1, 1);
    tally.count(1, logs, 0, labels, 0, 2);
    tally.count(1, logs, 4, labels, 2, 1);
    const [none, found] = tally.outcomes(3);
    expect(none).toEqual({ correct: Int32Array.of(0, 0), loss: 0, runs: 1 });
    expect(found?.correct).toEqual(Int32Array.of(1, 1));
    expect(found?.loss).toBeCloseTo((0.1 + 0.5 + 1.5) / 3, 6);
  });

  it("takes an output that is not a number for a wrong answer", () => {
    const tally = new OutcomeTally(1, 2);
    tally.count(0, new Float32Array(4).fill(Number.NaN), 0, Int32Array.of(0, 1), 0, 2);
    const [outcome] = tally.outcomes(2);
    expect(outcome?.correct).toEqual(Int32Array.of(0, 0));
    expect(outcome?.loss).toBeNaN();
  });
});

describe("countClasses", () => {
  it("counts the inputs of each class, also of none", () => {
    expect(countClasses(Int32Array.of(2, 0, 2), 4)).toEqual(Int32Array.of(1, 0, 2, 0));
  });

  it.each<[string, number[]]>([
    ["a label above the classes", [0, 1, 3]],
    ["a negative label", [0, 1, -1]],
    ["one class only", [1, 1, 1]],
    ["no inputs", []],
  ])("refuses %s", async (_, labels) => {
    await expectRefusal(() => countClasses(Int32Array.from(labels), 3), "E_INPUT_LABELS");
  });
});

describe("classCount", () => {
  it.each([
    [3, 3],
    [2, 2],
    [1, 0],
  ])("of %i outputs is %i", async (outputs, classes) => {
    const model = sketch([4]);
    const hidden = model.node("Relu", [model.dense("x", "a", 4, 3)]);
    const network = await loadNetworkBytes(model.encode(model.dense(hidden, "b", 3, outputs)), "classes");
    expect(classCount(network)).toBe(classes);
  });
});
