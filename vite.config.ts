/**
 * Bundles what runs in a browser, by mode: `page` (shown to headless Chrome, `src/page`) and `report` (`src/report/page`).
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfigFnObject } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Entry and place of each; nothing else may lie there, since the place is emptied. */
const BUNDLES: Readonly<Record<string, { readonly entry: string; readonly place: string }>> = {
  page: { entry: "src/page/main.ts", place: "dist/page" },
  report: { entry: "src/report/page/main.ts", place: "dist/report/page" },
};

const config: UserConfigFnObject = defineConfig(({ mode }) => ({
  publicDir: false,
  resolve: {
    // The browser's ONNX Runtime in the place of Node's.
    alias: [{ find: /^.*\/ort-node\.ts$/, replacement: at("src/page/ort-web.ts") }],
  },
  build: {
    target: "es2022",
    outDir: at(BUNDLES[mode]?.place ?? "dist/page"),
    emptyOutDir: true,
    rolldownOptions: {
      input: at(BUNDLES[mode]?.entry ?? ""),
      // Served from its own package, with its 27 MB of WebAssembly.
      external: ["onnxruntime-web/webgpu"],
      output: { entryFileNames: `${mode}.js`, assetFileNames: `${mode}[extname]`, codeSplitting: false },
    },
  },
}));

export default config;
