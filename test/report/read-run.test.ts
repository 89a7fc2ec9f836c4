/** The document of a report from a folder: whole, interrupted, damaged. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../src/errors.ts";
import { readRun } from "../../src/report/read-run.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder } from "../support/cli.ts";
import { HOSTILE } from "../support/report-data.ts";
import { writeRunFolder } from "../support/run-folder.ts";

describe("a run", () => {
  it("is read as it was written", async () => {
    const { folder, data } = await writeRunFolder();
    const found = await readRun(folder);
    expect(found.name).toBe(`${HOSTILE}.onnx`.split("/").at(-1));
    expect(found.graph).toEqual({ ...data.graph, facts: { norm: "l1" } });
    expect(found.map.units.total).toBe(31);
    expect(found.map.units.cluster).toEqual(data.map.units.cluster);
    expect(found.classNames).toEqual(["zero", HOSTILE, "two"]);
    expect(found.scores).toMatchObject({ protocol: "strict", filtered: 2 });
    expect(found.scores?.subclusters).toEqual(data.scores?.subclusters);
    expect(found.partition.quality).toMatchObject({
      ncut: 1.21,
      nulls: [{ draws: 50 }],
      stability: { unstable: 7 },
    });
    expect(found.partition.quality?.stability).not.toHaveProperty("layers");
    expect(found.partition.coAssignment?.map((shares) => shares.length)).toEqual([12, 10, 9]);
    expect(found.files.map(({ name }) => name)).toEqual([
      "graph.npz",
      "partition.json",
      "run.json",
      "scores.json",
    ]);
    expect([found.patterns, found.populations]).toEqual([null, null]);
  });

  it("that was interrupted has no scores, and the name of its folder", async () => {
    const { folder } = await writeRunFolder();
    for (const name of ["scores.json", "run.json"]) rmSync(join(folder, name));
    writeFileSync(join(folder, "scores.jsonl"), "{}\n");
    const found = await readRun(folder);
    expect(found).toMatchObject({ name: basename(folder), scores: null, run: null, classNames: null });
    expect(found.map.units.total).toBe(31);
  });

  it("with an odd run.json is shown all the same", async () => {
    const { folder } = await writeRunFolder();
    const odd = { schema: "brodmann/run/1", inputs: { model: 3, data: null }, command: "x", skipped: {} };
    writeFileSync(join(folder, "run.json"), JSON.stringify(odd));
    expect(await readRun(folder)).toMatchObject({ name: basename(folder), classNames: null });
  });
});

describe("a folder that holds no run", () => {
  const errorOf = async (harm: (folder: string) => void) => {
    const { folder } = await writeRunFolder();
    harm(folder);
    const error = await catchError(() => readRun(folder));
    expect(exitCodeOf(error)).toBe(3);
    return error.message;
  };
  const write = (name: string, text: string) => (folder: string) => writeFileSync(join(folder, name), text);

  it.each<[string, (folder: string) => void, RegExp]>([
    ["no graph", (folder) => rmSync(join(folder, "graph.npz")), /graph\.npz/],
    ["a damaged graph", write("graph.npz", "PK\u0003\u0004 no zip"), /graph\.npz/],
    ["no partition", (folder) => rmSync(join(folder, "partition.json")), /partition\.json: cannot be read/],
    ["a damaged partition", write("partition.json", '{"schema":'), /partition\.json/],
    [
      "a partition of another network",
      write("partition.json", '{"schema":"brodmann/partition/1","layers":[{"name":"conv1","labels":[0,1]}]}'),
      /conv1/,
    ],
    ["damaged scores", write("scores.json", '{"schema": "brodmann/scor'), /scores\.json: found no JSON/],
    [
      "scores of another schema",
      write("scores.json", '{"schema":"x/2"}'),
      /found schema "x\/2", expected brodmann\/scores\/1/,
    ],
    [
      "scores that hold none",
      write("scores.json", '{"schema":"brodmann/scores/1"}'),
      /scores\.json: found no subclusters/,
    ],
    ["a run.json that is no record", write("run.json", "[1]"), /run\.json: found schema undefined/],
    [
      "a folder in the place of a file",
      (folder) => {
        rmSync(join(folder, "scores.json"));
        mkdirSync(join(folder, "scores.json"));
      },
      /scores\.json: cannot be read/,
    ],
  ])("%s", async (_, harm, message) => expect(await errorOf(harm)).toMatch(message));

  it("nor one that is not there", async () => {
    const error = await catchError(() => readRun(join(temporaryFolder(), "none")));
    expect([exitCodeOf(error), error.message]).toEqual([3, expect.stringContaining("graph.npz")]);
    expect(error.hint).not.toBe("");
  });
});
