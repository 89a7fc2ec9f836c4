/**
 * Spectral clustering: how long do degrees, eigenvectors, k-means and the whole take on dense correlation graphs (k = 16)
 * and on weight graphs of MLPs kept as blocks (k = 12), with planted clusters and without?
 *
 * Run: npx tsx bench/spectral.ts [--only NAME] [--json FILE]
 */
import { parseArgs } from "node:util";
import type { Compute, SymmetricBlock, SymmetricMatrix } from "../src/compute/compute.ts";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { partitionQuality } from "../src/partition/quality.ts";
import { spectral } from "../src/partition/spectral.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "3" },
    json: { type: "string" },
  },
});
const runs = Number(flags.runs);
const compute = await createCpuCompute();
const mlp = [784, 256, 256, 256, 256, 10];
const wide = [4096, 4096, 4096, 4096];
const graphs: readonly [string, number, () => Promise<PlantedGraph> | PlantedGraph][] = [
  ["dense-1024", 16, () => correlationGraph(compute, 1024, 16)],
  ["dense-4096", 16, () => correlationGraph(compute, 4096, 16)],
  ["dense-8192", 16, () => correlationGraph(compute, 8192, 16)],
  ["mlp-784-256x4-10", 12, () => weightGraph(mlp, 12, true)],
  ["mlp-784-256x4-10 plain", 12, () => weightGraph(mlp, 12, false)],
  ["mlp-4096x4", 12, () => weightGraph(wide, 12, true)],
  ["mlp-4096x4 plain", 12, () => weightGraph(wide, 12, false)],
];

const bench = await Bench.start("Spectral clustering");
for (const [name, k, make] of graphs.filter(([graph]) => graph.includes(flags.only))) {
  const { matrix, planted } = await make();
  const { labels } = await spectral(compute, matrix, { k, seed: 0 });
  const { ncut } = await partitionQuality(compute, matrix, labels, k);
  if (planted !== null) {
    const reference = await partitionQuality(compute, matrix, planted, k);
    check(ncut < 1.01 * reference.ncut, `${name}: n-cut ${ncut}, planted clusters have ${reference.ncut}`);
  }
  const embedding = await compute.spectralEmbedding(matrix, k, rng(0, "bench"));
  const entries = matrix.blocks.reduce(
    (sum, block) =>
      sum +
      (block.shape === "between" ? 2 : 1) * (block.shape === "sparse" ? block.weight : block.values).length,
    0,
  );
  const facts = { products: embedding.products, residual: embedding.residual.toExponential(1) };
  await bench.add(`${name}: eigenvectors`, () => compute.spectralEmbedding(matrix, k, rng(0, "bench")), {
    runs,
    operations: 2 * entries * k * embedding.products,
    facts,
  });
  await bench.add(`${name}: degrees`, () => compute.degrees(matrix), { runs });
  const degree = await compute.degrees(matrix);
  const points = embedding.vectors.map(
    (value, at) => value / Math.sqrt(degree[Math.floor(at / k)] as number),
  );
  const restarts = matrix.size <= 2000 ? 25 : 100;
  await bench.add(
    `${name}: k-means x ${restarts}`,
    () => compute.kmeans(points, k, k, restarts, 1, rng(0, "bench")),
    { runs },
  );
  await bench.add(`${name}: quality`, () => partitionQuality(compute, matrix, labels, k), { runs });
  await bench.add(`${name}: all`, () => spectral(compute, { ...matrix }, { k, seed: 0 }), {
    runs,
    facts: { "n-cut": ncut.toFixed(4) },
  });
}
await bench.finish();
await compute.dispose();

interface PlantedGraph {
  readonly matrix: SymmetricMatrix;
  readonly planted: Int32Array | null;
}

/** |Pearson correlation| of units that share one of k factors, over 2000 samples. */
async function correlationGraph(compute: Compute, size: number, k: number): Promise<PlantedGraph> {
  const samples = 2000;
  const stream = rng(1, "spectral bench", size);
  const planted = Int32Array.from({ length: size }, () => stream.integer(k));
  const factors = Float32Array.from({ length: k * samples }, stream.normal);
  const outputs = Float32Array.from({ length: size * samples }, (_, at) => {
    const factor = planted[Math.floor(at / samples)] as number;
    return (
      Math.sqrt(0.7) * stream.normal() +
      Math.sqrt(0.3) * (factors[factor * samples + (at % samples)] as number)
    );
  });
  const { values } = await compute.correlations(outputs, size, samples, "pearson");
  for (let i = 0; i < values.length; i++) values[i] = Math.sqrt(values[i] as number);
  return { matrix: { size, blocks: [{ shape: "within", start: 0, count: size, values }] }, planted };
}

/** |normal| weights between adjacent layers, three times that inside a planted cluster. */
function weightGraph(dims: readonly number[], k: number, isPlanted: boolean): PlantedGraph {
  const stream = rng(2, "spectral bench");
  const size = dims.reduce((sum, units) => sum + units, 0);
  const planted = Int32Array.from({ length: size }, () => stream.integer(k));
  const blocks: SymmetricBlock[] = [];
  let start = 0;
  for (let layer = 0; layer + 1 < dims.length; layer++) {
    const rowCount = dims[layer] as number;
    const columnCount = dims[layer + 1] as number;
    const columnStart = start + rowCount;
    const values = new Float32Array(rowCount * columnCount);
    for (let i = 0; i < rowCount; i++) {
      for (let j = 0; j < columnCount; j++) {
        const isInside = isPlanted && planted[start + i] === planted[columnStart + j];
        values[i * columnCount + j] = Math.abs(stream.normal()) * (isInside ? 3 : 1);
      }
    }
    blocks.push({ shape: "between", rowStart: start, rowCount, columnStart, columnCount, values });
    start = columnStart;
  }
  return { matrix: { size, blocks }, planted: isPlanted ? planted : null };
}
