import { open, readFile, realpath } from "node:fs/promises";
import { dirname, isAbsolute, resolve, sep } from "node:path";
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

/**
 * Reads an ONNX file into a self-contained float32 model: external data are read in, float16 and bfloat16
 * tensors are widened to float32 (values are exact), declared intermediate types are dropped.
 * Throws `E_INPUT_NOT_FOUND`, `E_INPUT_NOT_ONNX`, `E_NETWORK_EXTERNAL_DATA`, `E_NETWORK_TENSOR` or
 * `E_NETWORK_UNSUPPORTED`.
 */
export async function loadModel(path: string): Promise<ModelProto> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new BrodmannError("E_INPUT_NOT_FOUND", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Give the path of an ONNX file.",
      cause: error,
    });
  });
  const model = parseModel(bytes, path);
  const graph = graphOf(model);
  for (const tensor of tensorsOf(graph)) {
    await readExternalData(tensor, path);
    checkStorage(tensor);
  }
  widenGraph(graph);
  tellNamesApart(graph);
  return model;
}

/** Like `loadModel`, from bytes that need no external data. `where` names the source in errors. */
export function loadModelBytes(bytes: Uint8Array, where: string): ModelProto {
  const model = parseModel(bytes, where);
  const graph = graphOf(model);
  for (const tensor of tensorsOf(graph)) {
    if (tensor.dataLocation === DataLocation.EXTERNAL) {
      throw externalError(
        where,
        tensor,
        "external data, but the model came as bytes",
        "Load it from its path.",
      );
    }
    checkStorage(tensor);
  }
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

function parseModel(bytes: Uint8Array, where: string): ModelProto {
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
function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
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

async function readExternalData(tensor: TensorProto, modelPath: string): Promise<void> {
  if (tensor.dataLocation !== DataLocation.EXTERNAL) return;
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location") ?? "";
  const folder = await realpath(dirname(modelPath));
  const path = resolve(folder, location);
  const outside = "Keep the data file in the model's folder.";
  if (location === "" || isAbsolute(location) || !path.startsWith(folder + sep)) {
    throw externalError(
      modelPath,
      tensor,
      `external data at "${location}", outside the model's folder`,
      outside,
    );
  }
  let target: string;
  try {
    target = await realpath(path);
  } catch (error) {
    const hint = `Put "${location}" beside the model.`;
    throw externalError(modelPath, tensor, `no external data file "${location}"`, hint, error);
  }
  if (!target.startsWith(folder + sep)) {
    throw externalError(
      modelPath,
      tensor,
      `"${location}" links to a file outside the model's folder`,
      outside,
    );
  }
  const file = await open(target).catch((error: unknown) => {
    const hint = "Check the file's permissions.";
    throw externalError(modelPath, tensor, `"${location}", which cannot be read`, hint, error);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      throw externalError(modelPath, tensor, `"${location}", which is no file`, "Name the data file.");
    }
    const { size } = stat;
    const offset = Number(entries.get("offset") ?? 0);
    const length = Number(entries.get("length") ?? size - offset);
    const isRange = [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!isRange || offset + length > size) {
      const found = `bytes ${offset} to ${offset + length} of "${location}", which has ${size}`;
      throw externalError(modelPath, tensor, found, "Copy the data file again, it is cut short.");
    }
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, offset);
    tensor.rawData = bytes;
    tensor.dataLocation = DataLocation.DEFAULT;
    tensor.externalData = [];
  } finally {
    await file.close();
  }
}

function externalError(
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
