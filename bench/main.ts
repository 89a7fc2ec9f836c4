/**
 * Every kernel on every device: how long, what rate, what share of the device's peak, how it compares with the CPU? See
 * README.md of this folder.
 *
 * Run: npm run bench -- [--only NAME,...] [--device cpu,webgpu,chrome] [--sizes small|full]
 *   [--adapter any|hardware|software] [--seconds S] [--json FILE|-] [--list]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { Matmul } from "../src/compute/cpu/matmul.ts";
import { GpuDevice } from "../src/compute/webgpu/gpu-device.ts";
import { requestNodeAdapter } from "../src/compute/webgpu/open-node-gpu.ts";
import { createWebgpuCompute } from "../src/compute/webgpu/webgpu-compute.ts";
import { BrodmannError, exitCodeOf, messageOf } from "../src/errors.ts";
import { type BenchAdapter, benchAdapter } from "./adapter.ts";
import { openBenchPage } from "./chrome.ts";
import { cpuPeaks } from "./cpu-peaks.ts";
import { runFacts } from "./facts.ts";
import { gpuPeaks, type Peaks } from "./gpu-peaks.ts";
import { BENCH_DEVICES, type BenchDevice, type KernelBench } from "./kernel-bench.ts";
import { KERNEL_BENCHES } from "./kernels/all.ts";
import { type BenchReport, formatNumber, formatReport, makeReport } from "./report.ts";
import { type AllDevices, type Measurement, type Omission, runProblem } from "./run-benches.ts";
import { readerOf } from "./shader-texts.ts";
import { benchShaders } from "./shaders.ts";

const EXIT = { failed: 1, usage: 2 } as const;

/** Where none are named; `webgpu` only where there is an adapter. */
const DEFAULT_DEVICES: readonly BenchDevice[] = ["cpu", "webgpu"];

const SIZES = ["small", "full"] as const;

/** Runs of each peak, before and again after everything else. */
const PEAK_RUNS = 5;

class UsageError extends Error {}

interface Flags {
  readonly benches: readonly KernelBench[];
  /** Null: none were named. */
  readonly devices: readonly BenchDevice[] | null;
  /** Null: full on hardware adapters, else small. */
  readonly sizes: "small" | "full" | null;
  readonly adapter: "any" | "hardware" | "software";
  readonly seconds: number;
  readonly json: string | null;
  readonly isList: boolean;
}

function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      device: { type: "string" },
      sizes: { type: "string" },
      adapter: { type: "string", default: "any" },
      seconds: { type: "string", default: "1" },
      json: { type: "string" },
      list: { type: "boolean", default: false },
    },
  });
  const names = values.only.split(",").filter((name) => name !== "");
  for (const name of names) {
    if (KERNEL_BENCHES.some((bench) => bench.name.includes(name))) continue;
    const known = KERNEL_BENCHES.map((bench) => bench.name).join(", ");
    throw new UsageError(`--only: found ${name}, expected a part of one of ${known}`);
  }
  const seconds = Number(values.seconds);
  if (!(seconds >= 0)) throw new UsageError(`--seconds: found ${values.seconds}, expected a number from 0`);
  const isWanted = ({ name }: KernelBench) =>
    names.length === 0 || names.includes(name) || names.some((part) => !isName(part) && name.includes(part));
  return {
    benches: KERNEL_BENCHES.filter(isWanted),
    devices: values.device?.split(",").map((name) => choice("--device", name, BENCH_DEVICES)) ?? null,
    sizes: values.sizes === undefined ? null : choice("--sizes", values.sizes, SIZES),
    adapter: choice("--adapter", values.adapter, ["any", "hardware", "software"]),
    seconds,
    json: values.json ?? null,
    isList: values.list,
  };
}

/** Whether it is the whole name of a kernel, which then stands for that one alone. */
function isName(text: string): boolean {
  return KERNEL_BENCHES.some(({ name }) => name === text);
}

function choice<Name extends string>(flag: string, found: string, known: readonly Name[]): Name {
  const name = known.find((one) => one === found);
  if (name === undefined) throw new UsageError(`${flag}: found ${found}, expected ${known.join(" or ")}`);
  return name;
}

/** Messages, progress, and the table where standard output carries the document. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function list(benches: readonly KernelBench[]): string {
  const lines = benches.map(({ name, about, problems }) => {
    const sizes = problems.map(({ size, ladder }) => (ladder === "full" ? `${size} (full)` : size));
    return `${name}: ${about}\n    ${sizes.join("; ")}\n`;
  });
  return lines.join("");
}

/** The adapter and its device; null where there is none and none was asked for by name. */
async function openGpu(flags: Flags): Promise<{ adapter: BenchAdapter; device: GpuDevice } | null> {
  if (!(flags.devices ?? DEFAULT_DEVICES).includes("webgpu")) return null;
  try {
    const found = await requestNodeAdapter(flags.adapter);
    const adapter = benchAdapter(found);
    const device = await GpuDevice.open(found, readerOf(benchShaders()));
    say(`bench: webgpu on ${describe(adapter)}`);
    return { adapter, device };
  } catch (error) {
    if (flags.devices !== null || !(error instanceof BrodmannError)) throw error;
    say(`bench: without webgpu (${error.message})`);
    return null;
  }
}

