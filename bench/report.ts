/** The document and the table of a bench run, from what was measured. */
import type { BenchAdapter } from "./adapter.ts";
import type { RunFacts } from "./facts.ts";
import type { Peaks } from "./gpu-peaks.ts";
import type { BenchDevice } from "./kernel-bench.ts";
import type { Measurement, Omission, Outcome } from "./run-benches.ts";
import type { GpuTime } from "./timed-way.ts";

/** One row of the report. */
export interface BenchCase {
  readonly kernel: string;
  readonly form: string;
  readonly size: string;
  readonly device: BenchDevice;
  /** "CPU", "GPU" or "software adapter". */
  readonly ranOn: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly minMs: number;
  readonly runs: number;
  /** Timestamps around the dispatches of one run; null on the CPU and on adapters without them. */
  readonly gpu: GpuTime | null;
  /** Useful operations and necessary bytes of one run. */
  readonly flops: number | null;
  readonly bytes: number | null;
  /** Which time the rates are of: that of timestamps, or the best of the wall. */
  readonly ratesFrom: "gpu" | "wall";
  readonly gflops: number | null;
  readonly gbps: number | null;
  /** Share of this device's peaks; of the two the larger one says what limits. */
  readonly shareOfFlops: number | null;
  readonly shareOfBytes: number | null;
  /** Best wall time of the CPU over the best one here: above 1 where this is faster. */
  readonly timesCpu: number;
  readonly cpuRuns: number;
  readonly checked: {
    readonly against: "cpu";
    readonly difference: number | null;
    readonly tolerance: number;
  };
}

/** The browser behind a run. */
export interface BenchChrome {
  /** "Chrome/156.0.8078.79". */
  readonly browser: string;
  /** Flags beside those of the program. */
  readonly flags: readonly string[];
  readonly adapter: BenchAdapter;
}

export interface BenchReport extends RunFacts {
  readonly schema: "brodmann/bench/1";
  readonly sizes: "small" | "full";
  /** That of `webgpu`. */
  readonly adapter: BenchAdapter | null;
  readonly chrome: BenchChrome | null;
  readonly peaks: { readonly cpu: Peaks; readonly webgpu: Peaks | null; readonly chrome: Peaks | null };
  readonly cases: readonly BenchCase[];
  readonly skipped: readonly Omission[];
  readonly failed: readonly Omission[];
}

export function makeReport(
  facts: RunFacts,
  sizes: "small" | "full",
  found: Pick<BenchReport, "adapter" | "chrome">,
  peaks: BenchReport["peaks"],
  outcome: Pick<Outcome, "measured" | "skipped" | "failed">,
): BenchReport {
  const ranOn = {
    cpu: "CPU",
    webgpu: found.adapter?.kind ?? "unknown",
    chrome: found.chrome?.adapter.kind ?? "unknown",
  };
  const cases = outcome.measured.map((measurement) => {
    const { device } = measurement;
    return makeCase(measurement, peaks[device] ?? peaks.cpu, ranOn[device]);
  });
  const { skipped, failed } = outcome;
  return { schema: "brodmann/bench/1", ...facts, sizes, ...found, peaks, cases, skipped, failed };
}

function makeCase(measurement: Measurement, peaks: Peaks, ranOn: string): BenchCase {
  const { kernel, form, size, device, isStage, flops, bytes, times, gpu } = measurement;
  // Timestamps are of other runs than wall times; on a busy machine they can be longer.
  const isGpuTime = !isStage && gpu !== null && gpu.totalMs > 0 && gpu.totalMs < times.minMs;
  const bestMs = isGpuTime ? gpu.totalMs : times.minMs;
  const rate = (amount: number | null) => (amount === null ? null : amount / bestMs / 1e6);
  const [gflops, gbps] = [rate(flops), rate(bytes)];
  return {
    kernel,
    form,
    size,
    device,
    ranOn,
    ...times,
    gpu,
    flops,
    bytes,
    ratesFrom: isGpuTime ? "gpu" : "wall",
    gflops,
    gbps,
    shareOfFlops: gflops === null ? null : gflops / peaks.gflops,
    shareOfBytes: gbps === null ? null : gbps / peaks.gbps,
    timesCpu: measurement.cpuMs / times.minMs,
    cpuRuns: measurement.cpuRuns,
    checked: { against: "cpu", difference: measurement.difference, tolerance: measurement.tolerance },
  };
}

const COLUMNS = [
  "kernel",
  "size",
  "on",
  "median",
  "p95",
  "best",
  "runs",
  "GPU time",
  "rate",
  "of peak",
  "x CPU",
];

/** The report as a table for people. */
export function formatReport(report: BenchReport): string {
  const { machine, adapter, chrome, peaks } = report;
  const lines = [
    `${report.date}, commit ${report.commit}, Node ${report.node}, ONNX Runtime ${report.onnxRuntime}, webgpu ${report.dawn ?? "not installed"}`,
    `CPU: ${machine.cpu}, ${machine.threads} threads, load ${formatNumber(machine.load)}, ${formatPeaks(peaks.cpu)}`,
  ];
  if (adapter !== null) lines.push(formatAdapter(adapter, peaks.webgpu));
  if (chrome !== null) lines.push(`${chrome.browser}, ${formatAdapter(chrome.adapter, peaks.chrome)}`);
  lines.push("", ...alignColumns([COLUMNS, ...report.cases.map(formatCase)]));
  for (const [title, omissions] of [
    ["skipped", report.skipped],
    ["FAILED", report.failed],
  ] as const) {
    for (const { kernel, size, device, form, reason } of omissions) {
      lines.push(`${title}: ${[kernel, size, device, form].filter(Boolean).join(", ")}: ${reason}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function formatAdapter({ kind, name, vendor, description }: BenchAdapter, peaks: Peaks | null): string {
  const facts = [vendor, description].filter(Boolean).join(", ");
  return `${kind}: ${name} (${facts})${peaks === null ? "" : `, ${formatPeaks(peaks)}`}`;
}

function formatPeaks({ gflops, gbps }: Peaks): string {
  return `peaks ${formatNumber(gflops)} GFLOP/s, ${formatNumber(gbps)} GB/s`;
}

function formatCase(row: BenchCase): string[] {
  const byFlops = (row.shareOfFlops ?? 0) >= (row.shareOfBytes ?? 0);
  const share = byFlops ? row.shareOfFlops : row.shareOfBytes;
  const rate = byFlops ? row.gflops : row.gbps;
  return [
    row.form === "" ? row.kernel : `${row.kernel} (${row.form})`,
    row.size,
    row.device === "chrome" ? `${row.ranOn} in Chrome` : row.ranOn,
    `${formatNumber(row.medianMs)} ms`,
    `${formatNumber(row.p95Ms)} ms`,
    `${formatNumber(row.minMs)} ms`,
    String(row.runs),
    row.gpu === null ? "-" : `${formatNumber(row.gpu.totalMs)} ms`,
    rate === null ? "-" : `${formatNumber(rate)} ${byFlops ? "GFLOP/s" : "GB/s"}`,
    share === null ? "-" : `${formatNumber(100 * share)} %`,
    row.device === "cpu" ? "-" : formatNumber(row.timesCpu),
  ];
}

/** Three digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(6, digits));
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return column < 3 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
