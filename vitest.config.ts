import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Forks, because ONNX Runtime is native code that must not be loaded into worker threads.
    pool: "forks",
    projects: [{ extends: true, test: { name: "unit", include: ["test/**/*.test.ts"] } }],
    testTimeout: 60_000,
  },
});
