import { expect, it } from "vitest";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { createWebgpuCompute } from "../../src/compute/webgpu/webgpu-compute.ts";
import { findActivationPatterns } from "../../src/patterns/find-patterns.ts";
import { rng } from "../../src/statistics/rng.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

it("finds the same patterns as the CPU, with the same numbers", async () => {
  const random = rng(8);
  const [samples, units] = [120, 10];
  const labels = Int32Array.from({ length: samples }, (_, i) => i % 3);
  const values = Float32Array.from(
    { length: samples * units },
    (_, at) => ((at % units) % 3 === Math.floor(at / units) % 3 ? 1 : 0) + 0.1 * random.normal(),
  );
  const recorded = { name: "recorded", samples, units, values, labels };
  const options = { nulls: 1, splits: 1, minClusterSize: 14 };
  const cpu = await createCpuCompute();
  const expected = await findActivationPatterns(cpu, recorded, options);
  await cpu.dispose();
  expect(expected.layers[0]?.patterns).toHaveLength(3);
  expect(await findActivationPatterns(createWebgpuCompute(gpu()), recorded, options)).toEqual(expected);
});
