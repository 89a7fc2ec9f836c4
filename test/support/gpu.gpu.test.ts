/** The test device fails the tests that misuse it, and those alone. */
import { expect, test } from "vitest";
import { useGpu } from "./gpu.ts";

const gpu = useGpu();

test.fails("work that WebGPU refuses fails its test, though nothing is read back", async () => {
  using buffer = gpu().buffer("copy/values", 16);
  const copy = { kind: "copy", source: buffer, sourceOffset: 0, target: buffer, targetOffset: 0 } as const;
  await gpu().submit("copy", [{ ...copy, sizeBytes: 9999 }]);
});

test("the next test is not blamed for it", async () => {
  await gpu().settle();
});

test.fails("a buffer that is not released fails its test", () => {
  gpu().buffer("any/values", 4);
});

test("the next test is not blamed for it either", () => {
  expect(gpu().lentBuffers).toBe(1);
});
