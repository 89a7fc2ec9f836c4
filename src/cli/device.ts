import type { Compute } from "../compute/compute.ts";
import { createCpuCompute } from "../compute/cpu/cpu-compute.ts";
import { BrodmannError } from "../errors.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Opens the device that graphs and partitions are computed on. Throws `E_DEVICE_MISSING`. */
export async function openCompute(flags: Flags, terminal: Terminal): Promise<Compute> {
  const { device = "auto" } = flags;
  if (device === "webgpu" || device === "chrome") {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `--device ${device}: found only the CPU, expected a WebGPU device`,
      {
        hint: "This version computes on the CPU: use --device cpu or leave the flag out.",
      },
    );
  }
  if (device === "auto") terminal.say("device: cpu (this version has no WebGPU kernels)");
  return createCpuCompute();
}
