/**
 * The units of a network as a map shows them: where they lie, which of their edges are drawn, and the bundles that join
 * subclusters. Everything is capped, so that a page opens at once whatever the network; what is left out is counted.
 */
import type { Csr } from "../graph/csr.ts";
import { heaviestEdges } from "../graph/heaviest-edges.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "../partition/partition.ts";
import { layOutByForce } from "./force-layout.ts";

/** Most of what is drawn. */
const MOST_UNITS = 10_000;
const MOST_EDGES = 12_000;
const MOST_BUNDLES = 600;

/** Plain arrays, an entry for each unit shown, edge or bundle. */
export interface UnitMap {
  readonly units: {
    readonly layer: readonly number[];
    readonly unit: readonly number[];
    /** -1 = none. */
    readonly cluster: readonly number[];
    /** Sum of the unit's weights in the graph. */
    readonly degree: readonly number[];
    /** Force-directed position, 0 to 1. */
    readonly x: readonly number[];
    readonly y: readonly number[];
    /** Units of the network; those of least degree are left out where there are too many. */
    readonly total: number;
  };
  /** The heaviest, between units shown (numbers in `units`). */
  readonly edges: {
    readonly source: readonly number[];
    readonly target: readonly number[];
    readonly weight: readonly number[];
    readonly total: number;
  };
  /**
   * Weight between subclusters of different layers, or of one layer in graphs that have such edges. First those that hold
   * the largest share of the weight between their two layers, so that no pair of layers goes without.
   */
  readonly bundles: {
    readonly fromLayer: readonly number[];
    readonly fromCluster: readonly number[];
    readonly toLayer: readonly number[];
    readonly toCluster: readonly number[];
    readonly weight: readonly number[];
    readonly total: number;
  };
}

/**
 * The map of a graph and its partition. A unit that is a node of several parts (local graphs) is shown once; an edge of
 * several parts counts once.
 *
 * @example
 * const map = unitMap(graph, toCsr(graph.matrix), partition);
 */
export function unitMap(graph: UnitGraph, csr: Csr, partition: Partition): UnitMap {
  const offsets = offsetsOf(graph.layers.map(({ units }) => units));
  const total = graph.layers.reduce((sum, { units }) => sum + units, 0);
  const unitOf = Array.from(
    graph.layer,
    (layer, node) => (offsets[layer] as number) + (graph.unit[node] as number),
  );
  const clusters = clustersByUnit(graph, partition, offsets, total);
  const nodeOf = keptNodes(graph, unitOf, total);
  const degrees = new Float64Array(total);
  for (let unit = 0; unit < total; unit++) {
    const node = nodeOf[unit] as number;
    if (node < 0) continue;
    for (let at = csr.rowStart[node] as number; at < (csr.rowStart[node + 1] as number); at++) {
      degrees[unit] = (degrees[unit] as number) + (csr.weight[at] as number);
    }
  }
  const shown = largest(degrees, MOST_UNITS);
  const placeOf = new Int32Array(total).fill(-1);
  shown.forEach((unit, place) => {
    placeOf[unit] = place;
  });
  const layerOf = Array.from(shown, (unit) => layerOfUnit(offsets, unit));
  const edges = shownEdges(graph, csr, unitOf, placeOf);
  const cluster = Array.from(shown, (unit) => clusters[unit] as number);
  const { x, y } = layOutByForce(cluster, edges);
  return {
    units: {
      layer: layerOf,
      unit: Array.from(shown, (unit, place) => unit - (offsets[layerOf[place] as number] as number)),
      cluster,
      degree: Array.from(shown, (unit) => short(degrees[unit] as number)),
      x,
      y,
      total,
    },
    edges,
    bundles: bundlesOf(graph, csr, unitOf, clusters, offsets),
  };
}

/** First number of each layer's units when the units of all layers are counted through. */
function offsetsOf(sizes: readonly number[]): number[] {
  let next = 0;
  return sizes.map((size) => {
    next += size;
    return next - size;
  });
}

function layerOfUnit(offsets: readonly number[], unit: number): number {
  let layer = offsets.length - 1;
  while ((offsets[layer] as number) > unit) layer--;
  return layer;
}

/** The node that stands for each unit: that of the part which labels its layer; -1 for a unit that is none. */
function keptNodes(graph: UnitGraph, unitOf: readonly number[], total: number): Int32Array {
  const nodes = new Int32Array(total).fill(-1);
  for (const { nodeStart, nodeCount, keeps } of graph.parts) {
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      if (keeps.includes(graph.layer[node] as number)) nodes[unitOf[node] as number] = node;
    }
  }
  unitOf.forEach((unit, node) => {
    if ((nodes[unit] as number) < 0) nodes[unit] = node;
  });
  return nodes;
}

