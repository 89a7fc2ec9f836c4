import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../src/cli/commands.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(root, "README.md"), "utf8");
const run = promisify(execFile);

/** The code blocks of one language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text]) => text ?? "",
  );
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "brodmann-readme-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("README", () => {
  // What runs this file or stands beside it: installing, checking, testing, and building (the global setup).
  const notHere = /^npm (ci|test|pack|run (build|test:unit|check))\b/;
  const commands = blocks("sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "" && !notHere.test(line));

  test("has commands to run", () => {
    expect(commands).toContain("npm run demo");
    expect(commands.some((command) => command.includes("analyze"))).toBe(true);
  });

  test.each(commands)("%s", { timeout: 180_000 }, async (command) => {
    // The folder `run`, which one command writes and another reads.
    const placed = command.replaceAll(/(?<=--out |report )run\b|(?<=[ ,])run(?=\/)/g, join(folder, "run"));
    const [program = "", ...args] = placed.split(" ");
    const { stdout } = await run(program, args, { cwd: root, timeout: 170_000 });
    if (/demo|analyze/.test(command)) expect(stdout).toContain("permutation p");
    if (/compare/.test(command)) expect(stdout).toContain("shufflings of labels within layers");
  });

  test("the script runs against the built package", { timeout: 120_000 }, async () => {
    const [script = ""] = blocks("js");
    await writeFile(join(folder, "script.mjs"), script.replaceAll("examples/", `${join(root, "examples")}/`));
    const packages = join(folder, "node_modules");
    await run("mkdir", ["-p", packages]);
    await symlink(root, join(packages, "brodmann"));
    const { stdout } = await run(process.execPath, ["script.mjs"], { cwd: folder });
    expect(stdout.trim().split("\n").length).toBeGreaterThan(4);
  });

  test("names every command of the program", () => {
    for (const name of Object.keys(COMMANDS)) expect(readme).toContain(`| \`${name}`);
  });

  test("links only to files that exist", async () => {
    const links = [...readme.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, path]) => path ?? "");
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) await expect(readFile(join(root, link))).resolves.toBeDefined();
  });
});
