/**
 * GraphML. The writer is ours, since `graphology-graphml` only reads, and streams, so that every edge can be written.
 * The only file that imports `graphology-graphml`. Source: graphml.graphdrawing.org/specification.
 */
import { parse } from "graphology-graphml";
import { toCsr } from "./csr.ts";
import { fromExchangeText, META_KEY, shortWeight, xmlText } from "./exchange-graph.ts";
import type { GraphTextOptions } from "./graph-gexf.ts";
import { formatMeta } from "./graph-meta.ts";
import { heaviestEdges } from "./heaviest-edges.ts";
import type { UnitGraph } from "./unit-graph.ts";

const HEADER = `<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="${META_KEY}" for="graph" attr.name="${META_KEY}" attr.type="string"/>
  <key id="layer" for="node" attr.name="layer" attr.type="string"/>
  <key id="unit" for="node" attr.name="unit" attr.type="int"/>
  <key id="weight" for="edge" attr.name="weight" attr.type="double"/>
`;
const CLUSTER_KEY = '  <key id="cluster" for="node" attr.name="cluster" attr.type="int"/>\n';

/** Characters joined before they are handed on. */
const CHUNK_LENGTH = 1 << 20;

/** A GraphML file in pieces, and how many edges are in it; without `maxEdges` all are. */
export interface GraphmlText {
  readonly pieces: Generator<string>;
  readonly edges: number;
  readonly droppedEdges: number;
}

/**
 * A graph as GraphML.
 *
 * @example
 * for (const piece of formatGraphml(graph).pieces) await file.write(piece);
 */
export function formatGraphml(graph: UnitGraph, options: GraphTextOptions = {}): GraphmlText {
  const csr = options.csr ?? toCsr(graph.matrix);
  const { clusters, maxEdges = Number.POSITIVE_INFINITY } = options;
  const edges = heaviestEdges(csr, maxEdges);

  function* lines(): Generator<string> {
    yield HEADER;
    if (clusters) yield CLUSTER_KEY;
    yield '  <graph edgedefault="undirected">\n';
    yield `    <data key="${META_KEY}">${escapeXml(formatMeta(graph))}</data>\n`;
    const names = graph.layers.map((layer) => escapeXml(layer.name));
    for (let node = 0; node < graph.layer.length; node++) {
      const cluster = clusters ? `<data key="cluster">${clusters[node]}</data>` : "";
      yield `    <node id="${node}"><data key="layer">${names[graph.layer[node] as number]}</data><data key="unit">${graph.unit[node]}</data>${cluster}</node>\n`;
    }
    for (let edge = 0; edge < edges.source.length; edge++) {
      const weight = shortWeight(edges.weight[edge] as number);
      yield `    <edge source="${edges.source[edge]}" target="${edges.target[edge]}"><data key="weight">${weight}</data></edge>\n`;
    }
    yield "  </graph>\n</graphml>\n";
  }
  return { pieces: joined(lines()), edges: edges.source.length, droppedEdges: edges.dropped };
}

function* joined(lines: Iterable<string>): Generator<string> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < CHUNK_LENGTH) continue;
    yield text;
    text = "";
  }
  yield text;
}

/** Layer names come from model files and may hold anything. */
function escapeXml(text: string): string {
  return xmlText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#xD;");
}

/** Reads GraphML as a unit graph; throws `E_GRAPH_...` when it cannot be one. */
export function parseGraphml(text: string, where: string): UnitGraph {
  return fromExchangeText(parse, text, "graphml", where);
}
