/** Opens, checks and times problems; knows nothing of printing. */
import { totalmem } from "node:os";
import { BrodmannError, messageOf } from "../src/errors.ts";
import { largestBuffer } from "./adapter.ts";
import type { BenchPage } from "./chrome.ts";
import type { BenchDevice, Devices, KernelBench, OpenProblem, Problem } from "./kernel-bench.ts";
import { type Effort, type GpuTime, runLimits, type TimedWay, timedWay } from "./timed-way.ts";
import { summarize, type Times, timeRuns } from "./timing.ts";

/** The devices of this process, and Chrome; null where it is not there or not asked for. */
export interface AllDevices extends Devices {
  readonly chrome: BenchPage | null;
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
  /** What ends the whole run: a device that was lost on the way. */
  readonly lost: BrodmannError | null;
}

/** A first run of the CPU that takes this many budgets is its only one. */
const LONG_RUN = 20;
/** Runs of the CPU where it is only compared with. */
const REFERENCE_RUNS = 3;
/** Main memory that a problem may take. */
const MEMORY_SHARE = 0.7;

/** Times one problem on the wanted devices. */
export async function runProblem(
  bench: KernelBench,
  problem: Problem,
  devices: AllDevices,
  wanted: ReadonlySet<BenchDevice>,
  effort: Effort,
): Promise<Outcome> {
  const measured: Measurement[] = [];
  const skipped: Omission[] = [];
  const failed: Omission[] = [];
  const losses: BrodmannError[] = [];
  const outcome = (): Outcome => ({ measured, skipped, failed, lost: losses[0] ?? null });
  const place = { kernel: bench.name, size: problem.size };
  const omission = (device: BenchDevice, reason: string, form = ""): Omission => ({
    ...place,
    device,
    form,
    reason,
  });
  const fail = (device: BenchDevice, error: unknown, form = ""): void => {
    if (error instanceof BrodmannError && error.code === "E_DEVICE_LOST") losses.push(error);
    failed.push(omission(device, messageOf(error), form));
  };
  const failToOpen = (device: BenchDevice, error: unknown): void => {
    const isLimit = error instanceof BrodmannError && /^E_DEVICE_(LIMIT|MEMORY)$/.test(error.code);
    if (isLimit) skipped.push(omission(device, error.message));
    else fail(device, error);
  };
  const tooLarge = memoryExcess(problem, wanted);
  if (tooLarge !== null) {
    skipped.push(...[...wanted].map((device) => omission(device, tooLarge)));
    return outcome();
  }
  const fits = (device: BenchDevice, mostBytes: number): boolean => {
    const { bufferBytes } = problem;
    if (bufferBytes <= mostBytes) return true;
    const reason = `needs a buffer of ${gigabytes(bufferBytes)}, the adapter's largest has ${gigabytes(mostBytes)}`;
    skipped.push(omission(device, reason));
    return false;
  };
  let { gpu, chrome } = devices;
  if (!wanted.has("webgpu") || (gpu !== null && !fits("webgpu", largestBuffer(gpu.device)))) gpu = null;
  if (!wanted.has("chrome") || (chrome !== null && !fits("chrome", chrome.largestBuffer))) chrome = null;
  if (gpu === null && chrome === null && !wanted.has("cpu")) return outcome();

  const measurement = (
    way: Pick<TimedWay, "device" | "form">,
    times: Times,
    against: Times,
  ): Measurement => ({
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
  /** Checks and times one way; false once its device is lost. */
  const timeWay = async (way: TimedWay, expected: ArrayLike<number>, reference: Times): Promise<boolean> => {
    try {
      const difference = bench.difference(await way.run(), expected);
      if (!(difference <= bench.tolerance)) {
        const reason = `wrong answer: differs from the CPU's by ${difference}, expected at most ${bench.tolerance}`;
        failed.push(omission(way.device, reason, way.form));
        return true;
      }
      const { times, gpu } = await way.time(effort);
      measured.push({ ...measurement(way, times, reference), gpu, difference });
    } catch (error) {
      fail(way.device, error, way.form);
    }
    return losses.length === 0;
  };

  let open: OpenProblem;
  try {
    open = await problem.open({ ...devices, gpu });
  } catch (error) {
    failToOpen(gpu === null ? "cpu" : "webgpu", error);
    return outcome();
  }
  let reference: Times;
  let expected: ArrayLike<number>;
  try {
    const [cpu, ...others] = open.ways;
    await cpu.prepare?.();
    const startMs = performance.now();
    await cpu.work();
    const firstMs = performance.now() - startMs;
    expected = await cpu.answer();
    const limits = runLimits(effort, wanted.has("cpu") ? undefined : REFERENCE_RUNS);
    // Where one run takes minutes, no other one is made for the sake of a warm start.
    const isLong = effort.budgetMs > 0 && firstMs > LONG_RUN * effort.budgetMs;
    reference = isLong ? summarize([firstMs]) : await timeRuns(cpu.work, limits, cpu.prepare);
    if (wanted.has("cpu")) measured.push(measurement(cpu, reference, reference));
    for (const way of others) {
      if (!(await timeWay(timedWay(way, gpu?.device ?? null), expected, reference))) break;
    }
  } catch (error) {
    fail("cpu", error);
    return outcome();
  } finally {
    await open.dispose();
  }
  if (chrome === null || losses.length > 0) return outcome();
  try {
    const { ways, dispose } = await chrome.open(bench.name, problem.size);
    for (const way of ways) {
      if (!(await timeWay(way, expected, reference))) return outcome();
    }
    await dispose();
  } catch (error) {
    failToOpen("chrome", error);
  }
  return outcome();
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Why a problem does not fit the memory of the machine; null where it does. */
function memoryExcess({ hostBytes }: Problem, wanted: ReadonlySet<BenchDevice>): string | null {
  // The page makes inputs of its own.
  const needed = (wanted.has("chrome") ? 2 : 1) * hostBytes;
  const most = MEMORY_SHARE * totalmem();
  if (needed <= most) return null;
  return `needs ${gigabytes(needed)} of main memory, ${gigabytes(most)} may be used`;
}