function describe({ name, kind, description }: BenchAdapter): string {
  return `${name}, a ${kind}${description === "" ? "" : ` (${description})`}`;
}

async function run(flags: Flags): Promise<number> {
  const found = await openGpu(flags);
  const gpu = found === null ? null : { device: found.device, compute: createWebgpuCompute(found.device) };
  const matmul = new Matmul();
  const cpu = await createCpuCompute();
  let chrome: AllDevices["chrome"] = null;
  try {
    if (flags.devices?.includes("chrome")) {
      chrome = await openBenchPage(flags.adapter);
      say(`bench: chrome, ${chrome.version} on ${describe(chrome.adapter)}`);
    }
    return await measureAll(flags, { matmul, cpu, gpu, chrome }, found?.adapter ?? null);
  } finally {
    await chrome?.close();
    // The device goes with its compute.
    await gpu?.compute.dispose();
    await cpu.dispose();
    await matmul.dispose();
  }
}

async function measurePeaks({ gpu, chrome }: AllDevices): Promise<BenchReport["peaks"]> {
  return {
    cpu: await cpuPeaks(PEAK_RUNS),
    webgpu: gpu === null ? null : await gpuPeaks(gpu.device, PEAK_RUNS),
    chrome: chrome === null ? null : await chrome.peaks(PEAK_RUNS),
  };
}

async function measureAll(flags: Flags, devices: AllDevices, adapter: BenchAdapter | null): Promise<number> {
  const kinds = [adapter, devices.chrome?.adapter ?? null].flatMap((one) => (one === null ? [] : [one.kind]));
  const isFast = kinds.length > 0 && kinds.every((kind) => kind === "GPU");
  const sizes = flags.sizes ?? (isFast ? "full" : "small");
  const wanted = new Set(flags.devices ?? DEFAULT_DEVICES);
  if (devices.gpu === null) wanted.delete("webgpu");
  // Before the rest: files may change while it runs.
  const facts = runFacts();
  say("bench: measuring peaks");
  const before = await measurePeaks(devices);
  const problems = flags.benches.flatMap((bench) =>
    bench.problems
      .filter(({ ladder }) => sizes === "full" || ladder === "small")
      .map((problem) => ({ bench, problem })),
  );
  const measured: Measurement[] = [];
  const skipped: Omission[] = [];
  const failed: Omission[] = [];
  let lost: BrodmannError | null = null;
  const startMs = performance.now();
  for (const [number, { bench, problem }] of problems.entries()) {
    const outcome = await runProblem(bench, problem, devices, wanted, { budgetMs: 1000 * flags.seconds });
    measured.push(...outcome.measured);
    skipped.push(...outcome.skipped);
    failed.push(...outcome.failed);
    lost = outcome.lost;
    const times = outcome.measured.map(
      ({ device, form, times }) =>
        `${[device, form].filter(Boolean).join(" ")} ${formatNumber(times.minMs)} ms`,
    );
    const others = [...outcome.skipped, ...outcome.failed].map(
      ({ device, reason }) => `${device}: ${reason}`,
    );
    const done = number + 1;
    const leftSeconds = ((performance.now() - startMs) / done / 1000) * (problems.length - done);
    say(
      `bench: ${done} of ${problems.length}, ${bench.name} ${problem.size}: ${[...times, ...others].join(", ")}` +
        (done < problems.length ? ` (about ${Math.ceil(leftSeconds)} s left)` : ""),
    );
    if (lost !== null) break;
  }
  const after = lost === null ? await measurePeaks(devices) : before;
  // The higher ones: what else ran on the machine can only have lowered them.
  const peaks = {
    cpu: higher(before.cpu, after.cpu),
    webgpu: before.webgpu && after.webgpu && higher(before.webgpu, after.webgpu),
    chrome: before.chrome && after.chrome && higher(before.chrome, after.chrome),
  };
  const { chrome } = devices;
  const found = {
    adapter,
    chrome: chrome && { browser: chrome.version, flags: chrome.flags, adapter: chrome.adapter },
  };
  const report = makeReport(facts, sizes, found, peaks, { measured, skipped, failed });
  const document = `${JSON.stringify(report, null, 2)}\n`;
  if (flags.json === "-") {
    say(formatReport(report));
    process.stdout.write(document);
  } else {
    process.stdout.write(formatReport(report));
    if (flags.json !== null) {
      mkdirSync(dirname(flags.json), { recursive: true });
      writeFileSync(flags.json, document);
    }
  }
  // With what was measured before.
  if (lost !== null) throw lost;
  return failed.length > 0 ? EXIT.failed : 0;
}

function higher(a: Peaks, b: Peaks): Peaks {
  return { gflops: Math.max(a.gflops, b.gflops), gbps: Math.max(a.gbps, b.gbps) };
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = readFlags(args);
    if (flags.isList) {
      process.stdout.write(list(flags.benches));
      return 0;
    }
    return await run(flags);
  } catch (error) {
    const isUsage =
      error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
    if (error instanceof BrodmannError) say(`bench: ${error.message}. ${error.hint}`);
    else say(`bench: ${isUsage ? messageOf(error) : (error as Error).stack}`);
    if (isUsage) return EXIT.usage;
    return exitCodeOf(error);
  }
}

process.exitCode = await main(process.argv.slice(2));
