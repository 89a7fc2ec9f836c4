/**
 * ONNX messages: decoding, encoding and the few builders that model edits need.
 * The only file that imports `onnx-buf` and `@bufbuild/protobuf`.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";

export type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto };
export { TensorProto_DataLocation as DataLocation, TensorProto_DataType as DataType };

/** Attribute values that `makeNode` turns into typed attributes; integers are `bigint`, floats `number`. */
export type AttributeValue = bigint | number | string | readonly bigint[];

export function decodeModel(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, bytes);
}

export function encodeModel(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}

/** A node; `attributes` given as `{ axis: 1n, alpha: 0.5, axes: [2n, 3n] }`. */
export function makeNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = "",
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    domain,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([name, value]) => makeAttribute(name, value)),
  });
}

function makeAttribute(name: string, value: AttributeValue): AttributeProto {
  const type = AttributeProto_AttributeType;
  if (typeof value === "bigint") return create(AttributeProtoSchema, { name, type: type.INT, i: value });
  if (typeof value === "number") return create(AttributeProtoSchema, { name, type: type.FLOAT, f: value });
  if (typeof value === "string") {
    return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(value) });
  }
  return create(AttributeProtoSchema, { name, type: type.INTS, ints: [...value] });
}

/** A float32 initializer; `values` are copied. */
export function makeFloatTensor(name: string, dims: readonly number[], values: Float32Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.FLOAT,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice(),
  });
}

/** An int64 initializer, as shapes and axes need. */
export function makeIntTensor(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorProto {
  const raw = BigInt64Array.from(values, (value) => BigInt(value));
  return create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.INT64,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(raw.buffer),
  });
}

/** A boolean initializer. */
export function makeBoolTensor(
  name: string,
  dims: readonly number[],
  values: readonly boolean[],
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.BOOL,
    dims: dims.map(BigInt),
    rawData: Uint8Array.from(values, Number),
  });
}

/** A float16 initializer of numbers given by their bits. */
export function makeHalfTensor(name: string, dims: readonly number[], bits: Uint16Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.FLOAT16,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength).slice(),
  });
}

/** A graph input or output. `null` dims leave the shape open; a string dimension is symbolic. */
export function makeValueInfo(
  name: string,
  dims: readonly (number | string)[] | null,
  elemType: number = TensorProto_DataType.FLOAT,
): ValueInfoProto {
  const shape =
    dims === null
      ? undefined
      : {
          dim: dims.map((size) =>
            typeof size === "number"
              ? { value: { case: "dimValue" as const, value: BigInt(size) } }
              : { value: { case: "dimParam" as const, value: size } },
          ),
        };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, ...(shape ? { shape } : {}) } } },
  });
}

/** A graph output whose type and shape ONNX Runtime infers. */
export function makeUntypedValueInfo(name: string): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name });
}

/** The parts of a model that is built from scratch or cut out of another. */
export interface ModelParts {
  readonly nodes: readonly NodeProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  /** Operator set versions by domain; default: `""` at 17 and `com.microsoft` at 1. */
  readonly opsets?: ReadonlyMap<string, number>;
  readonly irVersion?: number;
  readonly functions?: ModelProto["functions"];
  /** Program that made the model, and what it says of that. */
  readonly producer?: { readonly name: string; readonly version: string };
  readonly metadata?: ReadonlyMap<string, string>;
}

/** An encoded model of the given parts. */
export function buildModel(parts: ModelParts): Uint8Array {
  const opsets =
    parts.opsets ??
    new Map([
      ["", 17],
      ["com.microsoft", 1],
    ]);
  return encodeModel(
    create(ModelProtoSchema, {
      irVersion: BigInt(parts.irVersion ?? 8),
      opsetImport: [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
      functions: [...(parts.functions ?? [])],
      ...(parts.producer && { producerName: parts.producer.name, producerVersion: parts.producer.version }),
      metadataProps: [...(parts.metadata ?? [])].map(([key, value]) => ({ key, value })),
      graph: {
        name: "brodmann",
        node: [...parts.nodes],
        input: [...parts.inputs],
        output: [...parts.outputs],
        initializer: [...(parts.initializers ?? [])],
      },
    }),
  );
}
