/**
 * ONNX Runtime sessions, with errors in our words. What runs them is `ort-node.ts`; in the browser's bundle
 * `src/page/ort-web.ts` stands in its place.
 */
import { BrodmannError, messageOf } from "../errors.ts";
import { type OrtSession, openSession, type SessionSettings, Tensor, type Tensors } from "./ort-node.ts";

export { runtimeFacts } from "./ort-node.ts";
export { Tensor, type Tensors };

export interface SessionOptions extends SessionSettings {
  /** What the session is for, named in errors. */
  readonly label: string;
}

/** A model loaded into ONNX Runtime; `dispose()` frees its memory. */
export class Session {
  readonly #session: OrtSession;
  readonly #label: string;

  private constructor(session: OrtSession, label: string) {
    this.#session = session;
    this.#label = label;
  }

  /** Loads an encoded model. Throws `E_NETWORK_REJECTED` with ONNX Runtime's own words when it refuses it. */
  static async create(model: Uint8Array, options: SessionOptions): Promise<Session> {
    try {
      return new Session(await openSession(model, options), options.label);
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
    return this.#attempt(() => this.#session.run(inputs, outputs));
  }

  /** Runs that use the machine's cores when they are under way together; 1 where `run` does that alone. */
  get runsApart(): number {
    return this.#session.runsApart;
  }

  /**
   * Runs the model on one core, beside others that are under way. The values are taken before this returns; those of a
   * tensor that the same input was fed before are not looked at again.
   */
  async runApart(inputs: Tensors): Promise<Tensors> {
    return this.#attempt(() => this.#session.runApart(inputs));
  }

  async #attempt(work: () => Promise<Tensors>): Promise<Tensors> {
    try {
      return await work();
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
