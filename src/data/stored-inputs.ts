import { BrodmannError } from "../errors.ts";
import type { NpyValues } from "./npy.ts";

/** Mean and standard deviation of every channel, and where the channels lie. */
export interface Channels {
  readonly mean: Float64Array;
  readonly std: Float64Array;
  /** Values between one channel's neighbours, and values of one run of a channel. */
  readonly stride: number;
}

/**
 * Inputs as they are stored and how they are read: plain data, so that they can be sent to where they are needed.
 */
export interface StoredInputs {
  readonly count: number;
  /** Values of one input. */
  readonly size: number;
  /** Count x size, in the type of the file. */
  readonly values: NpyValues;
  /** Whether they are bytes of images, read as value / 255. */
  readonly isByte: boolean;
  readonly channels: Channels | null;
  /** Each input is read as rows x columns and handed on as columns x rows, one such turn after another. */
  readonly transposed: readonly { readonly rows: number; readonly columns: number }[];
}

type Batches = (start: number, count: number) => Float32Array;

/** What the functions of `batchesOf` read from. */
const sources = new WeakMap<Batches, StoredInputs>();

/**
 * A function that gives the inputs `start` ... `start + count - 1` as float32, row-major.
 *
 * @example
 * const first = batchesOf(stored)(0, 100);
 */
export function batchesOf(stored: StoredInputs): Batches {
  const batches: Batches = (start, count) => readInputs(stored, start, count);
  sources.set(batches, stored);
  return batches;
}

/** What a function of `batchesOf` reads from, null for any other. */
export function storedBehind(batches: Batches): StoredInputs | null {
  return sources.get(batches) ?? null;
}

/** The same batches with every input, read as rows x columns, handed on as columns x rows. */
export function transposedBatches(batches: Batches, rows: number, columns: number): Batches {
  const stored = storedBehind(batches);
  if (stored === null) return (start, count) => transpose(batches(start, count), rows, columns);
  return batchesOf({ ...stored, transposed: [...stored.transposed, { rows, columns }] });
}

function readInputs(stored: StoredInputs, start: number, count: number): Float32Array {
  const { size, isByte, channels, transposed } = stored;
  if (start < 0 || count < 0 || start + count > stored.count) {
    throw new BrodmannError("E_INTERNAL_BATCH", `inputs ${start} to ${start + count} of ${stored.count}`);
  }
  const source = stored.values.subarray(start * size, (start + count) * size);
  let values = new Float32Array(source.length);
  if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
    for (let at = 0; at < values.length; at++) values[at] = Number(source[at]);
  } else if (!isByte) {
    values.set(source);
  } else {
    for (let at = 0; at < values.length; at++) values[at] = (source[at] as number) / 255;
  }
  if (channels) normalise(values, channels);
  for (const { rows, columns } of transposed) values = transpose(values, rows, columns);
  return values;
}

/** (x - mean) / std in place; channels repeat every `stride` x their number. */
function normalise(values: Float32Array, { mean, std, stride }: Channels): void {
  let channel = 0;
  for (let start = 0; start < values.length; start += stride) {
    const centre = mean[channel] as number;
    const spread = std[channel] as number;
    for (let at = start; at < start + stride; at++) values[at] = ((values[at] as number) - centre) / spread;
    channel = channel + 1 === mean.length ? 0 : channel + 1;
  }
}

/** Turns every rows x columns matrix of `source`. */
function transpose(source: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(source.length);
  for (let offset = 0; offset < source.length; offset += rows * columns) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        values[offset + column * rows + row] = source[offset + row * columns + column] as number;
      }
    }
  }
  return values;
}
