/** The browser's GPU, for the pages that headless Chrome shows and for the explorer's worker. */
import { type AdapterFacts, adapterFacts, GpuDevice, requestDevice } from "../compute/webgpu/gpu-device.ts";
import type { ShaderReader } from "../compute/webgpu/shader-source.ts";

export interface OpenedGpu {
  readonly gpu: GpuDevice;
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
}

/** Null where the browser has no adapter. */
export async function openGpu(readShader: ShaderReader): Promise<OpenedGpu | null> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const facts = adapterFacts(adapter);
  const device = await requestDevice(adapter);
  return { gpu: new GpuDevice(device, { readShader, facts }), adapter, device, facts };
}

/** Fetches shaders from `shaders/` below the address `base`. */
export function shadersBelow(base: string): ShaderReader {
  return async (path) => {
    const response = await fetch(new URL(`shaders/${path}`, base));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.text();
  };
}
