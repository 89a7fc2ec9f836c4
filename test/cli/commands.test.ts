import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadDataset } from "../../src/data/dataset.ts";
import { readGraph } from "../../src/graph/graph-file.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { formatPartition, parsePartition } from "../../src/partition/partition-file.ts";
import { scoreCoherence } from "../../src/scores/coherence.ts";
import { COHERENCE_MEASURES, COHERENCE_NAMES } from "../../src/scores/coherence-measures.ts";
import { scoreImportance } from "../../src/scores/importance.ts";
import { formatScores } from "../../src/scores/scores-file.ts";
import {
  brodmann,
  brodmannHere,
  type Finished,
  npy,
  type PlantedFiles,
  temporaryFolder,
  writePlanted,
} from "../support/cli.ts";
import { withoutRun } from "../support/report-text.ts";

/** Everything that `analyze` writes (contract, "Files"). */
const FILES = [
  "graph.gexf",
  "graph.npz",
  "partition.json",
  "report.html",
  "run.json",
  "scores.json",
  "subclusters.csv",
  "units.csv",
];

const folder = temporaryFolder(false);
const place = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(place(name), "utf8");
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const K = ["--k", "2"];
interface ScoresFile extends Record<string, unknown> {
  subclusters: Record<string, unknown>[];
  network: Record<string, unknown>;
}
let files: PlantedFiles;
let run: Finished;
let analyze: string[];

