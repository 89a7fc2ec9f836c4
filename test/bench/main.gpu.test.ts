/** The bench as scripts start it: one small kernel on both devices, in seconds. */
import { describe, expect, test } from "vitest";
import type { BenchReport } from "../../bench/report.ts";
import { findSwiftShader } from "../../src/compute/webgpu/open-node-gpu.ts";
import { type Finished, startBench } from "../support/cli.ts";

const bench = (...args: readonly string[]): Promise<Finished> => startBench(args).finished;

describe("npm run bench", () => {
  test("--only NAME --json -: one document, both devices, answers checked", async () => {
    expect(findSwiftShader(), "apt-get install chromium libvulkan1").not.toBeNull();
    const { code, stdout, stderr } = await bench(
      ...["--only", "gram", "--sizes", "small", "--adapter", "software", "--seconds", "0", "--json", "-"],
    );
    expect(stderr).toMatch(/bench: 3 of 3, gram/);
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report.schema).toBe("brodmann/bench/1");
    expect(report.adapter?.kind).toBe("software adapter");
    expect(report.adapter?.limits.maxBufferSize).toBeGreaterThan(0);
    expect([report.skipped, report.failed]).toEqual([[], []]);
    // Chrome is started only where it is named.
    expect([report.chrome, report.peaks.chrome]).toEqual([null, null]);
    for (const { gflops, gbps } of [report.peaks.cpu, report.peaks.webgpu ?? report.peaks.cpu]) {
      expect(gflops).toBeGreaterThan(0);
      expect(gbps).toBeGreaterThan(0);
    }
    expect(report.peaks.webgpu).not.toBeNull();
    expect(report.cases.map(({ size, device }) => `${size} ${device}`)).toEqual(
      [512, 4096, 16384].flatMap((nodes) =>
        ["cpu", "webgpu", "webgpu"].map((device) => `${nodes} x (64 + 16) ${device}`),
      ),
    );
    for (const row of report.cases) {
      const isCpu = row.device === "cpu";
      expect(row.ranOn).toBe(isCpu ? "CPU" : "software adapter");
      expect(row.minMs).toBeLessThanOrEqual(row.medianMs);
      expect(row.medianMs).toBeLessThanOrEqual(row.p95Ms);
      expect(row.runs).toBeGreaterThanOrEqual(3);
      expect(row.gflops).toBeGreaterThan(0);
      const bestMs = row.ratesFrom === "gpu" ? (row.gpu?.totalMs ?? 0) : row.minMs;
      expect(row.gflops).toBeCloseTo((row.flops ?? 0) / bestMs / 1e6, 6);
      // The sums differ in their last bits between the devices: that they were compared shows in the difference.
      if (isCpu) expect(row.checked.difference).toBeNull();
      else expect(row.checked.difference).toBeGreaterThan(0);
      expect(row.checked.difference ?? 0).toBeLessThanOrEqual(row.checked.tolerance);
      expect(row.gpu?.kernels.map(({ kernel, dispatches }) => [kernel, dispatches])).toEqual(
        isCpu ? undefined : [[row.form === "subgroups" ? "gram-subgroups" : "gram", 1]],
      );
    }
  });

  test("--list names kernels and sizes; unknown names and values end with 2", async () => {
    const [listed, unknown, value] = await Promise.all([
      bench("--list"),
      bench("--only", "cromulence"),
      bench("--device", "cpu,abacus"),
    ]);
    expect(listed.stdout).toMatch(/^correlation: .*\n {4}.*16384 x 8192 \(full\)/m);
    expect([unknown.code, value.code]).toEqual([2, 2]);
    expect(unknown.stderr).toMatch(/found cromulence, expected a part of one of weight-norms/);
    expect(value.stderr).toMatch(/found abacus, expected cpu or webgpu or chrome/);
  });
});
