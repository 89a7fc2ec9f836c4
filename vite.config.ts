/**
 * Bundles what runs in a browser, by mode: `page` (shown to headless Chrome, `src/page`), `report` (`src/report/page`),
 * `explorer` and the `worker` that computes for it (`src/explorer`).
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfigFnObject } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const ENTRIES: Readonly<Record<string, string>> = {
  page: "src/page/main.ts",
  report: "src/report/page/main.ts",
  explorer: "src/explorer/main.ts",
  worker: "src/explorer/worker.ts",
};

const config: UserConfigFnObject = defineConfig(({ mode }) => ({
  publicDir: false,
  resolve: {
    // The browser's ONNX Runtime and unpacking in the place of Node's.
    alias: [
      { find: /^.*\/ort-node\.ts$/, replacement: at("src/page/ort-web.ts") },
      { find: /^.*\/unpack\.ts$/, replacement: at("src/explorer/unpack-web.ts") },
    ],
  },
  build: {
    target: "es2022",
    outDir: at(`dist/${mode}`),
    emptyOutDir: true,
    // One file each, whatever its size: they come from disk or from this machine.
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: at(ENTRIES[mode] ?? `no entry for mode ${mode}`),
      // Served from its own package, with its 27 MB of WebAssembly.
      external: ["onnxruntime-web/webgpu"],
      output: {
        entryFileNames: `${mode}.js`,
        assetFileNames: `${mode}[extname]`,
        codeSplitting: false,
        // A worker has no import map.
        ...(mode === "worker" && { paths: { "onnxruntime-web/webgpu": "./ort/ort.webgpu.bundle.min.mjs" } }),
      },
    },
  },
}));

export default config;
