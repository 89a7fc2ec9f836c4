/** GEXF 1.2, as Gephi and its kin open it. The only file that imports `graphology-gexf`. */
import { parse, write } from "graphology-gexf";
import { type Csr, toCsr } from "./csr.ts";
import { fromExchangeText, toExchangeGraph } from "./exchange-graph.ts";
import { heaviestEdges } from "./heaviest-edges.ts";
import type { UnitGraph } from "./unit-graph.ts";

export interface GraphTextOptions {
  /** Cluster id of every node, -1 = none. */
  readonly clusters?: Int32Array | undefined;
  /** Edges written at most; the heaviest are kept. */
  readonly maxEdges?: number | undefined;
  /** The graph's matrix where it is in CSR already. */
  readonly csr?: Csr | undefined;
}

/** Beyond this, viewers crawl and the writer's graph object takes hundreds of megabytes. */
const DEFAULT_MAX_EDGES = 200_000;

/**
 * A graph as GEXF with positions, sizes and colours, so that it opens laid out. Only the heaviest `maxEdges` edges
 * (default 200,000) are written; the description in the file and the result say how many were left out.
 *
 * @example
 * const { text, droppedEdges } = formatGexf(graph, { clusters });
 */
export function formatGexf(
  graph: UnitGraph,
  options: GraphTextOptions = {},
): { text: string; edges: number; droppedEdges: number } {
  const edges = heaviestEdges(options.csr ?? toCsr(graph.matrix), options.maxEdges ?? DEFAULT_MAX_EDGES);
  const written = edges.source.length;
  const description =
    edges.dropped === 0
      ? `Unit graph (${graph.kind}, ${graph.scope}).`
      : `Unit graph (${graph.kind}, ${graph.scope}): the ${written} heaviest of ${written + edges.dropped} edges, ${edges.dropped} left out.`;
  // The writer misspells the namespace of positions and colours, and strict readers then miss them.
  const text = write(toExchangeGraph(graph, edges, options.clusters, description)).replace(
    'xmlns:viz="http:///www.gexf.net/1.1draft/viz"',
    'xmlns:viz="http://www.gexf.net/1.2draft/viz"',
  );
  return { text, edges: written, droppedEdges: edges.dropped };
}

/** Reads GEXF as a unit graph; throws `E_GRAPH_...` when it cannot be one. */
export function parseGexf(text: string, where: string): UnitGraph {
  return fromExchangeText(parse, text, "gexf", where);
}
