/**
 * Makes one file of the bench, `out/bench.mjs`, that needs nothing but Node and the packages `onnxruntime-node` and
 * `webgpu` beside it: shaders and the commit are inside. For machines with a GPU and without the repository.
 *
 * Run: npm run build:bench, then node out/bench.mjs --json gpu.json
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Bundle } from "./bundle.ts";
import { checkedOutCommit } from "./facts.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const bundle: Bundle = {
  commit: checkedOutCommit(),
  shaders: { ...shadersOf(join(root, "shaders")), ...shadersOf(join(root, "bench/shaders")) },
};

await build({
  root,
  configFile: false,
  logLevel: "warn",
  plugins: [
    {
      name: "bench-bundle",
      load: (id) =>
        id.endsWith("/bench/bundle.ts") ? `export const bundle = ${JSON.stringify(bundle)};` : null,
    },
  ],
  ssr: { target: "node", noExternal: true },
  build: {
    ssr: "bench/main.ts",
    outDir: "out",
    emptyOutDir: false,
    target: "node20",
    rolldownOptions: {
      external: ["onnxruntime-node", "webgpu"],
      output: { entryFileNames: "bench.mjs", format: "es", codeSplitting: false },
    },
  },
});

function shadersOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".wgsl"),
  );
  return Object.fromEntries(
    files.map((file) => [file.replaceAll("\\", "/"), readFileSync(join(folder, file), "utf8")]),
  );
}
