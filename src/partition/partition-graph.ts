import type { Compute, SymmetricMatrix } from "../compute/compute.ts";
import { sliceMatrix } from "../compute/submatrix.ts";
import { BrodmannError } from "../errors.ts";
import type { GraphPart, UnitGraph } from "../graph/unit-graph.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import type { ChosenK } from "./choose-k.ts";
import { toDenseLabels } from "./connected.ts";
import { leiden } from "./leiden.ts";
import type { ClusterQuality } from "./level-graph.ts";
import { louvain } from "./louvain.ts";
import type { LayerLabels, Partition, PartitionQuality, Spectrum } from "./partition.ts";
import { partitionQuality } from "./quality.ts";
import { random } from "./random.ts";
import { type SpectralLabels, spectral, spectralAuto } from "./spectral.ts";
import { spectralStable } from "./stable-k.ts";

/** Partitioners by name. */
export type PartitionMethod = "spectral" | "louvain" | "leiden" | "random";

/** How to partition a graph. */
export interface PartitionSettings {
  readonly method: PartitionMethod;
  /**
   * Clusters of each part (the whole graph in scope `global`), for spectral and random. Default 16. For spectral only:
   * `auto` reads it from the eigenvalues of each part, `stable` takes the one that random parts of the units agree on.
   */
  readonly k?: number | "auto" | "stable" | undefined;
  /** Resolution of louvain and leiden. Default 1 for modularity, for CPM the mean weight over all pairs of units. */
  readonly resolution?: number | undefined;
  /** What louvain and leiden raise. Default modularity. */
  readonly quality?: ClusterQuality | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Clusters by layer name for local graphs, in place of `k`; a layer of 0 or 1 is one cluster. */
  readonly kPerLayer?: ReadonlyMap<string, number> | undefined;
}

/** Partitions graphs, as an `Engine` does. */
export interface Partitioner {
  partition(graph: UnitGraph, settings: PartitionSettings, options?: RunOptions): Promise<Partition>;
}

/**
 * Partitions a graph. A global graph is clustered as a whole; of a local one each part on its own, with labels made
 * distinct so that a cluster never spans layers. Quality is that of the parts' own clusterings, averaged over parts.
 *
 * Throws `E_GRAPH_EMPTY` when no unit has an edge, `E_GRAPH_NEGATIVE` for weights that are negative or not numbers,
 * `E_PARTITION_K` when k is below 1 or above the number of units with edges of a part, `E_USAGE_K` for `auto` and `stable` where
 * nothing can be chosen.
 *
 * @example
 * const partition = await partitionGraph(compute, graph, { method: "spectral", k: 16, seed: 0 });
 * partition.quality?.ncut;
 */
export async function partitionGraph(
  compute: Compute,
  graph: UnitGraph,
  settings: PartitionSettings,
  options: RunOptions = {},
): Promise<Partition> {
  checkAuto(settings);
  requireWeights(graph.matrix);
  const labels = graph.layers.map((layer) => new Int32Array(layer.units).fill(-1));
  const qualities: PartitionQuality[] = [];
  const chosen = new Map<string, ChosenK>();
  const spectra: Spectrum[] = [];
  const isLocal = graph.scope === "local";
  const counter = isLocal ? new StepCounter("partition", graph.parts.length, options) : null;
  // A single part reports finer steps of its own.
  const partOptions: RunOptions = isLocal ? { signal: options.signal } : options;
  let clusters = 0;
  for (const [number, part] of graph.parts.entries()) {
    const matrix = sliceMatrix(graph.matrix, part.nodeStart, part.nodeCount);
    if (hasEdges(matrix)) {
      const found = await labelNodes(compute, graph, part, matrix, settings, number, partOptions, chosen);
      const { labels: nodeLabels, eigenvalues } = found;
      // Beyond six digits they are the solver's rounding errors.
      const values = Array.from(eigenvalues ?? [], (value) => Number(value.toFixed(6)));
      if (values.length > 0) spectra.push({ part: nameOf(graph, part), values });
      const partClusters = nodeLabels.reduce((most, label) => Math.max(most, label), -1) + 1;
      qualities.push(await partitionQuality(compute, matrix, nodeLabels, partClusters));
      clusters = isLocal
        ? keepLocalLabels(graph, part, nodeLabels, labels, clusters)
        : keepGlobalLabels(graph, part, nodeLabels, labels, clusters);
    }
    counter?.advance(1);
  }
  if (qualities.length === 0) {
    throw new BrodmannError("E_GRAPH_EMPTY", "graph: found no edges, expected at least one", {
      hint: "Check that the weights are not all zero, or that the units vary over the inputs.",
    });
  }
  return {
    layers: graph.layers.map(
      (layer, i): LayerLabels => ({ name: layer.name, labels: labels[i] as Int32Array }),
    ),
    clusters,
    method: describe(settings, isLocal, chosen),
    quality: {
      ncut: mean(qualities.map((quality) => quality.ncut)),
      modularity: mean(qualities.map((quality) => quality.modularity)),
      ...(spectra.length > 0 && { eigenvalues: spectra }),
    },
  };
}

