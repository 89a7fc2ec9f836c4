/**
 * HDBSCAN: how long do patterns of up to 12,800 inputs take from their 2,048 activations, where does the time go, how much
 * memory, and what does scikit-learn's brute force take on the same points in the same window?
 *
 * Roof: the distances of n points of width w are n (n + 1) w operations; 12,800 x 2,048 are 3.4e11, 1.7 s at the 200
 * GFLOP/s that two quiet cores reach (the report holds the rate of the run). Behind them come passes over the matrix of
 * 655 MB: one that writes it (square roots and the mirror image), one that looks for close pairs, one for neighbours and
 * one for the tree, 0.1 s each at 8 GB/s. All of it grows by n^2.
 *
 * Aims: 12,800 x 2,048 in less than 8 s on two cores, and 4 n^2 bytes + 200 MB beyond what the process held with its input.
 *
 * Run: npx tsx bench/patterns.ts [--most 12800] [--runs 3] [--python PROGRAM] [--json FILE]
 * PROGRAM is a Python with scikit-learn 1.3 or later; without it scikit-learn is left out.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { hdbscan, type PointPatterns } from "../src/patterns/hdbscan.ts";
import { Bench } from "./harness.ts";
import { quickStream } from "./inputs.ts";
import { check } from "./timing.ts";

const { values: flags } = parseArgs({
  options: {
    most: { type: "string", default: "12800" },
    runs: { type: "string", default: "3" },
    python: { type: "string" },
    json: { type: "string" },
    memory: { type: "boolean", default: false },
  },
});
const WIDTH = 2048;
const BLOBS = 50;
const most = Number(flags.most);
const runs = Number(flags.runs);

/** Four of five points in blobs of different widths, the fifth anywhere. */
function blobs(count: number): Float32Array {
  const next = quickStream(1);
  const centres = Float32Array.from({ length: BLOBS * WIDTH }, next);
  const points = new Float32Array(count * WIDTH);
  for (let point = 0; point < count; point++) {
    const blob = (point - Math.floor(point / 5)) % BLOBS;
    const spread = 0.2 + 0.004 * blob;
    for (let column = 0; column < WIDTH; column++) {
      points[point * WIDTH + column] =
        point % 5 === 4 ? next() : (centres[blob * WIDTH + column] as number) + spread * (next() + next());
    }
  }
  return points;
}

const sizeOf = (count: number) => Math.max(5, Math.ceil(count / 1000));

/** Patterns, and what each phase took. */
async function run(compute: Awaited<ReturnType<typeof createCpuCompute>>, points: Float32Array) {
  const count = points.length / WIDTH;
  const rules = { minClusterSize: sizeOf(count), minSamples: 5, selection: "leaf", epsilon: 0 } as const;
  const start = performance.now();
  let productsMs = 0;
  const onProgress = ({ phase }: { phase: string }) => {
    if (phase === "patterns" && productsMs === 0) productsMs = performance.now() - start;
  };
  const settings = { ...rules, metric: "euclidean" } as const;
  const found = await hdbscan(compute, points, count, WIDTH, settings, { onProgress });
  return { found, distancesMs: productsMs, allMs: performance.now() - start };
}

