import { type Session, Tensor, type Tensors } from "../runtime/session.ts";
import { batchesOf } from "./batching.ts";
import type { Network } from "./network.ts";
import { inputFeed } from "./network-input.ts";
import { runAhead, widthOf } from "./run-ahead.ts";

/** Runs lesions of one layer, batch by batch of inputs. */
export interface LesionRunner {
  /** Inputs of a batch, and lesions of one run, at the most. */
  readonly inputsAtOnce: number;
  readonly lesionsAtOnce: number;
  /** Runs apart (`LesionBatch.runApart`) that use the machine when they are under way together; 1 where none should. */
  readonly runsApart: number;
  /** Runs everything in front of the layer's output for a batch of `rows` inputs. */
  load(inputs: Float32Array, rows: number): Promise<LesionBatch>;
  dispose(): Promise<void>;
}

/** A batch of inputs for which everything in front of a layer's output is done. Lesioned units give nothing. */
export interface LesionBatch {
  /** Memory that it holds, in bytes. */
  readonly bytes: number;
  /** Log-probabilities, lesions x rows x classes; the array is used again by the runner's next `run`. */
  run(lesions: readonly Int32Array[]): Promise<Float32Array>;
  /** The same on one core, beside other runs, into an array of its own. */
  runApart(lesions: readonly Int32Array[]): Promise<Float32Array>;
  /** The same inputs, with the layer's mean output (row-major for one input) for the values of lesioned units. */
  withMeans(means: Float32Array): LesionBatch;
  /** The same inputs with as many others, whose values stand for those of lesioned units. */
  withDonors(inputs: Float32Array): Promise<LesionBatch>;
}

/** Lesions that run together: `rows` of them from `start` on. */
export interface LesionGroup {
  readonly start: number;
  readonly rows: number;
}

/** Log-probabilities of groups of lesions, in the groups' order; where there are many of them, side by side. */
export function runGroups(
  runner: LesionRunner,
  batch: LesionBatch,
  lesions: readonly Int32Array[],
  groups: readonly LesionGroup[],
): AsyncGenerator<readonly [LesionGroup, Float32Array]> {
  const width = widthOf(runner, groups.length);
  return runAhead(groups, width, ({ start, rows }) => {
    const sets = lesions.slice(start, start + rows);
    return width > 1 ? batch.runApart(sets) : batch.run(sets);
  });
}

/** Memory of tensors, in bytes. */
export function bytesOf(tensors: Iterable<Tensor>): number {
  let bytes = 0;
  for (const { data } of tensors) bytes += (data as Float32Array).byteLength;
  return bytes;
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
