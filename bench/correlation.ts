/**
 * Correlation graphs: how long do ranks, the triangular product and the whole take, and what share of the machine's
 * product rate is reached? Data as a ReLU layer gives them: 16 shared factors, about half of all values exact zeros.
 *
 * Run: npx tsx bench/correlation.ts [--units 4096] [--samples 5000] [--json FILE]
 */
import { parseArgs } from "node:util";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { rankerFor } from "../src/compute/cpu/ranks.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const { values: flags } = parseArgs({
  options: {
    units: { type: "string", default: "4096" },
    samples: { type: "string", default: "5000" },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
  },
});
const units = Number(flags.units);
const samples = Number(flags.samples);
const runs = Number(flags.runs);
const compute = await createCpuCompute();
const linear = layerOutputs(false);
const relu = layerOutputs(true);

const bench = await Bench.start(`Correlation of ${units} units over ${samples} samples`);
const pearson = await compute.correlations(relu.slice(), units, samples, "pearson");
const random = rng(1, "pairs");
for (let pair = 0; pair < 20; pair++) {
  const [i, j] = [random.integer(units), random.integer(units)];
  const expected = i === j ? 0 : squaredCorrelation(i, j);
  check(Math.abs((pearson.values[i * units + j] as number) - expected) < 1e-5, `pair ${i}, ${j} is wrong`);
}

// Only the products above the diagonal are counted as useful.
const operations = samples * units * (units + 1);
for (const [name, data] of [
  ["values", linear],
  ["half zeros", relu],
] as const) {
  const rank = rankerFor(samples);
  const ranks = new Float32Array(samples);
  await bench.add(
    `ranks, ${name}`,
    () => {
      for (let unit = 0; unit < units; unit++) {
        rank(data.subarray(unit * samples, (unit + 1) * samples), ranks);
      }
    },
    { runs },
  );
  for (const method of ["pearson", "spearman"] as const) {
    const scratch = new Float32Array(data.length);
    const prepare = () => scratch.set(data);
    const work = () => compute.correlations(scratch, units, samples, method);
    await bench.add(`${method}, ${name}`, work, { runs, operations, prepare });
  }
}
await bench.finish();
await compute.dispose();

function layerOutputs(isRectified: boolean): Float32Array {
  const factors = 16;
  const stream = rng(0, "correlation bench");
  const shared = Float32Array.from({ length: factors * samples }, stream.normal);
  const outputs = new Float32Array(units * samples);
  for (let unit = 0; unit < units; unit++) {
    const factor = Math.floor((unit * factors) / units);
    for (let sample = 0; sample < samples; sample++) {
      const value = 0.8 * stream.normal() + 0.6 * (shared[factor * samples + sample] as number);
      outputs[unit * samples + sample] = isRectified ? Math.max(0, value) : value;
    }
  }
  return outputs;
}

function squaredCorrelation(i: number, j: number): number {
  const [a, b] = [
    relu.subarray(i * samples, (i + 1) * samples),
    relu.subarray(j * samples, (j + 1) * samples),
  ];
  const mean = (row: Float32Array) => row.reduce((sum, value) => sum + value, 0) / samples;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let sample = 0; sample < samples; sample++) {
    const [x, y] = [(a[sample] as number) - meanA, (b[sample] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return (ab * ab) / (aa * bb);
}
