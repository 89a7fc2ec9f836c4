import { defineConfig, type ViteUserConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";

const GPU = ["test/**/*.gpu.test.ts"];
const BROWSER = ["test/**/*.browser.test.ts"];
/** Tests that start the program or read large files; the others take seconds. */
const PROGRAM = ["test/cli/**/*.test.ts", "test/readme.test.ts", "test/shared-models.test.ts"];

const config: ViteUserConfig = defineConfig({
  // Node 20 has no `using` statement.
  oxc: { target: "es2022" },
  test: {
    // Forks, because ONNX Runtime and Dawn end the process where a worker thread of theirs is ended in the middle of a call.
    pool: "forks",
    // Many tests wait for a program that they have started: one worker per core, not one less.
    maxWorkers: "100%",
    // Tests of the command line and of the package run the built program.
    globalSetup: ["test/support/build.ts"],
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [...PROGRAM, ...GPU, ...BROWSER] },
      },
      { extends: true, test: { name: "program", include: PROGRAM, exclude: [...GPU, ...BROWSER] } },
      {
        extends: true,
        test: {
          name: "gpu",
          include: GPU,
          globalSetup: ["test/support/ensure-adapter.ts"],
          // One file at a time: a software adapter takes all cores for itself.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: BROWSER,
          globalSetup: ["test/support/ensure-adapter.ts"],
          fileParallelism: false,
        },
      },
    ],
    testTimeout: 60_000,
    reporters: ["default", new ClosingLine()],
  },
});

export default config;
