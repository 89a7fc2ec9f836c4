/** Where and with what a bench ran. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { runtimeFacts } from "../src/runtime/session.ts";
import { bundle } from "./bundle.ts";

export interface RunFacts {
  readonly date: string;
  /** With "+" behind it where files differ from the commit; "unknown" outside of a checkout. */
  readonly commit: string;
  readonly node: string;
  readonly onnxRuntime: string;
  /** Version of the package `webgpu`, which carries Dawn; null where it is not installed. */
  readonly dawn: string | null;
  readonly machine: {
    readonly cpu: string;
    readonly threads: number;
    readonly memoryBytes: number;
    readonly platform: string;
    /** Programs that wanted a core over the last 15 minutes, on average; zeros on Windows. Well above `threads`, times are too long. */
    readonly load: number;
  };
}

export function runFacts(): RunFacts {
  return {
    date: new Date().toISOString(),
    commit: bundle?.commit ?? checkedOutCommit(),
    node: process.version,
    onnxRuntime: runtimeFacts().version,
    dawn: installedVersion("webgpu"),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      threads: availableParallelism(),
      memoryBytes: totalmem(),
      platform: `${process.platform}-${process.arch}`,
      load: loadavg()[2] ?? 0,
    },
  };
}

/** The commit of the checkout that this file lies in. */
export function checkedOutCommit(): string {
  const cwd = new URL(".", import.meta.url);
  const git = (...args: string[]) => spawnSync("git", args, { cwd, encoding: "utf8" });
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head.status !== 0) return "unknown";
  const isChanged = git("status", "--porcelain", "--untracked-files=no").stdout !== "";
  return `${head.stdout.trim()}${isChanged ? "+" : ""}`;
}

function installedVersion(name: string): string | null {
  try {
    const require = createRequire(import.meta.url);
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return null;
  }
}
