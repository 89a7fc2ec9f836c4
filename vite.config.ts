/** Bundles the page that headless Chrome shows (`src/page`) into one script. */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const config: UserConfig = defineConfig({
  publicDir: false,
  resolve: {
    // The browser's ONNX Runtime in the place of Node's.
    alias: [{ find: /^.*\/ort-node\.ts$/, replacement: at("src/page/ort-web.ts") }],
  },
  build: {
    target: "es2022",
    outDir: at("dist/page"),
    emptyOutDir: true,
    rolldownOptions: {
      input: at("src/page/main.ts"),
      // Served from its own package, with its 27 MB of WebAssembly.
      external: ["onnxruntime-web/webgpu"],
      output: { entryFileNames: "page.js" },
    },
  },
});

export default config;
