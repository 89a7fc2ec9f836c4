import { type Agreement, comparePartitions } from "../../partition/compare.ts";
import type { CommandContext } from "../command-context.ts";
import { printResult } from "../output.ts";
import { readPartition } from "../read-partition.ts";
import { formatTable } from "../terminal.ts";

/** `brodmann compare A.json B.json`. */
export async function run({ flags, positionals }: CommandContext): Promise<void> {
  const [first = "", second = ""] = positionals;
  const { overall, layers } = comparePartitions(
    (await readPartition(first)).partition,
    (await readPartition(second)).partition,
  );
  if (flags.json) {
    await printResult(
      JSON.stringify({
        schema: "brodmann/comparison/1",
        overall: finite(overall),
        layers: layers.map(finite),
      }),
    );
    return;
  }
  const row = (name: string, { units, ari, ami, nmi, vi, elementCentric }: Agreement) => [
    name,
    String(units),
    ...[ari, ami, nmi, vi, elementCentric].map((value) => (Number.isFinite(value) ? value.toFixed(4) : "-")),
  ];
  const rows = [...layers.map((layer) => row(layer.name, layer)), row("overall", overall)];
  await printResult(formatTable(["layer", "units", "ARI", "AMI", "NMI", "VI (nats)", "ECS"], rows));
}

/** Undefined indices (no shared units) are null in JSON. */
function finite<T extends object>(agreement: T): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(agreement).map(([key, value]) => [
      key,
      typeof value === "number" && !Number.isFinite(value) ? null : value,
    ]),
  );
}
