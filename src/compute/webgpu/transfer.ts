/** Small helpers of the host code: floats from buffers, and how many rows fit a binding. */
import { BrodmannError } from "../../errors.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";

/** `count` floats of a buffer from `offset` on; all of them by default. */
export async function readFloats(
  device: GpuDevice,
  buffer: DeviceBuffer,
  offset = 0,
  count: number = buffer.sizeBytes / 4 - offset,
): Promise<Float32Array> {
  return new Float32Array(await device.readBack(buffer, 4 * offset, 4 * count));
}

/** Rows of `length` 4-byte values that fit one binding; throws `E_DEVICE_LIMIT` when not even one does. */
export function requireRow(device: GpuDevice, label: string, length: number): number {
  const { bindingBytes, bufferBytes } = device.limits;
  const most = Math.min(bindingBytes, bufferBytes);
  const rows = Math.floor(most / (4 * length));
  if (rows > 0) return rows;
  throw new BrodmannError(
    "E_DEVICE_LIMIT",
    `${label}: found a row of ${4 * length} bytes, expected at most ${most}, the largest binding of ${device.facts.name}`,
    { hint: "Use fewer units or inputs, another adapter, or --device cpu." },
  );
}
