import type { Session, Tensors } from "../runtime/session.ts";
import { floatTensor, type Tensor } from "../runtime/session.ts";
import type { Network } from "./network.ts";

/**
 * Runs lesions of one layer on a batch of inputs: `load` runs everything in front of the layer's output once,
 * `run` runs the rest for some lesions.
 */
export interface LesionRunner {
  /** Inputs of a batch, and lesions of one `run`, at the most. */
  readonly inputsAtOnce: number;
  readonly lesionsAtOnce: number;
  /** Takes a batch of `rows` inputs. */
  load(inputs: Float32Array, rows: number): Promise<void>;
  /** Log-probabilities, lesions x rows x classes, of the loaded batch; the array is reused by the next run. */
  run(lesions: readonly Int32Array[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Runs the part of the network in front of a cut; the network's input itself may cross the cut as well. */
export async function runPrefix(
  network: Network,
  prefix: Session,
  inputs: Float32Array,
  rows: number,
): Promise<Tensors> {
  const input = floatTensor(inputs, [rows, ...network.inputShape]);
  return { ...(await prefix.run({ [network.probe.input]: input })), [network.probe.input]: input };
}

/** A tensor by name that a model is known to make. */
export function tensorNamed(tensors: Tensors, name: string): Tensor {
  return tensors[name] as Tensor;
}
