/**
 * Bundles what runs in a browser, by mode: `page` (shown to headless Chrome, `src/page`), `report` (`src/report/page`),
 * `explorer` and the `worker` that computes for it (`src/explorer`). Each lies in a folder of `dist` that holds nothing else.
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfigFnObject } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Entry in `src`, and folder in `dist`. */
const BUNDLES: Readonly<Record<string, readonly [entry: string, folder: string]>> = {
  page: ["page/main.ts", "page"],
  report: ["report/page/main.ts", "report/page"],
  explorer: ["explorer/main.ts", "explorer/page"],
  worker: ["explorer/worker.ts", "explorer/worker"],
};

function bundleOf(mode: string): readonly [entry: string, folder: string] {
  const bundle = BUNDLES[mode];
  if (bundle === undefined) throw new Error(`--mode ${mode}: expected ${Object.keys(BUNDLES).join(", ")}`);
  return bundle;
}

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
    outDir: at(`dist/${bundleOf(mode)[1]}`),
    emptyOutDir: true,
    // One file each, whatever its size: they come from disk or from this machine.
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: at(`src/${bundleOf(mode)[0]}`),
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
