/**
 * Coherence: how long does scoring all subclusters of a network take, and what of it are the random sets? The answer is
 * checked on one subcluster against plain definitions; the sets' share is timed once more without a network.
 *
 * Roof of the random sets: every unit's row of inputs is read once for each arrangement of its layer, so
 * (1 + shuffles) x units x inputs numbers of 4 bytes, from the caches (a layer of 256 units and 2,000 inputs has 2 MB), and
 * twice as many multiply-adds. Aim for mnist-mlp with 2,000 inputs, k = 16 and 199 shuffles: well below a minute on two cores.
 *
 * Run: npx tsx bench/coherence.ts [MODEL DATA] [--take N] [--k K] [--shuffles N] [--runs N] [--json FILE]
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadDataset } from "../src/data/dataset.ts";
import { reshapeInputs } from "../src/data/reshape-inputs.ts";
import { spectral, weightGraph } from "../src/library.ts";
import { loadNetwork } from "../src/network/load-network.ts";
import { layerNamed } from "../src/network/network.ts";
import { recordUnits } from "../src/network/record.ts";
import { activationFamily } from "../src/scores/activation-coherence.ts";
import { activationTables } from "../src/scores/activation-tables.ts";
import { scoreCoherence } from "../src/scores/coherence.ts";
import { inputClasses } from "../src/scores/input-classes.ts";
import { drawNullSets } from "../src/scores/nulls.ts";
import { findSubclusters } from "../src/scores/subclusters.ts";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    take: { type: "string" },
    k: { type: "string", default: "16" },
    shuffles: { type: "string", default: "199" },
    runs: { type: "string", default: "3" },
    json: { type: "string" },
  },
});
const [modelPath = "examples/mnist-mlp.onnx", dataPath = "examples/mnist-digits.npz"] = positionals;
const network = await loadNetwork(modelPath);
const take = flags.take === undefined ? undefined : Number(flags.take);
const data = reshapeInputs(await loadDataset(dataPath, { take }), network.inputShape);
const partition = await spectral(await weightGraph(network), { k: Number(flags.k), seed: 0 });
const shuffles = Number(flags.shuffles);

const bench = await Bench.start("Coherence of all subclusters");
const times: number[] = [];
let subclusters = 0;
for (let run = 0; run < Number(flags.runs); run++) {
  const start = performance.now();
  const scores = await scoreCoherence(network, data, partition, { shuffles });
  times.push(performance.now() - start);
  subclusters = scores.subclusters.length;
  const [first] = scores.subclusters;
  if (run > 0 || first === undefined) continue;
  const { values } = await recordUnits(network, [layerNamed(network, first.layer)], data, "output");
  const expected = meanCorrelation(values, data.count, first.units);
  const found = first.values.meanCorrelation;
  check(Math.abs(found - expected) < 1e-5, `mean correlation ${found}, expected ${expected}`);
}
bench.record("everything", times, null, {
  subclusters,
  inputs: data.count,
  load: (loadavg()[0] as number).toFixed(1),
});

const classes = inputClasses(network, data);
for (const layer of findSubclusters(network, partition).filter(({ tested }) => tested.length > 0)) {
  const target = layerNamed(network, layer.name);
  const { values } = await recordUnits(network, [target], data, "output");
  const tables = await activationTables(values, target.units, data.count, classes);
  const family = activationFamily(tables, layer, "strict");
  const sets = drawNullSets(layer, "strict", shuffles, 0);
  const own: number[] = [];
  for (let run = 0; run < Number(flags.runs); run++) {
    const start = performance.now();
    await family.evaluate(sets, {});
    own.push(performance.now() - start);
  }
  const units = layer.tested.reduce((sum, { units: set }) => sum + set.length, 0);
  const least = Math.min(...own);
  bench.record(`activations, ${layer.name}`, own, null, {
    sets: sets.length,
    "us a set": ((1000 * least) / sets.length).toFixed(0),
    "GFLOP/s of projections": ((4 * shuffles * units * data.count) / least / 1e6).toFixed(2),
  });
}
await bench.finish();

/** Mean absolute Pearson correlation of the pairs of a set, by definition. */
function meanCorrelation(values: Float32Array, inputs: number, set: Int32Array): number {
  const rows = Array.from(set, (unit) => {
    const row = Float64Array.from(values.subarray(unit * inputs, (unit + 1) * inputs));
    const mean = row.reduce((sum, value) => sum + value / inputs, 0);
    const norm = Math.hypot(...row.map((value) => value - mean));
    return row.map((value) => (norm > 0 ? (value - mean) / norm : 0));
  });
  let sum = 0;
  for (const [i, a] of rows.entries()) {
    for (const b of rows.slice(0, i))
      sum += Math.abs(a.reduce((dot, x, at) => dot + x * (b[at] as number), 0));
  }
  return sum / ((rows.length * (rows.length - 1)) / 2);
}
