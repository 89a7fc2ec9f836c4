import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readBundle } from "../bundle.ts";
import { BrodmannError } from "../errors.ts";
import type { PageFiles } from "./page-server.ts";

/** The package's folder, which stands above both `src` and `dist`. */
const PACKAGE = new URL("../../", import.meta.url);

/** Everything that the page is made of. Throws `E_DEVICE_MISSING` where a part is missing. */
export async function findPageFiles(): Promise<PageFiles> {
  const { script } = await readBundle("page");
  return pageFiles(script, { shaders: fileURLToPath(new URL("shaders", PACKAGE)) });
}

/** A page of this script and ONNX Runtime. Throws `E_DEVICE_MISSING` where the latter is missing. */
export function pageFiles(script: string, folders: PageFiles["folders"]): PageFiles {
  return { script, folders: { ...folders, ort: runtimeFolder() }, runtime: "ort/ort.webgpu.bundle.min.mjs" };
}

/** The folder of onnxruntime-web's finished files. Throws `E_DEVICE_MISSING` when the package is not installed. */
export function runtimeFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("onnxruntime-web/webgpu"));
  } catch (cause) {
    throw new BrodmannError("E_DEVICE_MISSING", "Chrome: found no package onnxruntime-web", {
      hint: "Install it: npm install onnxruntime-web. Or pass --device webgpu or cpu.",
      cause,
    });
  }
}
