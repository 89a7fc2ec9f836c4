/**
 * ONNX Runtime in the browser, in the place of `src/runtime/ort-node.ts`: its WebGPU provider on our own device, and its
 * CPU provider (WebAssembly) for what that one refuses or gets wrong. The only file that imports `onnxruntime-web`.
 *
 * What onnxruntime-web 1.30.0 (and onnxruntime-node's provider) gets wrong without an error, seen on SwiftShader and found in
 * its sources, where nothing of it depends on the GPU; all in the layout NHWC, which it chooses for convolutions (the first
 * fits onnxruntime #29651):
 * - Conv with group = 1 whose input channels are a multiple of 3 above 3 and not of 4, and whose output channels are a
 *   multiple of 4; but for kernels of 1 x 1 with stride 1, and for kernels as large as their input, without padding. It
 *   reads the channels from c / 4 on in the place of those from c on.
 * - Conv with group > 1 that has 4 or more output channels in each group, where vectors of 4 (or 2, by what divides the
 *   number of output channels) reach across the end of a group: 12 in 2 groups, 10 in 2 groups. The channels behind that
 *   end, in the same vector, are made from the inputs of the group before.
 * Both are right in the layout NCHW, whose shaders have no vectors.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import type { OrtSession, SessionSettings, Tensors } from "../runtime/ort-node.ts";
import { type NamedValues, outputsAgree } from "./outputs-agree.ts";

export { Tensor };

/** Null: networks run on the CPU provider alone. */
let sharedDevice: GPUDevice | null = null;
let notify: (message: string) => void = () => {};
const notices = new Set<string>();

/**
 * Sets the runtime up. `folder` is the address of the package's `dist`; networks run on `device`, where one is given.
 * `onNotice` is told, once each, what people should know of how they run.
 */
export function startRuntime(
  folder: string,
  device: GPUDevice | null,
  onNotice: (message: string) => void = () => {},
): void {
  sharedDevice = device;
  notify = onNotice;
  // Threads share memory, which only isolated pages may.
  env.wasm.numThreads = crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.asyncify.wasm", folder).href };
  env.logLevel = "fatal";
}

/** What runs a session: WebGPU with convolutions in one of two layouts, or the CPU. */
type Place = "NHWC" | "NCHW" | "wasm";

/** Where a session goes whose values were wrong. */
const NEXT: Readonly<Record<"NHWC" | "NCHW", Place>> = { NHWC: "NCHW", NCHW: "wasm" };

/**
 * A session on the GPU is compared with the CPU provider in its first run, and again in runs that make more values than
 * what was compared (GPUs have limits that only large runs meet); it goes elsewhere where the two differ. Other runs are
 * taken as they are.
 */
export async function openSession(model: Uint8Array, settings: SessionSettings): Promise<OrtSession> {
  // A session that runs once would spend its time on compiling shaders.
  let place: Place = sharedDevice === null || settings.isOneShot ? "wasm" : "NHWC";
  const create = (at: Place) => inTurn(() => createSession(model, settings, at));
  let session = await create(place).catch((error: unknown) => {
    if (place === "wasm") throw error;
    place = "wasm";
    return create(place);
  });
  let compared = 0;
  const move = async (to: Place): Promise<void> => {
    const other = await create(to);
    await session.release();
    session = other;
    place = to;
  };
  const runHere = (inputs: Tensors): Promise<Tensors> => {
    const run = () => inTurn(() => session.run(inputs));
    return run().catch(async (error: unknown) => {
      // Some operators are refused as late as in the first run.
      if (place === "wasm") throw error;
      await move("wasm");
      return run();
    });
  };
  const oneByOne = createQueue();
  const run = (inputs: Tensors, outputs?: Tensors): Promise<Tensors> =>
    oneByOne(async () => {
      await letOthersRun();
      let made = await runHere(inputs);
      const size = sizeOf(made);
      while (place !== "wasm" && size > compared) {
        if (await isRight(model, inputs, made)) compared = size;
        else {
          await move(NEXT[place]);
          tell(place);
          made = await runHere(inputs);
        }
      }
      return outputs === undefined ? made : copyInto(outputs, made);
    });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run,
    runsApart: 1,
    runApart: run,
    release: () => session.release(),
  };
}

/** Values of all tensors; not zero. */
function sizeOf(tensors: Tensors): number {
  return Object.values(tensors).reduce((total, { size }) => total + size, 1);
}

/** Whether the outputs are those of the CPU provider. Brings them into main memory. */
async function isRight(model: Uint8Array, inputs: Tensors, made: Tensors): Promise<boolean> {
  const reference = await inTurn(() => createSession(model, { isOneShot: true }, "wasm"));
  try {
    for (const tensor of Object.values(made)) await inTurn(() => tensor.getData(true));
    const declared = reference.inputMetadata.map((input) => ({
      name: input.name,
      shape: input.isTensor ? input.shape : [],
    }));
    return await outputsAgree(made, inputs, declared, (some) => inTurn(() => reference.run(tensorsOf(some))));
  } finally {
    await reference.release();
  }
}

function tensorsOf(values: NamedValues): Tensors {
  const named = Object.entries(values).map(([name, { type, data, dims }]): [string, Tensor] => [
    name,
    new Tensor(type as Tensor.Type, data as never, dims),
  ]);
  return Object.fromEntries(named);
}

function tell(place: Place): void {
  const instead =
    place === "wasm"
      ? "it runs on the CPU instead, which is slower"
      : "its convolutions run in another layout (NCHW) instead";
  const message = `networks: the WebGPU provider of ONNX Runtime gives wrong values for a part of this network; ${instead}`;
  if (notices.has(message)) return;
  notices.add(message);
  notify(message);
}

function createSession(
  model: Uint8Array,
  settings: SessionSettings,
  place: Place,
): Promise<InferenceSession> {
  const gpu =
    place !== "wasm" && sharedDevice !== null
      ? [{ name: "webgpu", device: sharedDevice, preferredLayout: place } as const]
      : [];
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

/** What is given to it runs one after another. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };
}

/** The runtime cannot be entered again while it waits for the GPU. */
const inTurn = createQueue();

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
