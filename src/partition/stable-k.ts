/**
 * The number of clusters that a graph's spectral clustering reproduces best (Ben-Hur, Elisseeff & Guyon 2002,
 * Pac. Symp. Biocomput. 7:6-17; von Luxburg 2010, doi:10.1561/2200000008): random parts of the units are clustered into k
 * for every k, and the clusterings of two parts are compared on the units they share. Other seeds alone would not do:
 * where k-means finds the best solution, every k comes out the same each time, the right one or not.
 *
 * Agreement is the adjusted mutual information, which is 0 by chance for every k; plain indices favour few clusters.
 */
import type { Compute, SymmetricMatrix } from "../compute/compute.ts";
import { selectNodes } from "../compute/submatrix.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { type Rng, rng } from "../statistics/rng.ts";
import { type ChosenK, eigenvectorsUpTo, LEAST_K, leadingPairs } from "./choose-k.ts";
import { agreementOf } from "./compare.ts";
import { type ConnectedNodes, dropIsolated } from "./connected.ts";
import { requireClusters } from "./require-clusters.ts";
import { clusterVectors, type SpectralLabels, spectral } from "./spectral.ts";

/** Random parts of the units; every two of them are compared. */
const PARTS = 6;
/** Share of the units that a part holds. */
const SHARE = 0.8;
/** k-means restarts on a part: enough to compare, and there are hundreds of these. */
const RESTARTS = 10;
/** Of several k that agree as well but for this, the largest counts: halves of a graph may be as stable as its clusters. */
const ALIKE = 0.01;

/**
 * Spectral clustering with the most stable number of clusters. Throws `E_PARTITION_K` for a graph without edges.
 *
 * @example
 * const { labels, chosen } = await spectralStable(compute, graph.matrix, { seed: 0 });
 */
export async function spectralStable(
  compute: Compute,
  matrix: SymmetricMatrix,
  settings: { readonly seed: number; readonly part?: number; readonly where?: string },
  options: RunOptions = {},
): Promise<SpectralLabels & { readonly chosen: ChosenK }> {
  const { seed, part = 0, where = "graph" } = settings;
  const connected = dropIsolated(matrix, await compute.degrees(matrix));
  requireClusters(where, 1, connected.nodes.length);
  const chosen = await chooseStableK(compute, connected.matrix, { seed, part }, options);
  return { ...(await spectral(compute, matrix, { ...settings, k: chosen.k }, options)), chosen };
}

/**
 * Chooses k from 2 to 32 for a matrix of positive degrees; 1 where a part has fewer than four nodes with edges. `candidates` tells the mean
 * agreement for every k: where the best is low, no number of clusters is a good one.
 */
async function chooseStableK(
  compute: Compute,
  matrix: SymmetricMatrix,
  settings: { readonly seed: number; readonly part: number },
  options: RunOptions = {},
): Promise<ChosenK> {
  const { seed, part } = settings;
  const counter = new StepCounter("stable k", PARTS, options);
  const quiet = { signal: options.signal };
  const found: Map<number, Int32Array>[] = [];
  for (let draw = 0; draw < PARTS; draw++) {
    const drawn = await drawPart(compute, matrix, rng(seed, "stable k", part, draw));
    found.push(await clusterByK(compute, drawn, matrix.size, { seed, part, draw }, quiet));
    counter.advance(1);
  }
  const most = Math.min(...found.map((labels) => labels.size)) + LEAST_K - 1;
  const candidates = [];
  for (let k = LEAST_K; k <= most; k++) {
    candidates.push({ k, ami: meanAgreement(found.map((labels) => labels.get(k) as Int32Array)) });
  }
  const best = Math.max(...candidates.map(({ ami }) => ami));
  const chosen = candidates.findLast(({ ami }) => ami >= best - ALIKE);
  return { k: chosen?.k ?? 1, rule: "stability", candidates };
}

/** A random part of the nodes, in order, without those that lose all their edges. */
async function drawPart(compute: Compute, matrix: SymmetricMatrix, random: Rng): Promise<ConnectedNodes> {
  const order = random.shuffle(Int32Array.from({ length: matrix.size }, (_, node) => node));
  const nodes = order.slice(0, Math.round(SHARE * matrix.size)).sort();
  const part = selectNodes(matrix, nodes);
  const connected = dropIsolated(part, await compute.degrees(part));
  return { ...connected, nodes: connected.nodes.map((node) => nodes[node] as number) };
}

/** Labels of all `size` nodes for every k; -1 for nodes that are not in the part. */
async function clusterByK(
  compute: Compute,
  connected: ConnectedNodes,
  size: number,
  { seed, part, draw }: { readonly seed: number; readonly part: number; readonly draw: number },
  options: RunOptions,
): Promise<Map<number, Int32Array>> {
  if (connected.nodes.length < LEAST_K + 2) return new Map();
  const stream = rng(seed, "stable k", "eigenvectors", part, draw);
  const { pairs, most } = await eigenvectorsUpTo(compute, connected.matrix, stream, options);
  const found = new Map<number, Int32Array>();
  for (let k = LEAST_K; k <= most; k++) {
    const { vectors } = leadingPairs(pairs, k);
    const random = rng(seed, "stable k", "k-means", part, draw, k);
    const kmeans = { k, restarts: RESTARTS, kept: 1, random };
    found.set(k, await clusterVectors(compute, connected, size, vectors, kmeans, options));
  }
  return found;
}

function meanAgreement(runs: readonly Int32Array[]): number {
  let sum = 0;
  let pairs = 0;
  for (const [number, first] of runs.entries()) {
    for (const second of runs.slice(number + 1)) {
      sum += agreementOf(first, second).ami;
      pairs++;
    }
  }
  // More digits would be rounding errors of the eigenvectors, and differ between devices.
  return Number((sum / pairs).toFixed(6));
}
