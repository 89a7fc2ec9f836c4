/**
 * The explorer's computations, away from the page that shows them: opens the GPU, runs one analysis, and is ended by the page
 * when that is done or given up. Nothing leaves the browser.
 */
import { createCpuCompute } from "../compute/cpu/cpu-compute.ts";
import { createWebgpuCompute } from "../compute/webgpu/webgpu-compute.ts";
import { type Engine, localEngine } from "../engine.ts";
import { BrodmannError, messageOf } from "../errors.ts";
import { openGpu, shadersBelow } from "../page/open-gpu.ts";
import { runtimeFacts, startRuntime } from "../page/ort-web.ts";
import type { Progress } from "../progress.ts";
import type { DeviceFacts, RunRequest, WorkerMessage } from "./messages.ts";
import { runAnalysis } from "./run-analysis.ts";

const say = (message: WorkerMessage): void => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<RunRequest>) => {
  work(data).catch((error: unknown) => {
    const { code, hint } = error instanceof BrodmannError ? error : { code: "", hint: "" };
    say({ kind: "error", code, hint, message: messageOf(error) });
  });
});

async function work(request: RunRequest): Promise<void> {
  const { engine, facts, lost } = await openEngine();
  say({ kind: "device", facts });
  await Promise.race([
    lost,
    runAnalysis(request, engine, {
      device: { ...facts },
      onProgress: report,
      onReport: (data, isFinal) => say({ kind: "report", data, isFinal }),
    }),
  ]);
}

interface Opened {
  readonly engine: Engine;
  readonly facts: DeviceFacts;
  /** Rejects once the GPU is lost. */
  readonly lost: Promise<never>;
}

const notify = (message: string): void => say({ kind: "notice", message });

async function openEngine(): Promise<Opened> {
  const runtime = new URL("ort/", location.href).href;
  const found = await openGpu(shadersBelow(location.href));
  if (found === null) {
    startRuntime(runtime, null, notify);
    const engine = localEngine(await createCpuCompute());
    return {
      engine,
      facts: { adapter: null, networks: "wasm", threads: runtimeFacts().threads },
      lost: never,
    };
  }
  const { gpu, device, facts } = found;
  const networks = facts.type === "hardware" ? "webgpu" : "wasm";
  startRuntime(runtime, networks === "webgpu" ? device : null, notify);
  const lost = device.lost.then(({ message }) => {
    throw new BrodmannError("E_DEVICE_LOST", `the GPU was lost (${message || "no reason given"})`, {
      hint: "Start the analysis again; with a smaller network or fewer inputs where it happens again.",
    });
  });
  return {
    engine: localEngine(createWebgpuCompute(gpu)),
    facts: { adapter: { name: facts.name, type: facts.type }, networks, threads: runtimeFacts().threads },
    lost,
  };
}

const never = new Promise<never>(() => {});

/** A message takes longer than many steps: as many as an eye can follow. */
const INTERVAL_MS = 100;
let lastMs = Number.NEGATIVE_INFINITY;

function report(progress: Progress): void {
  const now = performance.now();
  const isEdge = progress.done === 0 || progress.done === progress.total;
  if (!isEdge && now - lastMs < INTERVAL_MS) return;
  lastMs = now;
  say({ kind: "progress", progress });
}
