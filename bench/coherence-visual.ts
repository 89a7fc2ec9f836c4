/**
 * Coherence with images: how long does it take for all subclusters of a network, and what share of it are the images?
 *
 * Weight graph, k = 16, 199 random sets for what tables of a layer tell, 19 for images of 65 updates. Aim: all subclusters
 * of mnist-cnn in less than 3 minutes on two cores. Checked before the time is told: every subcluster that can have an
 * image has a score, an entropy and a p.
 *
 * Run: npx tsx bench/coherence-visual.ts MODEL DATA [--skip N] [--take N] [--k 16] [--json FILE]
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadDataset } from "../src/data/dataset.ts";
import { coherence, spectral, weightGraph } from "../src/library.ts";
import { loadNetwork } from "../src/network/load-network.ts";
import type { Progress } from "../src/progress.ts";
import { isVisualized } from "../src/scores/visual-coherence.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    k: { type: "string", default: "16" },
    skip: { type: "string", default: "0" },
    take: { type: "string", default: "2000" },
    json: { type: "string" },
  },
});
const [model = "", data = ""] = positionals;
const network = await loadNetwork(model);
const inputs = await loadDataset(data, {
  skip: Number(flags.skip),
  take: Number(flags.take),
  inputShape: network.inputShape,
});
const partition = await spectral(await weightGraph(network), { k: Number(flags.k) });
const secondsByPhase: Record<string, number> = {};
const startMs = performance.now();
let lastMs = startMs;
const onProgress = ({ phase }: Progress) => {
  const now = performance.now();
  const name = phase.replace(/ of .*/, "");
  secondsByPhase[name] = (secondsByPhase[name] ?? 0) + (now - lastMs) / 1000;
  lastMs = now;
};
const found = await coherence(network, inputs, partition, { onProgress });
const seconds = (performance.now() - startMs) / 1000;
for (const { units, layerUnits, values, verdicts } of found.subclusters) {
  const numbers = [values.score, values.entropy, verdicts.score.p, verdicts.entropy.p];
  if (isVisualized(units, layerUnits) && !numbers.every(Number.isFinite)) {
    throw new Error(`found ${numbers.join(", ")} for ${units.length} units, expected numbers`);
  }
}
const report = {
  model: network.name,
  inputs: inputs.count,
  k: Number(flags.k),
  subclusters: found.subclusters.length,
  visual: found.visual,
  seconds,
  secondsByPhase,
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), load: loadavg()[0] },
};
console.error(JSON.stringify(report, null, 1));
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
