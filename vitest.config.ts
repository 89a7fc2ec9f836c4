import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  // Node 20 has no `using` statement.
  oxc: { target: "es2022" },
  test: {
    // Forks, because ONNX Runtime and Dawn are native code that must not be loaded into worker threads.
    pool: "forks",
    // Tests of the command line and of the package run the built program.
    globalSetup: ["test/support/build.ts"],
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/**/*.{gpu,browser}.test.ts"] },
      },
      {
        extends: true,
        // One file at a time: a software adapter takes all cores for itself.
        test: { name: "gpu", include: ["test/**/*.gpu.test.ts"], fileParallelism: false },
      },
    ],
    testTimeout: 60_000,
  },
});

export default config;
