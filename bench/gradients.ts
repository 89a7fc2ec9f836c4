/**
 * Gradients: how long do forward and backward pass take, with respect to the input, on two convolutional networks of the
 * sizes of mnist-cnn and cifar-vgg with 64 inputs, and what does PyTorch take on the same two cores in the same window
 * (gradient with respect to the input alone, parameters without)?
 *
 * Roof: the backward pass has as many multiplications as the forward pass, as convolutions with rotated kernels, so
 * twice the forward pass's at the rate of a large product; what ReLU, pooling and batch norm read and write comes on top.
 *
 * Run: npx tsx bench/gradients.ts [--only mnist|cifar] [--python PROGRAM] [--turns N] [--json FILE]
 * PROGRAM is a Python with numpy and PyTorch; without it PyTorch is left out.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openGradients } from "../src/network/gradients.ts";
import { loadNetworkBytes } from "../src/network/network.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench } from "./harness.ts";
import { type PlanStep, plannedModel } from "./models.ts";
import { check, summarize } from "./timing.ts";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    python: { type: "string" },
    turns: { type: "string", default: "6" },
    json: { type: "string" },
  },
});
const turns = Number(flags.turns);
const RUNS = 4;
const ROWS = 64;

const conv = (width: number): PlanStep[] => [
  ["conv", width],
  ["relu", 0],
];
const dense = (width: number): PlanStep => ["dense", width];
const pool: PlanStep = ["pool", 0];
const norm: PlanStep = ["norm", 0];
const relu: PlanStep = ["relu", 0];
const flatten: PlanStep = ["flatten", 0];
const pair = (width: number): PlanStep[] => [...conv(width), norm, ...conv(width), pool, norm];
const NETWORKS: readonly { name: string; shape: readonly number[]; steps: readonly PlanStep[] }[] = [
  {
    name: "mnist-cnn",
    shape: [1, 28, 28],
    steps: [...conv(32), pool, ...conv(64), pool, ...conv(64), flatten, dense(128), relu, dense(10)],
  },
  {
    name: "cifar-vgg",
    shape: [3, 32, 32],
    steps: [...pair(32), ...pair(64), ...pair(128), flatten, dense(128), relu, dense(10)],
  },
];

const bench = await Bench.start("Gradients of 64 inputs");
for (const { name, shape, steps } of NETWORKS.filter((network) => network.name.includes(flags.only))) {
  const { model, parameters, multiplies } = plannedModel(steps, shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const random = rng(0, "bench gradients", name);
  const x = Float32Array.from({ length: ROWS * size }, () => random.uniform());
  const weights = Float32Array.from({ length: ROWS * 10 }, () => random.normal());
  const network = await loadNetworkBytes(model, name);
  const runner = await openGradients(network, "logits");
  const run = () => runner.run(x, weights, ROWS);
  const { gradient } = await run();
  const folder = mkdtempSync(join(tmpdir(), "brodmann-bench-"));
  const peer =
    flags.python === undefined
      ? null
      : await startPeer(flags.python, folder, { steps, shape, rows: ROWS }, [...parameters, x, weights]);
  try {
    if (peer !== null)
      checkSame(gradient, new Float32Array(readFileSync(peer.gradientPath).buffer.slice(0)), name);
    const ours: number[] = [];
    const theirs: number[] = [];
    // In turns, so that other load on the machine meets both; each begins with a pause and an untimed run, since the
    // other one's threads wait for work by spinning for a while.
    for (let turn = 0; turn < turns; turn++) {
      await settle(run);
      for (let i = 0; i < RUNS; i++) {
        const start = performance.now();
        await run();
        ours.push(performance.now() - start);
      }
      if (peer === null) continue;
      await settle(peer.run);
      for (let i = 0; i < RUNS; i++) theirs.push(await peer.run());
    }
    const rate = (times: readonly number[]) => (ROWS * 4 * multiplies) / summarize(times).minMs / 1e6;
    bench.record(name, ours, rate(ours), { "GFLOP/s": Math.round(rate(ours)) });
    if (peer !== null) {
      const ratio = summarize(theirs).minMs / summarize(ours).minMs;
      bench.record(`${name}, PyTorch ${peer.version}`, theirs, rate(theirs), {
        "GFLOP/s": Math.round(rate(theirs)),
        "our rate over its": ratio.toFixed(2),
      });
    }
  } finally {
    peer?.end();
    await runner.dispose();
    rmSync(folder, { recursive: true });
  }
}
await bench.finish();

async function settle(run: () => Promise<unknown>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await run();
}

/** Starts PyTorch on the same network, inputs and objective. */
async function startPeer(
  program: string,
  folder: string,
  plan: { readonly steps: readonly PlanStep[]; readonly shape: readonly number[]; readonly rows: number },
  values: readonly Float32Array[],
) {
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  writeFileSync(join(folder, "values.bin"), Buffer.concat(values.map((part) => Buffer.from(part.buffer))));
  const script = fileURLToPath(new URL("gradients-torch.py", import.meta.url));
  const child = spawn(program, [script, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("bench: PyTorch ended early");
    return value;
  };
  const version = (await next()).replace("ready ", "");
  return {
    version,
    gradientPath: join(folder, "gradient.bin"),
    async run(): Promise<number> {
      child.stdin.write("run\n");
      return Number(await next());
    },
    end: () => child.stdin.end(),
  };
}

/** Float32 sums in another order: equal to 1e-4 of the largest derivative. */
function checkSame(ours: Float32Array, theirs: Float32Array, name: string): void {
  let [largest, error] = [0, 0];
  ours.forEach((value, at) => {
    largest = Math.max(largest, Math.abs(value));
    error = Math.max(error, Math.abs(value - (theirs[at] ?? Number.NaN)));
  });
  check(
    ours.length === theirs.length && error < 1e-4 * largest,
    `${name}: gradients differ from PyTorch's by ${error} of ${largest}`,
  );
}
