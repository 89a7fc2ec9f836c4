import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { rng } from "../../src/statistics/rng.ts";
import { brodmannHere, npy, temporaryFolder, writePlanted } from "../support/cli.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/graphs/${name}.npz`, import.meta.url));
const CPU = ["--device", "cpu", "--no-progress"];
const partition = (...args: readonly string[]) => brodmannHere(["partition", ...args, ...CPU]);

interface PartitionJson {
  readonly layers: { name: string; labels: number[] }[];
  readonly clusters: number;
  readonly method: Record<string, unknown>;
  readonly quality: {
    readonly nulls?: { null: string; draws: number; modularity: { z: number; p: number } }[];
    readonly stability?: {
      rows: { name: string; runs: number; ami: number }[];
      unstable: number;
      layers: { name: string; coAssignment: (number | null)[] }[];
    };
  };
}
const parse = (text: string) => JSON.parse(text) as PartitionJson;

/** Activations of 30 units in 3 groups with a signal each, samples x units, and the graph of them. */
async function recordedGraph(): Promise<{ graph: string; activations: string }> {
  const folder = temporaryFolder();
  const stream = rng(0, "recorded");
  const values = new Float32Array(200 * 30);
  for (let sample = 0; sample < 200; sample++) {
    const signals = [stream.normal(), stream.normal(), stream.normal()];
    for (let unit = 0; unit < 30; unit++) {
      values[sample * 30 + unit] = (signals[unit % 3] as number) + 0.4 * stream.normal();
    }
  }
  const [activations, graph] = [join(folder, "recorded.npy"), join(folder, "graph.npz")];
  writeFileSync(activations, npy(values, [200, 30]));
  const made = await brodmannHere(["graph", "--activations", activations, "--out", graph, ...CPU]);
  expect(made.code).toBe(0);
  return { graph, activations };
}

describe("partition", () => {
  it.each(["csr", "csc", "coo", "csr-float64", "int64-indices", "unsorted"])(
    "takes scipy's %s",
    async (name) => {
      const made = await partition(fixture(name), "--method", "leiden");
      expect(made.code).toBe(0);
      const { layers, clusters } = parse(made.stdout);
      expect(layers).toEqual([
        {
          name: "graph",
          labels: parse((await partition(fixture("csr"), "--method", "leiden")).stdout).layers[0]?.labels,
        },
      ]);
      expect(layers[0]?.labels[4]).toBe(-1);
      expect(Math.max(...(layers[0]?.labels ?? []))).toBe(clusters - 1);
    },
  );

  it("writes nulls, stability and the choice of k, and says them", async () => {
    const { graph, activations } = await recordedGraph();
    const args = [graph, "--k", "auto", "--nulls", "19", "--stability", "3", "--activations", activations];
    const made = await partition(...args);
    expect(made.code).toBe(0);
    const { method, clusters, quality } = parse(made.stdout);
    expect(clusters).toBe(3);
    expect(method).toMatchObject({ name: "spectral", k: 3, chosen: { rule: "eigengap", k: 3 } });
    expect(quality.nulls?.map((test) => [test.null, test.draws])).toEqual([
      ["weights", 19],
      ["inputs", 19],
    ]);
    for (const { modularity } of quality.nulls ?? []) expect(modularity.p).toBe(0.05);
    expect(quality.stability?.rows.map(({ name }) => name)).toEqual(["seeds", "bootstraps", "k 2", "k 4"]);
    expect(quality.stability).toMatchObject({ unstable: 0 });
    expect(quality.stability?.layers[0]?.coAssignment).toHaveLength(30);
    expect(made.stderr).toMatch(
      /against 19 graphs of shuffled weights: n-cut z -?\d.*; modularity z \d.*p 0\.050/,
    );
    expect(made.stderr).toContain("agreement with 3 bootstraps: AMI 1.000");
    expect(made.stderr).toMatch(/\nk by eigengap: 3; 2: \d\.\d{3}, 3: /);
    expect((await partition(...args)).stdout).toBe(made.stdout);
    const stable = await partition(graph, "--k", "stable");
    expect(stable.stderr).toMatch(/\nk by stability \(AMI of parts\): 3; 2: \d\.\d{3}, 3: 1\.000, /);
    expect(parse(stable.stdout).method).toMatchObject({ k: 3, chosen: { rule: "stability", k: 3 } });
  });

  it("refuses activations that are not those of the graph, or of no use", async () => {
    const { graph, activations } = await recordedGraph();
    for (const [args, text] of [
      [[fixture("csr"), "--activations", activations, "--nulls", "2"], "found a graph of weights"],
      [[graph, "--activations", activations], "found no --nulls and no --stability"],
      [[graph, "--k", "autos"], "expected a whole number from 1, auto or stable"],
      [[graph, "--k", "auto", "--method", "leiden"], "found the method leiden"],
    ] as const) {
      const made = await partition(...args);
      expect(made.code).toBe(2);
      expect(made.stderr).toContain(text);
    }
  });
});

