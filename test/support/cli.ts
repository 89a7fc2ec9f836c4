/** Starts the built program, and makes the files that it reads. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { type PlantedMlp, plantedMlp } from "./planted.ts";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = join(ROOT, "dist/cli/main.js");

/** What a program left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs; `finished` never rejects. */
export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it has written so far. */
  output(): Pick<Finished, "stdout" | "stderr">;
  /** Resolves once stderr holds the text; rejects when the program ends before. */
  saying(text: string | RegExp): Promise<void>;
}

/** Starts `brodmann ARGS`. It ends with the test at the latest. */
export function start(args: readonly string[], options: StartOptions = {}): Running {
  return startNode([PROGRAM, ...args], options);
}

/** Starts `npm run bench -- ARGS`, without npm. */
export function startBench(args: readonly string[], options: StartOptions = {}): Running {
  return startNode(["--import", "tsx", join(ROOT, "bench/main.ts"), ...args], { cwd: ROOT, ...options });
}

function startNode(args: readonly string[], options: StartOptions): Running {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { ...env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  const saying = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (typeof text === "string" ? stderr.includes(text) : text.test(stderr)) resolve();
      };
      child.stderr.on("data", check);
      child.on("close", () => reject(new Error(`found no ${text} in ${stderr}`)));
      check();
    });
  return { process: child, finished, output: () => ({ stdout, stderr }), saying };
}

/** Runs `brodmann ARGS` to its end. */
export function brodmann(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return start(args, options).finished;
}

/**
 * Runs `brodmann ARGS` to its end within the test's process, which saves a start of Node. For what needs no process
 * of its own: many cases of one kind, beside a few that start the program.
 */
export async function brodmannHere(args: readonly string[]): Promise<Finished> {
  const texts = { stdout: "", stderr: "" };
  const capture = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((text, ...rest) => {
      texts[name] += String(text);
      const done = rest.at(-1);
      if (typeof done === "function") done();
      return true;
    });
  const spies = [capture("stdout"), capture("stderr")];
  try {
    const code = await runProgram(args);
    return { code, ...texts };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A new folder that goes with the test (or, made outside of one, with the caller's `afterAll`). */
export function temporaryFolder(isOfTest: boolean = true): string {
  const folder = mkdtempSync(join(tmpdir(), "brodmann-"));
  if (isOfTest) onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Little-endian .npy bytes of an array. */
export function npy(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Buffer {
  const type = values instanceof Float32Array ? "<f4" : values instanceof Int32Array ? "<i4" : "|u1";
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, padded.length & 0xff, padded.length >> 8]);
  const content = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([head, Buffer.from(padded, "latin1"), content]);
}

/** The planted network as files: `model.onnx` and `x.npy` with `y.npy`; `data` is what `--data` takes. */
export interface PlantedFiles {
  readonly planted: PlantedMlp;
  readonly model: string;
  readonly data: string;
}

export function writePlanted(folder: string, seed: number = 1): PlantedFiles {
  const planted = plantedMlp(seed);
  const model = join(folder, "model.onnx");
  writeFileSync(model, planted.model);
  return {
    planted,
    model,
    data: writePair(folder, "planted", planted.inputs, planted.inputShape, planted.labels),
  };
}

/** Inputs and labels as a pair of .npy files; returns what `--data` takes. */
export function writePair(
  folder: string,
  name: string,
  inputs: Float32Array,
  shape: readonly number[],
  labels: Int32Array,
): string {
  const x = join(folder, `${name}-x.npy`);
  const y = join(folder, `${name}-y.npy`);
  writeFileSync(x, npy(inputs, shape));
  writeFileSync(y, npy(labels, [labels.length]));
  return `${x},${y}`;
}
