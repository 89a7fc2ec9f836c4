/**
 * Makes one file of the bench, `out/bench.mjs`, that needs nothing but Node and packages beside it (see README.md):
 * shaders, the page of Chrome and the commit are inside. For machines with a GPU and without the repository.
 *
 * Run: npm run build:bench, then node out/bench.mjs --json gpu.json
 */
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Bundle } from "./bundle.ts";
import { pageScript } from "./chrome.ts";
import { checkedOutCommit } from "./facts.ts";
import { benchShaders } from "./shaders.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const bundle: Bundle = { commit: checkedOutCommit(), shaders: benchShaders(), page: await pageScript() };

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
      external: ["onnxruntime-node", "puppeteer", "vite", "webgpu"],
      output: { entryFileNames: "bench.mjs", format: "es", codeSplitting: false },
    },
  },
});
