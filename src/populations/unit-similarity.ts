/**
 * How alike the units of a layer are: in what they answer to (populations note, FP-3), or in what their lesions take from the
 * classes (FP-4). Both are graphs of the units of each layer on its own, for the usual partitioners.
 */

import type { CorrelationMethod, SymmetricBlock } from "../compute/compute.ts";
import { Matmul } from "../compute/cpu/matmul.ts";
import { makeStandardiser } from "../compute/cpu/standardise.ts";
import type { GraphLayer, GraphPart, UnitGraph } from "../graph/unit-graph.ts";
import type { UnitRows } from "./unit-responses.ts";

/** What a correlation or cosine becomes as an edge. */
export const EDGES = ["absolute", "square", "positive"] as const;
export type Edges = (typeof EDGES)[number];

/** Similarity of the units of one layer. */
export interface UnitSimilarity {
  readonly units: number;
  /** Units x units, from -1 to 1, symmetric; the diagonal and what has to do with units that are no nodes is 0. */
  readonly values: Float32Array;
  /** 1 for units that are nodes: they vary, or have an impact. */
  readonly isNode: Uint8Array;
}

/** Correlations of units over the inputs; what does not vary, and what is `isLeftOut`, is no node. */
export async function correlateRows(
  { units, inputs, values }: UnitRows,
  isLeftOut: Uint8Array,
  method: CorrelationMethod,
): Promise<UnitSimilarity> {
  const rows = values.slice();
  const isDead = isLeftOut.slice();
  for (let unit = 0; unit < units; unit++) {
    if (isLeftOut[unit]) rows.fill(0, unit * inputs, (unit + 1) * inputs);
  }
  makeStandardiser(inputs, method)(rows, 0, units, isDead);
  return innerProducts(rows, inputs, isDead);
}

/** Cosines of the rows of `profiles`, units x width; a row of zeros, or one that is not finite, is no node. */
export async function compareProfiles(profiles: Float64Array, units: number): Promise<UnitSimilarity> {
  const width = profiles.length / units;
  const rows = new Float32Array(profiles.length);
  const isDead = new Uint8Array(units);
  for (let unit = 0; unit < units; unit++) {
    const row = profiles.subarray(unit * width, (unit + 1) * width);
    let largest = 0;
    for (const value of row) if (!(Math.abs(value) <= largest)) largest = Math.abs(value);
    // Scaled by the largest, so that squares of small impacts do not vanish.
    const norm = largest * Math.sqrt(row.reduce((sum, value) => sum + (value / largest) ** 2, 0));
    if (!(norm > 0) || !Number.isFinite(norm)) isDead[unit] = 1;
    else for (let c = 0; c < width; c++) rows[unit * width + c] = (row[c] as number) / norm;
  }
  return innerProducts(rows, width, isDead);
}

async function innerProducts(rows: Float32Array, width: number, isDead: Uint8Array): Promise<UnitSimilarity> {
  const units = isDead.length;
  const values = new Float32Array(units * units);
  const matmul = new Matmul();
  try {
    const factor = { rows: units, columns: width, values: rows };
    await matmul.multiply("ABt", factor, factor, values);
  } finally {
    await matmul.dispose();
  }
  for (let u = 0; u < units; u++) {
    values[u * units + u] = 0;
    for (let v = 0; v < u; v++) {
      const value = Math.max(-1, Math.min(1, values[u * units + v] as number));
      values[u * units + v] = value;
      values[v * units + u] = value;
    }
  }
  return { units, values, isNode: isDead.map((dead) => (dead ? 0 : 1)) };
}

/** The graph of the units of several layers, each a part of its own. */
export function similarityGraph(
  layers: readonly GraphLayer[],
  similarities: readonly UnitSimilarity[],
  edges: Edges,
  facts: Readonly<Record<string, unknown>>,
): UnitGraph {
  const layer: number[] = [];
  const unit: number[] = [];
  const blocks: SymmetricBlock[] = [];
  const parts: GraphPart[] = [];
  similarities.forEach(({ units, values, isNode }, number) => {
    const nodes = Array.from({ length: units }, (_, node) => node).filter((node) => isNode[node]);
    const start = layer.length;
    const kept = new Float32Array(nodes.length ** 2);
    let cell = 0;
    for (const row of nodes) {
      for (const column of nodes) kept[cell++] = edgeOf(values[row * units + column] as number, edges);
    }
    for (const node of nodes) {
      layer.push(number);
      unit.push(node);
    }
    if (nodes.length > 0) blocks.push({ shape: "within", start, count: nodes.length, values: kept });
    parts.push({ nodeStart: start, nodeCount: nodes.length, keeps: [number] });
  });
  return {
    kind: "activations",
    scope: "local",
    layers,
    layer: Int32Array.from(layer),
    unit: Int32Array.from(unit),
    matrix: { size: layer.length, blocks },
    parts,
    facts: { ...facts, edges },
  };
}

function edgeOf(value: number, edges: Edges): number {
  if (edges === "square") return value * value;
  return edges === "absolute" ? Math.abs(value) : Math.max(value, 0);
}

/** The most alike pairs of units (by absolute similarity), the strongest first, at most `count`. */
export function likestPairs({ units, values }: UnitSimilarity, count: number): (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  for (let u = 0; u < units; u++) {
    for (let v = u + 1; v < units; v++) if (values[u * units + v] !== 0) pairs.push([u, v]);
  }
  const strength = ([u, v]: readonly [number, number]) => Math.abs(values[u * units + v] as number);
  return pairs.sort((a, b) => strength(b) - strength(a) || a[0] - b[0] || a[1] - b[1]).slice(0, count);
}
