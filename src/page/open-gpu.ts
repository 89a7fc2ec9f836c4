/** The browser's GPU, for the page that headless Chrome shows and for the explorer's worker. */
import { type AdapterFacts, adapterFacts, GpuDevice, requestDevice } from "../compute/webgpu/gpu-device.ts";

export interface OpenedGpu {
  readonly gpu: GpuDevice;
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
}

/** Null where the browser has no adapter. Shaders are fetched from `shaders/` below the address `base`. */
export async function openGpu(base: string): Promise<OpenedGpu | null> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const facts = adapterFacts(adapter);
  const device = await requestDevice(adapter);
  const readShader = async (path: string): Promise<string> => {
    const response = await fetch(new URL(`shaders/${path}`, base));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.text();
  };
  return { gpu: new GpuDevice(device, { readShader, facts }), device, facts };
}
