/** Choice of the device that graphs and partitions are computed on. */
import { BrodmannError } from "../errors.ts";
import type { Compute } from "./compute.ts";
import { createCpuCompute } from "./cpu/cpu-compute.ts";

/** `auto`: WebGPU on a hardware adapter, else the CPU. */
export type DeviceName = "auto" | "webgpu" | "cpu";

/** An open device, and why it is this one. */
export interface OpenedCompute {
  readonly compute: Compute;
  /** One sentence for people: the device, the adapter, and what speaks for or against it. */
  readonly reason: string;
}

/**
 * Opens a device. A software adapter is used only where `webgpu` asks for it by name; `auto` never fails.
 * Throws `E_DEVICE_MISSING` when `webgpu` finds no adapter. When a GPU is lost, `report` is told, and what ran is
 * repeated once on a new device.
 *
 * @example
 * const { compute, reason } = await openCompute("auto");
 */
export async function openCompute(
  device: DeviceName,
  report: (message: string) => void = () => {},
): Promise<OpenedCompute> {
  if (device === "cpu") return { compute: await createCpuCompute(), reason: "device: cpu" };
  // Loaded on demand: Dawn is a large native library, and optional.
  const { openNodeGpu } = await import("./webgpu/open-node-gpu.ts");
  const { createRecoveringCompute } = await import("./webgpu/recovering-compute.ts");
  if (device === "webgpu") {
    const open = () => openNodeGpu({ adapter: "any" });
    const gpu = await open();
    const { name, type } = gpu.facts;
    const warning = type === "software" ? ", a software adapter: it runs on the CPU, and slowly" : "";
    return {
      compute: createRecoveringCompute(gpu, open, report),
      reason: `device: webgpu on ${name}${warning}`,
    };
  }
  try {
    const open = () => openNodeGpu({ adapter: "hardware" });
    const gpu = await open();
    const { name, type } = gpu.facts;
    if (type === "hardware") {
      return { compute: createRecoveringCompute(gpu, open, report), reason: `device: webgpu on ${name}` };
    }
    gpu.dispose();
    return { compute: await createCpuCompute(), reason: `device: cpu (${name} is a software adapter)` };
  } catch (error) {
    if (!(error instanceof BrodmannError)) throw error;
    return { compute: await createCpuCompute(), reason: `device: cpu (${error.message})` };
  }
}
