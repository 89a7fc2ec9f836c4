import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batesCdf } from "../../src/statistics/bates.ts";
import { brodmannHere, temporaryFolder, writePlanted } from "../support/cli.ts";

interface Row {
  readonly p: number;
  readonly f: number;
  readonly effects: readonly (number | null)[];
}

/** A run's folder with the keys that the table reads. */
function writeRun(
  folder: string,
  name: string,
  { kind = "weights", scope = "global", model = name, zeros = 0.1 },
  means: Row,
  ranges: Row,
): string {
  const path = join(folder, name);
  mkdirSync(path);
  const facts = {
    inputs: { model: { path: `nets/${model}.onnx`, sha256: model } },
    graph: { kind, scope },
    zeroWeightShare: zeros,
  };
  const row = ({ p, f }: Row) => ({ fisherP: p, fisherStatistic: f });
  const scores = {
    schema: "brodmann/scores/1",
    protocol: "paper",
    subclusters: means.effects.map((effect, i) => ({
      importance: { effect: { accuracy: effect, classRange: ranges.effects[i] ?? null } },
    })),
    network: { importance: { accuracy: row(means), classRange: row(ranges) } },
  };
  writeFileSync(join(path, "run.json"), JSON.stringify(facts));
  writeFileSync(join(path, "scores.json"), JSON.stringify(scores));
  return path;
}

