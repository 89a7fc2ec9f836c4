import { BrodmannError } from "../errors.ts";
import { DataType, type TensorProto } from "../runtime/onnx.ts";

const BYTES_PER_ELEMENT: Readonly<Record<number, number>> = {
  [DataType.FLOAT]: 4,
  [DataType.FLOAT16]: 2,
  [DataType.BFLOAT16]: 2,
  [DataType.DOUBLE]: 8,
  [DataType.INT64]: 8,
  [DataType.INT32]: 4,
};

/** Dimensions of a stored tensor as numbers. */
export function dimsOf(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

function elementCount(tensor: TensorProto): number {
  return dimsOf(tensor).reduce((product, size) => product * size, 1);
}

/** Whether a tensor holds floating-point numbers that `floatsOf` reads. */
export function isFloatTensor(tensor: TensorProto): boolean {
  const { FLOAT, FLOAT16, BFLOAT16, DOUBLE } = DataType;
  return [FLOAT, FLOAT16, BFLOAT16, DOUBLE].includes(tensor.dataType);
}

/** Throws `E_NETWORK_TENSOR` where a tensor's storage does not hold as many values as its dimensions ask for. */
export function checkStorage(tensor: TensorProto): void {
  const typed = typedValues(tensor);
  if (typed === null) return;
  const count = elementCount(tensor);
  const isRaw = tensor.rawData.byteLength > 0 || count === 0;
  const size = BYTES_PER_ELEMENT[tensor.dataType] ?? 0;
  if (!(count >= 0)) throw tensorError(tensor, "a negative size", "sizes of at least 0");
  if (isRaw && tensor.rawData.byteLength !== count * size) {
    throw tensorError(tensor, `${tensor.rawData.byteLength} bytes`, `${count * size} bytes`);
  }
  if (!isRaw && typed.length !== count)
    throw tensorError(tensor, `${typed.length} values`, `${count} values`);
}

/** What a tensor holds outside its raw bytes; null for types that we do not read. */
function typedValues(tensor: TensorProto): ArrayLike<number | bigint> | null {
  switch (tensor.dataType) {
    case DataType.FLOAT:
      return tensor.floatData;
    case DataType.DOUBLE:
      return tensor.doubleData;
    case DataType.INT64:
      return tensor.int64Data;
    case DataType.FLOAT16:
    case DataType.BFLOAT16:
    case DataType.INT32:
      return tensor.int32Data;
    default:
      return null;
  }
}

/**
 * The values of a float32, float16, bfloat16 or float64 tensor as float32, from raw or typed storage.
 * Throws `E_NETWORK_TENSOR` where the storage does not hold as many values as the dimensions ask for.
 */
export function floatsOf(tensor: TensorProto): Float32Array {
  checkStorage(tensor);
  const raw = rawBytes(tensor);
  switch (tensor.dataType) {
    case DataType.FLOAT:
      return raw ? new Float32Array(raw) : Float32Array.from(tensor.floatData);
    case DataType.DOUBLE:
      return Float32Array.from(raw ? new Float64Array(raw) : tensor.doubleData);
    case DataType.FLOAT16:
      return widen(raw ? new Uint16Array(raw) : tensor.int32Data, halfToFloat);
    case DataType.BFLOAT16:
      return widen(raw ? new Uint16Array(raw) : tensor.int32Data, brainToFloat);
    default:
      throw tensorError(
        tensor,
        `type ${DataType[tensor.dataType] ?? tensor.dataType}`,
        "floating-point values",
      );
  }
}

/** The values of an int64 or int32 tensor (shapes, axes, indices) as numbers. */
export function integersOf(tensor: TensorProto): number[] {
  checkStorage(tensor);
  const raw = rawBytes(tensor);
  if (tensor.dataType === DataType.INT64) {
    return Array.from(raw ? new BigInt64Array(raw) : tensor.int64Data, Number);
  }
  if (tensor.dataType === DataType.INT32) {
    return Array.from(raw ? new Int32Array(raw) : tensor.int32Data);
  }
  throw tensorError(tensor, `type ${DataType[tensor.dataType] ?? tensor.dataType}`, "int64 or int32 values");
}

/** An aligned copy of the raw bytes (protobuf gives views at any offset), or null for typed storage. */
function rawBytes(tensor: TensorProto): ArrayBuffer | null {
  // Not slice(): on a Node Buffer that is a view.
  return tensor.rawData.byteLength === 0 ? null : new Uint8Array(tensor.rawData).buffer;
}

function tensorError(tensor: TensorProto, found: string, expected: string): BrodmannError {
  const shape = dimsOf(tensor).join("x") || "scalar";
  return new BrodmannError(
    "E_NETWORK_TENSOR",
    `tensor "${tensor.name}" (${shape}): found ${found}, expected ${expected}`,
    { hint: "The file is damaged or was written by a faulty exporter; export it again." },
  );
}

function widen(bits: ArrayLike<number>, convert: (bits: number) => number): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < values.length; i++) values[i] = convert(bits[i] as number);
  return values;
}

/** IEEE 754 binary16 to number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

/** bfloat16 (the upper half of a float32) to number. */
function brainToFloat(bits: number): number {
  bitView[0] = bits << 16;
  return floatView[0] as number;
}
