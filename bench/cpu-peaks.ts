import type { Peaks } from "./gpu-peaks.ts";
import { calibrate } from "./harness.ts";
import { measure } from "./timing.ts";

/** More than any cache near the cores. */
const COPY_BYTES = 64 * 2 ** 20;

/** A 2048^3 product on ONNX Runtime, and a copy of an array. */
export async function cpuPeaks(runs: number): Promise<Peaks> {
  const source = new Uint8Array(COPY_BYTES).fill(1);
  const target = new Uint8Array(COPY_BYTES);
  const { minMs } = await measure(() => target.set(source), runs);
  return { gflops: await calibrate(runs), gbps: (2 * COPY_BYTES) / minMs / 1e6 };
}
