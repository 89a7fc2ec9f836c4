/** Runs and times the ways of a problem on a GPU: the same code in Node and in the page of Chrome. */
import type { GpuDevice } from "../src/compute/webgpu/gpu-device.ts";
import type { KernelTime } from "../src/compute/webgpu/gpu-profiler.ts";
import type { BenchDevice, KernelBench, Way } from "./kernel-bench.ts";
import { type RunLimits, type Times, timeRuns } from "./timing.ts";

/** GPU time of one run by timestamps: the best of the profiled runs. */
export interface GpuTime {
  readonly totalMs: number;
  readonly kernels: readonly ({ readonly kernel: string } & KernelTime)[];
}

export interface WayTimes {
  readonly times: Times;
  /** Null on adapters without timestamps. */
  readonly gpu: GpuTime | null;
}

export interface Effort {
  /** Runs go on until they took this long together, see `RunLimits`. */
  readonly budgetMs: number;
}

/** A way, wherever it runs. */
export interface TimedWay {
  readonly device: BenchDevice;
  readonly form: string;
  /** One run, which compiles, and how far what it has computed is from `expected`. */
  check(expected: ArrayLike<number>): Promise<number>;
  time(effort: Effort): Promise<WayTimes>;
}

export interface TimedProblem {
  readonly ways: readonly TimedWay[];
  dispose(): Promise<void>;
}

const LEAST_RUNS = 3;
const MOST_RUNS = 50;
const PROFILED_RUNS = 20;

/** How often a way is run; `most` times at most. */
export function runLimits({ budgetMs }: Effort, most: number = MOST_RUNS): RunLimits {
  return { least: LEAST_RUNS, most, budgetMs, warmUps: 0 };
}

/** A way of this process or page; `device` has the timestamps of its kernels. */
export function timedWay(
  way: Way,
  device: GpuDevice | null,
  difference: KernelBench["difference"],
): TimedWay {
  return {
    device: way.device,
    form: way.form,
    async check(expected) {
      await way.prepare?.();
      await way.work();
      return difference(await way.answer(), expected);
    },
    time: async (effort) => ({
      times: await timeRuns(way.work, runLimits(effort), way.prepare),
      gpu: device === null ? null : await bestProfile(device, way, effort),
    }),
  };
}

async function bestProfile(device: GpuDevice, way: Way, { budgetMs }: Effort): Promise<GpuTime | null> {
  let best: GpuTime | null = null;
  const startMs = performance.now();
  for (let run = 0; run < PROFILED_RUNS; run++) {
    if (run > 0 && performance.now() - startMs > budgetMs) break;
    await way.prepare?.();
    const times = await device.profile(async () => {
      await way.work();
    });
    if (times === null) return null;
    const kernels = [...times].map(([kernel, time]) => ({ kernel, ...time }));
    const totalMs = kernels.reduce((sum, { gpuMs }) => sum + gpuMs, 0);
    if (best === null || totalMs < best.totalMs) best = { totalMs, kernels };
  }
  return best;
}
