/**
 * NumPy's .npy format, versions 1.0 to 3.0.
 * Source: NumPy Enhancement Proposal 1 and the `numpy.lib.format` documentation.
 */
import { BrodmannError } from "../errors.ts";

/** Values of an array in C order; float16 is widened to float32, bool is 0 or 1 in bytes. */
export type NpyValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Element types by NumPy's name; `bytes` and `unicode` are text of a fixed width, the last axis of the shape. */
export type NpyType =
  | "float16"
  | "float32"
  | "float64"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool"
  | "bytes"
  | "unicode";

/** An array: values in C order whatever order the file had. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly dtype: NpyType;
  readonly values: NpyValues;
}

interface TypeFacts {
  readonly code: string;
  readonly bytes: number;
  /** Wraps memory that is aligned and in this machine's byte order. */
  readonly wrap: (buffer: ArrayBufferLike, offset: number, count: number) => NpyValues;
}

const TYPES: Readonly<Record<NpyType, TypeFacts>> = {
  float16: { code: "f2", bytes: 2, wrap: (b, o, n) => widenHalf(new Uint16Array(b, o, n)) },
  float32: { code: "f4", bytes: 4, wrap: (b, o, n) => new Float32Array(b, o, n) },
  float64: { code: "f8", bytes: 8, wrap: (b, o, n) => new Float64Array(b, o, n) },
  int8: { code: "i1", bytes: 1, wrap: (b, o, n) => new Int8Array(b, o, n) },
  int16: { code: "i2", bytes: 2, wrap: (b, o, n) => new Int16Array(b, o, n) },
  int32: { code: "i4", bytes: 4, wrap: (b, o, n) => new Int32Array(b, o, n) },
  int64: { code: "i8", bytes: 8, wrap: (b, o, n) => new BigInt64Array(b, o, n) },
  uint8: { code: "u1", bytes: 1, wrap: (b, o, n) => new Uint8Array(b, o, n) },
  uint16: { code: "u2", bytes: 2, wrap: (b, o, n) => new Uint16Array(b, o, n) },
  uint32: { code: "u4", bytes: 4, wrap: (b, o, n) => new Uint32Array(b, o, n) },
  uint64: { code: "u8", bytes: 8, wrap: (b, o, n) => new BigUint64Array(b, o, n) },
  bool: { code: "b1", bytes: 1, wrap: (b, o, n) => new Uint8Array(b, o, n) },
  bytes: { code: "S", bytes: 1, wrap: (b, o, n) => new Uint8Array(b, o, n) },
  unicode: { code: "U", bytes: 4, wrap: (b, o, n) => new Uint32Array(b, o, n) },
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** True when the bytes begin like a .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((value, at) => bytes[at] === value);
}

/**
 * Reads a .npy file. Values share the memory of `bytes` where order and alignment allow it.
 * Throws `E_INPUT_NPY` for anything that is not a whole .npy file of numbers, and `E_INPUT_NPY_OBJECT` for
 * pickled objects, which can run code and are never read. `where` names the file in errors.
 *
 * @example
 * const { shape, dtype, values } = parseNpy(await readBytes("x.npy"), "x.npy");
 */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const header = parseHeader(bytes, where);
  const type = TYPES[header.dtype];
  const count = header.shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - header.end;
  if (!Number.isSafeInteger(count) || found !== count * type.bytes) {
    throw new BrodmannError(
      "E_INPUT_NPY",
      `${where}: found ${found} bytes of values, expected ${count * type.bytes} for ${header.dtype} of shape (${header.shape.join(", ")})`,
      { hint: "The file is truncated or damaged; write it again." },
    );
  }
  let raw = bytes.subarray(header.end);
  if (header.isLittleEndian !== IS_LITTLE_ENDIAN && type.bytes > 1) raw = swapBytes(raw, type.bytes);
  // Not `slice`, which does not copy when the bytes are a Buffer.
  if (raw.byteOffset % type.bytes !== 0) raw = new Uint8Array(raw);
  const values = type.wrap(raw.buffer, raw.byteOffset, count);
  return {
    shape: header.shape,
    dtype: header.dtype,
    values: header.isFortran ? toRowMajor(values, header.shape) : values,
  };
}

interface Header {
  readonly shape: readonly number[];
  readonly dtype: NpyType;
  readonly isFortran: boolean;
  readonly isLittleEndian: boolean;
  /** Where the values begin. */
  readonly end: number;
}

