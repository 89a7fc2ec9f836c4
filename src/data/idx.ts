/**
 * IDX files as MNIST and its kin are published in.
 * Layout: two zero bytes, a type byte, the number of axes, their sizes as big-endian uint32, then the values.
 */
import { BrodmannError } from "../errors.ts";
import type { NpyArray, NpyType, NpyValues } from "./npy.ts";

interface IdxType {
  readonly dtype: NpyType;
  readonly bytes: number;
  readonly read: (view: DataView, count: number) => NpyValues;
}

const TYPES: Readonly<Record<number, IdxType>> = {
  8: {
    dtype: "uint8",
    bytes: 1,
    read: (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  },
  9: {
    dtype: "int8",
    bytes: 1,
    read: (view) => new Int8Array(view.buffer, view.byteOffset, view.byteLength),
  },
  11: {
    dtype: "int16",
    bytes: 2,
    read: (view, count) => fill(new Int16Array(count), (at) => view.getInt16(at * 2)),
  },
  12: {
    dtype: "int32",
    bytes: 4,
    read: (view, count) => fill(new Int32Array(count), (at) => view.getInt32(at * 4)),
  },
  13: {
    dtype: "float32",
    bytes: 4,
    read: (view, count) => fill(new Float32Array(count), (at) => view.getFloat32(at * 4)),
  },
  14: {
    dtype: "float64",
    bytes: 8,
    read: (view, count) => fill(new Float64Array(count), (at) => view.getFloat64(at * 8)),
  },
};

/** True when the bytes begin like an IDX file. */
export function isIdx(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && TYPES[bytes[2] ?? 0] !== undefined && (bytes[3] ?? 0) > 0;
}

/** Reads an unpacked IDX file. Throws `E_INPUT_IDX` when it is none, or is not as long as its header says. */
export function parseIdx(bytes: Uint8Array, where: string): NpyArray {
  const type = TYPES[bytes[2] ?? 0];
  const axes = bytes[3] ?? 0;
  const start = 4 + 4 * axes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isIdx(bytes) || !type || bytes.length < start) {
    throw new BrodmannError("E_INPUT_IDX", `${where}: found no IDX header`, {
      hint: "Pass an IDX file or its .gz.",
    });
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== count * type.bytes) {
    throw new BrodmannError(
      "E_INPUT_IDX",
      `${where}: found ${bytes.length - start} bytes of values, expected ${count * type.bytes} for ${type.dtype} of shape (${shape.join(", ")})`,
      { hint: "The file is truncated or damaged; fetch it again." },
    );
  }
  const values = new DataView(bytes.buffer, bytes.byteOffset + start, count * type.bytes);
  return { shape, dtype: type.dtype, values: type.read(values, count) };
}

function fill<T extends NpyValues>(values: T, read: (at: number) => number): T {
  for (let at = 0; at < values.length; at++) values[at] = read(at);
  return values;
}
