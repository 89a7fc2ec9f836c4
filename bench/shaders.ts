import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { readShaderFile } from "../src/compute/webgpu/open-node-gpu.ts";
import type { ShaderReader } from "../src/compute/webgpu/shader-source.ts";
import { bundle } from "./bundle.ts";

/** Shaders of the package and those of this folder. */
export const readBenchShader: ShaderReader = async (path) => {
  if (bundle !== null) {
    const text = bundle.shaders[path];
    if (text === undefined) throw new Error(`the bundle holds no ${path}`);
    return text;
  }
  const own = new URL(`./shaders/${path}`, import.meta.url);
  return existsSync(own) ? readFile(own, "utf8") : readShaderFile(path);
};
