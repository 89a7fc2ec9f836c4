/**
 * Correlation on WebGPU: how fast are the two forms of the kernel, against one with one output per lane? Times are
 * those of the product alone; only products above the diagonal are counted. A software adapter is no GPU.
 *
 * Run: npx tsx bench/webgpu-correlation.ts [--units 1024] [--samples 2000] [--adapter any|hardware|software] [--json FILE]
 */
import { parseArgs } from "node:util";
import { CORRELATION_TILES, correlationSteps, rowStride } from "../src/compute/webgpu/correlation.ts";
import { fastestForm } from "../src/compute/webgpu/fastest-form.ts";
import { openNodeGpu, readShaderFile } from "../src/compute/webgpu/open-node-gpu.ts";
import { dispatch, type Step } from "../src/compute/webgpu/shader-kernel.ts";
import { readFloats } from "../src/compute/webgpu/transfer.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench, check } from "./harness.ts";

/** The textbook kernel: every lane computes one value of the whole square. */
const NAIVE = `
struct Params {
  rows: u32, columns: u32, stride: u32, first: u32, end: u32, is_diagonal: u32, is_first: u32, is_last: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> squared: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= params.rows * params.columns) { return; }
  let row = index / params.columns;
  let column = index % params.columns;
  var sum = 0.0;
  for (var i = params.first * 4u; i < params.end * 4u; i++) {
    sum += left[row * params.stride * 4u + i] * right[column * params.stride * 4u + i];
  }
  squared[index] = select(min(1.0, sum * sum), 0.0, row == column);
}`;

const { values: flags } = parseArgs({
  options: {
    units: { type: "string", default: "1024" },
    samples: { type: "string", default: "2000" },
    runs: { type: "string", default: "5" },
    adapter: { type: "string", default: "any" },
    json: { type: "string" },
  },
});
const units = Number(flags.units);
const samples = Number(flags.samples);
const runs = Number(flags.runs);
const device = await openNodeGpu({
  adapter: flags.adapter as "any" | "hardware" | "software",
  readShader: async (path) => (path === "naive.wgsl" ? NAIVE : readShaderFile(path)),
});
const stride = rowStride(samples);
const random = rng(0, "correlation bench");
const host = Float32Array.from({ length: units * stride }, (_, at) =>
  at % stride < samples ? random.normal() / Math.sqrt(samples) : 0,
);
const values = device.upload("bench/values", host);
const squared = device.buffer("bench/squared", 4 * units * units);
const rows = { rows: units, values };
const naive: Step[] = [
  dispatch(
    { ...CORRELATION_TILES, name: "naive" },
    {
      groups: Math.ceil((units * units) / 64),
      params: {
        rows: units,
        columns: units,
        stride: stride / 4,
        first: 0,
        end: stride / 4,
        is_diagonal: 0,
        is_first: 1,
        is_last: 1,
      },
      buffers: { left: values, right: values, squared },
    },
  ),
];
const { name, type } = device.facts;
const kind = type === "software" ? "software adapter, not a GPU" : "GPU";
const bench = await Bench.start(`Correlation of ${units} x ${samples} on ${name} (${kind})`);
const operations = samples * units * (units + 1);
const forms: readonly (readonly [string, readonly Step[]])[] = [
  ["one value per lane", naive],
  ["8 x 8 in registers", correlationSteps("registers", rows, rows, samples, squared)],
  ["128 x 128 workgroup tiles", correlationSteps("tiles", rows, rows, samples, squared)],
];
for (const [title, steps] of forms) {
  const work = async () => {
    await device.submit("bench", steps);
    await device.finish();
  };
  await work();
  await checkAnswer(title);
  const { medianMs } = await bench.add(title, work, { runs, operations });
  process.stderr.write(`${title}: ${(operations / medianMs / 1e6).toFixed(2)} GFLOP/s\n`);
}
process.stderr.write(`chosen: ${await fastestForm(device)}\n`);
await bench.finish();
device.dispose();

async function checkAnswer(title: string): Promise<void> {
  const found = await readFloats(device, squared);
  for (let pair = 0; pair < 50; pair++) {
    const [i, j] = [random.integer(units), random.integer(units)];
    let sum = 0;
    for (let s = 0; s < stride; s++) {
      sum += (host[i * stride + s] as number) * (host[j * stride + s] as number);
    }
    const expected = i === j ? 0 : Math.min(1, sum * sum);
    check(Math.abs((found[i * units + j] as number) - expected) < 1e-5, `${title}: pair ${i}, ${j} is wrong`);
  }
}