/** Labels of one part's nodes; a number of clusters that is chosen here is added to `chosen` by layer. */
async function labelNodes(
  compute: Compute,
  graph: UnitGraph,
  part: GraphPart,
  matrix: SymmetricMatrix,
  settings: PartitionSettings,
  number: number,
  options: RunOptions,
  chosen: Map<string, ChosenK>,
): Promise<Pick<SpectralLabels, "labels"> & Partial<SpectralLabels>> {
  const { method, k = 16, kPerLayer, quality, resolution, seed = 0 } = settings;
  if (method === "leiden") return { labels: leiden(matrix, { quality, resolution, seed, part: number }) };
  if (method === "louvain") return { labels: louvain(matrix, { quality, resolution, seed, part: number }) };
  const where = nameOf(graph, part);
  if (typeof k === "string") {
    const choose = k === "auto" ? spectralAuto : spectralStable;
    const found = await choose(compute, matrix, { seed, part: number, where }, options);
    chosen.set(centreOf(graph, part), found.chosen);
    return found;
  }
  const clusters = graph.scope === "local" ? kOfPart(graph, part, kPerLayer, k) : k;
  const fixed = { k: clusters, seed, part: number, where };
  if (method === "spectral") return spectral(compute, matrix, fixed, options);
  return { labels: await random(compute, matrix, fixed) };
}

function checkAuto({ method, k, kPerLayer }: PartitionSettings): void {
  if (typeof k !== "string" || (method === "spectral" && kPerLayer === undefined)) return;
  const found = method === "spectral" ? "numbers of clusters by layer" : `the method ${method}`;
  throw new BrodmannError("E_USAGE_K", `k = ${k}: found ${found}, expected spectral alone`, {
    hint: method === "random" ? "Give random a number of clusters." : "Leave k out.",
  });
}

/** Name, seed and settings of the partitioner, as the partition's file has them. */
function describe(
  settings: PartitionSettings,
  isLocal: boolean,
  chosen: ReadonlyMap<string, ChosenK>,
): Readonly<Record<string, unknown>> {
  const { method, k = 16, quality = "modularity", seed = 0, kPerLayer } = settings;
  if (method === "louvain" || method === "leiden") {
    const resolution = settings.resolution ?? (quality === "cpm" ? "density" : 1);
    return { name: method, ...(quality === "cpm" ? { quality } : {}), resolution, seed };
  }
  const [first] = chosen.values();
  if (first !== undefined && !isLocal) return { name: method, k: first.k, seed, chosen: first };
  if (first !== undefined) {
    const numbers = Array.from(chosen, ([layer, choice]) => [layer, choice.k]);
    return {
      name: method,
      k,
      kPerLayer: Object.fromEntries(numbers),
      seed,
      chosen: Object.fromEntries(chosen),
    };
  }
  if (!isLocal || kPerLayer === undefined) return { name: method, k, seed };
  return { name: method, k, kPerLayer: Object.fromEntries(kPerLayer), seed };
}

/**
 * The settings that make a partition again, with the numbers of clusters that it chose: for nulls and other seeds, which
 * must differ in nothing else.
 */