beforeAll(async () => {
  files = writePlanted(folder);
  analyze = ["analyze", files.model, "--data", files.data, ...K];
  run = await brodmann([...analyze, "--out", place("run"), "--json"]);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("analyze", () => {
  it("ends well, with the scores as the only thing on stdout", () => {
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(read("run/scores.json"));
    expect(run.stderr).toMatch(/^device: cpu/);
    expect(run.stderr).toContain("data: 240 inputs of shape 8 from");
    expect(run.stderr).toContain("graph: 60 nodes of 4 layers (weights, global)");
    expect(run.stderr).toContain("partition: 2 clusters, n-cut ");
    expect(run.stderr).toContain(`written: ${place("run")} (graph.npz, `);
    expect(run.stderr).toContain("run.json, report.html)");
  });

  it("writes the contract's files and nothing else", () => {
    expect(readdirSync(place("run")).sort()).toEqual(FILES);
  });

  it("finds the planted areas, and each lesion hurts its own classes only", () => {
    const { partition } = parsePartition(read("run/partition.json"), "partition.json");
    for (const { name, blocks } of files.planted.layers) {
      const labels = partition.layers.find((layer) => layer.name === name)?.labels ?? new Int32Array();
      const swapped = blocks.map((block) => 1 - block);
      expect([Array.from(blocks), Array.from(swapped)]).toContainEqual(Array.from(labels));
    }
    const { subclusters } = json(read("run/scores.json")) as {
      subclusters: { units: number[]; layer: string; importance: { classAccuracy: number[] } }[];
    };
    expect(subclusters.map(({ layer }) => layer)).toEqual(["hidden1", "hidden1", "hidden2", "hidden2"]);
    for (const { layer, units, importance } of subclusters) {
      const block = files.planted.layers.find(({ name }) => name === layer)?.blocks[units[0] ?? 0];
      expect(importance.classAccuracy).toEqual(block === 0 ? [0, 0, 1, 1] : [1, 1, 0, 0]);
    }
  });

  it("writes scores.json with the contract's keys", () => {
    const scores = json(read("run/scores.json"));
    expect(scores).toMatchObject({
      schema: "brodmann/scores/1",
      protocol: "strict",
      seed: 0,
      shuffles: 199,
      lesion: "zero",
      baseline: { inputs: 240, accuracy: 1, classAccuracy: [1, 1, 1, 1], loss: expect.any(Number) },
    });
    const [first] = scores.subclusters as Record<string, Record<string, unknown>>[];
    expect(first).toMatchObject({ layer: "hidden1", cluster: 0, layerUnits: 24 });
    const numbers = {
      accuracy: expect.any(Number),
      classRange: expect.any(Number),
      loss: expect.any(Number),
    };
    expect(first?.importance).toMatchObject({
      accuracy: 0.5,
      meanClassAccuracy: 0.5,
      classRange: expect.any(Number),
      loss: expect.any(Number),
      p: numbers,
      effect: numbers,
    });
    const row = {
      fisherStatistic: expect.any(Number),
      fisherP: expect.any(Number),
      permutationP: expect.any(Number),
      effect: expect.any(Number),
    };
    expect(scores.network).toMatchObject({
      importance: { accuracy: row, classRange: row, loss: row },
      coherence: { meanCorrelation: row, labelCka: row },
    });
    expect(first?.coherence).toMatchObject({
      meanCorrelation: expect.any(Number),
      p: { meanCorrelation: expect.any(Number) },
      effect: { meanCorrelation: expect.any(Number) },
    });
  });

  it("writes partition.json with the contract's keys", () => {
    expect(json(read("run/partition.json"))).toMatchObject({
      schema: "brodmann/partition/1",
      layers: ["x", "hidden1", "hidden2", "logits"].map((name) => ({ name, labels: expect.any(Array) })),
      clusters: 2,
      method: { name: "spectral", k: 2, seed: 0 },
      quality: { ncut: expect.any(Number), modularity: expect.any(Number) },
    });
  });

  it("writes tables that agree with the JSON", async () => {
    const scores = json(read("run/scores.json")) as {
      subclusters: { layer: string; cluster: number; units: number[]; importance: { accuracy: number } }[];
    };
    const [header = "", ...rows] = read("run/subclusters.csv").trimEnd().split("\n");
    expect(header).toMatch(/^layer,cluster,size,layerUnits,accuracy,/);
    expect(rows.map((row) => row.split(",").slice(0, 5))).toEqual(
      scores.subclusters.map(({ layer, cluster, units, importance }) =>
        [layer, cluster, units.length, 24, importance.accuracy].map(String),
      ),
    );
    const graph = await readGraph(place("run/graph.npz"));
    const { partition } = parsePartition(read("run/partition.json"), "partition.json");
    const [unitHeader, ...units] = read("run/units.csv").trimEnd().split("\n");
    expect(unitHeader).toBe("layer,unit,cluster,degree,participation,withinDegree");
    expect(units).toHaveLength(graph.layer.length);
    const [block] = graph.matrix.blocks;
    if (block?.shape !== "sparse") throw new Error("graph.npz holds CSR");
    units.forEach((line, node) => {
      const [layer, unit, cluster, degree] = line.split(",");
      const weights = block.weight.subarray(block.rowStart[node], block.rowStart[node + 1]);
      expect(Number(degree)).toBeCloseTo(
        weights.reduce((sum, weight) => sum + weight, 0),
        5,
      );
      expect(layer).toBe(graph.layers[graph.layer[node] as number]?.name);
      const labels = partition.layers.find(({ name }) => name === layer)?.labels;
      expect(Number(cluster)).toBe(labels?.[Number(unit)]);
    });
  });

  it("writes how it was made to run.json", () => {
    expect(json(read("run/run.json"))).toMatchObject({
      schema: "brodmann/run/1",
      command: ["brodmann", ...analyze, "--out", place("run"), "--json"],
      inputs: { model: { path: files.model, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      device: "cpu",
    });
  });

  it("writes the report that the report command makes of its files", async () => {
    const out = place("again.html");
    expect((await brodmann(["report", place("run"), "--out", out])).code).toBe(0);
    expect(read("again.html")).toBe(read("run/report.html"));
    expect(withoutRun(read("again.html"))).toContain("hidden2");
  });

  it("keeps all else where the report cannot be made", async () => {
    const out = place("broken");
    mkdirSync(out);
    writeFileSync(join(out, "visual"), "a file in the place of a folder");
    const flags = ["--scores", "coherence", "--protocol", "paper", "--shuffles", "3", "--quiet"];
    const { code, stderr } = await brodmann([...analyze, ...flags, "--out", out]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^report.html is not written: .*visual: cannot be read/);
    expect(stderr).toContain(`Once more: brodmann report ${out}`);
    expect(readdirSync(out).sort()).toEqual(
      [...FILES, "visual"].filter((name) => name !== "report.html").sort(),
    );
  });

  it("gives the same bytes for the same seed and others for another", async () => {
    const again = await brodmann([...analyze, "--out", place("again"), "--quiet"]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
    const same = FILES.filter((name) => name !== "run.json" && name !== "report.html");
    expect(withoutRun(read("again/report.html"))).toBe(withoutRun(read("run/report.html")));
    for (const name of same) {
      expect(readFileSync(place(`again/${name}`)).equals(readFileSync(place(`run/${name}`))), name).toBe(
        true,
      );
    }
    await brodmann([...analyze, "--out", place("other"), "--seed", "1"]);
    expect(read("other/scores.json")).not.toBe(read("run/scores.json").replace('"seed": 0', '"seed": 1'));
  });

  it("prints tables without --json", async () => {
    const { stdout } = await brodmann([...analyze, "--out", place("tables")]);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(
      /^layer +cluster +units +accuracy % +class most hurt +by % +loss change +effect +p/,
    );
    // Layers of both tables, importance and coherence.
    expect(lines.filter((line) => line.startsWith("hidden"))).toHaveLength(4);
    expect(lines.find((line) => line.startsWith("classRange"))).toBeDefined();
    expect(lines.find((line) => line.startsWith("meanCorrelation"))).toBeDefined();
    for (const name of COHERENCE_NAMES) expect(stdout).toContain(COHERENCE_MEASURES[name].meaning);
    expect(stdout).toContain("Intact network: 100.00 % of 240 inputs correct");
    expect(stdout).not.toMatch(/NaN|Infinity|-0\.0+\s/);
  });

  it.each([
    [["--graph", "activations", "--scope", "local"]],
    [["--scope", "local"]],
    [["--graph", "activations", "--method", "louvain", "--correlation", "pearson", "--samples", "100"]],
    [["--method", "leiden", "--quality", "cpm", "--scope", "local"]],
    [["--method", "random", "--protocol", "paper", "--shuffles", "9", "--take", "120"]],
  ])("takes %j", async (flags) => {
    const out = place(`flags${flags.join("")}`);
    const { code, stderr } = await brodmann([...analyze, ...flags, "--out", out]);
    expect(stderr).not.toContain("error");
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(FILES);
  });
});

describe("analyze --nulls --stability --agreement", () => {
  it("writes what partition would, the other partition beside it, and co-assignments", async () => {
    const flags = ["--graph", "activations", "--nulls", "9", "--stability", "2", "--agreement"];
    const args = [...analyze, ...flags, "--protocol", "paper", "--out", place("assessed")];
    const { code, stderr } = await brodmann(args);
    expect(code).toBe(0);
    expect(stderr).toContain("against 9 graphs of permuted inputs: n-cut z ");
    expect(stderr).toContain("agreement with 2 bootstraps: AMI 1.000");
    expect(readdirSync(place("assessed")).sort()).toEqual([...FILES, "partition-weights.json"].sort());
    const text = read("assessed/partition.json");
    const { partition, graphFacts } = parsePartition(text, "p");
    expect(formatPartition(partition, graphFacts)).toBe(text);
    const { nulls, stability, agreement } = partition.quality ?? {};
    expect(nulls?.map((test) => test.null)).toEqual(["weights", "inputs"]);
    expect(stability?.rows.map(({ name }) => name)).toEqual(["seeds", "bootstraps", "k 1", "k 3"]);
    expect(agreement).toMatchObject({ kind: "weights", clusters: 2, overall: { units: 48, ami: 1 } });
    const [header, first] = read("assessed/units.csv").split("\n");
    expect(header).toMatch(/,coAssignment$/);
    expect(first).toMatch(/^hidden1,0,.*,1$/);
    // A run without these takes the place of one with them.
    await brodmann([...analyze, "--protocol", "paper", "--out", place("assessed")]);
    expect(readdirSync(place("assessed")).sort()).toEqual(FILES);
  });
});

describe("the steps one by one give what analyze gives", () => {
  it("graph", async () => {
    const made = await brodmann(["graph", files.model, "--out", place("graph.npz"), "--json"]);
    expect(made.code).toBe(0);
    expect(readFileSync(place("graph.npz")).equals(readFileSync(place("run/graph.npz")))).toBe(true);
    expect(json(made.stdout)).toMatchObject({ kind: "weights", scope: "global", nodes: 60, droppedEdges: 0 });
  });

  it("partition, from each graph format", async () => {
    await brodmann(["graph", files.model, "--out", place("g.gexf"), "--quiet"]);
    await brodmann(["graph", files.model, "--out", place("g.graphml"), "--quiet"]);
    for (const graph of ["run/graph.npz", "g.gexf", "g.graphml"]) {
      const made = await brodmann(["partition", place(graph), ...K]);
      expect(made.code).toBe(0);
      const labels = json(made.stdout).layers;
      expect(labels, graph).toEqual(json(read("run/partition.json")).layers);
    }
  });

  it("partition into a file, silent on stdout but with --json", async () => {
    const args = ["partition", place("run/graph.npz"), ...K, "--out", place("p.json")];
    const silent = await brodmann(args);
    expect(silent).toMatchObject({ code: 0, stdout: "" });
    expect(silent.stderr).toContain(`written: ${place("p.json")}`);
    expect(read("p.json")).toBe(read("run/partition.json"));
    expect((await brodmann([...args, "--json"])).stdout).toBe(read("p.json"));
  });

  it("score", async () => {
    const args = ["score", files.model, "--data", files.data, "--partition", place("run/partition.json")];
    const made = await brodmann([...args, "--out", place("scores.json")]);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^layer +cluster/);
    expect(read("scores.json")).toBe(read("run/scores.json"));
    expect((await brodmann([...args, "--json"])).stdout).toBe(read("run/scores.json"));
  });

  it("the library", async () => {
    const network = await loadNetwork(files.model);
    const { partition } = parsePartition(read("run/partition.json"), "partition.json");
    const data = await loadDataset(files.data);
    const importance = await scoreImportance(network, data, partition);
    const coherence = await scoreCoherence(network, data, partition);
    expect(formatScores(importance, coherence)).toBe(read("run/scores.json"));
  });

  it("score, one kind at a time", async () => {
    const both = json(read("run/scores.json")) as ScoresFile;
    for (const name of ["importance", "coherence"] as const) {
      const args = ["score", files.model, "--data", files.data, "--partition", place("run/partition.json")];
      const { code, stdout } = await brodmannHere([...args, "--scores", name, "--json"]);
      expect(code).toBe(0);
      const scores = json(stdout) as ScoresFile;
      expect(scores.network).toEqual({ [name]: both.network[name] });
      expect(scores.subclusters.map((subcluster) => subcluster[name])).toEqual(
        both.subclusters.map((subcluster) => subcluster[name]),
      );
      expect(Object.keys(scores.subclusters[0] ?? {})).toEqual([
        "layer",
        "cluster",
        "units",
        "layerUnits",
        name,
      ]);
    }
  });
});

describe("score", () => {
  it("reports clusters under the labels of a partition made elsewhere", async () => {
    const { blocks } = files.planted.layers[0] ?? { blocks: new Int32Array() };
    const labels = Array.from(blocks, (block) => (block === 0 ? 70 : -7));
    const own = { schema: "brodmann/partition/1", layers: [{ name: "hidden1", labels }] };
    writeFileSync(place("own.json"), JSON.stringify(own));
    const args = ["score", files.model, "--data", files.data, "--partition", place("own.json"), "--json"];
    const { subclusters } = json((await brodmann(args)).stdout) as {
      subclusters: { layer: string; cluster: number; units: number[] }[];
    };
    expect(subclusters.map(({ layer, cluster }) => [layer, cluster])).toEqual([
      ["hidden1", -7],
      ["hidden1", 70],
    ]);
    for (const { cluster, units } of subclusters) {
      expect(units).toEqual([...labels.keys()].filter((unit) => labels[unit] === cluster));
    }
  });
});

describe("graph --activations", () => {
  it("correlates what another program recorded", async () => {
    const samples = 50;
    const recorded = new Float32Array(samples * 3);
    for (let i = 0; i < samples; i++) recorded.set([i, -2 * i, (i * 37) % 50], 3 * i);
    writeFileSync(place("recorded.npy"), npy(recorded, [samples, 3]));
    const args = ["graph", "--activations", place("recorded.npy"), "--out", place("recorded.npz"), "--json"];
    expect(json((await brodmann(args)).stdout)).toMatchObject({
      kind: "activations",
      nodes: 3,
      layers: [{ name: "activations", units: 3 }],
      facts: { samples, correlation: "spearman", deadUnits: 0 },
    });
    const graph = await readGraph(place("recorded.npz"));
    const [block] = graph.matrix.blocks;
    if (block?.shape !== "sparse") throw new Error("a graph file holds CSR");
    expect(block.weight[0]).toBeCloseTo(1, 6);
    const top = [...args, "--top-k", "1"];
    // Units 0 and 1 list each other, unit 2 one of them.
    expect(json((await brodmann(top)).stdout)).toMatchObject({
      edges: 2,
      facts: { topK: 1, droppedEdges: 1 },
    });
    expect((await readGraph(place("recorded.npz"))).facts).toMatchObject({ topK: 1, droppedEdges: 1 });
  });
});

describe("inspect", () => {
  it("lists layers, units and connections", async () => {
    const { code, stdout, stderr } = await brodmann(["inspect", files.model, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const network = json(stdout);
    expect(network).toMatchObject({ model: "model.onnx", opset: 17, input: { name: "x", shape: [8] } });
    expect(
      (network.layers as { name: string; units: number }[]).map(({ name, units }) => [name, units]),
    ).toEqual([
      ["hidden1", 24],
      ["hidden2", 24],
      ["logits", 4],
    ]);
    expect(network.connections).toEqual([
      { from: "x", to: "hidden1" },
      { from: "hidden1", to: "hidden2" },
      { from: "hidden2", to: "logits" },
    ]);
    const table = await brodmann(["inspect", files.model]);
    expect(table.stdout).toContain("model.onnx: opset 17, input x 8\n3 layers, 52 units, 3 connections\n");
  });
});

describe("compare", () => {
  it("prints agreement by layer and overall", async () => {
    const both = [place("run/partition.json"), place("run/partition.json")];
    const { code, stdout, stderr } = await brodmann(["compare", ...both, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { overall, layers } = json(stdout) as { overall: object; layers: { name: string }[] };
    expect(overall).toMatchObject({ units: 60, ari: 1, ami: 1, vi: 0 });
    expect(layers.map(({ name }) => name)).toEqual(["x", "hidden1", "hidden2", "logits"]);
    const table = await brodmann(["compare", ...both]);
    expect(table.stdout).toMatch(/^layer +units +ARI +AMI +NMI +VI \(nats\) +ECS\n/);
    expect(table.stdout).toMatch(/\noverall +60 +1\.0000 +1\.0000/);
  });
});

describe("doctor", () => {
  it("tells what works here", async () => {
    const { code, stdout, stderr } = await brodmann(["doctor", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { findings } = json(stdout) as { findings: { what: string; works: boolean }[] };
    for (const what of ["Node", "ONNX Runtime"])
      expect(findings).toContainEqual(expect.objectContaining({ what, works: true }));
    expect((await brodmann(["doctor"])).stdout).toMatch(/^what +works +found/);
  });
});

describe("demo", () => {
  it("analyses the embedded example, wherever it is called, into folders that it makes", async () => {
    const flags = ["--take", "200", "--protocol", "paper", "--visual-shuffles", "1"];
    const args = ["demo", ...flags, "--out", "new/demo"];
    const { code, stdout, stderr } = await brodmann(args, { cwd: folder });
    expect(code).toBe(0);
    expect(stderr).toContain("nodes of 4 layers (activations, global)");
    expect(stdout).toMatch(/^layer +cluster/);
    for (const layer of ["hidden1", "hidden2", "hidden3", "hidden4"]) expect(stdout).toContain(`\n${layer} `);
    expect(stdout).toContain("of 200 inputs correct");
    expect(readdirSync(place("new/demo")).sort()).toEqual([...FILES, "visual"]);
  });
});

describe("output", () => {
  it("takes the place of an earlier run's, its journal included", async () => {
    const out = place("stale");
    mkdirSync(out);
    for (const name of [...FILES, "notes.txt"]) writeFileSync(join(out, name), "old");
    writeFileSync(join(out, "scores.jsonl"), '{"schema":"brodmann/journal/1","seed":1}\n');
    expect((await brodmann([...analyze, "--out", out])).code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([...FILES, "notes.txt"].sort());
    for (const name of FILES) expect(readFileSync(join(out, name), "utf8").slice(0, 3)).not.toBe("old");
  });

  it("is cut short in peace by a reader that has gone", async () => {
    const { spawnSync } = await import("node:child_process");
    const program = join(import.meta.dirname, "../../dist/cli/main.js");
    const { stdout, stderr } = spawnSync(
      "bash",
      [
        "-c",
        `"$1" "$2" inspect "$3" --json | true; echo \${PIPESTATUS[0]}`,
        "bash",
        process.execPath,
        program,
        files.model,
      ],
      { encoding: "utf8" },
    );
    expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
    expect(existsSync(place("run/graph.npz.part"))).toBe(false);
  });
});