/** Bytes that the process holds, now and at most since it was last asked. */
function residentMb(): { now: number; peak: number } {
  const status = readFileSync("/proc/self/status", "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}

/** Memory of the largest problem beyond what a process of its own held with the points. */
function measureMemory(): Readonly<Record<string, number>> {
  const script = fileURLToPath(import.meta.url);
  const call = [...process.execArgv, script, "--memory", "--most", String(most)];
  const printed = execFileSync(process.execPath, call, { encoding: "utf8" });
  const { beforeMb, peakMb } = JSON.parse(printed) as { beforeMb: number; peakMb: number };
  const matrixMb = Math.round((4 * most * most) / 2 ** 20);
  return { "MB beyond the points": Math.round(peakMb - beforeMb), "of matrix": matrixMb };
}

/** Pairs of points of one pattern on which two results differ, as a share of those of either; 0 for the same patterns. */
function pairDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (labels: readonly string[]) => {
    const sizes = new Map<string, number>();
    for (const label of labels) if (!label.includes("-1")) sizes.set(label, (sizes.get(label) ?? 0) + 1);
    return [...sizes.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  };
  const [ofA, ofB] = [Array.from(a, String), Array.from(b, String)];
  const both = pairs(ofA.map((label, i) => `${label} ${ofB[i]}`));
  return 1 - both / Math.max(1, pairs(ofA) + pairs(ofB) - both);
}

const compute = await createCpuCompute();
if (flags.memory) {
  const points = blobs(most);
  await run(compute, blobs(500));
  // Forgets the peak so far (man 5 proc).
  writeFileSync("/proc/self/clear_refs", "5");
  const before = residentMb().now;
  await run(compute, points);
  console.log(JSON.stringify({ beforeMb: before, peakMb: residentMb().peak }));
} else {
  const bench = await Bench.start("HDBSCAN");
  const memory = measureMemory();
  const folder = mkdtempSync(join(tmpdir(), "brodmann-bench-"));
  for (const count of [1280, 2560, 6400, 12_800].filter((size) => size <= most)) {
    const points = blobs(count);
    const operations = count * (count + 1) * WIDTH;
    const name = `${count} x ${WIDTH}`;
    let found: PointPatterns | null = null;
    const times = { all: [] as number[], distances: [] as number[], rest: [] as number[] };
    await run(compute, points.subarray(0, 500 * WIDTH));
    const theirs: number[] = [];
    let version = "";
    let difference = Number.NaN;
    for (let turn = 0; turn < runs; turn++) {
      const result = await run(compute, points);
      found = result.found;
      times.all.push(result.allMs);
      times.distances.push(result.distancesMs);
      times.rest.push(result.allMs - result.distancesMs);
      if (flags.python === undefined) continue;
      // In turns, so that other load on the machine meets both.
      const [pointsFile, labelsFile] = [join(folder, "points.f32"), join(folder, "labels.i32")];
      writeFileSync(pointsFile, points);
      const script = fileURLToPath(new URL("patterns-sklearn.py", import.meta.url));
      const sizes = [String(count), String(WIDTH), "1"];
      const printed = execFileSync(flags.python, [script, pointsFile, ...sizes, labelsFile], {
        encoding: "utf8",
      });
      const sklearn = JSON.parse(printed) as { seconds: number[]; version: string };
      theirs.push(...sklearn.seconds.map((seconds) => 1000 * seconds));
      version = sklearn.version;
      difference = pairDifference(
        found.labels,
        new Int32Array(new Uint8Array(readFileSync(labelsFile)).buffer),
      );
    }
    const patterns = found?.persistence.length ?? 0;
    check(
      patterns > 0 && !(difference > 0.05),
      `${name}: ${patterns} patterns, pairs differ by ${difference}`,
    );
    const load = (loadavg()[0] ?? Number.NaN).toFixed(1);
    const noise = Array.from(found?.labels ?? []).filter((label) => label < 0).length;
    const rate = (ms: readonly number[]) => operations / Math.min(...ms) / 1e6;
    bench.record(`${name} all`, times.all, rate(times.all), {
      patterns,
      noise,
      load,
      ...(count === most ? memory : {}),
    });
    bench.record(`${name} distances`, times.distances, rate(times.distances), {});
    bench.record(`${name} neighbours, tree, patterns`, times.rest, null, {});
    if (theirs.length > 0) {
      bench.record(`${name} scikit-learn ${version}`, theirs, null, {
        "pairs that differ": difference.toFixed(4),
      });
    }
  }
  rmSync(folder, { recursive: true });
  await bench.finish();
}
await compute.dispose();