function parseHeader(bytes: Uint8Array, where: string): Header {
  const fail = (found: string): never => {
    throw new BrodmannError("E_INPUT_NPY", `${where}: ${found}`, {
      hint: "Write the array with numpy.save.",
    });
  };
  if (!isNpy(bytes)) fail("found no .npy header, expected the bytes 93 4E 55 4D 50 59");
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3) fail(`found .npy version ${major}, expected 1 to 3`);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) fail("found a truncated header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < end) fail("found a truncated header");
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, end));

  const descr = /'descr'\s*:\s*(?:'([^']*)'|\[)/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const dims = /'shape'\s*:\s*\(([\d\sL,]*)\)/.exec(text);
  if (!descr || !order || !dims) return fail(`found the header ${JSON.stringify(text.trim())}`);
  const code = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(descr[1] ?? "");
  if (code?.[2] === "O") {
    throw new BrodmannError(
      "E_INPUT_NPY_OBJECT",
      `${where}: found pickled Python objects, expected numbers`,
      {
        hint: "Save a numeric array: numpy.save(path, numpy.asarray(values, dtype='float32')).",
      },
    );
  }
  const shape = (dims[1] ?? "")
    .split(",")
    .flatMap((size) => (size.trim() === "" ? [] : [Number.parseInt(size, 10)]));
  const isText = code?.[2] === "S" || code?.[2] === "U";
  const wanted = isText ? code[2] : `${code?.[2]}${code?.[3]}`;
  const dtype = (Object.keys(TYPES) as NpyType[]).find((name) => TYPES[name].code === wanted);
  if (!code || !dtype) {
    return fail(`found element type ${descr[1] ?? "of several fields"}, expected float, int, uint or bool`);
  }
  if (isText) {
    // The characters of one text are the last axis here, but not in the file.
    if (order[1] === "True") return fail("found text in Fortran order");
    shape.push(Number(code[3]));
  }
  return { shape, dtype, isFortran: order[1] === "True", isLittleEndian: code[1] !== ">", end };
}

/**
 * A .npy file (version 1.0, little-endian, C order) as header and values, apart so that big arrays are not
 * copied; the values share the memory of `array`. `float16` cannot be written.
 */
export function formatNpyParts(array: NpyArray): [header: Uint8Array, values: Uint8Array] {
  const { dtype, values } = array;
  const type = TYPES[dtype];
  if (values.BYTES_PER_ELEMENT !== type.bytes) {
    throw new BrodmannError(
      "E_INTERNAL_NPY",
      `npy: found ${values.BYTES_PER_ELEMENT}-byte values for ${dtype}`,
    );
  }
  const isText = dtype === "bytes" || dtype === "unicode";
  const shape = isText ? array.shape.slice(0, -1) : array.shape;
  const code = isText ? `${type.code}${array.shape.at(-1)}` : type.code;
  const order = type.bytes === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Values begin at a multiple of 64 bytes, as NumPy writes them, and the header ends in a newline.
  const size = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = new Uint8Array(size).fill(0x20);
  header.set([...MAGIC, 1, 0, (size - 10) & 0xff, (size - 10) >> 8]);
  header.set(new TextEncoder().encode(text), 10);
  header[size - 1] = 0x0a;
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [header, IS_LITTLE_ENDIAN || type.bytes === 1 ? raw : swapBytes(raw, type.bytes)];
}

/** The text of an array of type `bytes` or `unicode`, one string per element; null for any other type. */
export function npyText(array: NpyArray): string[] | null {
  if (array.dtype !== "bytes" && array.dtype !== "unicode") return null;
  const width = array.shape.at(-1) ?? 0;
  const count = width === 0 ? 0 : array.values.length / width;
  return Array.from({ length: count }, (_, at) => {
    const codes = array.values.subarray(at * width, (at + 1) * width) as Uint8Array | Uint32Array;
    return Array.from(codes, (value) => (value <= 0x10ffff ? String.fromCodePoint(value) : "\ufffd"))
      .join("")
      .replace(/\0+$/, "");
  });
}

/** The values as float32; the same memory where they already are, otherwise converted (64-bit integers too). */
export function toFloat32(values: NpyValues): Float32Array {
  if (values instanceof Float32Array) return values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    const converted = new Float32Array(values.length);
    for (let at = 0; at < converted.length; at++) converted[at] = Number(values[at]);
    return converted;
  }
  return Float32Array.from(values);
}

/** IEEE 754 binary16 to float32: sign, 5 bits of exponent (bias 15), 10 bits of fraction. */
function widenHalf(patterns: Uint16Array): Float32Array {
  const values = new Float32Array(patterns.length);
  for (let at = 0; at < values.length; at++) {
    const bits = patterns[at] as number;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) values[at] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else if (exponent === 0) values[at] = sign * fraction * 2 ** -24;
    else values[at] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}

/** A copy with the bytes of every element reversed. */
function swapBytes(raw: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(raw.length);
  for (let start = 0; start < raw.length; start += width) {
    for (let at = 0; at < width; at++) swapped[start + at] = raw[start + width - 1 - at] as number;
  }
  return swapped;
}

/** A copy in C order of values in Fortran order. */
function toRowMajor(values: NpyValues, shape: readonly number[]): NpyValues {
  if (shape.length < 2) return values;
  const copy = values.slice();
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < copy.length; target++) {
    copy[target] = values[source] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      source += strides[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      source -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return copy;
}
