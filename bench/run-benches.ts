/** Opens, checks and times problems; knows nothing of printing. */
import { totalmem } from "node:os";
import { BrodmannError, messageOf } from "../src/errors.ts";
import { largestBuffer } from "./adapter.ts";
import type { BenchPage } from "./chrome.ts";
import type { BenchDevice, Devices, KernelBench, OpenProblem, Problem, Way } from "./kernel-bench.ts";
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
  const results = collectResults(bench, problem);
  const tooLarge = memoryExcess(problem, wanted);
  if (tooLarge !== null) {
    for (const device of wanted) results.skip(device, tooLarge);
    return results.outcome();
  }
  const fits = (device: BenchDevice, mostBytes: number): boolean => {
    const tooWide = bufferExcess(problem, mostBytes);
    if (tooWide !== null) results.skip(device, tooWide);
    return tooWide === null;
  };
  let { gpu, chrome } = devices;
  if (!wanted.has("webgpu") || (gpu !== null && !fits("webgpu", largestBuffer(gpu.device)))) gpu = null;
  if (!wanted.has("chrome") || (chrome !== null && !fits("chrome", chrome.largestBuffer))) chrome = null;
  if (gpu === null && chrome === null && !wanted.has("cpu")) return results.outcome();
  let open: OpenProblem;
  try {
    open = await problem.open({ ...devices, gpu });
  } catch (error) {
    results.failToOpen(gpu === null ? "cpu" : "webgpu", error);
    return results.outcome();
  }
  let reference: Reference;
  try {
    const [cpu, ...others] = open.ways;
    reference = await timeCpu(cpu, effort, wanted.has("cpu") ? undefined : REFERENCE_RUNS);
    const { times } = reference;
    if (wanted.has("cpu")) results.add(cpu, { times, gpu: null, difference: null }, times);
    const ways = others.map((way) => timedWay(way, gpu?.device ?? null, bench.difference));
    await timeWays(bench.tolerance, ways, reference, effort, results);
  } catch (error) {
    results.fail("cpu", error);
    return results.outcome();
  } finally {
    await open.dispose();
  }
  if (chrome === null || results.isLost()) return results.outcome();
  try {
    const { ways, dispose } = await chrome.open(bench.name, problem.size);
    await timeWays(bench.tolerance, ways, reference, effort, results);
    if (!results.isLost()) await dispose();
  } catch (error) {
    results.failToOpen("chrome", error);
  }
  return results.outcome();
}

/** What the CPU has computed, with which the other devices are compared, and its times. */
interface Reference {
  readonly answer: ArrayLike<number>;
  readonly times: Times;
}

async function timeCpu(cpu: Way, effort: Effort, mostRuns?: number): Promise<Reference> {
  await cpu.prepare?.();
  const startMs = performance.now();
  await cpu.work();
  const firstMs = performance.now() - startMs;
  const answer = await cpu.answer();
  // Where one run takes minutes, no other one is made for the sake of a warm start.
  if (effort.budgetMs > 0 && firstMs > LONG_RUN * effort.budgetMs)
    return { answer, times: summarize([firstMs]) };
  return { answer, times: await timeRuns(cpu.work, runLimits(effort, mostRuns), cpu.prepare) };
}

/** Checks and times ways of one device, until it is lost. */
async function timeWays(
  tolerance: number,
  ways: readonly TimedWay[],
  reference: Reference,
  effort: Effort,
  results: Results,
): Promise<void> {
  for (const way of ways) {
    try {
      const difference = await way.check(reference.answer);
      if (difference <= tolerance) {
        results.add(way, { ...(await way.time(effort)), difference }, reference.times);
      } else {
        const expected = `expected at most ${tolerance}`;
        throw new Error(`wrong answer: differs from the CPU's by ${difference}, ${expected}`);
      }
    } catch (error) {
      results.fail(way.device, error, way.form);
    }
    if (results.isLost()) return;
  }
}

type Results = ReturnType<typeof collectResults>;

/** Collects what becomes of one problem. */
function collectResults(bench: KernelBench, problem: Problem) {
  const measured: Measurement[] = [];
  const skipped: Omission[] = [];
  const failed: Omission[] = [];
  let lost: BrodmannError | null = null;
  const place = { kernel: bench.name, size: problem.size };
  const skip = (device: BenchDevice, reason: string): void => {
    skipped.push({ ...place, device, form: "", reason });
  };
  const fail = (device: BenchDevice, error: unknown, form = ""): void => {
    if (error instanceof BrodmannError && error.code === "E_DEVICE_LOST") lost = error;
    failed.push({ ...place, device, form, reason: messageOf(error) });
  };
  return {
    skip,
    fail,
    /** Fails; what is too large for a device is skipped. */
    failToOpen(device: BenchDevice, error: unknown): void {
      const isLimit = error instanceof BrodmannError && /^E_DEVICE_(LIMIT|MEMORY)$/.test(error.code);
      if (isLimit) skip(device, error.message);
      else fail(device, error);
    },
    add(
      { device, form }: Pick<TimedWay, "device" | "form">,
      found: Pick<Measurement, "times" | "gpu" | "difference">,
      cpu: Times,
    ): void {
      const { isStage, tolerance } = bench;
      const { flops, bytes } = problem;
      const facts = { device, form, isStage, tolerance, flops, bytes, cpuMs: cpu.minMs, cpuRuns: cpu.runs };
      measured.push({ ...place, ...facts, ...found });
    },
    isLost: (): boolean => lost !== null,
    outcome: (): Outcome => ({ measured, skipped, failed, lost }),
  };
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

/** Why a problem does not fit the buffers of an adapter; null where it does. */
function bufferExcess({ bufferBytes }: Problem, mostBytes: number): string | null {
  if (bufferBytes <= mostBytes) return null;
  return `needs a buffer of ${gigabytes(bufferBytes)}, the adapter's largest has ${gigabytes(mostBytes)}`;
}
