import type { Kernel } from "../compute.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel } from "./shader-kernel.ts";
import { readFloats, requireRow } from "./transfer.ts";

export const KERNEL_NORMS: ShaderKernel<"slices" | "taps" | "norm", "values" | "norms"> = {
  name: "kernel-norms",
  params: { slices: "u32", taps: "u32", norm: "u32" },
  bindings: { values: "read", norms: "read_write" },
};

const WORKGROUP_SIZE = 64;

/**
 * See `Compute.kernelNorms`; kernels larger than a binding go in pieces of whole slices. Throws `E_DEVICE_LIMIT` when
 * one slice is larger than a binding.
 */
export async function kernelNorms(
  device: GpuDevice,
  kernel: Kernel,
  norm: "l1" | "l2",
): Promise<Float32Array> {
  const { outputs, inputs, taps, values } = kernel;
  const norms = new Float32Array(outputs * inputs);
  if (taps === 0) return norms;
  const step = requireRow(device, "kernel-norms/values", taps);
  for (let first = 0; first < norms.length; first += step) {
    const slices = Math.min(step, norms.length - first);
    const piece = values.subarray(first * taps, (first + slices) * taps);
    using source = device.upload("kernel-norms/values", piece);
    using target = device.buffer("kernel-norms/norms", 4 * slices);
    await device.submit("kernel-norms", [
      dispatch(KERNEL_NORMS, {
        groups: Math.ceil(slices / WORKGROUP_SIZE),
        params: { slices, taps, norm: norm === "l1" ? 1 : 2 },
        buffers: { values: source, norms: target },
      }),
    ]);
    norms.set(await readFloats(device, target), first);
  }
  return norms;
}
