import { clustersPerLayer } from "../../analyze.ts";
import { byUnit, loadActivations } from "../../data/activations.ts";
import { BrodmannError } from "../../errors.ts";
import { readGraph } from "../../graph/graph-file.ts";
import type { UnitGraph } from "../../graph/unit-graph.ts";
import { assessPartition } from "../../partition/assess.ts";
import type { RecordedUnits } from "../../partition/null-graphs.ts";
import { formatPartition } from "../../partition/partition-file.ts";
import type { CommandContext } from "../command-context.ts";
import { describePartition, describeQuality } from "../describe-partition.ts";
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
    for (const line of describePartition(found)) terminal.say(line);
    const partition = await assessPartition(engine, graph, found, settings, flags, recorded, options);
    for (const line of describeQuality(partition)) terminal.say(line);
    const text = formatPartition(partition, { kind: graph.kind, scope: graph.scope });
    if (flags.out !== undefined) await writeText(flags.out, text);
    if (flags.out === undefined || flags.json) await printResult(text);
    if (flags.out !== undefined) terminal.say(`written: ${flags.out}`);
  } finally {
    await engine.dispose();
  }
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

/** Units for each cluster, at the least, where nothing else tells the number of clusters of a layer. */
const UNITS_PER_CLUSTER = 4;

/**
 * Clusters of each layer of a local graph: as in the partition of `--like`, or `--k` for every layer, or 16 but not
 * more than one for four units.
 */
async function localClusters(
  graph: UnitGraph,
  k: Flags["k"],
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
