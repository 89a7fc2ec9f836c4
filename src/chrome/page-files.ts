import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { BrodmannError, messageOf } from "../errors.ts";
import type { PageFiles } from "./page-server.ts";

/** The package's folder, which stands above both `src` and `dist`. */
const PACKAGE = new URL("../../", import.meta.url);
/** In a checkout that is run from its sources, the page is built from them as well. */
const IS_SOURCE = import.meta.url.endsWith(".ts");

/** Everything that the page is made of. Throws `E_DEVICE_MISSING` where a part is missing. */
export async function findPageFiles(): Promise<PageFiles> {
  return {
    script: IS_SOURCE ? await buildScript() : await readScript(),
    folders: { ort: runtimeFolder(), shaders: fileURLToPath(new URL("shaders", PACKAGE)) },
    runtime: "ort/ort.webgpu.bundle.min.mjs",
  };
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

async function readScript(): Promise<string> {
  const path = fileURLToPath(new URL("dist/page/page.js", PACKAGE));
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new BrodmannError("E_DEVICE_MISSING", `${path}: cannot be read (${messageOf(cause)})`, {
      hint: "Install the package again; in a checkout, run npm run build.",
      cause,
    });
  });
}

/** The page as `npm run build` makes it, in memory: a second or less. */
async function buildScript(): Promise<string> {
  const { build } = await import("vite");
  const result = await build({
    root: fileURLToPath(PACKAGE),
    configFile: fileURLToPath(new URL("vite.config.ts", PACKAGE)),
    logLevel: "error",
    build: { write: false },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) =>
    "output" in one ? one.output : [],
  );
  const [script] = outputs.flatMap((output) => (output.type === "chunk" ? [output.code] : []));
  if (script === undefined) throw new BrodmannError("E_INTERNAL", "page: found no script in what was built");
  return script;
}
