/**
 * Messages between Node and the page: JSON, with typed arrays in a binary payload behind it, so that a matrix of a
 * hundred megabytes is neither written as text nor copied.
 *
 * Layout: length of the JSON in bytes (uint32), the JSON, then every array at a multiple of 8 bytes, in the byte order
 * of the machine, which is the same on both sides. In the JSON, what it has no word for is an object of one key that
 * begins with "$".
 */
import { BrodmannError } from "../errors.ts";

/** An encoded message in pieces, to be sent one behind the other. */
export interface EncodedMessage {
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  readonly byteLength: number;
}

type TypedArray =
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

/** How an array of each type is laid over the payload. */
const ARRAYS: Readonly<
  Record<string, { new (buffer: ArrayBuffer, offset: number, length: number): TypedArray }>
> = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Uint8Array,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
};
const ALIGNMENT = 8;

/**
 * Encodes plain data: objects, arrays, texts, numbers (NaN, infinities and -0 included), bigints, maps and typed arrays.
 * An array object that occurs twice is sent once. Members that are undefined are left out, as in JSON.
 *
 * @example
 * const { parts } = encodeMessage({ values: Float32Array.of(1, 2), best: Number.NaN });
 */
export function encodeMessage(value: unknown): EncodedMessage {
  const arrays = new Map<TypedArray, number>();
  let offset = 0;
  const place = (array: TypedArray): number => {
    const known = arrays.get(array);
    if (known !== undefined) return known;
    const start = offset;
    arrays.set(array, start);
    offset += aligned(array.byteLength);
    return start;
  };
  const text = new TextEncoder().encode(JSON.stringify(toJson(value, place)) ?? "null");
  const head = new Uint8Array(aligned(4 + text.length));
  new DataView(head.buffer).setUint32(0, text.length, true);
  head.set(text, 4);
  const parts = [head];
  for (const { buffer, byteOffset, byteLength } of arrays.keys()) {
    parts.push(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    const padding = aligned(byteLength) - byteLength;
    if (padding > 0) parts.push(new Uint8Array(padding));
  }
  return { parts, byteLength: head.length + offset };
}

/** Of larger messages, which Chrome gathers in a store of its own, some never arrive. */
const MOST_BYTES = 2 ** 29;

/** Throws `E_DEVICE_LIMIT` for messages that a page cannot be sure to send. */
export function requireSendable(bytes: number, most: number = MOST_BYTES): void {
  if (bytes <= most) return;
  const inMegabytes = (size: number) => `${Math.ceil(size / 2 ** 20)} MB`;
  throw new BrodmannError(
    "E_DEVICE_LIMIT",
    `chrome: found a result of ${inMegabytes(bytes)}, expected at most ${inMegabytes(most)} (a dense graph of 11,585 units)`,
    { hint: "Keep each unit's strongest edges only (--top-k), or pass --device webgpu or cpu." },
  );
}

/**
 * Decodes a message; its arrays are views of `bytes`. Throws `E_INTERNAL_MESSAGE` for bytes that are none.
 *
 * @example
 * const { values } = decodeMessage(bytes) as { values: Float32Array };
 */
export function decodeMessage(bytes: ArrayBuffer): unknown {
  try {
    const length = new DataView(bytes).getUint32(0, true);
    const text = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
    const arrays = new Map<string, TypedArray>();
    return fromJson(JSON.parse(text), bytes, aligned(4 + length), arrays);
  } catch (cause) {
    throw new BrodmannError(
      "E_INTERNAL_MESSAGE",
      `message of ${bytes.byteLength} bytes: found one that is cut short or damaged`,
      { cause },
    );
  }
}

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function toJson(value: unknown, place: (array: TypedArray) => number): unknown {
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    // A Buffer of Node is a Uint8Array under another name.
    const type = array instanceof Uint8Array ? "Uint8Array" : array.constructor.name;
    return { $array: [type, place(array), array.length] };
  }
  const inner = (item: unknown): unknown => toJson(item, place);
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Map) return { $map: [...value].map(([key, item]) => [inner(key), inner(item)]) };
  const entries = Object.entries(value).map(([key, item]) => [key, inner(item)] as const);
  return entries.some(([key]) => key.startsWith("$")) ? { $object: entries } : Object.fromEntries(entries);
}

function fromJson(
  value: unknown,
  bytes: ArrayBuffer,
  start: number,
  arrays: Map<string, TypedArray>,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  const inner = (item: unknown): unknown => fromJson(item, bytes, start, arrays);
  if (Array.isArray(value)) return value.map(inner);
  const entries = Object.entries(value);
  const [key, content] = entries[0] ?? [];
  switch (key) {
    case "$number":
      return Number(content);
    case "$bigint":
      return BigInt(content);
    case "$map":
      return new Map((content as [unknown, unknown][]).map(([name, item]) => [inner(name), inner(item)]));
    case "$object":
      return Object.fromEntries((content as [string, unknown][]).map(([name, item]) => [name, inner(item)]));
    case "$array": {
      const [type, offset, length] = content as [string, number, number];
      const id = `${type} ${offset} ${length}`;
      const known = arrays.get(id);
      if (known !== undefined) return known;
      const Constructor = ARRAYS[type];
      if (Constructor === undefined) throw new TypeError(`no array type ${type}`);
      const array = new Constructor(bytes, start + offset, length);
      arrays.set(id, array);
      return array;
    }
    default:
      return Object.fromEntries(entries.map(([name, item]) => [name, inner(item)]));
  }
}
