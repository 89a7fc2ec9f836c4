import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Builds `dist` once before all tests: those of the command line and the package run what users get. Files that did
 * not change stay untouched, so that a second test run at the same time does not pull them from under the first.
 */
export function setup(): void {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const fresh = mkdtempSync(join(root, ".cache/build-"));
  const dist = join(root, "dist");
  try {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const args = [compiler, "-p", "tsconfig.build.json", "--outDir", fresh];
    execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    const bundler = join(root, "node_modules/vite/bin/vite.js");
    for (const [mode, place] of [
      ["page", "page"],
      ["report", "report/page"],
    ] as const) {
      const outDir = join(fresh, place);
      const bundle = [bundler, "build", "--mode", mode, "--logLevel", "warn", "--outDir", outDir];
      execFileSync(process.execPath, bundle, { cwd: root, stdio: "inherit" });
    }
    const built = filesOf(fresh);
    for (const file of built) replaceIfChanged(join(fresh, file), join(dist, file));
    const isBuilt = new Set(built);
    for (const file of filesOf(dist)) if (!isBuilt.has(file)) rmSync(join(dist, file), { force: true });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function replaceIfChanged(from: string, to: string): void {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}
