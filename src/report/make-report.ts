/** The document of a report from an analysis, in memory or read back. */
import { toCsr } from "../graph/csr.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "../partition/partition.ts";
import { REPORT_SCHEMA, type ReportData } from "./report-data.ts";
import { unitMap } from "./unit-map.ts";

/** What a report is made of; whatever was not computed is null. */
export interface ReportParts
  extends Pick<
    ReportData,
    "name" | "scores" | "classNames" | "pictures" | "run" | "files" | "patterns" | "populations"
  > {
  readonly graph: UnitGraph;
  /** Of the graph's layers. */
  readonly partition: Partition;
}

/**
 * Puts the document together.
 *
 * @example
 * const html = await renderReport(makeReport({ ...parts, scores: JSON.parse(formatScores(importance)) }));
 */
export function makeReport({ graph, partition, ...parts }: ReportParts): ReportData {
  const { stability, ...quality } = partition.quality ?? {};
  const { layers: coAssignment, ...stable } = stability ?? {};
  return {
    schema: REPORT_SCHEMA,
    ...parts,
    graph: {
      kind: graph.kind,
      scope: graph.scope,
      layers: graph.layers.map(({ name, units }) => ({ name, units })),
      facts: graph.facts,
    },
    map: unitMap(graph, toCsr(graph.matrix), partition),
    partition: {
      clusters: partition.clusters,
      method: partition.method,
      quality:
        partition.quality &&
        ({ ...quality, ...(stability && { stability: stable }) } as ReportData["partition"]["quality"]),
      coAssignment: coAssignment?.map(({ coAssignment: shares }) => [...shares]) ?? null,
    },
  };
}
