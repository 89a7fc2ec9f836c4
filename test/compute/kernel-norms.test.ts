import { expect, test } from "vitest";
import { kernelNorms } from "../../src/compute/cpu/kernel-norms.ts";

test("norms are taken over all taps of a slice", () => {
  const kernel = {
    outputs: 2,
    inputs: 2,
    taps: 3,
    values: Float32Array.of(1, -2, 2, 0, 0, 0, 3, 4, 0, -1, 1, -1),
  };
  expect([...kernelNorms(kernel, "l1")]).toEqual([5, 0, 7, 3]);
  expect([...kernelNorms(kernel, "l2")]).toEqual([3, 0, 5, Math.fround(Math.sqrt(3))]);
});

test("l1 is entrywise, not the largest column sum", () => {
  const kernel = { outputs: 1, inputs: 1, taps: 4, values: Float32Array.of(1, 2, 3, 4) };
  expect(kernelNorms(kernel, "l1")[0]).toBe(10);
});
