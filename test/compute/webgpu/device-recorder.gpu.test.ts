import { afterAll, describe, expect, test } from "vitest";
import type { UnitBatch, UnitRecorder } from "../../../src/compute/compute.ts";
import { createCpuCompute } from "../../../src/compute/cpu/cpu-compute.ts";
import { HostRecorder } from "../../../src/compute/cpu/host-recorder.ts";
import { correlations } from "../../../src/compute/webgpu/correlations.ts";
import { DeviceRecorder, deviceRows, RECORD_UNITS } from "../../../src/compute/webgpu/device-recorder.ts";
import { adapterFacts, GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { readShaderFile, requestNodeAdapter } from "../../../src/compute/webgpu/open-node-gpu.ts";
import { topCorrelations } from "../../../src/compute/webgpu/top-correlations.ts";
import { readFloats } from "../../../src/compute/webgpu/transfer.ts";
import { createWebgpuCompute } from "../../../src/compute/webgpu/webgpu-compute.ts";
import { buildActivationGraph } from "../../../src/graph/activation-graph.ts";
import { loadNetworkBytes } from "../../../src/network/network.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { openTestGpu, SIZES, useGpu } from "../../support/gpu.ts";
import { randomData, sketch } from "../../support/models.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
let raw: GPUDevice | null = null;
// Panels of 8 or 16 units, and batches in pieces.
const small = useGpu({}, async () => {
  const adapter = await requestNodeAdapter("software");
  raw = await adapter.requestDevice();
  const limits = { bindingBytes: 2048, groupsPerDimension: 3 };
  return new GpuDevice(raw, { readShader: readShaderFile, facts: adapterFacts(adapter), limits });
});

/** A buffer that somebody else made on the device of `small`. */
function tensorOf(values: Float32Array): GPUBuffer {
  if (raw === null) throw new Error("the device is there inside tests only");
  const [copySource, copyTarget, storage] = [0x4, 0x8, 0x80];
  const tensor = raw.createBuffer({ size: values.byteLength, usage: copySource | copyTarget | storage });
  raw.queue.writeBuffer(tensor, 0, values);
  return tensor;
}
const cpu = await createCpuCompute();
afterAll(() => cpu.dispose());

/** Two layers: dense units, one without a position, and maps of three positions, one of them empty. */
function batchesOf(units: number, samples: number, size: number): UnitBatch[] {
  const stream = rng(9, "batches", units, samples);
  const dense = Math.floor(units / 2);
  const layers = [
    {
      index: Int32Array.from({ length: dense }, (_, unit) => (unit === 1 ? -1 : unit)),
      isSummed: false,
      firstUnit: 0,
    },
    {
      index: Int32Array.from({ length: 3 * (units - dense) + 1 }, (_, at) => Math.floor((at - 1) / 3)),
      isSummed: true,
      firstUnit: dense,
    },
  ];
  return layers.flatMap((layer) => {
    const batches: UnitBatch[] = [];
    for (let firstSample = 0; firstSample < samples; firstSample += size) {
      // As from a network of fixed batch size: the last batch is padded.
      const values = Float32Array.from({ length: size * layer.index.length }, stream.normal);
      batches.push({ ...layer, values, rows: Math.min(size, samples - firstSample), firstSample });
    }
    return batches;
  });
}

async function record(recorder: UnitRecorder, batches: readonly UnitBatch[]): Promise<void> {
  for (const batch of batches) await recorder.append(batch);
}

/** What is recorded, wherever it is. */
async function valuesOf(device: GpuDevice, recorder: DeviceRecorder): Promise<Float32Array> {
  const { units, samples } = recorder;
  const all = new Float32Array(units * samples);
  for (const { first, rows, values } of recorder.recorded) {
    const found =
      values instanceof Float32Array ? values : await readFloats(device, values, 0, rows * samples);
    all.set(found, first * samples);
  }
  return all;
}

describe("recorder", () => {
  test.each(SIZES)("%i units: bytes as on the CPU", async (units) => {
    const samples = 21;
    const batches = batchesOf(units, samples, 8);
    const host = new HostRecorder(units, samples);
    await record(host, batches);
    const recorder = new DeviceRecorder(gpu(), units, samples);
    try {
      await record(recorder, batches);
      expect(await valuesOf(gpu(), recorder)).toEqual(host.values);
    } finally {
      recorder.dispose();
    }
  });

  test.each([Number.POSITIVE_INFINITY, 3000, 0])(
    "panels and batches beyond a binding, %f bytes on the device: bytes as on the CPU",
    async (residentBytes) => {
      const batches = batchesOf(50, 30, 16);
      const host = new HostRecorder(50, 30);
      await record(host, batches);
      const recorder = new DeviceRecorder(small(), 50, 30, residentBytes);
      try {
        await record(recorder, batches);
        expect(await valuesOf(small(), recorder)).toEqual(host.values);
      } finally {
        recorder.dispose();
      }
    },
  );

  test.each([Number.POSITIVE_INFINITY, 3000])(
    "from buffers of the same device, %f bytes on the device: correlations as from an array",
    async (residentBytes) => {
      const [units, samples] = [50, 30];
      const batches = batchesOf(units, samples, 16);
      const host = new HostRecorder(units, samples);
      await record(host, batches);
      const run = async (work: (recorder: DeviceRecorder) => Promise<unknown>) => {
        const recorder = new DeviceRecorder(small(), units, samples, residentBytes);
        try {
          for (const batch of batches) {
            // As a session makes them: larger than a binding of these limits, destroyed when recorded.
            const tensor = tensorOf(batch.values as Float32Array);
            await recorder.append({ ...batch, values: tensor });
            tensor.destroy();
          }
          return await work(recorder);
        } finally {
          recorder.dispose();
        }
      };
      const found = await run((recorder) =>
        correlations(small(), deviceRows(small(), recorder), units, samples, "spearman", {}, residentBytes),
      );
      expect(found).toEqual(await correlations(small(), host.values, units, samples, "spearman"));
      const top = await run((recorder) =>
        topCorrelations(
          small(),
          deviceRows(small(), recorder),
          units,
          samples,
          "pearson",
          4,
          {},
          residentBytes,
        ),
      );
      expect(top).toEqual(await topCorrelations(small(), host.values, units, samples, "pearson", 4));
    },
  );

  test("belongs to one device, unless it is in main memory", async () => {
    const other = await openTestGpu();
    const recorder = new DeviceRecorder(other, 2, 3);
    const error = await catchError(async () => deviceRows(gpu(), recorder));
    expect(error.code).toBe("E_INTERNAL_RECORDER");
    const host = new HostRecorder(2, 3);
    expect(deviceRows(gpu(), host)).toBe(host.values);
    recorder.dispose();
    other.dispose();
  });
});

test("an activation graph of recorded batches is that of the CPU", async () => {
  const model = sketch([2, 4, 4]);
  const maps = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 5, kernel: [3, 3] })]);
  const deep = model.node("Relu", [model.conv(maps, { name: "b", inputs: 5, units: 6 })]);
  const flat = model.node("Flatten", [model.node("GlobalAveragePool", [deep])]);
  const network = await loadNetworkBytes(model.encode(model.dense(flat, "head", 6, 3)), "maps");
  const data = randomData(70, [2, 4, 4], 3);
  const webgpu = createWebgpuCompute(await openTestGpu());
  try {
    for (const scope of ["global", "local"] as const) {
      const expected = await buildActivationGraph(network, data, cpu, { scope });
      const found = await buildActivationGraph(network, data, webgpu, { scope });
      expect({ ...found, matrix: null }).toEqual({ ...expected, matrix: null });
      expected.matrix.blocks.forEach((block, number) => {
        const twin = found.matrix.blocks[number];
        if (block.shape !== "within" || twin?.shape !== "within") throw new Error("dense blocks");
        block.values.forEach((value, at) => {
          expect(Math.abs(value - (twin.values[at] as number))).toBeLessThan(1e-5);
        });
      });
    }
  } finally {
    await webgpu.dispose();
  }
});

describe("shaders", () => {
  test("record-units binds what the host passes", () => expectLayout(RECORD_UNITS));

  test("no lane races in record-units, on the interpreter", async () => {
    const recorded = new Float32Array(3 * 4);
    await runOnInterpreter(RECORD_UNITS, {
      groups: 2,
      params: {
        rows: 2,
        width: 4,
        first_unit: 1,
        units: 2,
        samples: 4,
        start: 1,
        target_row: 1,
        is_summed: 1,
      },
      buffers: {
        batch: Float32Array.of(9, -1, 2, 3, 9, 4, -5, -6),
        positions: Uint32Array.of(0, 1, 3, 2),
        ends: Uint32Array.of(0, 1, 3, 4),
        recorded,
      },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(recorded)).toEqual([0, 0, 0, 0, 0, 4, 10, 0, 0, 2, 5, 0]);
  });
});
