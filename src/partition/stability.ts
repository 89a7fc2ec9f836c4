/**
 * How much of a partition stays when what should not matter changes (measures note P3): the partitioner's seed, the
 * number of clusters or the resolution by one step, the inputs (bootstrap).
 */
import type { UnitGraph } from "../graph/unit-graph.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { type Rng, rng } from "../statistics/rng.ts";
import { comparePartitions } from "./compare.ts";
import { qualityGraph } from "./level-graph.ts";
import type { LayerLabels, Partition, Stability, StabilityRow } from "./partition.ts";
import { type Partitioner, type PartitionSettings, settledSettings } from "./partition-graph.ts";

/** Units whose co-assignment is lower are marked as unstable. */
export const LEAST_CO_ASSIGNMENT = 0.6;
/** A step of the resolution, up or down. */
const RESOLUTION_STEP = 2 ** 0.25;

/**
 * Partitions the graph again with `runs` other seeds, with one step more and less of k or of the resolution, and, where
 * `resample` makes graphs of resampled inputs, of `runs` such graphs; and compares them with `partition`. Co-assignment
 * is that over seeds and resampled inputs.
 *
 * @example
 * const { unstable, rows } = await measureStability(engine, graph, partition, { method: "leiden" }, 10);
 */
export async function measureStability(
  engine: Partitioner,
  graph: UnitGraph,
  partition: Partition,
  settings: PartitionSettings,
  runs: number,
  options: RunOptions = {},
  resample?: ((random: Rng) => Promise<UnitGraph>) | undefined,
): Promise<Stability> {
  const settled = settledSettings(settings, partition);
  const { seed = 0 } = settings;
  const steps = neighbouringSettings(settled, graph);
  const counter = new StepCounter("stability", runs * (resample ? 2 : 1) + steps.length, options);
  const quiet = { signal: options.signal };
  const again = async (on: UnitGraph, changed: PartitionSettings): Promise<Partition> => {
    const made = await engine.partition(on, changed, quiet);
    counter.advance(1);
    return made;
  };
  const seeds: Partition[] = [];
  for (let run = 1; run <= runs; run++) seeds.push(await again(graph, { ...settled, seed: seed + run }));
  const rows = [rowOf("seeds", partition, seeds)];
  const resampled: Partition[] = [];
  if (resample !== undefined) {
    for (let run = 0; run < runs; run++) {
      resampled.push(await again(await resample(rng(seed, "bootstrap", run)), settled));
    }
    rows.push(rowOf("bootstraps", partition, resampled));
  }
  for (const { name, changed } of steps) {
    rows.push(rowOf(name, partition, [await again(graph, changed)]));
  }
  const layers = coAssignment(partition, [...seeds, ...resampled]);
  const unstable = layers.reduce(
    (sum, layer) => sum + layer.coAssignment.filter((value) => value < LEAST_CO_ASSIGNMENT).length,
    0,
  );
  return { runs, rows, unstable, threshold: LEAST_CO_ASSIGNMENT, layers };
}

/**
 * For every unit the share of runs, averaged over the other units of its cluster in `partition`, in which both are in one
 * cluster. A unit alone in its cluster: the share of runs in which it is alone. NaN for units in no cluster.
 */
export function coAssignment(partition: Partition, runs: readonly Partition[]): Stability["layers"] {
  const reference = flatten(partition.layers);
  const sizes = countLabels(reference);
  const sums = new Float64Array(reference.length);
  for (const run of runs) {
    const labels = flatten(alike(run.layers, partition.layers));
    const runSizes = countLabels(labels);
    const joint = countLabels(pairLabels(reference, labels));
    const pairs = pairLabels(reference, labels);
    for (let unit = 0; unit < reference.length; unit++) {
      const own = reference[unit] as number;
      const other = labels[unit] as number;
      if (own < 0 || other < 0) continue;
      const others = (sizes.get(own) as number) - 1;
      const together = (joint.get(pairs[unit] as number) as number) - 1;
      const isAlone = runSizes.get(other) === 1;
      sums[unit] = (sums[unit] as number) + (others > 0 ? together / others : isAlone ? 1 : 0);
    }
  }
  let start = 0;
  return partition.layers.map(({ name, labels }) => {
    const first = start;
    start += labels.length;
    return {
      name,
      coAssignment: Array.from(labels, (label, unit) =>
        label < 0 || runs.length === 0 ? Number.NaN : (sums[first + unit] as number) / runs.length,
      ),
    };
  });
}

function rowOf(name: string, partition: Partition, runs: readonly Partition[]): StabilityRow {
  const found = runs.map((run) => comparePartitions(partition, run).overall);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const ami = found.map((agreement) => agreement.ami);
  return {
    name,
    runs: runs.length,
    ami: mean(ami),
    leastAmi: Math.min(...ami),
    elementCentric: mean(found.map((agreement) => agreement.elementCentric)),
    clusters: mean(runs.map((run) => run.clusters)),
  };
}

/** k one less and one more (of every layer), or the resolution a step lower and higher. */
function neighbouringSettings(
  settings: PartitionSettings,
  graph: UnitGraph,
): { name: string; changed: PartitionSettings }[] {
  const { method, k = 16, kPerLayer, quality, resolution } = settings;
  if (method === "random") return [];
  if (method === "louvain" || method === "leiden") {
    // The default for CPM is that of each part.
    if (quality === "cpm" && resolution === undefined && graph.parts.length > 1) return [];
    const { resolution: own } =
      quality === "cpm" ? qualityGraph(graph.matrix, quality, resolution).scale : { resolution };
    return [1 / RESOLUTION_STEP, RESOLUTION_STEP].map((factor) => {
      const changed = (own ?? 1) * factor;
      return { name: `resolution ${changed.toPrecision(3)}`, changed: { ...settings, resolution: changed } };
    });
  }
  if (kPerLayer !== undefined && graph.scope === "local") {
    return [-1, 1].map((step) => ({
      name: step < 0 ? "k - 1" : "k + 1",
      changed: {
        ...settings,
        kPerLayer: new Map(Array.from(kPerLayer, ([layer, count]) => [layer, Math.max(1, count + step)])),
      },
    }));
  }
  if (typeof k !== "number") return [];
  return [k - 1, k + 1]
    .filter((count) => count >= 1 && count < graph.matrix.size)
    .map((count) => ({ name: `k ${count}`, changed: { ...settings, k: count } }));
}

/** The layers of `layers` in the order of `like`; those that are missing there are in no cluster. */
function alike(layers: readonly LayerLabels[], like: readonly LayerLabels[]): LayerLabels[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  return like.map(
    ({ name, labels }) => byName.get(name) ?? { name, labels: new Int32Array(labels.length).fill(-1) },
  );
}

function flatten(layers: readonly LayerLabels[]): Int32Array {
  return Int32Array.from(layers.flatMap(({ labels }) => Array.from(labels)));
}

/** One number for each pair of labels; -1 where either is negative. */
function pairLabels(first: Int32Array, second: Int32Array): Float64Array {
  return Float64Array.from(first, (a, unit) => {
    const b = second[unit] as number;
    return a < 0 || b < 0 ? -1 : a * (second.length + 1) + b;
  });
}

function countLabels(labels: Int32Array | Float64Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
