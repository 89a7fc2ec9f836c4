/** Models from files; what happens to their contents is in `load-model.ts`, which needs no file system. */
import { open, readFile, realpath } from "node:fs/promises";
import { dirname, isAbsolute, resolve, sep } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import { DataLocation, type ModelProto, type TensorProto } from "../runtime/onnx.ts";
import { externalError, graphOf, normaliseModel, parseModel, tensorsOf } from "./load-model.ts";

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
  for (const tensor of tensorsOf(graphOf(model))) await readExternalData(tensor, path);
  return normaliseModel(model);
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
