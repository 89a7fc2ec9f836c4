/**
 * Every kernel on every device: how long, what rate, what share of the device's peak, how it compares with the CPU? See
 * README.md of this folder.
 *
 * Run: npm run bench -- [--only NAME,...] [--device cpu|webgpu] [--sizes small|full] [--adapter any|hardware|software]
 *   [--seconds S] [--json FILE|-] [--list]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { Matmul } from "../src/compute/cpu/matmul.ts";
import { GpuDevice } from "../src/compute/webgpu/gpu-device.ts";
import { requestNodeAdapter } from "../src/compute/webgpu/open-node-gpu.ts";
import { createWebgpuCompute } from "../src/compute/webgpu/webgpu-compute.ts";
import { BrodmannError, messageOf } from "../src/errors.ts";
import { type BenchAdapter, benchAdapter, runFacts } from "./facts.ts";
import { BENCH_DEVICES, type BenchDevice, type Devices, type KernelBench } from "./kernel-bench.ts";
import { KERNEL_BENCHES } from "./kernels/all.ts";
import { cpuPeaks, gpuPeaks, type Peaks } from "./peaks.ts";
import { formatNumber, formatReport, makeReport } from "./report.ts";
import { type Measurement, type Omission, runProblem } from "./run-benches.ts";
import { readBenchShader } from "./shaders.ts";

const EXIT = { failed: 1, usage: 2, noDevice: 4 } as const;

/** Runs of each peak, before and again after everything else. */
const PEAK_RUNS = 5;

class UsageError extends Error {}

interface Flags {
  readonly benches: readonly KernelBench[];
  /** Null: all that are there. */
  readonly device: BenchDevice | null;
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
    device: choice("--device", values.device ?? null, BENCH_DEVICES),
    sizes: choice("--sizes", values.sizes ?? null, ["small", "full"]),
    adapter: choice("--adapter", values.adapter, ["any", "hardware", "software"]) ?? "any",
    seconds,
    json: values.json ?? null,
    isList: values.list,
  };
}

/** Whether it is the whole name of a kernel, which then stands for that one alone. */
function isName(text: string): boolean {
  return KERNEL_BENCHES.some(({ name }) => name === text);
}

function choice<Name extends string>(
  flag: string,
  found: string | null,
  known: readonly Name[],
): Name | null {
  if (found === null) return null;
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
async function openGpu(
  flags: Flags,
): Promise<{ adapter: BenchAdapter; device: GpuDevice } | { reason: string }> {
  if (flags.device === "cpu") return { reason: "not asked for" };
  try {
    const adapter = await requestNodeAdapter(flags.adapter);
    return { adapter: benchAdapter(adapter), device: await GpuDevice.open(adapter, readBenchShader) };
  } catch (error) {
    if (flags.device === "webgpu" || !(error instanceof BrodmannError)) throw error;
    return { reason: error.message };
  }
}

async function run(flags: Flags): Promise<number> {
  const opened = await openGpu(flags);
  const found = "device" in opened ? opened : null;
  const adapter = found?.adapter ?? null;
  if ("reason" in opened && flags.device !== "cpu") say(`bench: without webgpu (${opened.reason})`);
  if (adapter !== null) say(`bench: webgpu on ${adapter.name}, a ${adapter.kind} (${adapter.description})`);
  const matmul = new Matmul();
  const cpu = await createCpuCompute();
  const gpu: Devices["gpu"] =
    found === null ? null : { device: found.device, compute: createWebgpuCompute(found.device) };
  try {
    return await measureAll(flags, { matmul, cpu, gpu }, adapter);
  } finally {
    // The device goes with its compute.
    await gpu?.compute.dispose();
    await cpu.dispose();
    await matmul.dispose();
  }
}

async function measureAll(flags: Flags, devices: Devices, adapter: BenchAdapter | null): Promise<number> {
  const sizes = flags.sizes ?? (adapter?.kind === "GPU" ? "full" : "small");
  const wanted = new Set<BenchDevice>(flags.device === null ? BENCH_DEVICES : [flags.device]);
  if (devices.gpu === null) wanted.delete("webgpu");
  const measurePeaks = async (runs: number): Promise<{ cpu: Peaks; webgpu: Peaks | null }> => ({
    cpu: await cpuPeaks(runs),
    webgpu: devices.gpu === null ? null : await gpuPeaks(devices.gpu.device, runs),
  });
  // Before the rest: files may change while it runs.
  const facts = runFacts();
  say("bench: measuring peaks");
  const before = await measurePeaks(PEAK_RUNS);
  const problems = flags.benches.flatMap((bench) =>
    bench.problems
      .filter(({ ladder }) => sizes === "full" || ladder === "small")
      .map((problem) => ({ bench, problem })),
  );
  const measured: Measurement[] = [];
  const skipped: Omission[] = [];
  const failed: Omission[] = [];
  const startMs = performance.now();
  for (const [number, { bench, problem }] of problems.entries()) {
    const outcome = await runProblem(bench, problem, devices, wanted, { budgetMs: 1000 * flags.seconds });
    measured.push(...outcome.measured);
    skipped.push(...outcome.skipped);
    failed.push(...outcome.failed);
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
  }
  const after = await measurePeaks(PEAK_RUNS);
  // The higher ones: what else ran on the machine can only have lowered them.
  const peaks = {
    cpu: higher(before.cpu, after.cpu),
    webgpu: before.webgpu === null || after.webgpu === null ? null : higher(before.webgpu, after.webgpu),
  };
  const report = makeReport(facts, sizes, adapter, peaks, { measured, skipped, failed });
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
    return error instanceof BrodmannError && error.code === "E_DEVICE_MISSING" ? EXIT.noDevice : EXIT.failed;
  }
}

process.exitCode = await main(process.argv.slice(2));
