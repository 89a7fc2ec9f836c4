import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brodmannHere, temporaryFolder, writePlanted } from "../support/cli.ts";

const QUICK = ["--k", "4", "--protocol", "paper", "--scores", "importance"];
const FILES = ["populations.json", "populations.csv", "relations.csv", "patterns.json", "patterns.csv"];

describe("analyze --populations --patterns", () => {
  it("writes their files beside the others, as the commands of these names do, and shows them in the report", async () => {
    const folder = temporaryFolder();
    const { model, data } = writePlanted(folder);
    const out = join(folder, "run");
    const args = ["analyze", model, "--data", data, ...QUICK, "--out", out];
    const { code, stdout, stderr } = await brodmannHere([...args, "--populations", "--patterns"]);
    expect(code, stderr).toBe(0);
    for (const name of FILES) {
      expect(existsSync(join(out, name)), name).toBe(true);
      expect(stderr).toContain(name);
    }
    const read = (name: string) => JSON.parse(readFileSync(join(out, name), "utf8"));
    const scored = new Set(
      read("scores.json").subclusters.map(({ cluster }: { cluster: number }) => cluster),
    );
    const patterned = read("patterns.json").layers.map(
      ({ cluster = null }: { cluster?: number | null }) => cluster,
    );
    // Every layer as a whole, and its subclusters.
    expect(patterned).toContain(null);
    for (const cluster of scored) expect(patterned).toContain(cluster);
    expect(stdout).toMatch(/^layer +cluster +units +patterns/m);
    expect(stdout).toContain("co-impact");
    const report = readFileSync(join(out, "report.html"), "utf8");
    expect(report).toContain("brodmann/patterns/1");
    expect(report).toContain("brodmann/populations/1");

    // What an earlier run found must not stand beside a later one.
    expect((await brodmannHere(args)).code).toBe(0);
    for (const name of FILES) expect(existsSync(join(out, name)), name).toBe(false);
  });

  it("needs a folder", async () => {
    const { code, stderr } = await brodmannHere(["demo", "--patterns"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--patterns: found no --out");
  });
});
