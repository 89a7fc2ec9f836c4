/**
 * Unit graphs as graphology's graph objects, which its readers and writers of GEXF and GraphML work on.
 * Such an object takes several hundred bytes per edge: only for graphs of a few 100,000 edges.
 */
import { MultiGraph, UndirectedGraph } from "graphology";
import { BrodmannError, messageOf } from "../errors.ts";
import { entriesToCsr } from "./csr-entries.ts";
import { layOut } from "./graph-layout.ts";
import { assembleGraph, foreignMeta, formatMeta, type GraphMeta, parseMeta } from "./graph-meta.ts";
import type { Edges } from "./heaviest-edges.ts";
import type { GraphLayer, UnitGraph } from "./unit-graph.ts";

/** Graph attribute under which `meta` of graph.npz is kept in XML. */
export const META_KEY = "brodmann";

/** Nodes are keyed by number: names come from model files, and a unit may be a node of several parts. */
export function toExchangeGraph(
  graph: UnitGraph,
  edges: Edges,
  clusters: Int32Array | undefined,
  description: string,
): UndirectedGraph {
  const exchange = new UndirectedGraph();
  exchange.setAttribute("creator", "Brodmann");
  exchange.setAttribute("description", xmlText(description));
  exchange.setAttribute(META_KEY, xmlText(formatMeta(graph)));
  const { x, y, colour } = layOut(graph, clusters);
  for (let node = 0; node < graph.layer.length; node++) {
    const layer = xmlText(graph.layers[graph.layer[node] as number]?.name ?? "");
    const unit = graph.unit[node] as number;
    exchange.addNode(String(node), {
      label: `${layer}:${unit}`,
      layer,
      unit,
      ...(clusters ? { cluster: clusters[node] as number } : {}),
      x: x[node],
      y: y[node],
      z: 0,
      size: 4,
      color: colour[node],
    });
  }
  for (let edge = 0; edge < edges.source.length; edge++) {
    exchange.addUndirectedEdgeWithKey(String(edge), String(edges.source[edge]), String(edges.target[edge]), {
      weight: shortWeight(edges.weight[edge] as number),
    });
  }
  return exchange;
}

/**
 * Reads XML by one of graphology's parsers into a unit graph. Nodes keep the file's order; attributes `layer` and
 * `unit` are restored where every node has them, else all nodes are units of one layer named `graph`. Edges without a
 * weight have weight 1, parallel edges add up. Throws `E_GRAPH_...`.
 */
export function fromExchangeText(
  parse: (graphClass: typeof MultiGraph, text: string) => MultiGraph,
  text: string,
  rootName: string,
  where: string,
): UnitGraph {
  // The parser takes a truncated file for a shorter one.
  if (!new RegExp(`</(\\w+:)?${rootName}>\\s*(<!--[^]*-->\\s*)?$`).test(text)) {
    return failXml(where, `no closing </${rootName}>`, "a whole file");
  }
  let exchange: MultiGraph;
  try {
    exchange = parse(MultiGraph, text);
  } catch (error) {
    return failXml(where, `a file that cannot be read (${messageOf(error)})`, `valid ${rootName}`, error);
  }
  const ids = new Map<string, number>();
  exchange.forEachNode((key) => ids.set(key, ids.size));
  const rows: number[] = [];
  const columns: number[] = [];
  const weights: number[] = [];
  exchange.forEachEdge((_key, attributes, source, target, _source, _target, isUndirected) => {
    const from = ids.get(source) as number;
    const to = ids.get(target) as number;
    const weight: unknown = attributes.weight ?? 1;
    const value = typeof weight === "number" ? weight : Number.NaN;
    rows.push(from);
    columns.push(to);
    weights.push(value);
    if (!isUndirected) return;
    rows.push(to);
    columns.push(from);
    weights.push(value);
  });
  const csr = entriesToCsr(ids.size, rows, columns, weights, where);
  const { meta, layer, unit } = readNodes(exchange, rootName, where);
  return assembleGraph(meta, layer, unit, csr, where);
}

function readNodes(
  exchange: MultiGraph,
  format: string,
  where: string,
): { meta: GraphMeta; layer: Int32Array; unit: Int32Array } {
  const size = exchange.order;
  const text: unknown = exchange.getAttribute(META_KEY);
  const written = typeof text === "string" ? parseMeta(text, size, where) : null;
  const layer = new Int32Array(size);
  const unit = new Int32Array(size);
  const numbers = new Map<string, number>();
  for (const { name } of written?.layers ?? []) numbers.set(xmlText(name), numbers.size);
  const units: number[] = [];
  const seen = new Set<string>();
  let node = 0;
  let isLabelled = true;
  exchange.forEachNode((_key, attributes) => {
    const name = String(attributes.layer ?? "");
    const index: unknown = attributes.unit;
    isLabelled &&= attributes.layer !== undefined && Number.isInteger(index) && (index as number) >= 0;
    isLabelled &&= written !== null || !seen.has(`${name}:${index}`);
    seen.add(`${name}:${index}`);
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    layer[node] = number;
    unit[node] = Number(index);
    units[number] = Math.max(units[number] ?? 0, Number(index) + 1);
    node++;
  });
  if (written) return { meta: written, layer, unit };
  if (isLabelled && size > 0) {
    const layers = Array.from(
      numbers,
      ([name, number]): GraphLayer => ({ name, units: units[number] as number }),
    );
    return { meta: foreignMeta(layers, size, format), layer, unit };
  }
  const meta = foreignMeta([{ name: "graph", units: size }], size, format);
  return { meta, layer: layer.fill(0), unit: unit.map((_, at) => at) };
}

/** A float32 weight with the nine digits that bring it back exactly, and no more. */
export function shortWeight(weight: number): number {
  return Number(weight.toPrecision(9));
}

/** Text without the characters that XML 1.0 cannot hold even when escaped (section 2.2). */
export function xmlText(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

function failXml(where: string, found: string, expected: string, cause?: unknown): never {
  throw new BrodmannError("E_GRAPH_FORMAT", `${where}: found ${found}, expected ${expected}`, {
    hint: "Write the file again, or pass the graph as graph.npz.",
    cause,
  });
}