describe("compare", () => {
  it("takes any labels, units in no cluster, and layers that only one has", async () => {
    const folder = temporaryFolder();
    const write = (name: string, layers: { name: string; labels: number[] }[]) => {
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify({ schema: "brodmann/partition/1", layers }));
      return path;
    };
    const first = write("a.json", [
      { name: "one", labels: [7, 7, 900, 900, -1] },
      { name: "two", labels: [7, 900] },
    ]);
    const second = write("b.json", [
      { name: "three", labels: [0] },
      { name: "one", labels: [-5, -5, 2, 2, 2] },
    ]);
    const made = await brodmannHere(["compare", first, second, "--json"]);
    expect(made.code).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({
      overall: { units: 4, onlyFirst: 2, onlySecond: 2, neither: 0, ari: 1, ami: 1, elementCentric: 1 },
      layers: [
        { name: "one", units: 4, onlySecond: 1, ari: 1 },
        { name: "two", units: 0, onlyFirst: 2, ari: null },
        { name: "three", units: 0, onlySecond: 1, elementCentric: null },
      ],
    });
    const table = await brodmannHere(["compare", first, second]);
    expect(table.stdout).toMatch(/^layer +units +ARI +AMI +NMI +VI \(nats\) +ECS/);
    expect(table.stdout).toMatch(/overall +4 +1\.0000/);
    expect(readFileSync(first, "utf8")).toContain("900");
  });

  it("tells chance and transfer, and refuses graphs that are not those of the partitions", async () => {
    const folder = temporaryFolder();
    const place = (name: string) => join(folder, name);
    const { model, data } = writePlanted(folder);
    const run = ["--k", "2", "--agreement", "--protocol", "paper", "--shuffles", "3", ...CPU];
    const analyzed = await brodmannHere(["analyze", model, "--data", data, ...run, "--out", place("run")]);
    expect(analyzed.code).toBe(0);
    expect(analyzed.stderr).toContain("the partition of activations, made alike: 2 clusters");
    expect(analyzed.stderr).toContain("agreement on 48 units in clusters of both: AMI 1.000, ARI 1.000");
    expect(analyzed.stderr).toMatch(
      /5000 shufflings of labels within layers: AMI mean -?0\.\d+, z \d.*p 0\.00020;/,
    );
    expect(analyzed.stderr).toContain("run.json, report.html, partition-activations.json)");
    const files = [place("run/partition.json"), place("run/partition-activations.json")];
    const graphs = [place("run/graph.npz"), place("activations.npz")];
    const flags = ["--graph", "activations", "--data", data, "--out", place("activations.npz"), ...CPU];
    expect((await brodmannHere(["graph", model, ...flags])).code).toBe(0);
    const compare = ["compare", ...files, "--shuffles", "5000", "--graphs", graphs.join(",")];
    const made = JSON.parse((await brodmannHere([...compare, "--json"])).stdout);
    const { agreement } = parse(readFileSync(place("run/partition.json"), "utf8")).quality as unknown as {
      agreement: { overall: object; layers: object[]; transfer: { toOther: object; fromOther: object } };
    };
    expect(made.overall).toEqual(agreement.overall);
    expect(made.layers).toEqual(agreement.layers);
    const { toOther, fromOther } = agreement.transfer;
    expect(made.transfer).toEqual({ firstGraph: fromOther, secondGraph: toOther });
    const table = (await brodmannHere(compare)).stdout;
    expect(table).toMatch(/^layer +units +ARI +AMI +NMI +VI \(nats\) +ECS +p \(AMI\)/);
    expect(table).toMatch(/\noverall +48 .* 0\.00020\n/);
    expect(table).toMatch(/\ntransfer: B has modularity 0\.\d+ on A's graph, .*, 1\.000 of it \(48 nodes/);
    for (const [code, value, text] of [
      [2, graphs[0], "expected two files parted by a comma"],
      [2, [...graphs].reverse().join(","), "found a graph of kind activations, expected weights"],
      [3, `${place("none.npz")},${graphs[1]}`, "none.npz: cannot be read"],
    ] as const) {
      const refused = await brodmannHere(["compare", ...files, "--graphs", value ?? ""]);
      expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: "" });
      expect(refused.stderr).toContain(text);
    }
    // A file made elsewhere does not say what its graph is: then the layers tell.
    const stranger = fixture("csr");
    for (const path of files) {
      const { schema, layers } = JSON.parse(readFileSync(path, "utf8"));
      writeFileSync(path, JSON.stringify({ schema, layers }));
    }
    const refused = await brodmannHere(["compare", ...files, "--graphs", `${stranger},${stranger}`]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("csr.npz: partition: found layer x, expected layers named graph");
  });
});