describe("brodmann table", () => {
  it("combines five replicates by Bates and puts the four partitions in order", async () => {
    const folder = temporaryFolder();
    const ps = [0.02, 0.3, 0.001, 0.15, 0.04];
    const replicates = ps.map((p, i) =>
      writeRun(
        folder,
        `r${i}`,
        {},
        { p, f: 1 + i / 10, effects: [1, 1.5, null] },
        { p: 0.9, f: 0.9, effects: [1, i / 10 + 0.6, 1] },
      ),
    );
    const flat = { p: 0.5, f: 1, effects: [1, 1] };
    const local = writeRun(folder, "local", { kind: "activations", scope: "local", zeros: 0.9 }, flat, flat);
    const other = writeRun(folder, "other", { scope: "local" }, flat, flat);
    const args = [`MLP=${local}`, ...replicates.map((path) => `MLP=${path}`), `MLP=${other}`];
    const { code, stdout } = await brodmannHere(["table", ...args, "--format", "csv"]);
    expect(code).toBe(0);
    const [header = "", ...lines] = stdout.trim().split("\n");
    expect(header).toBe(
      "pruned?,network,activations?,local?,fisher_p_means,fisher_stat_means,effect_means,effect_means_sem,fisher_p_ranges,fisher_stat_ranges,effect_ranges,effect_ranges_sem,replicates",
    );
    const cells = lines.map((line) => line.split(","));
    expect(cells.map((row) => [...row.slice(0, 4), row[12]])).toEqual([
      ["no", "MLP", "no", "no", "5"],
      ["no", "MLP", "no", "yes", "1"],
      ["yes", "MLP", "yes", "yes", "1"],
    ]);
    const [p, f, effect, error] = (cells[0] ?? []).slice(4, 8).map(Number);
    expect(p).toBeCloseTo(
      batesCdf(
        ps.reduce((sum, value) => sum + value / 5, 0),
        5,
      ),
      12,
    );
    expect(f).toBeCloseTo(1.2, 12);
    expect(effect).toBeCloseTo(1.25, 12);
    // Ten effects, five of 1 and five of 1.5: sd = 0.2635 (n - 1), error = sd / sqrt(10).
    expect(error).toBeCloseTo(0.25 / 3, 12);
    // One instance keeps its p.
    expect(Number(cells[1]?.[4])).toBe(0.5);

    const text = (await brodmannHere(["table", ...args])).stdout;
    expect(text).toContain("MLP x5");
    // Six p-values: BH's threshold for the smallest is 0.05 / 6.
    expect(text).toMatch(/3\.\de-4\*|\d\.\de-\d\*|0\.00\d\*/);
    const latex = (await brodmannHere(["table", ...args, "--format", "latex"])).stdout;
    expect(latex).toMatch(/^\\begin\{tabular\}\{llccrrrrrr\}/);
    expect(latex).toContain("fisher\\_p\\_means");
    expect(latex.split("\n").filter((line) => line.split(" & ").length === 10)).toHaveLength(4);
    const json = JSON.parse((await brodmannHere(["table", ...args, "--json"])).stdout);
    expect(json.rows).toHaveLength(3);
  });

  it("refuses folders that are no runs, and the same network twice", async () => {
    const folder = temporaryFolder();
    const flat = { p: 0.5, f: 1, effects: [1, 1] };
    const run = writeRun(folder, "one", {}, flat, flat);
    const again = writeRun(folder, "two", { model: "one" }, flat, flat);
    const missing = await brodmannHere(["table", join(folder, "none")]);
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain("run.json");
    const twice = await brodmannHere(["table", run, again]);
    expect(twice.code).toBe(3);
    expect(twice.stderr).toContain("the same network and partition");
    expect((await brodmannHere(["table", `A=${run}`, `B=${again}`])).code).toBe(0);
  });

  it("reads what analyze writes, with the flags of lesions", async () => {
    const folder = temporaryFolder();
    const { model, data } = writePlanted(folder);
    const out = join(folder, "run");
    const analyze = (...more: string[]) =>
      brodmannHere(["analyze", model, "--data", data, "--k", "2", "--device", "cpu", "--out", out, ...more]);
    const done = await analyze("--lesion", "mean,zero", "--sequential", "--match", "norm");
    expect(done.code).toBe(0);
    expect(done.stdout).toContain("Lesions by mean and by zero rank the subclusters alike: Spearman");
    expect(done.stdout).toContain("drawn of");
    const scores = JSON.parse(readFileSync(join(out, "scores.json"), "utf8"));
    expect(scores).toMatchObject({ lesion: "mean", match: "norm", sequential: true, commonDraws: 39 });
    expect(scores.subclusters[0].importance.byLesion.zero.loss).toBeGreaterThan(0);
    const table = await brodmannHere(["table", out]);
    expect(table.code).toBe(0);
    expect(table.stdout).toContain("permutation_p_losses");
    expect(table.stdout).toContain("p: of labels permuted within the layers");
    // A network by itself keeps its p; beside another one of the same label both are tested together.
    const first = JSON.parse((await brodmannHere(["table", out, "--json"])).stdout);
    expect(first).toMatchObject({ schema: "brodmann/table/1", protocol: "strict" });
    const row = scores.network.importance.loss;
    expect(first.rows[0].measures.loss.p).toBe(row.permutationP);
    expect(first.rows[0].measures.loss.fisherStatistic).toBe(row.fisherStatistic);
    expect(first.rows[0].measures.loss.effect).toBeCloseTo(row.effect, 12);
    expect(first.rows[0].measures.loss.effectError).toBeCloseTo(row.effectError, 12);
    const twin = join(folder, "twin");
    mkdirSync(twin);
    const facts = JSON.parse(readFileSync(join(out, "run.json"), "utf8"));
    facts.inputs.model.sha256 = "another";
    writeFileSync(join(twin, "run.json"), JSON.stringify(facts));
    writeFileSync(join(twin, "scores.json"), JSON.stringify(scores));
    const both = JSON.parse((await brodmannHere(["table", out, twin, "--json"])).stdout);
    expect(both.rows).toMatchObject([{ replicates: 2 }]);
    expect(both.rows[0].measures.loss.p).toBeLessThan(row.permutationP);
    expect(both.rows[0].measures.loss.effectError).toBeCloseTo(row.effectError, 12);
    // Files of an older version lack what that takes, and protocols do not mix.
    writeFileSync(join(twin, "scores.json"), JSON.stringify({ ...scores, arrangements: undefined }));
    const lacking = await brodmannHere(["table", out, twin]);
    expect(lacking.code).toBe(3);
    expect(lacking.stderr).toContain("found no arrangements");
    writeFileSync(join(twin, "scores.json"), JSON.stringify({ ...scores, protocol: "paper" }));
    const mixed = await brodmannHere(["table", out, twin]);
    expect(mixed.code).toBe(3);
    expect(mixed.stderr).toContain("found protocol paper, expected strict");
    expect((await analyze("--lesion", "none")).code).toBe(2);
    expect((await analyze("--sequential", "--protocol", "paper")).code).toBe(2);
  });
});
