/** The bench in headless Chrome, as scripts start it: answers checked, and nothing left running whatever happens. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { BenchReport } from "../../bench/report.ts";
import { browsersOf } from "../support/browser-processes.ts";
import { type Running, startBench, temporaryFolder } from "../support/cli.ts";

const SMALL = ["--sizes", "small", "--adapter", "software", "--seconds", "0"];

/** Starts a bench, which has to end without leaving a browser. */
function bench(...args: readonly string[]): Running {
  const running = startBench(args);
  onTestFinished(async () => {
    running.process.kill("SIGKILL");
    await running.finished;
    const left = () => browsersOf(running.process.pid ?? 0);
    await vi.waitFor(() => expect(left()).toEqual({ processes: [], profiles: [] }), { timeout: 10_000 });
  });
  return running;
}

describe("npm run bench -- --device chrome", () => {
  test("kernels of the page, with the CPU's answers and the page's own peaks", async () => {
    const names = "gram,combine";
    const args = ["--device", "cpu,chrome", "--only", names, ...SMALL, "--json", "-"];
    const { code, stdout, stderr } = await bench(...args).finished;
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect([report.skipped, report.failed, report.adapter, report.peaks.webgpu]).toEqual([
      [],
      [],
      null,
      null,
    ]);
    expect(report.chrome?.browser).toMatch(/Chrome\/\d+/);
    expect(report.chrome?.flags).toEqual(["--enable-webgpu-developer-features"]);
    expect(report.chrome?.adapter).toMatchObject({ name: "swiftshader", kind: "software adapter" });
    expect(report.chrome?.adapter.features).toContain("timestamp-query");
    expect(report.peaks.chrome?.gflops).toBeGreaterThan(0);
    expect(report.peaks.chrome?.gbps).toBeGreaterThan(0);
    const rows = report.cases.filter(({ device }) => device === "chrome");
    expect(new Set(report.cases.map(({ device }) => device))).toEqual(new Set(["cpu", "chrome"]));
    const gram = ["gram memory", "gram subgroups"];
    expect(rows.map(({ kernel, form }) => `${kernel} ${form}`.trim())).toEqual([
      ...[...gram, ...gram, ...gram],
      ...["combine", "combine", "combine"],
    ]);
    for (const row of rows) {
      expect(row.ranOn).toBe("software adapter");
      for (const ms of [row.medianMs, row.p95Ms, row.timesCpu]) expect(ms).toBeGreaterThan(0);
      expect(row.minMs).toBeLessThanOrEqual(row.medianMs);
      expect(row.medianMs).toBeLessThanOrEqual(row.p95Ms);
      expect(row.p95Ms).toBeLessThan(60_000);
      expect(row.runs).toBeGreaterThanOrEqual(3);
      expect(row.gpu?.totalMs).toBeGreaterThan(0);
      expect(row.checked.difference).toBeLessThanOrEqual(row.checked.tolerance);
      if (row.gflops === null) continue;
      const bestMs = row.ratesFrom === "gpu" ? (row.gpu?.totalMs ?? 0) : row.minMs;
      expect(row.gflops).toBeCloseTo((row.flops ?? 0) / bestMs / 1e6, 6);
      expect(row.shareOfFlops).toBeCloseTo(row.gflops / (report.peaks.chrome?.gflops ?? 0), 6);
    }
    // That the page's answers were compared shows where their last bits differ.
    const differences = rows.map(({ kernel, checked }) => (kernel === "gram" ? checked.difference : 1));
    for (const difference of differences) expect(difference).toBeGreaterThan(0);
    // Rounded timestamps would be multiples of 0.1 ms.
    const roundedUs = rows.map(({ gpu }) => (1000 * (gpu?.totalMs ?? 0)) % 100);
    expect(roundedUs.some((us) => us > 0.5 && us < 99.5)).toBe(true);
  });

  test("a page that crashes: the report of what was done before, and exit code 4", async () => {
    const file = join(temporaryFolder(), "bench.json");
    const running = bench("--device", "chrome", "--only", "ranks", ...SMALL, "--json", file);
    await running.saying("bench: 1 of 3");
    const { processes } = browsersOf(running.process.pid ?? 0);
    for (const { id } of processes.filter(({ command }) => command.includes("--type=renderer"))) {
      process.kill(id, "SIGKILL");
    }
    const { code, stderr } = await running.finished;
    expect(stderr).toMatch(/bench: .*: the page crashed\. Run again/);
    expect(code).toBe(4);
    const { cases, failed } = JSON.parse(readFileSync(file, "utf8")) as BenchReport;
    expect(cases.map(({ size }) => size)).toEqual(["16 x 500"]);
    expect(failed).toMatchObject([{ size: "256 x 1000", device: "chrome" }]);
  });

  test("no browser: exit code 4 and what to do", async () => {
    const env = { PUPPETEER_EXECUTABLE_PATH: "/nonexistent/chrome" };
    const { code, stderr } = await startBench(["--device", "chrome"], { env }).finished;
    expect(code).toBe(4);
    expect(stderr).toMatch(/^bench: PUPPETEER_EXECUTABLE_PATH: found no program at \/nonexistent\/chrome/m);
  });
});
