import { BrodmannError } from "../../errors.ts";
import { readGraph } from "../../graph/graph-file.ts";
import { testAgreement } from "../../partition/agreement-test.ts";
import { comparePartitions, requireCommonUnits } from "../../partition/compare.ts";
import type { Agreement, Partition, QualityTest, Transfer } from "../../partition/partition.ts";
import type { PartitionFile } from "../../partition/partition-file.ts";
import { measureTransfer } from "../../partition/transfer.ts";
import type { CommandContext } from "../command-context.ts";
import { describeTests, describeTransfer } from "../describe-partition.ts";
import { printResult } from "../output.ts";
import { readPartition } from "../read-partition.ts";
import { formatTable } from "../terminal.ts";

/** `brodmann compare A.json B.json`. */
export async function run({ flags, positionals }: CommandContext): Promise<void> {
  const [firstPath = "", secondPath = ""] = positionals;
  const graphPaths = graphsOf(flags.graphs);
  const [first, second] = [await readPartition(firstPath), await readPartition(secondPath)];
  const partitions = [first.partition, second.partition] as const;
  const { tested, comparison } = namingFiles(`${firstPath} and ${secondPath}`, () => {
    const compared = comparePartitions(...partitions);
    requireCommonUnits(compared.overall);
    const found =
      flags.shuffles === undefined ? null : testAgreement(...partitions, flags.shuffles, flags.seed);
    return { tested: found, comparison: found ?? compared };
  });
  const transfer = graphPaths && {
    firstGraph: await transferTo(graphPaths[0], first, firstPath, second.partition),
    secondGraph: await transferTo(graphPaths[1], second, secondPath, first.partition),
  };
  if (flags.json) {
    // Undefined indices (no shared units) are null in JSON.
    await printResult(
      JSON.stringify({ schema: "brodmann/comparison/1", ...comparison, ...(transfer && { transfer }) }),
    );
    return;
  }
  const row = (name: string, { units, ari, ami, nmi, vi, elementCentric }: Agreement, test?: QualityTest) => [
    name,
    String(units),
    ...[ari, ami, nmi, vi, elementCentric].map((value) => (Number.isFinite(value) ? value.toFixed(4) : "-")),
    ...(test ? [Number.isNaN(test.p) ? "-" : test.p.toPrecision(2)] : []),
  ];
  const rows = [
    ...comparison.layers.map((layer, number) => row(layer.name, layer, tested?.layers[number]?.shuffled.ami)),
    row("overall", comparison.overall, tested?.overall.withinLayers.ami),
  ];
  const header = ["layer", "units", "ARI", "AMI", "NMI", "VI (nats)", "ECS", ...(tested ? ["p (AMI)"] : [])];
  const lines = [
    ...(tested ? describeTests(tested) : []),
    ...(transfer ? [describeTransfer("B", "A's graph", transfer.firstGraph)] : []),
    ...(transfer ? [describeTransfer("A", "B's graph", transfer.secondGraph)] : []),
  ];
  await printResult([formatTable(header, rows), ...lines].join("\n"));
}

/** The two files of `--graphs A.npz,B.npz`. Throws `E_USAGE_GRAPHS`. */
function graphsOf(text: string | undefined): readonly [string, string] | null {
  if (text === undefined) return null;
  const [first, second, ...more] = text.split(",");
  if (first && second && more.length === 0) return [first, second];
  throw new BrodmannError(
    "E_USAGE_GRAPHS",
    `--graphs: found "${text}", expected two files parted by a comma`,
    {
      hint: "Name the graphs that the partitions were made of: --graphs A.npz,B.npz.",
    },
  );
}

/** Transfer of another partition to the graph of a partition file. Errors name the graph's file. */
async function transferTo(
  graphPath: string,
  own: PartitionFile,
  ownPath: string,
  other: Partition,
): Promise<Transfer> {
  const graph = await readGraph(graphPath);
  for (const fact of ["kind", "scope"] as const) {
    const expected = own.graphFacts?.[fact];
    if (typeof expected !== "string" || expected === graph[fact]) continue;
    throw new BrodmannError(
      "E_USAGE_GRAPHS",
      `${graphPath}: found a graph of ${fact} ${graph[fact]}, expected ${expected}, as ${ownPath} says`,
      { hint: "Name the graphs in the order of the partitions: --graphs A.npz,B.npz." },
    );
  }
  return namingFiles(graphPath, () => measureTransfer(graph, own.partition, other));
}

/** Does `work`, whose errors get the files' names. */
function namingFiles<T>(names: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BrodmannError)) throw error;
    const { code, message, hint } = error;
    throw new BrodmannError(code, `${names}: ${message}`, { hint, cause: error });
  }
}
