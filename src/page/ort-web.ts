/**
 * ONNX Runtime in the browser, in the place of `src/runtime/ort-node.ts`: its WebGPU provider on our own device, and its
 * CPU provider (WebAssembly) for what that one refuses. The only file that imports `onnxruntime-web`.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import type { OrtSession, SessionSettings, Tensors } from "../runtime/ort-node.ts";

export { Tensor };

/** Null: networks run on the CPU provider alone. */
let sharedDevice: GPUDevice | null = null;

/** Sets the runtime up. `folder` is the address of the package's `dist`; networks run on `device`, where one is given. */
export function startRuntime(folder: string, device: GPUDevice | null): void {
  sharedDevice = device;
  // Threads share memory, which only isolated pages may.
  env.wasm.numThreads = crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.asyncify.wasm", folder).href };
  env.logLevel = "fatal";
}

type Provider = "webgpu" | "wasm";

export async function openSession(model: Uint8Array, settings: SessionSettings): Promise<OrtSession> {
  // A session that runs once would spend its time on compiling shaders.
  let provider: Provider = sharedDevice === null || settings.isOneShot ? "wasm" : "webgpu";
  const create = () => inTurn(() => createSession(model, settings, provider));
  const turnToCpu = async (error: unknown): Promise<InferenceSession> => {
    if (provider === "wasm") throw error;
    provider = "wasm";
    return create();
  };
  let session = await create().catch(turnToCpu);
  async function run(inputs: Tensors, outputs?: Tensors): Promise<Tensors> {
    const attempt = () => inTurn(() => session.run(inputs));
    await letOthersRun();
    // Some operators are refused as late as in the first run.
    const made = await attempt().catch(async (error: unknown) => {
      const other = await turnToCpu(error);
      await session.release();
      session = other;
      return attempt();
    });
    return outputs === undefined ? made : copyInto(outputs, made);
  }
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run,
    runsApart: 1,
    runApart: run,
    release: () => session.release(),
  };
}

function createSession(
  model: Uint8Array,
  settings: SessionSettings,
  provider: Provider,
): Promise<InferenceSession> {
  const gpu =
    provider === "webgpu" && sharedDevice !== null ? [{ name: provider, device: sharedDevice }] : [];
  return InferenceSession.create(model, {
    executionProviders: [...gpu, "wasm"],
    ...(settings.hasDeviceOutputs && gpu.length > 0 ? { preferredOutputLocation: "gpu-buffer" } : {}),
    graphOptimizationLevel: settings.isOneShot ? "disabled" : "all",
    // Only fatal: its errors reach people through ours.
    logSeverityLevel: 4,
  });
}

/** The runtime gives results in memory of their own, whatever it is offered. */
function copyInto(outputs: Tensors, made: Tensors): Tensors {
  for (const [name, tensor] of Object.entries(outputs)) {
    (tensor.data as Float32Array).set(made[name]?.data as Float32Array);
  }
  return outputs;
}

let turn: Promise<unknown> = Promise.resolve();

/** Runs one after another: the runtime cannot be entered again while it waits for the GPU. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

/** Most time between two looks at what waits outside: progress to be sent, an interruption. */
const PATIENCE_MS = 50;
let lastPauseMs = performance.now();

/** Lets the page's other tasks run, now and then; a run on the CPU provider comes back without having done so. */
async function letOthersRun(): Promise<void> {
  if (performance.now() - lastPauseMs < PATIENCE_MS) return;
  await new Promise((resolve) => setTimeout(resolve));
  lastPauseMs = performance.now();
}

/** Version and threads, see `src/runtime/ort-node.ts`. */
export function runtimeFacts(): { version: string; providers: string[]; threads: number } {
  return {
    version: env.versions.web ?? env.versions.common,
    providers: sharedDevice === null ? ["wasm"] : ["webgpu", "wasm"],
    threads: env.wasm.numThreads ?? 1,
  };
}
