import { defineConfig, type ViteUserConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    // Forks, because ONNX Runtime is native code that must not be loaded into worker threads.
    pool: "forks",
    projects: [{ extends: true, test: { name: "unit", include: ["test/**/*.test.ts"] } }],
    testTimeout: 60_000,
    reporters: ["default", new ClosingLine()],
  },
});

export default config;
