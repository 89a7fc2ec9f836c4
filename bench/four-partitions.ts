/**
 * The four partitions of a network (weights or activations, global or local): how long does importance take with all
 * random sets and with sequential ones, and are the verdicts the same?
 *
 * A verdict: whether a subcluster is significant by Benjamini-Yekutieli at 5 %, for each of the three measures. Aim for
 * mnist-mlp with 10,000 inputs and 199 permutations on two cores: 8 minutes in full, 2 minutes sequentially.
 *
 * Run: npx tsx bench/four-partitions.ts MODEL DATA [--take N] [--k K] [--shuffles N] [--only full|sequential]
 *   [--only-partition weights-global] [--json FILE]
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { analyzeNetwork } from "../src/analyze.ts";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { loadDataset } from "../src/data/dataset.ts";
import { reshapeInputs } from "../src/data/reshape-inputs.ts";
import { localEngine } from "../src/engine.ts";
import { loadNetwork } from "../src/network/load-network.ts";
import type { Importance } from "../src/scores/importance.ts";
import { IMPORTANCE_NAMES } from "../src/scores/importance-measures.ts";
import { adjustedByMeasure } from "../src/scores/scores-file.ts";
import { Bench } from "./harness.ts";
import { check } from "./timing.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    take: { type: "string" },
    k: { type: "string", default: "16" },
    shuffles: { type: "string", default: "199" },
    only: { type: "string", default: "" },
    "only-partition": { type: "string", default: "" },
    json: { type: "string" },
  },
});
const [modelPath, dataPath] = positionals;
if (modelPath === undefined || dataPath === undefined) {
  throw new Error("bench: name a model and its data: npx tsx bench/four-partitions.ts MODEL DATA");
}

/** Whether each subcluster is significant, by measure, the subclusters in their order. */
function verdictsOf({ subclusters }: Importance): boolean[] {
  const adjusted = adjustedByMeasure(subclusters);
  return IMPORTANCE_NAMES.flatMap((name) => Array.from(adjusted[name].by, (q) => q <= 0.05));
}

const network = await loadNetwork(modelPath);
const take = flags.take === undefined ? undefined : Number(flags.take);
const data = reshapeInputs(await loadDataset(dataPath, { take }), network.inputShape);
const engine = localEngine(await createCpuCompute());
const bench = await Bench.start(`the four partitions of ${network.name}, ${data.count} inputs`);
const totals = { full: 0, sequential: 0 };
const modes = (["full", "sequential"] as const).filter((mode) => mode.includes(flags.only));
for (const kind of ["weights", "activations"] as const) {
  for (const scope of ["global", "local"] as const) {
    if (!`${kind}-${scope}`.includes(flags["only-partition"])) continue;
    const verdicts: Partial<Record<keyof typeof totals, boolean[]>> = {};
    for (const mode of modes) {
      const load = loadavg()[0] as number;
      const start = performance.now();
      let partitioned = start;
      const { importance } = await analyzeNetwork(network, data, engine, {
        kind,
        scope,
        scores: ["importance"],
        partition: { method: "spectral", k: Number(flags.k) },
        shuffles: Number(flags.shuffles),
        isSequential: mode === "sequential",
        onPartition: async () => {
          partitioned = performance.now();
        },
      });
      if (importance === null) throw new Error("no importance");
      const elapsedMs = performance.now() - start;
      totals[mode] += elapsedMs;
      const own = verdictsOf(importance);
      verdicts[mode] = own;
      const drawn = importance.subclusters.reduce((total, subcluster) => total + subcluster.drawn, 0);
      bench.record(`${kind} ${scope}, ${mode}`, [elapsedMs], null, {
        graphAndPartition: `${((partitioned - start) / 1000).toFixed(1)} s`,
        subclusters: importance.subclusters.length,
        drawn,
        significant: own.filter(Boolean).length,
        load: load.toFixed(1),
      });
    }
    const { full, sequential } = verdicts;
    if (full === undefined || sequential === undefined) continue;
    const differing = full.filter((isSignificant, i) => isSignificant !== sequential[i]).length;
    check(differing === 0, `${kind} ${scope}: ${differing} of ${full.length} verdicts differ`);
  }
}
for (const mode of modes) bench.record(`all partitions, ${mode}`, [totals[mode]], null, {});
engine.dispose();
await bench.finish();
