import { BrodmannError, messageOf } from "../errors.ts";
import {
  DataLocation,
  DataType,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type TensorProto,
  type ValueInfoProto,
} from "../runtime/onnx.ts";
import { checkStorage, floatsOf } from "./tensor-values.ts";

/** Operator sets that ONNX Runtime and the operator rules cover. */
const OPSETS = { least: 9, most: 26 };

/** Like `loadModel`, from bytes that need no external data. `where` names the source in errors. */
export function loadModelBytes(bytes: Uint8Array, where: string): ModelProto {
  const model = parseModel(bytes, where);
  for (const tensor of tensorsOf(graphOf(model))) {
    if (tensor.dataLocation !== DataLocation.EXTERNAL) continue;
    const found = "external data, but the model came as bytes";
    throw externalError(where, tensor, found, "Load it from its path.");
  }
  return normaliseModel(model);
}

/** Makes a model whose data are all in it ready for use: see `loadModel`. */
export function normaliseModel(model: ModelProto): ModelProto {
  const graph = graphOf(model);
  for (const tensor of tensorsOf(graph)) checkStorage(tensor);
  widenGraph(graph);
  tellNamesApart(graph);
  return model;
}

/** The model's graph, which `parseModel` has made sure of. */
export function graphOf(model: ModelProto): GraphProto {
  if (model.graph === undefined) throw new BrodmannError("E_INTERNAL", "model without graph");
  return model.graph;
}

/** Version of the default operator set. */
export function opsetOf(model: ModelProto): number {
  const entry = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  return Number(entry?.version ?? 0);
}

/** Decodes a model and checks that it is one. `where` names the source in errors. */
export function parseModel(bytes: Uint8Array, where: string): ModelProto {
  const hint = "Give an ONNX file; PyTorch, Keras and safetensors files must be exported to ONNX first.";
  if (bytes.length === 0) throw new BrodmannError("E_INPUT_NOT_ONNX", `${where}: empty file`, { hint });
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    // An ONNX file begins with its IR version: field 1, varint.
    const what = bytes[0] === 0x08 ? "a damaged or truncated ONNX file" : "not an ONNX file";
    throw new BrodmannError("E_INPUT_NOT_ONNX", `${where}: ${what} (${messageOf(error)})`, {
      hint,
      cause: error,
    });
  }
  if (model.graph === undefined || model.graph.node.length === 0 || model.opsetImport.length === 0) {
    const lacks =
      model.graph === undefined ? "no graph" : model.graph.node.length === 0 ? "no nodes" : "no operator set";
    throw new BrodmannError("E_INPUT_NOT_ONNX", `${where}: not an ONNX file, or a truncated one (${lacks})`, {
      hint,
    });
  }
  const opset = opsetOf(model);
  if (opset < OPSETS.least || opset > OPSETS.most) {
    throw new BrodmannError(
      "E_NETWORK_UNSUPPORTED",
      `${where}: found operator set ${opset}, expected ${OPSETS.least} to ${OPSETS.most}`,
      { hint: "Export again with opset_version=17." },
    );
  }
  if (model.graph.sparseInitializer.length > 0) {
    throw new BrodmannError(
      "E_NETWORK_UNSUPPORTED",
      `${where}: found sparse initializers, expected dense ones`,
      {
        hint: "Convert the sparse tensors to dense ones before the export.",
      },
    );
  }
  return model;
}

/** All tensors stored in a graph, those in attributes and subgraphs included. */
export function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const node of graph.node) {
    for (const attribute of node.attribute) {
      if (attribute.t) yield attribute.t;
      yield* attribute.tensors;
      if (attribute.g) yield* tensorsOf(attribute.g);
      for (const subgraph of attribute.graphs) yield* tensorsOf(subgraph);
    }
  }
}

/** Names of the files beside a model that hold its tensors. */
export function externalFiles(bytes: Uint8Array, where: string): string[] {
  const names = new Set<string>();
  for (const { dataLocation, externalData } of tensorsOf(graphOf(parseModel(bytes, where)))) {
    if (dataLocation !== DataLocation.EXTERNAL) continue;
    for (const { key, value } of externalData) if (key === "location") names.add(value);
  }
  return [...names];
}

export function externalError(
  where: string,
  tensor: TensorProto,
  found: string,
  hint: string,
  cause?: unknown,
): BrodmannError {
  return new BrodmannError("E_NETWORK_EXTERNAL_DATA", `${where}: tensor "${tensor.name}": found ${found}`, {
    hint,
    cause,
  });
}

/** Renames the second node of a name to `name#2` and so on: ONNX Runtime refuses a model that repeats one. */
function tellNamesApart(graph: GraphProto): void {
  const names = new Set(graph.node.map(({ name }) => name));
  const seen = new Set([""]);
  for (const node of graph.node) {
    if (node.name !== "" && seen.has(node.name)) {
      let copy = 2;
      while (names.has(`${node.name}#${copy}`)) copy += 1;
      node.name = `${node.name}#${copy}`;
      names.add(node.name);
    }
    seen.add(node.name);
  }
}

const isNarrow = (type: number): boolean => type === DataType.FLOAT16 || type === DataType.BFLOAT16;

/** Turns all float16 and bfloat16 into float32, so that the network computes in float32 everywhere. */
function widenGraph(graph: GraphProto): void {
  for (const tensor of tensorsOf(graph)) {
    if (!isNarrow(tensor.dataType)) continue;
    const values = floatsOf(tensor);
    tensor.dataType = DataType.FLOAT;
    tensor.rawData = new Uint8Array(values.buffer as ArrayBuffer);
    tensor.int32Data = [];
  }
  widenTypes(graph);
}

function widenTypes(graph: GraphProto): void {
  for (const info of [...graph.input, ...graph.output]) widenValueInfo(info);
  graph.valueInfo = [];
  for (const node of graph.node) {
    for (const attribute of node.attribute) {
      const isType = (node.opType === "Cast" && attribute.name === "to") || attribute.name === "dtype";
      if (isType && isNarrow(Number(attribute.i))) attribute.i = BigInt(DataType.FLOAT);
      if (attribute.g) widenTypes(attribute.g);
      for (const subgraph of attribute.graphs) widenTypes(subgraph);
    }
  }
}

function widenValueInfo(info: ValueInfoProto): void {
  const type = info.type?.value;
  if (type?.case === "tensorType" && isNarrow(type.value.elemType)) type.value.elemType = DataType.FLOAT;
}
