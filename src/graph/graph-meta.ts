/** What a graph file says about its graph beyond nodes and edges: `meta` of contract "brodmann/graph/1". */
import type { SymmetricBlock } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import type { Csr } from "./csr.ts";
import type { GraphLayer, GraphPart, UnitGraph } from "./unit-graph.ts";

/** Version of the files that are written and read. */
export const GRAPH_SCHEMA = "brodmann/graph/1";

/** All of a graph but its nodes and edges. */
export type GraphMeta = Pick<UnitGraph, "kind" | "scope" | "layers" | "parts" | "facts">;

export function formatMeta(graph: UnitGraph): string {
  const { layers, kind, scope, parts, facts } = graph;
  return JSON.stringify({ schema: GRAPH_SCHEMA, layers, kind, scope, parts, facts });
}

/** Reads `meta` of a graph with `nodeCount` nodes. Throws `E_GRAPH_FORMAT` when it is not what was written. */
export function parseMeta(text: string, nodeCount: number, where: string): GraphMeta {
  let meta: unknown;
  try {
    meta = JSON.parse(text);
  } catch {
    return failMeta(where, "text that is not JSON");
  }
  if (!isRecord(meta)) return failMeta(where, "no JSON object");
  if (meta.schema !== GRAPH_SCHEMA) return failMeta(where, `schema ${JSON.stringify(meta.schema)}`);
  const { kind, scope, layers, parts, facts } = meta;
  if (kind !== "weights" && kind !== "activations") return failMeta(where, `kind ${JSON.stringify(kind)}`);
  if (scope !== "global" && scope !== "local") return failMeta(where, `scope ${JSON.stringify(scope)}`);
  if (!isListOf(layers, isLayer)) return failMeta(where, `layers ${JSON.stringify(layers)}`);
  if (new Set(layers.map((layer) => layer.name)).size < layers.length) {
    return failMeta(where, "two layers of one name");
  }
  if (!isListOf(parts, (part): part is GraphPart => isPart(part, nodeCount, layers.length))) {
    return failMeta(where, `parts ${JSON.stringify(parts)} for ${nodeCount} nodes`);
  }
  const sorted = [...parts].sort((a, b) => a.nodeStart - b.nodeStart);
  if (sorted.some((part, at) => at > 0 && part.nodeStart < endOf(sorted[at - 1]))) {
    return failMeta(where, "parts that overlap");
  }
  return { kind, scope, layers, parts, facts: isRecord(facts) ? facts : {} };
}

/** Meta of a graph from elsewhere: one part that holds the given layers. */
export function foreignMeta(layers: readonly GraphLayer[], nodeCount: number, format: string): GraphMeta {
  const parts = [{ nodeStart: 0, nodeCount, keeps: layers.map((_, layer) => layer) }];
  return { kind: "weights", scope: "global", layers, parts, facts: { source: format } };
}

/**
 * A unit graph of nodes, edges and meta; its matrix has one sparse block per part, on the memory of `csr`.
 * Throws `E_GRAPH_FORMAT` when layer and unit numbers do not fit the layers, or an edge leaves its part.
 */
export function assembleGraph(
  meta: GraphMeta,
  layer: Int32Array,
  unit: Int32Array,
  csr: Csr,
  where: string,
): UnitGraph {
  const size = layer.length;
  const firsts: number[] = [];
  let units = 0;
  for (const { units: count } of meta.layers) {
    firsts.push(units);
    units += count;
  }
  for (let node = 0; node < size; node++) {
    const { units: count } = meta.layers[layer[node] as number] ?? { units: 0 };
    const index = unit[node] as number;
    if (index >= 0 && index < count) continue;
    failGraph(
      where,
      `unit ${index} of layer number ${layer[node]} at node ${node}`,
      "one that its layers have",
    );
  }
  const isInPart = new Uint8Array(size);
  const blocks = meta.parts.map((part): SymmetricBlock => {
    const { nodeStart, nodeCount } = part;
    const seen = new Uint8Array(units);
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const id = (firsts[layer[node] as number] as number) + (unit[node] as number);
      if (seen[id])
        failGraph(where, `unit ${unit[node]} of layer number ${layer[node]} twice`, "one node per unit");
      seen[id] = 1;
      isInPart[node] = 1;
    }
    return sliceRows(csr, nodeStart, nodeCount, where);
  });
  for (let node = 0; node < size; node++) {
    if (isInPart[node] || csr.rowStart[node] === csr.rowStart[node + 1]) continue;
    failGraph(where, `edges at node ${node}, which is in no part`, "edges within parts only");
  }
  return { ...meta, layer, unit, matrix: { size, blocks } };
}

/** Rows `start` ... `start + count - 1` as a block of their own; columns are renumbered in place. */
function sliceRows(csr: Csr, start: number, count: number, where: string): SymmetricBlock {
  const first = csr.rowStart[start] as number;
  const last = csr.rowStart[start + count] as number;
  const column = csr.column.subarray(first, last);
  for (let at = 0; at < column.length; at++) {
    const to = (column[at] as number) - start;
    if (to < 0 || to >= count)
      failGraph(
        where,
        `an edge from nodes ${start} to ${start + count - 1} to node ${column[at]}`,
        "edges within parts only",
      );
    column[at] = to;
  }
  const rowStart = csr.rowStart.slice(start, start + count + 1).map((offset) => offset - first);
  return { shape: "sparse", start, count, rowStart, column, weight: csr.weight.subarray(first, last) };
}

/** Throws `E_GRAPH_FORMAT`. */
export function failGraph(where: string, found: string, expected: string): never {
  throw new BrodmannError("E_GRAPH_FORMAT", `${where}: found ${found}, expected ${expected}`, {
    hint: "Write the graph again with `brodmann graph`, or pass a plain scipy.sparse.save_npz file.",
  });
}

function failMeta(where: string, found: string): never {
  return failGraph(`${where}[meta]`, found, `the facts of a ${GRAPH_SCHEMA} file`);
}

function endOf(part: GraphPart | undefined): number {
  return part ? part.nodeStart + part.nodeCount : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isCount(value: unknown, limit: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= limit;
}

function isLayer(value: unknown): value is GraphLayer {
  return isRecord(value) && typeof value.name === "string" && isCount(value.units);
}

function isPart(value: unknown, nodeCount: number, layerCount: number): value is GraphPart {
  if (!isRecord(value) || !isCount(value.nodeStart, nodeCount)) return false;
  if (!isCount(value.nodeCount, nodeCount - value.nodeStart)) return false;
  return isListOf(value.keeps, (layer): layer is number => isCount(layer, layerCount - 1));
}
