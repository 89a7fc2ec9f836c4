import { clustersPerLayer } from "../../analyze.ts";
import { byUnit, loadActivations } from "../../data/activations.ts";
import type { Engine } from "../../engine.ts";
import { BrodmannError } from "../../errors.ts";
import { readGraph } from "../../graph/graph-file.ts";
import type { UnitGraph } from "../../graph/unit-graph.ts";
import {
  permuteInputs,
  type RecordedUnits,
  resampleInputs,
  shuffleWeights,
} from "../../partition/null-graphs.ts";
import type { Partition, QualityTest } from "../../partition/partition.ts";
import { formatPartition } from "../../partition/partition-file.ts";
import type { PartitionSettings } from "../../partition/partition-graph.ts";
import { type NullGraph, testQuality } from "../../partition/quality-nulls.ts";
import { measureStability } from "../../partition/stability.ts";
import type { RunOptions } from "../../progress.ts";
import type { Rng } from "../../statistics/rng.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
import type { Flags } from "../flags.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { readPartition } from "../read-partition.ts";

/** `brodmann partition GRAPH`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const [graphPath = ""] = positionals;
  if (flags.out !== undefined) await prepareFile(flags.out, [graphPath, flags.like]);
  const engine = await openDevice(flags, terminal);
  try {
    const graph = await readGraph(graphPath);
    const kPerLayer = await localClusters(graph, flags.k, flags.like);
    const { method = "spectral", k, resolution, quality, seed } = flags;
    const settings = { method, k, resolution, quality, seed, kPerLayer };
    const recorded = await recordedUnits(graph, flags);
    const options = { signal, onProgress: terminal.progress };
    const found = await engine.partition(graph, settings, options);
    terminal.say(describePartition(found));
    const partition = await assess(engine, graph, found, settings, flags, recorded, options);
    for (const line of describeQuality(partition)) terminal.say(line);
    const text = formatPartition(partition, { kind: graph.kind, scope: graph.scope });
    if (flags.out !== undefined) await writeText(flags.out, text);
    if (flags.out === undefined || flags.json) await printResult(text);
    if (flags.out !== undefined) terminal.say(`written: ${flags.out}`);
  } finally {
    await engine.dispose();
  }
}

/** The partition with what `--nulls` and `--stability` ask for in its quality. */
async function assess(
  engine: Engine,
  graph: UnitGraph,
  partition: Partition,
  settings: PartitionSettings,
  { nulls, stability }: Flags,
  recorded: RecordedUnits | null,
  options: RunOptions,
): Promise<Partition> {
  let { quality } = partition;
  if (quality === null) return partition;
  if (nulls !== undefined) {
    const test = (name: "weights" | "inputs", nullGraph: NullGraph) =>
      testQuality(engine, partition, settings, name, nulls, nullGraph, options);
    const tests = [await test("weights", (random) => shuffleWeights(graph, random))];
    if (recorded) {
      tests.push(await test("inputs", (random) => permuteInputs(engine, graph, recorded, random, options)));
    }
    quality = { ...quality, nulls: tests };
  }
  if (stability !== undefined) {
    const resample =
      recorded === null
        ? undefined
        : (random: Rng) => resampleInputs(engine, graph, recorded, random, options);
    const found = await measureStability(engine, graph, partition, settings, stability, options, resample);
    quality = { ...quality, stability: found };
  }
  return { ...partition, quality };
}

/** The activations that an activation graph was made of; null without `--activations`. */
async function recordedUnits(
  graph: UnitGraph,
  { activations, nulls, stability }: Flags,
): Promise<RecordedUnits | null> {
  if (activations === undefined) return null;
  const fail = (found: string, expected: string): never => {
    throw new BrodmannError("E_USAGE_ACTIVATIONS", `--activations: found ${found}, expected ${expected}`, {
      hint: "Pass the file that `brodmann graph --activations` made the graph of, with --nulls or --stability.",
    });
  };
  if (graph.kind !== "activations") return fail("a graph of weights", "one of activations");
  if (nulls === undefined && stability === undefined)
    return fail("no --nulls and no --stability", "one of them");
  const { units, samples, values } = await loadActivations(activations);
  const total = graph.layers.reduce((sum, layer) => sum + layer.units, 0);
  if (units !== total) return fail(`${units} units in ${activations}`, `${total}, as in the graph`);
  return { samples, values: byUnit(values, samples, units) };
}

/** One line about a partition. */
export function describePartition({ clusters, layers, quality }: Partition): string {
  const left = layers.reduce((total, { labels }) => total + labels.filter((label) => label < 0).length, 0);
  const numbers = quality
    ? `, n-cut ${quality.ncut.toFixed(3)}, modularity ${quality.modularity.toFixed(3)}`
    : "";
  return `partition: ${clusters} clusters${numbers}${left > 0 ? `, ${left} units in none` : ""}`;
}

/** Lines about nulls and stability. */
function describeQuality({ quality }: Partition): string[] {
  const lines: string[] = [];
  for (const { null: name, draws, ncut, modularity } of quality?.nulls ?? []) {
    const text = ({ z, p }: QualityTest) => `z ${z.toFixed(2)}, p ${p.toPrecision(2)}`;
    const what = name === "weights" ? "shuffled weights" : "permuted inputs";
    lines.push(`against ${draws} graphs of ${what}: n-cut ${text(ncut)}; modularity ${text(modularity)}`);
  }
  for (const { name, runs, ami, elementCentric } of quality?.stability?.rows ?? []) {
    const count = runs > 1 ? `${runs} ${name}` : name;
    lines.push(
      `agreement with ${count}: AMI ${ami.toFixed(3)}, element-centric ${elementCentric.toFixed(3)}`,
    );
  }
  if (quality?.stability) {
    const { unstable, threshold } = quality.stability;
    lines.push(
      `units that stay with their cluster in less than ${100 * threshold} % of the runs: ${unstable}`,
    );
  }
  return lines;
}

/** Units for each cluster, at the least, where nothing else tells the number of clusters of a layer. */
const UNITS_PER_CLUSTER = 4;

/**
 * Clusters of each layer of a local graph: as in the partition of `--like`, or `--k` for every layer, or 16 but not
 * more than one for four units.
 */
async function localClusters(
  graph: UnitGraph,
  k: number | "auto" | undefined,
  like: string | undefined,
): Promise<ReadonlyMap<string, number> | undefined> {
  if (graph.scope === "global") {
    if (like === undefined) return undefined;
    throw new BrodmannError("E_USAGE_LIKE", "--like: found a global graph, expected a local one", {
      hint: "A global graph has one number of clusters: use --k.",
    });
  }
  if (like !== undefined) return clustersPerLayer((await readPartition(like)).partition);
  if (k !== undefined) return undefined;
  return new Map(
    graph.layers.map(({ name, units }) => [
      name,
      Math.max(2, Math.min(16, Math.floor(units / UNITS_PER_CLUSTER))),
    ]),
  );
}
