/**
 * Cases and their printing for the benches. Every bench first checks its answers, then times named cases; each report
 * carries the rate of a 2048^3 ONNX Runtime product measured in the same run, because other load on the machine shows
 * there first, and states what share of that rate a case reaches.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { Matmul } from "../src/compute/cpu/matmul.ts";
import { runtimeFacts } from "../src/runtime/session.ts";
import { measure, summarize, type Times } from "./timing.ts";

/** Times of one case. */
export interface Timing extends Times {
  readonly name: string;
  /** Share of the calibrated product rate that the useful operations reach, at the median; null where none are counted. */
  readonly roofShare: number | null;
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface CaseOptions {
  /** Timed runs after one warm-up. */
  readonly runs: number;
  /** Floating-point operations that are counted as useful, for the share of the roof. */
  readonly operations?: number;
  /** Runs before each run, untimed. */
  readonly prepare?: () => void;
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** GFLOP/s of a 2048^3 float32 product on ONNX Runtime, the best of some runs. */
export async function calibrate(runs = 7): Promise<number> {
  const size = 2048;
  const values = new Float32Array(size * size).fill(0.5);
  const target = new Float32Array(size * size);
  const factor = { rows: size, columns: size, values };
  const matmul = new Matmul();
  const { minMs } = await measure(() => matmul.multiply("AB", factor, factor, target), runs);
  await matmul.dispose();
  return (2 * size ** 3) / minMs / 1e6;
}

/** Collects the cases of one bench; `finish` prints the table to stderr and writes JSON where `--json FILE` says. */
export class Bench {
  readonly #title: string;
  readonly #timings: Timing[] = [];
  readonly #calibrationGflops: number[] = [];

  private constructor(title: string, calibration: number) {
    this.#title = title;
    this.#calibrationGflops.push(calibration);
  }

  static async start(title: string): Promise<Bench> {
    return new Bench(title, await calibrate());
  }

  /** Times one case. */
  async add(name: string, work: () => Promise<unknown> | unknown, options: CaseOptions): Promise<Timing> {
    const times = await measure(work, options.runs, options.prepare);
    const gflops = options.operations === undefined ? null : options.operations / times.medianMs / 1e6;
    return this.#keep({ name, ...times, roofShare: this.#shareOf(gflops), facts: options.facts ?? {} });
  }

  /** Takes times (in milliseconds) that the bench measured itself; `gflops` is the useful rate, where one is counted. */
  record(name: string, timesMs: readonly number[], gflops: number | null, facts: Timing["facts"]): Timing {
    return this.#keep({ name, ...summarize(timesMs), roofShare: this.#shareOf(gflops), facts });
  }

  #shareOf(gflops: number | null): number | null {
    return gflops === null ? null : gflops / (this.#calibrationGflops[0] as number);
  }

  #keep(timing: Timing): Timing {
    this.#timings.push(timing);
    process.stderr.write(`${formatTiming(timing)}\n`);
    return timing;
  }

  async finish(): Promise<void> {
    this.#calibrationGflops.push(await calibrate());
    const [before, after] = this.#calibrationGflops as [number, number];
    const { version } = runtimeFacts();
    const machine = `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} threads`;
    process.stderr.write(
      `\n${this.#title}\n${machine}, Node ${process.version}, ONNX Runtime ${version}\n` +
        `2048^3 product: ${before.toFixed(0)} GFLOP/s before, ${after.toFixed(0)} after\n` +
        `${["case".padEnd(NAME_WIDTH), "median", "p95", "min", "runs", "of roof"].join("  ")}\n` +
        `${this.#timings.map(formatTiming).join("\n")}\n` +
        `peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB\n`,
    );
    const { values } = parseArgs({ options: { json: { type: "string" } }, strict: false });
    if (typeof values.json !== "string") return;
    mkdirSync(dirname(values.json), { recursive: true });
    const report = {
      title: this.#title,
      machine,
      node: process.version,
      onnxRuntime: version,
      calibrationGflops: this.#calibrationGflops,
      peakMemoryMb: process.resourceUsage().maxRSS / 1024,
      cases: this.#timings,
    };
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

const NAME_WIDTH = 46;

function formatTiming(timing: Timing): string {
  const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
  const facts = Object.entries(timing.facts).map(([name, value]) => `${name} ${value}`);
  return [
    timing.name.padEnd(NAME_WIDTH),
    ms(timing.medianMs),
    ms(timing.p95Ms),
    ms(timing.minMs),
    String(timing.runs),
    timing.roofShare === null ? "-" : `${(100 * timing.roofShare).toFixed(0)} %`,
    ...facts,
  ].join("  ");
}
