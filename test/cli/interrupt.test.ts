import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brodmann, ROOT, start, temporaryFolder } from "../support/cli.ts";

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
    const kept = ["graph.gexf", "graph.npz", "partition.json"];
    expect(readdirSync(out).sort()).toEqual(kept);
    for (const name of kept) expect(stderr.split("interrupted; kept: ")[1]).toContain(join(out, name));
    expect(stderr).not.toContain("error");
    JSON.parse(readFileSync(join(out, "partition.json"), "utf8"));
  });

  it("keeps the scores of finished layers, until a run completes", async () => {
    const folder = temporaryFolder();
    // The first layer has two subclusters, the others 384: whatever the machine, most of the run is behind it.
    const layers = ["hidden1", "hidden2", "hidden3", "hidden4"].map((name) => ({
      name,
      labels: Array.from({ length: 256 }, (_, unit) => unit % (name === "hidden1" ? 2 : 128)),
    }));
    const partition = join(folder, "p.json");
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const out = join(folder, "scores.json");
    const args = ["score", MODEL, ...DATA, "--take", "300", "--partition", partition, "--out", out];
    const run = start([...args, "--shuffles", "200"]);
    await run.saying(/^lesions of hidden[234]: /m);
    run.process.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    const partial = join(folder, "scores.partial.json");
    expect(existsSync(out)).toBe(false);
    const scores = JSON.parse(readFileSync(partial, "utf8")) as { subclusters: { layer: string }[] };
    expect(scores).toMatchObject({ schema: "brodmann/scores/1", isPartial: true, shuffles: 200, seed: 0 });
    const { length } = scores.subclusters;
    expect(stderr).toContain(`interrupted; kept: ${partial} (${length} subclusters of finished layers)`);
    expect([2, 130, 258]).toContain(length);
    expect(scores.subclusters.slice(0, 2).map(({ layer }) => layer)).toEqual(["hidden1", "hidden1"]);

    expect((await brodmann([...args, "--protocol", "paper", "--shuffles", "1", "--quiet"])).code).toBe(0);
    expect(existsSync(partial)).toBe(false);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ subclusters: { length: 386 } });
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
