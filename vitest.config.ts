import { defineConfig, type ViteUserConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";

/** Tests that start the program or read large files; the others take seconds. */
const SLOW = ["test/cli/**/*.test.ts", "test/readme.test.ts", "test/shared-models.test.ts"];

const config: ViteUserConfig = defineConfig({
  test: {
    // Forks, because ONNX Runtime is native code that must not be loaded into worker threads.
    pool: "forks",
    // Many tests wait for a program that they have started: one worker per core, not one less.
    maxWorkers: "100%",
    // Tests of the command line and of the package run the built program.
    globalSetup: ["test/support/build.ts"],
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: SLOW } },
      { extends: true, test: { name: "program", include: SLOW } },
    ],
    testTimeout: 60_000,
    reporters: ["default", new ClosingLine()],
  },
});

export default config;
