import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rng } from "../../src/statistics/rng.ts";
import { brodmann, brodmannHere, start, temporaryFolder, writePlanted } from "../support/cli.ts";
import { withoutRun } from "../support/report-text.ts";

const folder = temporaryFolder(false);
const place = (name: string) => join(folder, name);
const files = writePlanted(folder);
const partition = place("p.json");
const inputs = [files.model, "--data", files.data];
/** Enough random sets for a run to take a second or two. */
const MANY = ["--shuffles", "600"];
beforeAll(() => {
  writePartition(partition, 0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two clusters of every planted block. Their labels begin at 10: the scores are to name them. */
function writePartition(path: string, shift: number): void {
  const layers = files.planted.layers.slice(0, 2).map(({ name, blocks }) => ({
    name,
    labels: Array.from(blocks, (block, unit) => 10 + 2 * block + ((unit + shift) % 2)),
  }));
  writeFileSync(path, JSON.stringify({ schema: "brodmann/partition/1", layers }));
}

const scoreArgs = (flags: readonly string[]) => [
  "score",
  ...inputs,
  "--partition",
  partition,
  "--quiet",
  ...flags,
];

const random = rng(11, "kill moments");

/**
 * Starts a program and kills it with SIGKILL within 0.2 s after its journal has got as long as a random part of `bytes`;
 * whether it was killed before it ended.
 */
async function kill(args: readonly string[], journal: string, bytes: number): Promise<boolean> {
  const size = () => (existsSync(journal) ? statSync(journal).size : 0);
  const enough = size() + random.uniform() * (bytes - size());
  const patienceMs = 200 * random.uniform();
  const run = start(args);
  const timer = setInterval(() => {
    if (size() <= enough) return;
    clearInterval(timer);
    setTimeout(() => run.process.kill("SIGKILL"), patienceMs);
  }, 3);
  const { code, stderr } = await run.finished;
  clearInterval(timer);
  expect({ code: code ?? 0, stderr }).toEqual({ code: 0, stderr: "" });
  return code === null;
}

/** The bytes of a run that nothing interrupts. */
async function wholeRun(name: string, flags: readonly string[]): Promise<Buffer> {
  const out = place(`${name}.json`);
  expect(await brodmannHere(scoreArgs([...flags, "--out", out]))).toMatchObject({ code: 0, stderr: "" });
  expect(existsSync(place(`${name}.jsonl`))).toBe(false);
  return readFileSync(out);
}

describe("a run that is killed", () => {
  it("gives the same bytes, at ten random moments", { timeout: 120_000 }, async () => {
    const expected = await wholeRun("whole", MANY);
    const out = place("killed.json");
    const journal = place("killed.jsonl");
    let [kills, runs] = [0, 0];
    // Each is resumed, and may be killed again before it is done.
    while (kills < 10 && runs < 20) {
      if (await kill(scoreArgs([...MANY, "--out", out, "--resume"]), journal, 170_000)) {
        kills++;
      } else {
        expect(existsSync(journal)).toBe(false);
        expect(existsSync(out)).toBe(true);
      }
      // Also a run that is killed while it ends leaves all of the scores or nothing.
      if (existsSync(out)) {
        expect(readFileSync(out).equals(expected)).toBe(true);
        rmSync(out);
      }
      runs++;
    }
    expect(kills).toBe(10);
    const { code, stderr } = await brodmann(scoreArgs([...MANY, "--out", out, "--resume"]));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readFileSync(out).equals(expected)).toBe(true);
    expect(existsSync(journal)).toBe(false);
  });

  it.each([
    ["paper", ["--protocol", "paper", "--shuffles", "300"], 80_000],
    ["sequential", ["--sequential", "--shuffles", "1000"], 60_000],
    ["compared kinds", ["--lesion", "zero,mean,resample"], 90_000],
    ["resampled", ["--lesion", "resample", "--protocol", "paper", "--shuffles", "100"], 40_000],
  ])("gives the same bytes: %s", async (name, flags, bytes) => {
    const expected = await wholeRun(`whole ${name}`, flags);
    const out = place(`${name}.json`);
    const args = scoreArgs([...flags, "--out", out, "--resume"]);
    const isKilled = await kill(args, place(`${name}.jsonl`), bytes);
    if (isKilled) expect((await brodmannHere(args)).code).toBe(0);
    expect(readFileSync(out).equals(expected)).toBe(true);
  });

  it("while it analyses, gives the same bytes for every file but run.json and what the report has of it", async () => {
    const args = ["analyze", ...inputs, ...MANY, "--k", "2", "--quiet"];
    expect((await brodmannHere([...args, "--out", place("analysis")])).code).toBe(0);
    const names = readdirSync(place("analysis")).sort();
    const out = place("broken");
    // The first time anywhere, the second time while it scores.
    const run = start([...args, "--out", out]);
    setTimeout(() => run.process.kill("SIGKILL"), 1000 * random.uniform());
    await run.finished;
    await kill([...args, "--out", out, "--resume"], join(out, "scores.jsonl"), 100_000);
    expect((await brodmannHere([...args, "--out", out, "--resume"])).code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(names);
    const report = (folder: string) => readFileSync(join(folder, "report.html"), "utf8");
    expect(withoutRun(report(out))).toBe(withoutRun(report(place("analysis"))));
    for (const name of names.filter((file) => file !== "run.json" && file !== "report.html")) {
      expect(readFileSync(join(out, name)).equals(readFileSync(join(place("analysis"), name))), name).toBe(
        true,
      );
    }
  });
});

describe("--resume", () => {
  it("says what becomes of a journal, and refuses that of another command", async () => {
    const args = ["score", ...inputs, "--partition", partition, "--protocol", "paper", "--no-progress"];
    const out = place("told.json");
    const journal = place("told.jsonl");
    // A journal that is complete, as a kill just before its removal leaves it.
    await brodmannHere([...args, "--out", journal, "--shard", "1/1", "--quiet"]);
    const [head = "", ...lines] = readFileSync(journal, "utf8").split("\n");
    const header = JSON.parse(head) as Record<string, unknown>;
    const write = (changes: Record<string, unknown>) =>
      writeFileSync(journal, [JSON.stringify({ ...header, shard: null, ...changes }), ...lines].join("\n"));

    write({});
    const continued = await brodmannHere([...args, "--out", out, "--resume"]);
    expect(continued.code, continued.stderr).toBe(0);
    expect(continued.stderr).toContain(`journal: continuing ${journal} (${lines.length - 1} records)`);
    const expected = readFileSync(out);
    expect((await brodmannHere([...args, "--out", out, "--resume"])).stderr).toContain(
      `journal: found none at ${journal}, starting from the beginning`,
    );
    write({});
    expect((await brodmannHere([...args, "--out", out])).stderr).toContain(
      `journal: ${journal} of an earlier run is replaced`,
    );
    expect(readFileSync(out).equals(expected)).toBe(true);

    for (const key of Object.keys(header).filter((name) => name !== "shard")) {
      write({ [key]: "other" });
      const { code, stdout, stderr } = await brodmannHere([...args, "--out", out, "--resume"]);
      const isInput = ["model", "weights", "data", "labels", "partition", "version", "runtime"].includes(key);
      const isForeign = key === "schema";
      expect({ code, stdout }, stderr).toEqual({ code: isInput ? 3 : 2, stdout: "" });
      if (!isForeign) expect(stderr).toContain(`found the journal of another run (${key}: "other")`);
    }
  });

  it("compares what the flags say with what the journal was begun with", async () => {
    const args = scoreArgs(["--protocol", "paper", "--out", place("flags.json"), "--resume"]);
    const journal = place("flags.jsonl");
    await brodmannHere(scoreArgs(["--protocol", "paper", "--out", journal, "--shard", "1/1"]));
    const text = readFileSync(journal, "utf8").replace('"shard":{"number":1,"of":1}', '"shard":null');
    const other = place("p-other.json");
    writePartition(other, 1);
    for (const [flags, key, code] of [
      [["--seed", "1"], "seed", 2],
      [["--shuffles", "7"], "shuffles", 2],
      [["--lesion", "mean"], "lesion", 2],
      [["--lesion", "zero,mean"], "lesion", 2],
      [["--lesion-at", "consumer:hidden2"], "lesion-at", 2],
      [["--match", "norm"], "match", 2],
      [["--take", "200"], "take", 2],
      [["--skip", "1"], "skip", 2],
      [["--mean", "0.1"], "mean", 2],
      [["--std", "0.5"], "std", 2],
      [["--partition", other], "partition", 3],
    ] as const) {
      writeFileSync(journal, text);
      const found = await brodmannHere([...args, ...flags]);
      expect(found.code, found.stderr).toBe(code);
      expect(found.stderr).toContain(`(${key}: `);
      expect(readFileSync(journal, "utf8")).toBe(text);
    }
  });

  it("needs --out", async () => {
    for (const args of [scoreArgs(["--resume"]), ["demo", "--resume"]]) {
      const { code, stderr } = await brodmannHere(args);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining("--resume: found no --out"),
      });
    }
  });
});

describe("--shard and merge", () => {
  it("give the bytes of the whole run, in any order, a killed shard resumed", async () => {
    const expected = await wholeRun("undivided", ["--lesion", "zero,mean"]);
    const args = scoreArgs(["--lesion", "zero,mean", "--out", place("divided.json")]);
    const journals = [1, 2, 3].map((number) => place(`divided.shard-${number}-of-3.jsonl`));
    const [one = "", two = "", three = ""] = journals;
    await Promise.all([
      kill([...args, "--shard", "2/3"], two, 20_000),
      brodmann([...args, "--shard", "3/3"]),
    ]);
    const early = await brodmannHere(["merge", two, three]);
    expect(early.code).toBe(3);
    expect((await brodmannHere([...args, "--shard", "1/3"])).code).toBe(0);
    const finished = await brodmannHere([...args, "--shard", "2/3", "--resume"]);
    expect(finished).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(existsSync(place("divided.json"))).toBe(false);
    const merged = place("merged.json");
    for (const order of [
      [one, two, three],
      [three, one, two],
    ]) {
      const { code, stdout } = await brodmannHere(["merge", ...order, "--out", merged, "--json", "--quiet"]);
      expect(code).toBe(0);
      expect(stdout).toBe(expected.toString());
      expect(readFileSync(merged).equals(expected)).toBe(true);
    }
    const table = await brodmannHere(["merge", ...journals, "--quiet"]);
    expect(table.stdout).toContain("permutation p");
    expect(table.stdout).toBe((await brodmannHere(scoreArgs(["--lesion", "zero,mean"]))).stdout);

    const missing = await brodmannHere(["merge", three, two]);
    expect({ code: missing.code, text: missing.stderr }).toEqual({
      code: 3,
      text: "error merge: found no shard 1/3, expected all 3\nRun it: the same command with --shard 1/3.\n",
    });
    const twice = await brodmannHere(["merge", one, two, three, two]);
    expect(twice.stderr).toContain(`${two}: found shard 2/3 a second time`);
    const unfinished = readFileSync(one, "utf8").split("\n").slice(0, -2).join("\n");
    writeFileSync(one, `${unfinished}\n`);
    const early1 = await brodmannHere(["merge", one, two, three]);
    expect(early1.stderr).toContain(`${one}: found shard 1/3 unfinished`);
    await brodmannHere([...args, "--seed", "1", "--shard", "1/3"]);
    const mixed = await brodmannHere(["merge", two, three, one]);
    expect({ code: mixed.code, text: mixed.stderr }).toEqual({
      code: 3,
      text: expect.stringContaining(`${one}: found a shard of another run (seed: 1)`),
    });
    await brodmannHere([...args, "--shard", "1/4"]);
    const uneven = await brodmannHere(["merge", two, three, place("divided.shard-1-of-4.jsonl")]);
    expect(uneven.stderr).toContain("found shard 1/4, expected one of 3");
  });

  it.each(["0/3", "4/3", "a/b", "1/0", "1", "1/2/3", "-1/3", "1.5/3"])("refuse --shard %s", async (value) => {
    const { code, stderr } = await brodmannHere(scoreArgs([`--shard=${value}`]));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`--shard: found "${value}", expected I/N with I from 1 to N`),
    });
  });

  it("refuse draws that depend on those before, and files that are no journals", async () => {
    const sequential = await brodmannHere(scoreArgs(["--sequential", "--shard", "1/2"]));
    expect({ code: sequential.code, stderr: sequential.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("--shard: found --sequential"),
    });
    expect((await brodmannHere(["merge", partition])).code).toBe(3);
    expect((await brodmannHere(["merge", place("absent.jsonl")])).code).toBe(3);
    expect((await brodmannHere(["merge"])).code).toBe(2);
  });
});
