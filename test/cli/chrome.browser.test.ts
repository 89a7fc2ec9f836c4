import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readGraph } from "../../src/graph/graph-file.ts";
import { browsersOf } from "../support/browser-processes.ts";
import { brodmann, type PlantedFiles, start, temporaryFolder, writePlanted } from "../support/cli.ts";

const folder = temporaryFolder(false);
let files: PlantedFiles;
beforeAll(() => {
  files = writePlanted(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Expects that a program has left no browser and no profile. */
const expectNothingLeft = (owner: number | undefined) =>
  vi.waitFor(() => expect(browsersOf(owner ?? 0)).toEqual({ processes: [], profiles: [] }), {
    timeout: 10_000,
  });

async function analyzeOn(device: string) {
  const out = join(folder, device);
  const flags = [
    "--graph",
    "activations",
    "--k",
    "2",
    "--protocol",
    "paper",
    "--device",
    device,
    "--out",
    out,
  ];
  const run = start(["analyze", files.model, "--data", files.data, ...flags]);
  const { code, stderr } = await run.finished;
  expect(code, stderr).toBe(0);
  await expectNothingLeft(run.process.pid);
  const json = (name: string) => JSON.parse(readFileSync(join(out, name), "utf8"));
  return { out, stderr, graph: await readGraph(join(out, "graph.npz")), json };
}

describe("--device chrome", () => {
  it("writes the files of an analysis, as the CPU does", async () => {
    const chrome = await analyzeOn("chrome");
    const cpu = await analyzeOn("cpu");
    expect(readdirSync(chrome.out).sort()).toEqual(readdirSync(cpu.out).sort());
    expect(chrome.stderr).toMatch(/^device: chrome, \w+\/[\d.]+ on .+/m);
    expect(chrome.json("run.json")).toMatchObject({
      device: "chrome",
      chrome: { browser: expect.stringMatching(/^\w+\/\d/), adapter: { name: expect.any(String) } },
    });

    const [found, expected] = [chrome, cpu].map(({ graph }) =>
      graph.matrix.blocks.flatMap((block) => (block.shape === "sparse" ? [...block.weight] : [])),
    );
    expect(found).toHaveLength(expected?.length ?? 0);
    found?.forEach((weight, at) => {
      expect(Math.abs(weight - (expected?.[at] as number))).toBeLessThan(2e-4);
    });
    expect(chrome.json("partition.json").layers).toEqual(cpu.json("partition.json").layers);
    const accuracies = (scores: { subclusters: { importance: { accuracy: number } }[] }) =>
      scores.subclusters.map(({ importance }) => importance.accuracy);
    expect(accuracies(chrome.json("scores.json"))).toEqual(accuracies(cpu.json("scores.json")));
  });

  it("serves the commands one by one", async () => {
    const graph = join(folder, "g.npz");
    const partition = join(folder, "p.json");
    const scores = join(folder, "s.json");
    const device = ["--device", "chrome", "--quiet"];
    const steps = [
      ["graph", files.model, "--out", graph],
      ["partition", graph, "--k", "2", "--out", partition],
      [
        "score",
        files.model,
        "--data",
        files.data,
        "--partition",
        partition,
        "--protocol",
        "paper",
        "--out",
        scores,
      ],
    ];
    for (const step of steps)
      expect(await brodmann([...step, ...device])).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(scores, "utf8"))).toMatchObject({
      schema: "brodmann/scores/1",
      shuffles: 19,
    });
  });

  it("ends with 130 on Ctrl-C, keeps what is done and leaves no browser", async () => {
    const out = join(folder, "interrupted");
    const flags = ["--k", "2", "--protocol", "paper", "--shuffles", "20000", "--device", "chrome"];
    const run = start(["analyze", files.model, "--data", files.data, ...flags, "--out", out]);
    await run.saying("partition: 2 clusters");
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("interrupted; kept: ");
    const kept = ["graph.gexf", "graph.npz", "partition.json", "scores.jsonl"];
    expect(readdirSync(out).sort()).toEqual(kept);
    await expectNothingLeft(run.process.pid);
  });

  it("goes on with --resume, and merges shards, to the same bytes", async () => {
    const partition = join(folder, "resumed-p.json");
    const layers = files.planted.layers
      .slice(0, 2)
      .map(({ name, blocks }) => ({ name, labels: Array.from(blocks) }));
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const flags = ["--protocol", "paper", "--shuffles", "400", "--device", "chrome", "--quiet"];
    const args = ["score", files.model, "--data", files.data, "--partition", partition, ...flags];
    const place = (name: string) => join(folder, name);
    expect((await brodmann([...args, "--out", place("whole.json")])).code).toBe(0);
    const expected = readFileSync(place("whole.json"), "utf8");

    const journal = place("resumed.jsonl");
    const run = start([...args, "--out", place("resumed.json")]);
    const length = () => (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length : 0);
    // The header, the survey, and the lesions of a layer at least.
    await vi.waitFor(() => expect(length()).toBeGreaterThan(5), { timeout: 60_000, interval: 5 });
    run.process.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringContaining(journal) });
    await expectNothingLeft(run.process.pid);
    expect((await brodmann([...args, "--out", place("resumed.json"), "--resume"])).code).toBe(0);
    expect(readFileSync(place("resumed.json"), "utf8")).toBe(expected);

    const shards = [1, 2].map((number) => place(`parts.shard-${number}-of-2.jsonl`));
    const done = await Promise.all(
      ["1/2", "2/2"].map((shard) => brodmann([...args, "--out", place("parts.json"), "--shard", shard])),
    );
    expect(done.map((shard) => shard.code)).toEqual([0, 0]);
    expect((await brodmann(["merge", ...shards, "--json"])).stdout).toBe(expected);
  });

  it("leaves no browser when it is ended at once", async () => {
    const flags = ["--k", "2", "--protocol", "paper", "--shuffles", "20000", "--device", "chrome"];
    const run = start([
      "analyze",
      files.model,
      "--data",
      files.data,
      ...flags,
      "--out",
      join(folder, "twice"),
    ]);
    await run.saying("partition: 2 clusters");
    expect(browsersOf(run.process.pid ?? 0).processes.length).toBeGreaterThan(0);
    run.process.kill("SIGINT");
    await run.saying("interrupted: ending after this batch");
    run.process.kill("SIGINT");
    expect((await run.finished).code).toBe(130);
    await expectNothingLeft(run.process.pid);
  });

  it("is in what doctor reports", async () => {
    const findingOf = async (env: Record<string, string>) => {
      const { code, stdout } = await brodmann(["doctor", "--json"], { env });
      expect(code).toBe(0);
      const { findings } = JSON.parse(stdout) as { findings: { what: string }[] };
      return findings.find(({ what }) => what === "Chrome");
    };
    const found = expect.stringMatching(
      /^\w+\/[\d.]+ at .+, WebGPU on .+ \((hardware|software)\), onnxruntime-web /,
    );
    expect(await findingOf({})).toMatchObject({ works: true, found });
    expect(await findingOf({ PUPPETEER_EXECUTABLE_PATH: "/no/such/chrome" })).toMatchObject({
      works: false,
      found: expect.stringContaining("/no/such/chrome"),
      advice: expect.stringContaining("unset it"),
    });
  });
});
