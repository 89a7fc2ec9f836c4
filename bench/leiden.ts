/**
 * Leiden and Louvain: how long do they take from CSR in memory (or from dense blocks) to labels, how much more on ten
 * times the edges, and what does igraph's C take on the same graphs in the same window?
 *
 * Roof: a sweep over a graph of 65,536 nodes and 1.3 M entries streams 12 bytes per entry (16 MB, 0.5 ms at 32 GB/s),
 * gathers a label (4 bytes) per entry, and adds to and clears a sum in a table of a few slots that stays in the first-level
 * cache, about 5 ns together: 7 ms. The first phase visits every node 4 to 5 times, the rest of two iterations comes to
 * about 12 sweeps more. A sweep in which nothing moves takes 8 to 14 ns an entry on graphs of any size, the first ones,
 * where nearly every node moves, 20 to 60.
 *
 * Ten times the nodes is more than ten times the work: Leiden reads 17 M entries in all on planted-65536 and 327 M on
 * planted-655360, whose 5,120 groups join over more rounds (Louvain 11 M and 175 M). An entry takes 18 to 32 ns
 * on both.
 *
 * Run: npx tsx bench/leiden.ts [--graphs FOLDER] [--only NAME] [--python PROGRAM] [--runs N] [--json FILE]
 * FOLDER holds g_NAME.bin (nodes, edges, then sources, targets as int32 and weights as float32); without it planted graphs
 * are made. PROGRAM is a Python with numpy and igraph; without it igraph is left out.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { SymmetricMatrix } from "../src/compute/compute.ts";
import { clusterWeights } from "../src/compute/cpu/cluster-weights.ts";
import { toCsr } from "../src/graph/csr.ts";
import { leiden } from "../src/partition/leiden.ts";
import { louvain } from "../src/partition/louvain.ts";
import { modularity } from "../src/partition/quality.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const { values: flags } = parseArgs({
  options: {
    graphs: { type: "string" },
    only: { type: "string", default: "" },
    python: { type: "string" },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
  },
});
const runs = Number(flags.runs);

interface Edges {
  readonly nodes: number;
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly weight: Float32Array;
}

const graphs: readonly [string, () => Edges | SymmetricMatrix][] = [
  ...["hard6554", "hard65536", "knn6554", "knn65536", "thr10pc_4096", "dense4096"].flatMap(
    (name): [string, () => Edges][] => {
      const path = join(flags.graphs ?? "", `g_${name}.bin`);
      return flags.graphs !== undefined && existsSync(path) ? [[name, () => readEdges(path)]] : [];
    },
  ),
  ["planted-65536", () => planted(65_536)],
  ["planted-655360", () => planted(655_360)],
  ["dense-4096", () => denseBlock(4096)],
];

const bench = await Bench.start("Leiden and Louvain");
const folder = mkdtempSync(join(tmpdir(), "brodmann-bench-"));
for (const [name, make] of graphs.filter(([graph]) => graph.includes(flags.only))) {
  const made = make();
  const matrix = "blocks" in made ? made : matrixOf(made);
  const entries = toCsr(matrix).column.length;
  const best = { leiden: 0, louvain: 0 };
  // In turns, so that other load on the machine meets both.
  for (const turn of [1, 2]) {
    for (const [method, run] of [
      ["leiden", leiden],
      ["louvain", louvain],
    ] as const) {
      let seed = 0;
      let labels: Int32Array = new Int32Array();
      const work = () => {
        labels = run(matrix, { seed: seed++, runs: 1 });
      };
      work();
      const quality = qualityOf(matrix, labels);
      best[method] = quality;
      await bench.add(`${name} ${method} (${turn})`, work, {
        runs,
        facts: { edges: entries / 2, Q: quality.toFixed(5), clusters: new Set(labels).size },
      });
    }
    if (flags.python === undefined || "blocks" in made) continue;
    for (const { method, seconds, Q, clusters } of timeIgraph(flags.python, made)) {
      bench.record(
        `${name} igraph ${method} (${turn})`,
        seconds.map((s) => 1000 * s),
        null,
        { Q: Q.toFixed(5), clusters },
      );
      check(best[method] > 0.995 * Q, `${name}: ${method} Q ${best[method]}, igraph's ${Q}`);
    }
  }
}
rmSync(folder, { recursive: true });
await bench.finish();

function qualityOf(matrix: SymmetricMatrix, labels: Int32Array): number {
  const clusters = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  return modularity(clusterWeights(matrix, labels, clusters));
}

interface IgraphTimes {
  readonly method: "leiden" | "louvain";
  readonly seconds: readonly number[];
  readonly Q: number;
  readonly clusters: number;
}

/** igraph's own times on a graph that it has built already, in a process of its own. */
function timeIgraph(python: string, { nodes, source, target, weight }: Edges): IgraphTimes[] {
  const path = join(folder, "graph.bin");
  const pieces = [Int32Array.of(nodes, source.length), source, target, weight];
  writeFileSync(path, Buffer.concat(pieces.map((p) => Buffer.from(p.buffer, p.byteOffset, p.byteLength))));
  const script = fileURLToPath(new URL("leiden-igraph.py", import.meta.url));
  return JSON.parse(execFileSync(python, [script, path, "3"], { encoding: "utf8" })) as IgraphTimes[];
}

