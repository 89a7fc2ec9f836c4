/**
 * How long does `brodmann` take to answer, by command? Starts the built program (npm run build first) as users do.
 * `--help` must answer in under 200 ms (median of ten).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const RUNS = 10;
const HELP_LIMIT_MS = 200;
const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const model = fileURLToPath(new URL("../examples/mnist-mlp.onnx", import.meta.url));

const CASES: readonly { readonly args: readonly string[]; readonly says: string }[] = [
  { args: ["--help"], says: "Commands:" },
  { args: ["analyze", "--help"], says: "Flags:" },
  { args: ["doctor"], says: "ONNX Runtime" },
  { args: ["inspect", model], says: "5 layers, 1034 units" },
];

function run(args: readonly string[], says: string): number {
  const start = performance.now();
  const { stdout, status } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  const elapsedMs = performance.now() - start;
  check(status === 0 && stdout.includes(says), `brodmann ${args.join(" ")} exits with ${status}`);
  return elapsedMs;
}

const bench = await Bench.start("start of the program: how long until it has answered");
for (const { args, says } of CASES) {
  run(args, says);
  const times = Array.from({ length: RUNS }, () => run(args, says));
  const { medianMs } = bench.record(
    `brodmann ${args[0]} ${args.length > 1 ? "..." : ""}`.trim(),
    times,
    null,
    {},
  );
  if (args[0] === "--help") {
    check(
      medianMs < HELP_LIMIT_MS,
      `--help takes ${medianMs.toFixed(0)} ms, expected below ${HELP_LIMIT_MS}`,
    );
  }
}
await bench.finish();
