import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { runtimeFacts } from "../runtime/session.ts";

/** The program's version, from the package file that stands above both `src` and `dist`. */
export async function versionOf(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** SHA-256 of a file, for `run.json`. */
export async function hashFile(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** `run.json`: how a result was made, with times and machine facts that comparisons leave out. */
export async function formatRun(facts: Readonly<Record<string, unknown>>, startMs: number): Promise<string> {
  const run = {
    schema: "brodmann/run/1",
    version: await versionOf(),
    command: ["brodmann", ...process.argv.slice(2)],
    ...facts,
    machine: {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model ?? "",
      memoryBytes: totalmem(),
      onnxRuntime: runtimeFacts(),
    },
    seconds: Math.round(performance.now() - startMs) / 1000,
    finished: new Date().toISOString(),
  };
  return `${JSON.stringify(run, null, 2)}\n`;
}
