import { describe, expect, it } from "vitest";
import {
  inputDeviation,
  nestedRows,
  noisyInputs,
  pickInputs,
  sampleInputs,
} from "../../src/patterns/sample-inputs.ts";
import { rng } from "../../src/statistics/rng.ts";

function source(values: Float32Array, size: number) {
  const batch = (start: number, count: number) => values.slice(start * size, (start + count) * size);
  return { count: values.length / size, batch };
}

const countOf = (labels: Int32Array, inputs: Int32Array, label: number) =>
  inputs.filter((input) => labels[input] === label).length;

describe("sample", () => {
  const labels = rng(3).shuffle(Int32Array.from({ length: 300 }, (_, i) => (i < 200 ? 0 : i < 290 ? 1 : 2)));

  it("has as many of each class as there are, and so have its halves", () => {
    const sample = sampleInputs(300, labels, 100, 0);
    expect(sample.inputs).toEqual(sample.inputs.slice().sort());
    expect(new Set(sample.inputs).size).toBe(100);
    expect([0, 1, 2].map((label) => countOf(labels, sample.inputs, label))).toEqual([45, 45, 10]);
    const half = nestedRows(sample, 30).map((row) => sample.inputs[row] as number);
    expect([0, 1, 2].map((label) => countOf(labels, half, label))).toEqual([10, 10, 10]);
  });

  it("contains the smaller samples of its seed, and is another one for another seed", () => {
    const large = new Set(sampleInputs(300, labels, 150, 1).inputs);
    expect(Array.from(sampleInputs(300, labels, 70, 1).inputs).every((input) => large.has(input))).toBe(true);
    expect(sampleInputs(300, labels, 70, 2).inputs).not.toEqual(sampleInputs(300, labels, 70, 1).inputs);
  });

  it("is all of few inputs, and needs no labels", () => {
    expect(Array.from(sampleInputs(5, null, 9, 0).inputs)).toEqual([0, 1, 2, 3, 4]);
    expect(sampleInputs(50, null, 9, 0).inputs).toHaveLength(9);
  });
});

describe("inputs", () => {
  it("are picked in the order asked for", () => {
    const data = source(Float32Array.of(0, 1, 10, 11, 20, 21), 2);
    expect(Array.from(pickInputs(data, [2, 0]).batch(0, 2))).toEqual([20, 21, 0, 1]);
    expect(Array.from(pickInputs(data, [2, 0, 1]).batch(1, 2))).toEqual([0, 1, 10, 11]);
  });

  it("get noise of the sigma asked for, the same in every batch", () => {
    const noisy = noisyInputs(source(new Float32Array(4000), 40), 0.5, 7);
    const all = noisy.batch(0, 100);
    expect(noisy.batch(3, 2)).toEqual(all.slice(120, 200));
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    expect(Math.abs(mean)).toBeLessThan(0.04);
    expect(Math.abs(inputDeviation(noisy) - 0.5)).toBeLessThan(0.03);
  });

  it("have the deviation of all their numbers", () => {
    expect(inputDeviation(source(Float32Array.of(1, 3, 1, 3), 2))).toBe(1);
  });
});
