import { describe, expect, test } from "vitest";
import { kernelNorms as twin } from "../../../src/compute/cpu/kernel-norms.ts";
import { KERNEL_NORMS, kernelNorms } from "../../../src/compute/webgpu/kernel-norms.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();

function kernel(outputs: number, inputs: number, taps: number, scale = 1) {
  const stream = rng(1, "norms", outputs, inputs, taps);
  const values = Float32Array.from({ length: outputs * inputs * taps }, () => scale * stream.normal());
  return { outputs, inputs, taps, values };
}

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    const want = expected[i] as number;
    expect(Math.abs((found[i] as number) - want)).toBeLessThanOrEqual(1e-6 * want);
  }
}

describe.each(["l1", "l2"] as const)("%s norms", (norm) => {
  test.each(SIZES)("%i slices are those of the CPU", async (slices) => {
    for (const taps of [1, 9]) {
      const input = kernel(slices, 1, taps);
      expectClose(await kernelNorms(gpu(), input, norm), twin(input, norm));
    }
  });

  test.each(SIZES)("%i taps are those of the CPU", async (taps) => {
    const input = kernel(3, 2, taps);
    expectClose(await kernelNorms(gpu(), input, norm), twin(input, norm));
  });

  test.each([1e-30, 1e30])("values near %f neither vanish nor overflow", async (scale) => {
    const input = kernel(5, 2, 9, scale);
    expectClose(await kernelNorms(gpu(), input, norm), twin(input, norm));
  });

  test("is exact on whole numbers and equal in every run", async () => {
    const input = { outputs: 1, inputs: 2, taps: 2, values: Float32Array.of(3, -4, 0, 0) };
    const found = await kernelNorms(gpu(), input, norm);
    expect(Array.from(found)).toEqual([norm === "l1" ? 7 : 5, 0]);
    const large = kernel(65, 3, 9);
    expect(await kernelNorms(gpu(), large, norm)).toEqual(await kernelNorms(gpu(), large, norm));
  });
});

describe("small limits", () => {
  const small = useGpu({ bindingBytes: 1024, groupsPerDimension: 2 });

  test("a kernel larger than a binding goes in pieces, many workgroups in rows", async () => {
    const pieces = kernel(65, 4, 3);
    expectClose(await kernelNorms(small(), pieces, "l1"), twin(pieces, "l1"));
    const folded = kernel(256, 1, 1);
    expectClose(await kernelNorms(small(), folded, "l2"), twin(folded, "l2"));
  });

  test("a slice that fills a binding exactly is taken, a larger one is refused", async () => {
    expectClose(await kernelNorms(small(), kernel(1, 2, 256), "l1"), twin(kernel(1, 2, 256), "l1"));
    const error = await catchError(() => kernelNorms(small(), kernel(1, 1, 257), "l1"));
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toBe(
      "kernel-norms/values: found a row of 1028 bytes, expected at most 1024, the largest binding of swiftshader",
    );
  });
});

test("the shader binds what the host passes and has no race", async () => {
  await expectLayout(KERNEL_NORMS);
  const norms = new Float32Array(3);
  const values = Float32Array.of(3, -4, 0, 0, 1, 1);
  await runOnInterpreter(KERNEL_NORMS, {
    groups: 2,
    params: { slices: 3, taps: 2, norm: 1 },
    buffers: { values, norms },
    constants: { WORKGROUP_SIZE: 2 },
  });
  expect(Array.from(norms)).toEqual([7, 0, 2]);
});
