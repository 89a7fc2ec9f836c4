import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Forks, because ONNX Runtime is native code that must not be loaded into worker threads.
    pool: "forks",
    // Tests of the command line and of the package run the built program.
    globalSetup: ["test/support/build.ts"],
    projects: [{ extends: true, test: { name: "unit", include: ["test/**/*.test.ts"] } }],
    testTimeout: 60_000,
  },
});

export default config;