function clustersByUnit(
  graph: UnitGraph,
  partition: Partition,
  offsets: readonly number[],
  total: number,
): Int32Array {
  const clusters = new Int32Array(total).fill(-1);
  graph.layers.forEach(({ name }, layer) => {
    const labels = partition.layers.find((candidate) => candidate.name === name)?.labels;
    if (labels !== undefined) clusters.set(labels, offsets[layer]);
  });
  return clusters;
}

/** The units of the largest degrees, by number. */
function largest(degrees: Float64Array, limit: number): Int32Array {
  const units = Int32Array.from(degrees.keys());
  if (units.length <= limit) return units;
  return units
    .sort((a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b)
    .slice(0, limit)
    .sort();
}

function shownEdges(
  graph: UnitGraph,
  csr: Csr,
  unitOf: readonly number[],
  placeOf: Int32Array,
): UnitMap["edges"] {
  // In parts that overlap an edge may come several times: more are looked at than are shown.
  const found = heaviestEdges(csr, MOST_EDGES * (graph.parts.length > 1 ? 2 : 1));
  const seen = new Set<number>();
  const edges: { source: number; target: number; weight: number }[] = [];
  found.source.forEach((node, at) => {
    const one = placeOf[unitOf[node] as number] as number;
    const other = placeOf[unitOf[found.target[at] as number] as number] as number;
    if (one < 0 || other < 0) return;
    const key = Math.min(one, other) * placeOf.length + Math.max(one, other);
    if (seen.has(key)) return;
    seen.add(key);
    edges.push({ source: one, target: other, weight: short(found.weight[at] as number) });
  });
  const kept = edges.sort((a, b) => b.weight - a.weight).slice(0, MOST_EDGES);
  return {
    source: kept.map(({ source }) => source),
    target: kept.map(({ target }) => target),
    weight: kept.map(({ weight }) => weight),
    total: csr.weight.length / 2,
  };
}

/** Sums of the weights between subclusters; units in no cluster have none. */
function bundlesOf(
  graph: UnitGraph,
  csr: Csr,
  unitOf: readonly number[],
  clusters: Int32Array,
  offsets: readonly number[],
): UnitMap["bundles"] {
  const most = clusters.reduce((largest, cluster) => Math.max(largest, cluster), -1) + 1;
  const group = unitOf.map((unit) => {
    const cluster = clusters[unit] as number;
    return cluster < 0 ? -1 : layerOfUnit(offsets, unit) * most + cluster;
  });
  const groups = graph.layers.length * most;
  const sums = new Map<number, number>();
  for (let node = 0; node < group.length; node++) {
    const one = group[node] as number;
    if (one < 0) continue;
    for (let at = csr.rowStart[node] as number; at < (csr.rowStart[node + 1] as number); at++) {
      const to = csr.column[at] as number;
      const other = group[to] as number;
      if (to < node || other < 0 || other === one) continue;
      const key = Math.min(one, other) * groups + Math.max(one, other);
      sums.set(key, (sums.get(key) ?? 0) + (csr.weight[at] as number));
    }
  }
  const pairOf = (key: number): number =>
    Math.floor(Math.floor(key / groups) / most) * graph.layers.length + Math.floor((key % groups) / most);
  const pairs = new Map<number, number>();
  for (const [key, weight] of sums) pairs.set(pairOf(key), (pairs.get(pairOf(key)) ?? 0) + weight);
  const sorted = Array.from(sums, ([key, weight]) => {
    return { key, weight, share: weight / (pairs.get(pairOf(key)) || 1) };
  }).sort((a, b) => b.share - a.share || a.key - b.key);
  const kept = sorted.slice(0, MOST_BUNDLES);
  const ends = kept.map(({ key }) => [Math.floor(key / groups), key % groups] as const);
  return {
    fromLayer: ends.map(([one]) => Math.floor(one / most)),
    fromCluster: ends.map(([one]) => one % most),
    toLayer: ends.map(([, other]) => Math.floor(other / most)),
    toCluster: ends.map(([, other]) => other % most),
    weight: kept.map(({ weight }) => short(weight)),
    total: sorted.length,
  };
}

/** Four digits: what a picture can show. */
const short = (value: number): number => Number(value.toPrecision(4));
