import { clustersPerLayer } from "../../analyze.ts";
import { BrodmannError } from "../../errors.ts";
import { readGraph } from "../../graph/graph-file.ts";
import type { UnitGraph } from "../../graph/unit-graph.ts";
import type { Partition } from "../../partition/partition.ts";
import { formatPartition } from "../../partition/partition-file.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
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
    const partition = await engine.partition(graph, settings, {
      signal,
      onProgress: terminal.progress,
    });
    terminal.say(describePartition(partition));
    const text = formatPartition(partition, { kind: graph.kind, scope: graph.scope });
    if (flags.out !== undefined) await writeText(flags.out, text);
    if (flags.out === undefined || flags.json) await printResult(text);
    if (flags.out !== undefined) terminal.say(`written: ${flags.out}`);
  } finally {
    await engine.dispose();
  }
}

/** One line about a partition. */
export function describePartition({ clusters, layers, quality }: Partition): string {
  const left = layers.reduce((total, { labels }) => total + labels.filter((label) => label < 0).length, 0);
  const numbers = quality
    ? `, n-cut ${quality.ncut.toFixed(3)}, modularity ${quality.modularity.toFixed(3)}`
    : "";
  return `partition: ${clusters} clusters${numbers}${left > 0 ? `, ${left} units in none` : ""}`;
}

/** Units for each cluster, at the least, where nothing else tells the number of clusters of a layer. */
const UNITS_PER_CLUSTER = 4;

/**
 * Clusters of each layer of a local graph: as in the partition of `--like`, or `--k` for every layer, or 16 but not
 * more than one for four units.
 */
async function localClusters(
  graph: UnitGraph,
  k: number | undefined,
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
