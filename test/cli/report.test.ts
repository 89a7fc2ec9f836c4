/** `brodmann report RUN/`, started as users start it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brodmann, temporaryFolder } from "../support/cli.ts";
import { writeRunFolder } from "../support/run-folder.ts";

describe("brodmann report", () => {
  it("writes report.html into the folder, and says so", async () => {
    const { folder } = await writeRunFolder();
    const { code, stdout, stderr } = await brodmann(["report", folder]);
    const path = join(folder, "report.html");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain(`written: ${path}`);
    expect(readFileSync(path, "utf8")).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it("writes elsewhere by --out, of a run without scores, and names the file by --json", async () => {
    const { folder } = await writeRunFolder();
    rmSync(join(folder, "scores.json"));
    const path = join(folder, "page.html");
    const { code, stdout } = await brodmann(["report", folder, "--out", path, "--json"]);
    expect({ code, found: JSON.parse(stdout) }).toEqual({ code: 0, found: { report: path } });
    expect(readFileSync(path, "utf8")).toContain('"scores":null');
    expect(existsSync(join(folder, "report.html"))).toBe(false);
  });

  it("ends with 3 for a folder that holds no run, with 2 for none", async () => {
    const folder = temporaryFolder();
    const empty = await brodmann(["report", folder]);
    expect({ code: empty.code, stdout: empty.stdout }).toEqual({ code: 3, stdout: "" });
    expect(empty.stderr).toContain(join(folder, "graph.npz"));
    expect((await brodmann(["report"])).code).toBe(2);
  });
});
