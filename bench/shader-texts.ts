import type { ShaderReader } from "../src/compute/webgpu/shader-source.ts";

/** Shaders by path: "gram.wgsl", "lib/grid.wgsl". */
export type ShaderTexts = Readonly<Record<string, string>>;

export function readerOf(texts: ShaderTexts): ShaderReader {
  return async (path) => {
    const text = texts[path];
    if (text === undefined) throw new Error(`found no ${path}`);
    return text;
  };
}
