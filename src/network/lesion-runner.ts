import { type Session, Tensor, type Tensors } from "../runtime/session.ts";
import { batchesOf } from "./batching.ts";
import type { Network } from "./network.ts";
import { inputFeed } from "./network-input.ts";

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
  /** Takes as many other inputs, whose values then stand for those of lesioned units; of `resample` only. */
  loadDonors(inputs: Float32Array): Promise<void>;
  /** Log-probabilities, lesions x rows x classes, of the loaded batch; the array is reused by the next run. */
  run(lesions: readonly Int32Array[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Runs the part of the network in front of a cut on a batch, `rowsAtOnce` rows at a time, since its values may be far
 * larger than those that cross; the network's input itself may cross the cut as well.
 */
export async function runPrefix(
  network: Network,
  prefix: Session,
  inputs: Float32Array,
  rows: number,
  rowsAtOnce: number,
): Promise<Tensors> {
  const width = inputs.length / rows;
  const pieces: Tensors[] = [];
  for (const { start, rows: count } of batchesOf(rows, rowsAtOnce)) {
    const values = inputs.subarray(start * width, (start + count) * width);
    pieces.push(await prefix.run(inputFeed(network.probe, values, count)));
  }
  const [first = {}] = pieces;
  const made =
    pieces.length === 1
      ? first
      : Object.fromEntries(
          Object.keys(first).map((key) => [key, joinRows(pieces.map((piece) => tensorNamed(piece, key)))]),
        );
  return { ...made, ...inputFeed(network.probe, inputs, rows) };
}

/** Tensors one behind the other along their first axis, the batch. */
function joinRows(parts: readonly Tensor[]): Tensor {
  const rows = parts.reduce((total, { dims }) => total + (dims[0] as number), 0);
  const size = parts.reduce((total, part) => total + part.size, 0);
  const [first] = parts;
  const rest = first?.dims.slice(1) ?? [];
  const integers = first?.type === "int64";
  const values = integers ? new BigInt64Array(size) : new Float32Array(size);
  let offset = 0;
  for (const { data } of parts) {
    values.set(data as never, offset);
    offset += (data as Float32Array).length;
  }
  return new Tensor(integers ? "int64" : "float32", values as never, [rows, ...rest]);
}

/** A tensor by name that a model is known to make. */
export function tensorNamed(tensors: Tensors, name: string): Tensor {
  return tensors[name] as Tensor;
}
