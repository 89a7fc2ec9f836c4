/**
 * A software device for the tests of one file. After each test it fails on WebGPU errors and on buffers that were not
 * released. A machine without an adapter fails the tests with the reason and the fix; it never skips them.
 */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { adapterFacts, type DeviceLimits, GpuDevice } from "../../src/compute/webgpu/gpu-device.ts";
import { openNodeGpu, readShaderFile, requestNodeAdapter } from "../../src/compute/webgpu/open-node-gpu.ts";
import { BrodmannError } from "../../src/errors.ts";

/** Sizes around the workgroup size, and one with several workgroups. */
export const SIZES: readonly number[] = [0, 1, 63, 64, 65, 1000];

/** Opens the software adapter; the error of a missing one says what to do. */
export async function openTestGpu(limits?: Partial<DeviceLimits>): Promise<GpuDevice> {
  try {
    return await openNodeGpu({ adapter: "software", limits });
  } catch (error) {
    if (error instanceof BrodmannError) throw new Error(`${error.message}. ${error.hint}`, { cause: error });
    throw error;
  }
}

/** The software adapter under the name of a hardware one, so that kernels run with the workgroups that GPUs get. */
export async function openAsHardware(): Promise<GpuDevice> {
  const adapter = await requestNodeAdapter("software");
  const facts = { ...adapterFacts(adapter), type: "hardware" } as const;
  return new GpuDevice(await adapter.requestDevice(), { readShader: readShaderFile, facts });
}

/** A function that gives the device, to be called inside tests. */
export function useGpu(
  limits?: Partial<DeviceLimits>,
  open: () => Promise<GpuDevice> = () => openTestGpu(limits),
): () => GpuDevice {
  let device: GpuDevice | null = null;
  // Buffers that an earlier test left behind are that test's fault alone.
  let left = 0;
  const current = () => {
    if (device === null) throw new Error("the device is there inside tests only");
    return device;
  };
  beforeAll(async () => {
    device = await open();
  });
  afterEach(async () => {
    await current().finish();
    const { lentBuffers } = current();
    const before = left;
    left = lentBuffers;
    expect(lentBuffers - before, "buffers not released").toBe(0);
  });
  afterAll(() => {
    device?.dispose();
  });
  return current;
}