export function settledSettings(settings: PartitionSettings, { method }: Partition): PartitionSettings {
  if (typeof settings.k !== "string") return settings;
  const { k, kPerLayer } = method as { k: number | string; kPerLayer?: Record<string, number> };
  return {
    ...settings,
    k: typeof k === "number" ? k : undefined,
    kPerLayer: kPerLayer && new Map(Object.entries(kPerLayer)),
  };
}

/** Labels of a global graph's part, whose clusters may span layers. Returns the number of clusters so far. */
function keepGlobalLabels(
  graph: UnitGraph,
  part: GraphPart,
  nodeLabels: Int32Array,
  labels: readonly Int32Array[],
  clusters: number,
): number {
  let next = clusters;
  for (let i = 0; i < part.nodeCount; i++) {
    const label = nodeLabels[i] as number;
    if (label < 0) continue;
    setLabel(graph, part.nodeStart + i, clusters + label, labels);
    next = Math.max(next, clusters + label + 1);
  }
  return next;
}

/** Labels of a local part for the layers it decides, with new ids for each layer. */
function keepLocalLabels(
  graph: UnitGraph,
  part: GraphPart,
  nodeLabels: Int32Array,
  labels: readonly Int32Array[],
  clusters: number,
): number {
  let next = clusters;
  for (const layer of part.keeps) {
    const isKept = (node: number) => graph.layer[part.nodeStart + node] === layer;
    const own = toDenseLabels(nodeLabels.map((label, node) => (isKept(node) ? label : -1)));
    for (let i = 0; i < part.nodeCount; i++) {
      if (isKept(i) && (own.labels[i] as number) >= 0) {
        setLabel(graph, part.nodeStart + i, next + (own.labels[i] as number), labels);
      }
    }
    next += own.clusters;
  }
  return next;
}

function setLabel(graph: UnitGraph, node: number, label: number, labels: readonly Int32Array[]): void {
  const layerLabels = labels[graph.layer[node] as number] as Int32Array;
  layerLabels[graph.unit[node] as number] = label;
}

/**
 * Name of the layer that a local part is built around. The first and the last triple of a chain also decide an outer
 * layer (method note 3.5); the layer in the middle is then the one that counts.
 */
function centreOf(graph: UnitGraph, part: GraphPart): string {
  const present = [...new Set(graph.layer.subarray(part.nodeStart, part.nodeStart + part.nodeCount))];
  const middle = present[Math.floor(present.length / 2)] as number;
  const centre = part.keeps.includes(middle) ? middle : part.keeps[0];
  return graph.layers[centre as number]?.name ?? "";
}

/** The number of clusters of a local part: that of the layer it is built around. */
function kOfPart(
  graph: UnitGraph,
  part: GraphPart,
  kPerLayer: ReadonlyMap<string, number> | undefined,
  k: number,
): number {
  const entry = kPerLayer?.get(centreOf(graph, part));
  // 0: the global partition left the whole layer out, which says nothing about how it falls apart.
  return entry === undefined ? k : entry === 0 ? 1 : entry;
}

function nameOf(graph: UnitGraph, part: GraphPart): string {
  if (graph.scope === "global") return "graph";
  return part.keeps.map((layer) => `layer ${graph.layers[layer]?.name ?? layer}`).join(" and ");
}

function weightsOf(matrix: SymmetricMatrix): Float32Array[] {
  return matrix.blocks.map((block) => (block.shape === "sparse" ? block.weight : block.values));
}

function hasEdges(matrix: SymmetricMatrix): boolean {
  return weightsOf(matrix).some((weights) => weights.some((weight) => weight > 0));
}

function requireWeights(matrix: SymmetricMatrix): void {
  for (const weights of weightsOf(matrix)) {
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i] as number;
      if (weight >= 0 && weight < Number.POSITIVE_INFINITY) continue;
      throw new BrodmannError("E_GRAPH_NEGATIVE", `graph: found a weight of ${weight}, expected 0 or more`, {
        hint: "Use absolute or squared weights.",
      });
    }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
