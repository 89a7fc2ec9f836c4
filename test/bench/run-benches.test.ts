/** A wrong answer gets no time, and what does not fit is named. */
import { afterAll, expect, test } from "vitest";
import { absoluteDifference, type KernelBench, type Problem } from "../../bench/kernel-bench.ts";
import { runProblem } from "../../bench/run-benches.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { Matmul } from "../../src/compute/cpu/matmul.ts";

const matmul = new Matmul();
const cpu = await createCpuCompute();
afterAll(async () => {
  await cpu.dispose();
  await matmul.dispose();
});

let disposed = 0;
const problem = (answers: readonly number[], hostBytes = 0): Problem => ({
  size: "tiny",
  ladder: "small",
  flops: 1,
  bytes: null,
  bufferBytes: 0,
  hostBytes,
  open: () => ({
    ways: [
      { device: "cpu", form: "", work() {}, answer: () => [1, 2] },
      ...answers.map((answer, form) => ({
        device: "webgpu" as const,
        form: `form ${form}`,
        work() {},
        answer: () => [1, answer],
      })),
    ],
    dispose() {
      disposed++;
    },
  }),
});
const bench: KernelBench = {
  name: "two numbers",
  about: "",
  isStage: false,
  difference: absoluteDifference,
  tolerance: 0.1,
  problems: [],
};
const run = (given: Problem) =>
  runProblem(bench, given, { matmul, cpu, gpu: null, chrome: null }, new Set(["cpu", "webgpu"]), {
    budgetMs: 0,
  });

test("only answers like the CPU's are timed", async () => {
  disposed = 0;
  const { measured, failed } = await run(problem([2.05, 3, Number.NaN]));
  expect(measured.map(({ form, difference }) => [form, difference?.toFixed(2)])).toEqual([
    ["", undefined],
    ["form 0", "0.05"],
  ]);
  expect(failed.map(({ form }) => form)).toEqual(["form 1", "form 2"]);
  expect(failed[0]?.reason).toBe("wrong answer: differs from the CPU's by 1, expected at most 0.1");
  expect(disposed).toBe(1);
});

test("a problem beyond the main memory is skipped with the reason", async () => {
  const { measured, skipped } = await run(problem([2], 2 ** 50));
  expect(measured).toEqual([]);
  expect(skipped.map(({ device }) => device)).toEqual(["cpu", "webgpu"]);
  expect(skipped[0]?.reason).toMatch(/^needs 1048576.0 GiB of main memory/);
});
