/**
 * ONNX Runtime sessions on the CPU. The only file that imports `onnxruntime-node`.
 */
import { availableParallelism } from "node:os";
import { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
import { BrodmannError, messageOf } from "../errors.ts";

export { Tensor };

/** Tensors by the name of the graph input or output they belong to. */
export type Tensors = Readonly<Record<string, Tensor>>;

export interface SessionOptions {
  /** What the session is for, named in errors. */
  readonly label: string;
  /** Threads of one operator; default: all cores. */
  readonly threads?: number;
  /** Switch off graph optimisation, for sessions that run once. */
  readonly isOneShot?: boolean;
  /**
   * Let the threads sleep between runs, for a session that runs now and then beside a busy one: threads that wait by
   * spinning would keep a core from the other.
   */
  readonly isOccasional?: boolean;
}

/** A model loaded into ONNX Runtime; `dispose()` frees its memory. */
export class Session {
  readonly #session: InferenceSession;
  readonly #label: string;

  private constructor(session: InferenceSession, label: string) {
    this.#session = session;
    this.#label = label;
  }

  /** Loads an encoded model. Throws `E_NETWORK_REJECTED` with ONNX Runtime's own words when it refuses it. */
  static async create(model: Uint8Array, options: SessionOptions): Promise<Session> {
    try {
      const session = await InferenceSession.create(model, {
        executionProviders: ["cpu"],
        intraOpNumThreads: options.threads ?? availableParallelism(),
        interOpNumThreads: 1,
        graphOptimizationLevel: options.isOneShot ? "disabled" : "all",
        ...(options.isOccasional ? { extra: { session: { intra_op: { allow_spinning: "0" } } } } : {}),
        // Only fatal: its errors reach people through ours.
        logSeverityLevel: 4,
      });
      return new Session(session, options.label);
    } catch (error) {
      throw new BrodmannError(
        "E_NETWORK_REJECTED",
        `${options.label}: ONNX Runtime refused the model: ${messageOf(error)}`,
        { hint: "Export the network with standard ONNX operators of opset 9 to 26.", cause: error },
      );
    }
  }

  /**
   * Runs the model. `outputs` may hold tensors to write into, which saves an allocation per run;
   * without it all outputs are allocated.
   */
  async run(inputs: Tensors, outputs?: Tensors): Promise<Tensors> {
    try {
      return outputs === undefined
        ? await this.#session.run(inputs)
        : await this.#session.run(inputs, outputs);
    } catch (error) {
      throw new BrodmannError("E_NETWORK_RUN", `${this.#label}: ${messageOf(error)}`, {
        hint: "Check that the inputs have the shape and the range that the network expects.",
        cause: error,
      });
    }
  }

  get inputNames(): readonly string[] {
    return this.#session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** A float32 tensor over `values` (not copied). */
export function floatTensor(values: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor("float32", values, dims);
}

/** The float32 values of a tensor; throws `E_NETWORK_TYPE` for any other type. */
export function floatValues(tensor: Tensor | undefined, name: string): Float32Array {
  if (tensor?.type === "float32" && tensor.data instanceof Float32Array) return tensor.data;
  throw new BrodmannError(
    "E_NETWORK_TYPE",
    `${name}: found ${tensor?.type ?? "no tensor"}, expected float32`,
    {
      hint: "Export the network with float32 activations.",
    },
  );
}

/** Version, execution providers and threads, for `doctor` and `run.json`. */
export function runtimeFacts(): { version: string; providers: string[]; threads: number } {
  return {
    version: env.versions.node ?? env.versions.common,
    providers: listSupportedBackends().map((backend) => backend.name),
    threads: availableParallelism(),
  };
}
