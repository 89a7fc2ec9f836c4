import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { brodmann, ROOT, start, temporaryFolder, writePlanted } from "../support/cli.ts";

const DATA = ["--data", join(ROOT, "examples/mnist-digits.npz")];
const MODEL = join(ROOT, "examples/mnist-mlp.onnx");
/** Far more random sets than any machine scores while the test waits. */
const LONG = ["--shuffles", "20000", "--take", "500"];

describe("Ctrl-C", () => {
  it("ends a run after its batch; what is done is kept and named", async () => {
    const folder = temporaryFolder();
    const out = join(folder, "run");
    // Two clusters in each layer: the layers behind the first are what is still to do.
    const run = start(["analyze", MODEL, ...DATA, ...LONG, "--method", "random", "--k", "2", "--out", out]);
    await run.saying("partition: 2 clusters");
    await run.saying(/^lesions of hidden1: [\d,]+ of [\d,]+ \(\d+%, [\dhmins ]+ left\)$/m);
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("interrupted: ending after this batch (again to end at once)");
    const kept = ["graph.gexf", "graph.npz", "partition.json", "scores.jsonl"];
    expect(readdirSync(out).sort()).toEqual(kept);
    for (const name of kept) expect(stderr.split("interrupted; kept: ")[1]).toContain(join(out, name));
    expect(stderr).toMatch(/\nThe same command with --resume continues\.\n$/);
    expect(stderr).not.toContain("error");
    JSON.parse(readFileSync(join(out, "partition.json"), "utf8"));
  });

  it("keeps every result, and --resume gives the bytes of a run that was not interrupted", async () => {
    const folder = temporaryFolder();
    const files = writePlanted(folder);
    const partition = join(folder, "p.json");
    const layers = files.planted.layers
      .slice(0, 2)
      .map(({ name, blocks }) => ({ name, labels: Array.from(blocks) }));
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const args = ["score", files.model, "--data", files.data, "--partition", partition, "--shuffles", "3000"];
    const [out, journal] = [join(folder, "scores.json"), join(folder, "scores.jsonl")];
    const run = start([...args, "--out", out]);
    await vi.waitFor(() => expect(statSync(journal).size).toBeGreaterThan(20_000), {
      timeout: 30_000,
      interval: 5,
    });
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain(`interrupted; kept: ${journal}\nThe same command with --resume continues.`);
    expect(existsSync(out)).toBe(false);
    expect(readFileSync(journal, "utf8").endsWith("}\n")).toBe(true);

    expect((await brodmann([...args, "--out", out, "--resume"])).stderr).toContain(
      `journal: continuing ${journal}`,
    );
    expect(existsSync(journal)).toBe(false);
    const whole = await brodmann([...args, "--json"]);
    expect(readFileSync(out, "utf8")).toBe(whole.stdout);
  });

  it("twice ends at once", async () => {
    const run = start(["demo", ...LONG]);
    await run.saying("partition: 16 clusters");
    // The first is answered; the second comes before the batch is over or finds the run ended: 130 in both cases.
    run.process.kill("SIGINT");
    await run.saying("interrupted: ending after this batch");
    run.process.kill("SIGINT");
    const { code, stdout } = await run.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  });

  it("says that nothing is kept without --out, and how to keep it", async () => {
    const run = start(["demo", ...LONG]);
    await run.saying("partition: 16 clusters");
    run.process.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/\ninterrupted; kept: nothing\nWith --out, a run keeps what is done/);
  });
});
