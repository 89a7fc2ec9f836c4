/**
 * Normalised spectral clustering (Shi & Malik 2000, doi:10.1109/34.868688; method note 4.1): the eigenvectors of the k
 * largest eigenvalues of D^-1/2 A D^-1/2, divided by the roots of the degrees, which makes them those of the random
 * walk Laplacian, and k-means on their rows.
 *
 * The method note keeps the restart of lowest inertia. Where eigenvalues hardly differ, solutions within a few percent
 * of that inertia have n-cuts that differ by several percent either way, so of the best of these the one of lowest
 * n-cut is kept: n-cut is what the eigenvectors relax. Clear clusters have one best solution anyway.
 */
import type { Compute, KmeansResult, SymmetricMatrix } from "../compute/compute.ts";
import type { RunOptions } from "../progress.ts";
import { type Rng, rng } from "../statistics/rng.ts";
import { type ChosenK, chooseK } from "./choose-k.ts";
import { type ConnectedNodes, dropIsolated, expandLabels } from "./connected.ts";
import { normalizedCut } from "./quality.ts";
import { requireClusters } from "./require-clusters.ts";

/** Graphs up to this size get 25 k-means restarts, larger ones 100 (method note 4.1). */
const SMALL_GRAPH = 2000;
/** Solutions of k-means whose n-cuts are compared: each takes a pass over the graph, which is nothing on small ones. */
const SOLUTIONS = { small: 25, large: 10 } as const;
/** Solutions of a higher inertia than this share of the best are worse ones, not other ones. */
const COMPARABLE = 1.1;

/** Labels of all nodes, and the largest eigenvalues of D^-1/2 A D^-1/2 that were computed for them, in descending order. */
export interface SpectralLabels {
  readonly labels: Int32Array;
  readonly eigenvalues: Float64Array;
}

/**
 * A cluster for every node, -1 for isolated ones; ids are dense and may be fewer than `k`. `part` numbers the random streams of a
 * graph's parts, `where` names the graph in errors. Throws `E_PARTITION_K` when k is below 1 or above the number of nodes with edges.
 */
export async function spectral(
  compute: Compute,
  matrix: SymmetricMatrix,
  settings: { readonly k: number; readonly seed: number; readonly part?: number; readonly where?: string },
  options: RunOptions = {},
): Promise<SpectralLabels> {
  const { k, seed, part = 0, where = "graph" } = settings;
  const connected = dropIsolated(matrix, await compute.degrees(matrix));
  const count = connected.nodes.length;
  requireClusters(where, k, count);
  if (k === 1) {
    const labels = expandLabels(new Int32Array(count), connected.nodes, matrix.size);
    return { labels, eigenvalues: Float64Array.of(1) };
  }
  const stream = rng(seed, "spectral", "eigenvectors", part);
  const pairs = await compute.spectralEmbedding(connected.matrix, k, stream, options);
  const kmeans = { k, random: kmeansStream(seed, part) };
  return {
    labels: await clusterVectors(compute, connected, matrix.size, pairs.vectors, kmeans, options),
    eigenvalues: pairs.values,
  };
}

/**
 * The same with the number of clusters that the eigenvalues suggest. Throws `E_PARTITION_K` for a graph without edges.
 */
export async function spectralAuto(
  compute: Compute,
  matrix: SymmetricMatrix,
  settings: { readonly seed: number; readonly part?: number; readonly where?: string },
  options: RunOptions = {},
): Promise<SpectralLabels & { readonly chosen: ChosenK }> {
  const { seed, part = 0, where = "graph" } = settings;
  const connected = dropIsolated(matrix, await compute.degrees(matrix));
  requireClusters(where, 1, connected.nodes.length);
  const stream = rng(seed, "spectral", "eigenvectors", part);
  const { chosen, pairs, eigenvalues } = await chooseK(compute, connected.matrix, stream, options);
  const { k } = chosen;
  const labels =
    k === 1
      ? expandLabels(new Int32Array(connected.nodes.length), connected.nodes, matrix.size)
      : await clusterVectors(
          compute,
          connected,
          matrix.size,
          pairs.vectors,
          { k, random: kmeansStream(seed, part) },
          options,
        );
  return { labels, eigenvalues, chosen };
}

function kmeansStream(seed: number, part: number): Rng {
  return rng(seed, "spectral", "k-means", part);
}

/** k-means on the rows of eigenvectors; labels of all `size` nodes. */
export async function clusterVectors(
  compute: Compute,
  connected: ConnectedNodes,
  size: number,
  vectors: Float32Array,
  settings: { readonly k: number; readonly random: Rng; readonly restarts?: number; readonly kept?: number },
  options: RunOptions,
): Promise<Int32Array> {
  const { k, random } = settings;
  const points = randomWalkRows(vectors, connected.degree, k);
  const isSmall = connected.nodes.length <= SMALL_GRAPH;
  const { restarts = isSmall ? 25 : 100, kept = isSmall ? SOLUTIONS.small : SOLUTIONS.large } = settings;
  const solutions = await compute.kmeans(points, k, k, restarts, kept, random, options);
  const labels = await lowestCut(compute, connected.matrix, solutions, k);
  return expandLabels(labels, connected.nodes, size);
}

/** Labels of the solution with the lowest n-cut; the first one where several have it. */
async function lowestCut(
  compute: Compute,
  matrix: SymmetricMatrix,
  solutions: readonly KmeansResult[],
  k: number,
): Promise<Int32Array> {
  let best = solutions[0]?.labels ?? new Int32Array();
  const limit = COMPARABLE * (solutions[0]?.inertia ?? 0);
  const comparable = solutions.filter(({ inertia }) => inertia <= limit);
  if (comparable.length < 2) return best;
  let lowest = Number.POSITIVE_INFINITY;
  for (const { labels } of comparable) {
    const cut = normalizedCut(await compute.clusterWeights(matrix, labels, k));
    if (cut >= lowest) continue;
    lowest = cut;
    best = labels;
  }
  return best;
}

/** Rows U_i / sqrt(d_i), each column with the sign that makes its largest entry positive; nodes x k. */
function randomWalkRows(vectors: Float32Array, degree: Float64Array, k: number): Float32Array {
  // Degrees relative to a power of two near the largest: graphs that differ by such a factor give the same bits.
  let largest = 0;
  for (const value of degree) if (value > largest) largest = value;
  const scale = 2 ** -Math.floor(Math.log2(largest));
  const rows = new Float32Array(vectors.length);
  for (let node = 0; node < degree.length; node++) {
    const root = Math.sqrt((degree[node] as number) * scale);
    for (let at = node * k; at < (node + 1) * k; at++) rows[at] = (vectors[at] as number) / root;
  }
  for (let column = 0; column < k; column++) {
    let extreme = 0;
    for (let at = column; at < rows.length; at += k) {
      if (Math.abs(rows[at] as number) > Math.abs(extreme)) extreme = rows[at] as number;
    }
    if (extreme >= 0) continue;
    for (let at = column; at < rows.length; at += k) rows[at] = -(rows[at] as number);
  }
  return rows;
}
