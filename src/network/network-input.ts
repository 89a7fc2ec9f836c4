import { BrodmannError } from "../errors.ts";
import { DataType, makeValueInfo, type ValueInfoProto } from "../runtime/onnx.ts";
import { floatTensor, Tensor, type Tensors } from "../runtime/session.ts";
import type { Probe } from "./probe.ts";

/** The network's input as a model that is cut out of it declares it. */
export function inputInfo({ input, inputShape, inputType }: Probe): ValueInfoProto {
  return makeValueInfo(input, ["batch", ...inputShape], inputType);
}

/** What feeds the network's input: `rows` inputs, row-major. */
export function inputFeed(
  { input, inputShape, inputType }: Probe,
  values: Float32Array,
  rows: number,
): Tensors {
  return { [input]: inputTensor(values, [rows, ...inputShape], inputType) };
}

/**
 * Inputs in the type that a network reads. Token numbers pass through the program as floats, which hold whole
 * numbers up to 2^24. Throws `E_INPUT_TOKENS` for anything else in place of a token number.
 */
export function inputTensor(values: Float32Array, dims: readonly number[], type: number): Tensor {
  if (type === DataType.FLOAT) return floatTensor(values, dims);
  const stray = values.find((value) => !Number.isInteger(value) || Math.abs(value) > 2 ** 24);
  if (stray !== undefined) {
    throw new BrodmannError("E_INPUT_TOKENS", `inputs: found ${stray}, expected token numbers`, {
      hint: "Store tokens as int32 or int64 (uint8 is read as pixels and divided by 255).",
    });
  }
  return type === DataType.INT64
    ? new Tensor("int64", BigInt64Array.from(values, BigInt), dims)
    : new Tensor("int32", Int32Array.from(values), dims);
}
