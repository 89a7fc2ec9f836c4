/** Opens, checks and times problems; knows nothing of printing. */
import { totalmem } from "node:os";
import type { KernelTime } from "../src/compute/webgpu/gpu-profiler.ts";
import { BrodmannError, messageOf } from "../src/errors.ts";
import { summarize, type Times, timeRuns } from "./harness.ts";
import type { BenchDevice, Devices, KernelBench, OpenProblem, Problem, Way } from "./kernel-bench.ts";

/** GPU time of one run by timestamps: the best of the profiled runs. */
export interface GpuTime {
  readonly totalMs: number;
  readonly kernels: readonly ({ readonly kernel: string } & KernelTime)[];
}

/** One way of one problem, checked and timed. */
export interface Measurement {
  readonly kernel: string;
  readonly form: string;
  readonly size: string;
  readonly device: BenchDevice;
  readonly isStage: boolean;
  readonly flops: number | null;
  readonly bytes: number | null;
  readonly times: Times;
  readonly gpu: GpuTime | null;
  /** Best time of the CPU's way in the same run, and of how many runs; a few where it was not to be timed itself. */
  readonly cpuMs: number;
  readonly cpuRuns: number;
  /** How far the answer is from the CPU's, and how far it may be; null for the CPU itself. */
  readonly difference: number | null;
  readonly tolerance: number;
}

/** What was not timed, and why. */
export interface Omission {
  readonly kernel: string;
  readonly form: string;
  readonly size: string;
  readonly device: BenchDevice;
  readonly reason: string;
}

export interface Outcome {
  readonly measured: readonly Measurement[];
  readonly skipped: readonly Omission[];
  /** Wrong answers, and errors. */
  readonly failed: readonly Omission[];
}

export interface Effort {
  /** Runs go on until they took this long together, see `RunLimits`. */
  readonly budgetMs: number;
}

const LEAST_RUNS = 3;
const MOST_RUNS = 50;
/** A first run of the CPU that takes this many budgets is its only one. */
const LONG_RUN = 20;
const PROFILED_RUNS = 20;
/** Runs of the CPU where it is only compared with. */
const REFERENCE_RUNS = 3;
/** Main memory that a problem may take. */
const MEMORY_SHARE = 0.7;

/** Times one problem on the wanted devices. */
export async function runProblem(
  bench: KernelBench,
  problem: Problem,
  devices: Devices,
  wanted: ReadonlySet<BenchDevice>,
  effort: Effort,
): Promise<Outcome> {
  const measured: Measurement[] = [];
  const failed: Omission[] = [];
  const place = { kernel: bench.name, size: problem.size };
  const omit = (device: BenchDevice, reason: string, form = ""): Omission => ({
    ...place,
    device,
    form,
    reason,
  });
  const tooLarge = excess(problem, devices);
  if (tooLarge.memory !== null) {
    return {
      measured,
      failed,
      skipped: [...wanted].map((device) => omit(device, tooLarge.memory as string)),
    };
  }
  const skipped: Omission[] = [];
  let gpu = wanted.has("webgpu") ? devices.gpu : null;
  if (gpu !== null && tooLarge.buffer !== null) {
    skipped.push(omit("webgpu", tooLarge.buffer));
    gpu = null;
  }
  if (gpu === null && !wanted.has("cpu")) return { measured, skipped, failed };
  let open: OpenProblem;
  try {
    open = await problem.open({ ...devices, gpu });
  } catch (error) {
    const isLimit = error instanceof BrodmannError && /^E_DEVICE_(LIMIT|MEMORY)$/.test(error.code);
    (isLimit ? skipped : failed).push(omit(gpu === null ? "cpu" : "webgpu", messageOf(error)));
    return { measured, skipped, failed };
  }
  try {
    const [cpu, ...others] = open.ways;
    await cpu.prepare?.();
    const startMs = performance.now();
    await cpu.work();
    const firstMs = performance.now() - startMs;
    const expected = await cpu.answer();
    const measurement = (way: Way, times: Times, against: Times): Measurement => ({
      ...place,
      form: way.form,
      device: way.device,
      isStage: bench.isStage,
      flops: problem.flops,
      bytes: problem.bytes,
      times,
      gpu: null,
      cpuMs: against.minMs,
      cpuRuns: against.runs,
      difference: null,
      tolerance: bench.tolerance,
    });
    const limits = { least: LEAST_RUNS, most: MOST_RUNS, budgetMs: effort.budgetMs, warmUps: 0 };
    const most = wanted.has("cpu") ? MOST_RUNS : REFERENCE_RUNS;
    // Where one run takes minutes, no other one is made for the sake of a warm start.
    const isLong = effort.budgetMs > 0 && firstMs > LONG_RUN * effort.budgetMs;
    const reference = isLong
      ? summarize([firstMs])
      : await timeRuns(cpu.work, { ...limits, most }, cpu.prepare);
    if (wanted.has("cpu")) measured.push(measurement(cpu, reference, reference));
    for (const way of others) {
      try {
        // The first run compiles; its answer is the one that is checked.
        await way.prepare?.();
        await way.work();
        const difference = bench.difference(await way.answer(), expected);
        if (!(difference <= bench.tolerance)) {
          const reason = `wrong answer: differs from the CPU's by ${difference}, expected at most ${bench.tolerance}`;
          failed.push(omit(way.device, reason, way.form));
          continue;
        }
        const times = await timeRuns(way.work, limits, way.prepare);
        const profile = gpu === null ? null : await bestProfile(gpu.device, way, effort.budgetMs);
        measured.push({ ...measurement(way, times, reference), gpu: profile, difference });
      } catch (error) {
        failed.push(omit(way.device, messageOf(error), way.form));
      }
    }
  } catch (error) {
    failed.push(omit("cpu", messageOf(error)));
  } finally {
    await open.dispose();
  }
  return { measured, skipped, failed };
}

/** Why a problem does not fit the memory of the machine or a buffer of the adapter; null where it does. */
function excess(
  { hostBytes, bufferBytes }: Problem,
  { gpu }: Devices,
): { memory: string | null; buffer: string | null } {
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const most = MEMORY_SHARE * totalmem();
  const limits = gpu?.device.limits;
  const buffer = limits === undefined ? null : Math.min(limits.bindingBytes, limits.bufferBytes);
  return {
    memory:
      hostBytes > most
        ? `needs ${gigabytes(hostBytes)} of main memory, ${gigabytes(most)} may be used`
        : null,
    buffer:
      buffer !== null && bufferBytes > buffer
        ? `needs a buffer of ${gigabytes(bufferBytes)}, the adapter's largest has ${gigabytes(buffer)}`
        : null,
  };
}

async function bestProfile(
  device: NonNullable<Devices["gpu"]>["device"],
  way: Way,
  budgetMs: number,
): Promise<GpuTime | null> {
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
