/** What an adapter reaches at most, measured in the same run: multiply-adds and copying. Runs in pages as well. */
import type { GpuDevice } from "../src/compute/webgpu/gpu-device.ts";
import { type DispatchStep, dispatch, type ShaderKernel } from "../src/compute/webgpu/shader-kernel.ts";
import { readFloats } from "../src/compute/webgpu/transfer.ts";
import { largestBuffer } from "./adapter.ts";
import { check } from "./timing.ts";

export interface Peaks {
  readonly gflops: number;
  /** Bytes read and bytes written, both counted. */
  readonly gbps: number;
}

/** A GPU's caches are far smaller; a software adapter is far slower than any memory. */
const COPY_BYTES = { software: 16 * 2 ** 20, hardware: 512 * 2 ** 20 } as const;

const FMA: ShaderKernel<"rounds" | "factor" | "addend", "results"> = {
  name: "fma",
  params: { rounds: "u32", factor: "f32", addend: "f32" },
  bindings: { results: "read_write" },
};
const COPY: ShaderKernel<"count", "source" | "sink"> = {
  name: "copy",
  params: { count: "u32" },
  bindings: { source: "read", sink: "read_write" },
};
/** Operations of a lane and round. */
const FMA_OPERATIONS = 64;
const FMA_GROUPS = { software: 16, hardware: 16384 } as const;
const COPIES_PER_LANE = 16;
const LANES = 256;
/** A dispatch this long hides what submitting it takes. */
const MEASURABLE_MS = 20;

/** The peaks of an adapter by shaders/fma.wgsl and shaders/copy.wgsl of this folder, by timestamps where it has them. */
export async function gpuPeaks(device: GpuDevice, runs: number): Promise<Peaks> {
  return { gflops: await fmaRate(device, runs), gbps: await copyRate(device, runs) };
}

async function fmaRate(device: GpuDevice, runs: number): Promise<number> {
  const groups = FMA_GROUPS[device.facts.type];
  using results = device.buffer("fma/results", 16 * groups * LANES);
  const step = (rounds: number) =>
    dispatch(FMA, {
      groups,
      params: { rounds, factor: 0.5, addend: 1 },
      buffers: { results },
      constants: { WORKGROUP_SIZE: LANES },
    });
  let rounds = 256;
  let best = await fastest(device, step(rounds), 1);
  while (best < MEASURABLE_MS && rounds < 2 ** 20) {
    rounds *= 4;
    best = await fastest(device, step(rounds), 1);
  }
  best = await fastest(device, step(rounds), runs);
  // Every chain ends at 2, the fixed point of x / 2 + 1.
  const [first] = await readFloats(device, results, 0, 1);
  check(Math.abs((first as number) - 16) < 1e-4, `fma.wgsl gives ${first}, expected 16`);
  return (FMA_OPERATIONS * rounds * groups * LANES) / best / 1e6;
}

async function copyRate(device: GpuDevice, runs: number): Promise<number> {
  const most = largestBuffer(device);
  const bytes = Math.min(COPY_BYTES[device.facts.type], most - (most % 16));
  const count = bytes / 16;
  using source = device.upload("copy/source", new Float32Array(bytes / 4).fill(3));
  using sink = device.buffer("copy/sink", bytes);
  const step = dispatch(COPY, {
    groups: Math.ceil(count / (LANES * COPIES_PER_LANE)),
    params: { count },
    buffers: { source, sink },
    constants: { WORKGROUP_SIZE: LANES },
  });
  const best = await fastest(device, step, runs);
  const [last] = await readFloats(device, sink, bytes / 4 - 1, 1);
  check(last === 3, `copy.wgsl gives ${last}, expected 3`);
  return (2 * bytes) / best / 1e6;
}

/** The best time of one dispatch after a warm-up, in milliseconds: on the GPU's clock, else on the wall's. */
async function fastest(device: GpuDevice, step: DispatchStep, runs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    const times = await device.profile(async () => {
      await device.submit("peak", [step]);
      await device.finish();
    });
    const elapsed = times?.get(step.kernel.name)?.gpuMs ?? performance.now() - start;
    if (run > 0 && elapsed > 0) best = Math.min(best, elapsed);
  }
  return best;
}
