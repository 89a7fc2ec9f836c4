import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.ts";
import type { ShaderTexts } from "./shader-texts.ts";

/** Shaders of the package and those of this folder. */
export function benchShaders(): ShaderTexts {
  return bundle?.shaders ?? { ...shadersOf("../shaders"), ...shadersOf("shaders") };
}

function shadersOf(place: string): ShaderTexts {
  const folder = fileURLToPath(new URL(place, import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".wgsl"),
  );
  return Object.fromEntries(
    files.map((file) => [file.replaceAll("\\", "/"), readFileSync(join(folder, file), "utf8")]),
  );
}
