/**
 * ONNX Runtime's CPU provider. The only file that imports `onnxruntime-node`.
 */
import "./no-telemetry.ts";
import { availableParallelism } from "node:os";
import { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
import { ThreadedSession, threadsFor } from "./session-threads.ts";

export { Tensor };

/** Tensors by the name of the graph input or output they belong to. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** A tensor by its input or output, as plain data. */
export interface PlainTensor extends Pick<Tensor, "type" | "dims" | "data"> {
  readonly name: string;
}

export function tensorOf({ type, data, dims }: PlainTensor): Tensor {
  return new Tensor(type as "float32", data as Float32Array, dims);
}

export interface SessionSettings {
  /** Threads of one operator; default: all cores. */
  readonly threads?: number;
  /** Switch off graph optimisation, for sessions that run once. */
  readonly isOneShot?: boolean;
  /**
   * Let the threads sleep between runs, for a session that runs now and then beside a busy one: threads that wait by
   * spinning would keep a core from the other.
   */
  readonly isOccasional?: boolean;
  /** Outputs may stay on the GPU that the network runs on (as `gpu-buffer` tensors); the caller disposes of them. */
  readonly hasDeviceOutputs?: boolean;
  /** Several runs may be under way together, each on one core, where the machine has several (`runApart`). */
  readonly isParallel?: boolean;
}

/** A loaded model. Errors are ONNX Runtime's own. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Writes into `outputs` where they are given. */
  run(inputs: Tensors, outputs?: Tensors): Promise<Tensors>;
  /** Runs that use the machine when they are under way together; 1 where that is no quicker than `run`. */
  readonly runsApart: number;
  /** Runs on a core of its own. A tensor that the same input was fed before must not have changed. */
  runApart(inputs: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

export async function openSession(model: Uint8Array, settings: SessionSettings): Promise<OrtSession> {
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: settings.threads ?? availableParallelism(),
    interOpNumThreads: 1,
    graphOptimizationLevel: settings.isOneShot ? "disabled" : "all",
    ...(settings.isOccasional ? { extra: { session: { intra_op: { allow_spinning: "0" } } } } : {}),
    // Only fatal: its errors reach people through ours.
    logSeverityLevel: 4,
  });
  const threads = settings.isParallel ? threadsFor(model.length) : 1;
  const apart = threads > 1 ? new ThreadedSession(model, threads) : null;
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (inputs, outputs) => (outputs === undefined ? session.run(inputs) : session.run(inputs, outputs)),
    runsApart: apart === null ? 1 : threads,
    async runApart(inputs) {
      if (apart === null) return session.run(inputs);
      const outputs = await apart.run(inputs);
      return Object.fromEntries(outputs.map((output) => [output.name, tensorOf(output)]));
    },
    async release() {
      apart?.release();
      await session.release();
    },
  };
}

/** Version, execution providers and threads, for `doctor` and `run.json`. */
export function runtimeFacts(): { version: string; providers: string[]; threads: number } {
  return {
    version: env.versions.node ?? env.versions.common,
    providers: listSupportedBackends().map((backend) => backend.name),
    threads: availableParallelism(),
  };
}