function readEdges(path: string): Edges {
  const bytes = new Uint8Array(readFileSync(path)).buffer;
  const [nodes = 0, count = 0] = new Int32Array(bytes, 0, 2);
  return {
    nodes,
    source: new Int32Array(bytes, 8, count),
    target: new Int32Array(bytes, 8 + 4 * count, count),
    weight: new Float32Array(bytes, 8 + 8 * count, count),
  };
}

/** Ten edges a node in random order, six of ten inside planted groups of 128; modularity about 0.5. */
function planted(nodes: number): Edges {
  const stream = rng(1, "leiden bench", nodes);
  const place = stream.shuffle(Int32Array.from({ length: nodes }, (_, i) => i));
  const seen = new Set<number>();
  for (let i = 0; i < nodes; i++) {
    for (let draw = 0; draw < 10; draw++) {
      const j = stream.uniform() < 0.6 ? (i & ~127) + stream.integer(128) : stream.integer(nodes);
      if (i === j || j >= nodes) continue;
      const [a, b] = [place[i] as number, place[j] as number];
      seen.add(Math.min(a, b) * nodes + Math.max(a, b));
    }
  }
  const keys = Float64Array.from(seen).sort();
  return {
    nodes,
    source: Int32Array.from(keys, (key) => Math.floor(key / nodes)),
    target: Int32Array.from(keys, (key) => key % nodes),
    weight: Float32Array.from(keys, () => 0.2 + 0.4 * stream.uniform()),
  };
}

function denseBlock(count: number): SymmetricMatrix {
  const stream = rng(1, "leiden bench");
  const values = new Float32Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const weight = Math.abs(stream.normal()) * (i % 16 === j % 16 ? 0.3 : 0.05);
      values[i * count + j] = weight;
      values[j * count + i] = weight;
    }
  }
  return { size: count, blocks: [{ shape: "within", start: 0, count, values }] };
}

/** CSR of edges that are sorted by source and target, source < target. */
function matrixOf({ nodes, source, target, weight }: Edges): SymmetricMatrix {
  const rowStart = new Int32Array(nodes + 1);
  for (const ends of [source, target]) {
    for (const node of ends) rowStart[node + 1] = (rowStart[node + 1] as number) + 1;
  }
  for (let node = 0; node < nodes; node++) {
    rowStart[node + 1] = (rowStart[node + 1] as number) + (rowStart[node] as number);
  }
  const cursor = rowStart.slice();
  const column = new Int32Array(2 * source.length);
  const values = new Float32Array(2 * source.length);
  // A row's lower neighbours first, then its upper ones: columns ascend.
  for (const [from, to] of [
    [target, source],
    [source, target],
  ] as const) {
    for (let edge = 0; edge < from.length; edge++) {
      const node = from[edge] as number;
      const at = cursor[node] as number;
      column[at] = to[edge] as number;
      values[at] = weight[edge] as number;
      cursor[node] = at + 1;
    }
  }
  return {
    size: nodes,
    blocks: [{ shape: "sparse", start: 0, count: nodes, rowStart, column, weight: values }],
  };
}
