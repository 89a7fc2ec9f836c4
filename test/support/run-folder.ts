/** Folders as `analyze` leaves them, from a document made by hand. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeGraph } from "../../src/graph/graph-file.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { formatPartition } from "../../src/partition/partition-file.ts";
import type { ReportData } from "../../src/report/report-data.ts";
import { temporaryFolder } from "./cli.ts";
import { randomValues } from "./random-graph.ts";
import { type MadeReport, reportData } from "./report-data.ts";

/** graph.npz (dense weights between layers), partition.json, scores.json and run.json of `reportData(options)`. */
export async function writeRunFolder(
  options: MadeReport = {},
  folder: string = temporaryFolder(),
): Promise<{ readonly folder: string; readonly data: ReportData }> {
  const data = reportData(options);
  const graph = weightsBetween(data.graph.layers);
  await writeGraph(join(folder, "graph.npz"), graph);
  writeFileSync(join(folder, "partition.json"), formatPartition(partitionOf(data)));
  writeFileSync(join(folder, "scores.json"), JSON.stringify({ schema: "brodmann/scores/1", ...data.scores }));
  writeFileSync(join(folder, "run.json"), JSON.stringify(data.run));
  return { folder, data };
}

function weightsBetween(layers: ReportData["graph"]["layers"]): UnitGraph {
  const size = layers.reduce((sum, { units }) => sum + units, 0);
  let start = 0;
  const blocks = layers.slice(1).map(({ units }, at) => {
    const rowCount = layers[at]?.units ?? 0;
    const rowStart = start;
    start += rowCount;
    return {
      shape: "between" as const,
      rowStart,
      rowCount,
      columnStart: start,
      columnCount: units,
      values: randomValues(rowCount * units, at, 0.9),
    };
  });
  return {
    kind: "weights",
    scope: "global",
    layers,
    layer: Int32Array.from(layers.flatMap(({ units }, layer) => new Array<number>(units).fill(layer))),
    unit: Int32Array.from(layers.flatMap(({ units }) => Array.from({ length: units }, (_, unit) => unit))),
    matrix: { size, blocks },
    parts: [{ nodeStart: 0, nodeCount: size, keeps: layers.map((_, layer) => layer) }],
    facts: { norm: "l1" },
  };
}

/** The partition of a document, with its quality as files have it. */
function partitionOf({ graph, map, partition }: ReportData): Partition {
  const { quality, coAssignment, clusters, method } = partition;
  const layers = graph.layers.map(({ name }, layer) => ({
    name,
    labels: Int32Array.from(map.units.cluster.filter((_, at) => map.units.layer[at] === layer)),
  }));
  const stability = quality?.stability && {
    ...quality.stability,
    layers: graph.layers.map(({ name }, layer) => ({
      name,
      coAssignment: (coAssignment?.[layer] ?? []).map((share) => share ?? Number.NaN),
    })),
  };
  return {
    layers,
    clusters,
    method,
    quality: quality && ({ ...quality, ...(stability && { stability }) } as Partition["quality"]),
  };
}
