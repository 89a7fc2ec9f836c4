/**
 * Bundles what runs in a browser, by mode: `page` (shown to headless Chrome, `src/page`) and `report` (`src/report/page`).
 * A bundle lies where its sources do: in a folder of `dist` that holds nothing else.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfigFnObject } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const ENTRIES: Readonly<Record<string, string>> = {
  page: "src/page/main.ts",
  report: "src/report/page/main.ts",
};

const config: UserConfigFnObject = defineConfig(({ mode }) => ({
  publicDir: false,
  resolve: {
    // The browser's ONNX Runtime in the place of Node's.
    alias: [{ find: /^.*\/ort-node\.ts$/, replacement: at("src/page/ort-web.ts") }],
  },
  build: {
    target: "es2022",
    outDir: at(dirname(ENTRIES[mode] ?? "").replace(/^src/, "dist")),
    emptyOutDir: true,
    rolldownOptions: {
      input: at(ENTRIES[mode] ?? ""),
      // Served from its own package, with its 27 MB of WebAssembly.
      external: ["onnxruntime-web/webgpu"],
      output: { entryFileNames: `${mode}.js`, assetFileNames: `${mode}[extname]`, codeSplitting: false },
    },
  },
}));

export default config;
