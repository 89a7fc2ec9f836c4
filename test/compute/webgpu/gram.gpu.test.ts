import { describe, expect, test } from "vitest";
import { adapterFacts, GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { GRAM_SUBGROUPS, type GramForm, gramForm, gramStep } from "../../../src/compute/webgpu/gram.ts";
import { readShaderFile, requestNodeAdapter } from "../../../src/compute/webgpu/open-node-gpu.ts";
import { readFloats } from "../../../src/compute/webgpu/transfer.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
/** Workgroups of 64 lanes in subgroups of 4: several in each workgroup, as on GPUs. */
const hardware = useGpu({}, async () => {
  const adapter = await requestNodeAdapter("software");
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  return new GpuDevice(device, {
    readShader: readShaderFile,
    facts: { ...adapterFacts(adapter), type: "hardware" },
  });
});

const FIRST = { start: 1, count: 5 };
const SECOND = { start: 3, count: 6 };
const PRODUCTS = FIRST.count * SECOND.count;

async function products(
  device: GpuDevice,
  form: GramForm,
  rows: Float32Array,
  stride: number,
  parts: number,
): Promise<Float32Array> {
  using values = device.upload("test/vectors", rows);
  // Behind a part of another dispatch.
  using target = device.buffer("test/products", 4 * (1 + parts) * PRODUCTS);
  await device.submit("test", [
    gramStep(device, form, { values, stride }, [FIRST, SECOND], parts, 1, target),
  ]);
  return readFloats(device, target, PRODUCTS, parts * PRODUCTS);
}

test("the layout of the form by subgroups", () => expectLayout(GRAM_SUBGROUPS));

test("no lane races in the part that goes through workgroup memory, on the interpreter", async () => {
  // Two vectors of four quadruples in parts of three and one; subgroups of one lane leave nothing to shuffle.
  const vectors = Float32Array.from({ length: 32 }, (_, at) => at % 16);
  const products = new Float32Array(8);
  await runOnInterpreter(GRAM_SUBGROUPS, {
    groups: 2,
    params: {
      stride: 4,
      first: 0,
      first_count: 2,
      second: 0,
      second_count: 1,
      part_length: 3,
      first_part: 1,
    },
    buffers: { vectors, products },
    constants: { WORKGROUP_SIZE: 2, SUBGROUP_SIZE: 1 },
  });
  expect(Array.from(products.subarray(0, 6))).toEqual([0, 0, 506, 506, 734, 734]);
});

test("the software adapter has subgroups of one size", () => {
  expect([gpu().subgroupSize, hardware().subgroupSize]).toEqual([4, 4]);
});

describe.each([
  ["one subgroup a workgroup", gpu],
  ["several subgroups a workgroup", hardware],
] as const)("%s", (_, device) => {
  test.each([...SIZES.map((size) => [size, 1] as const), [1000, 3]] as const)(
    "%i entries in parts (%i): right sums, and the same bytes in both forms",
    async (size, parts) => {
      const stride = Math.max(1, Math.ceil(size / 4));
      const random = rng(3, "gram", size);
      const rows = Float32Array.from({ length: 9 * 4 * stride }, (_, at) =>
        at % (4 * stride) < size ? random.normal() : 0,
      );
      const byMemory = await products(device(), "memory", rows, stride, parts);
      const bySubgroups = await products(device(), "subgroups", rows, stride, parts);
      expect(new Uint32Array(bySubgroups.buffer)).toEqual(new Uint32Array(byMemory.buffer));
      for (let i = 0; i < FIRST.count; i++) {
        for (let j = 0; j < SECOND.count; j++) {
          let sum = 0;
          for (let at = 0; at < size; at++) {
            const [a, b] = [FIRST.start + i, SECOND.start + j].map((row) => rows[row * 4 * stride + at]);
            sum += (a as number) * (b as number);
          }
          let found = 0;
          for (let part = 0; part < parts; part++) {
            found += bySubgroups[part * PRODUCTS + i * SECOND.count + j] as number;
          }
          expect(Math.abs(found - sum)).toBeLessThan(1e-5 * Math.max(1, Math.sqrt(size)));
        }
      }
    },
  );
});

test("one of the forms is chosen", async () => {
  expect(["memory", "subgroups"]).toContain(await gramForm(gpu()));
});
