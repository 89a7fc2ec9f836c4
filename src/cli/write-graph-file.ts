import { extname } from "node:path";
import { type WrittenGraph, writeGraph } from "../graph/graph-file.ts";
import type { GraphTextOptions } from "../graph/graph-gexf.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import { replaceFile } from "./output.ts";

/** Writes a graph file as a whole or not at all. */
export function writeGraphFile(
  path: string,
  graph: UnitGraph,
  options: GraphTextOptions = {},
): Promise<WrittenGraph> {
  // The extension names the format, so it stays at the end.
  const extension = extname(path);
  const part = `${path.slice(0, path.length - extension.length)}.part${extension}`;
  return replaceFile(path, part, (place) => writeGraph(place, graph, options));
}
