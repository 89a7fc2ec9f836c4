/**
 * Graphs that Louvain's and the Leiden method work on: the unit graph itself, then graphs whose nodes stand for sets of
 * its nodes. Typed arrays throughout: an object per edge costs five times what the methods themselves do.
 *
 * Both quality functions have one form. The value of a partition is, over its clusters C,
 *   sum_C (w(C) - resolution * n(C)^2 / 2)
 * with w(C) the weight of the edges inside C, each counted once, and n(C) the sum of its nodes' masses. Modularity: a
 * node's mass is its degree, and the resolution is divided by the sum of all degrees. Constant Potts model (CPM): a
 * node's mass is 1; the customary n(C) (n(C) - 1) / 2 differs by a constant.
 */
import type { SymmetricMatrix } from "../compute/compute.ts";
import { type Csr, toCsr } from "../graph/csr.ts";

/** What a partition is sought to have much of: Newman's modularity, or the quality of the constant Potts model. */
export type ClusterQuality = "modularity" | "cpm";

/** A weighted graph without self-loops, with the masses of its nodes. */
export interface LevelGraph {
  readonly size: number;
  /** size + 1 offsets into `column` and `weight`; both directions of every edge, rows in no special order. */
  readonly rowStart: Int32Array;
  readonly column: Int32Array;
  /** Positive. In float64 on every level: loops that meet arrays of two types are compiled to slower code. */
  readonly weight: Float64Array;
  /** Degree of all the units that a node stands for (modularity), or their number (CPM). */
  readonly mass: Float64Array;
  /** Row sums of the weights. */
  readonly strength: Float64Array;
}

/** A quality function on a graph. */
export interface QualityScale {
  /** Factor of the product of two masses. */
  readonly resolution: number;
  /** Sum of all masses. */
  readonly totalMass: number;
  /** Mean weight of an edge; 0 without edges. */
  readonly meanWeight: number;
}

/** A unit graph in CSR with what a quality function says of its nodes. */
export interface QualityGraph {
  readonly csr: Csr;
  readonly mass: Float64Array;
  readonly strength: Float64Array;
  readonly scale: QualityScale;
}

/**
 * A matrix with the masses of a quality function. The default resolution is 1 for modularity, and for CPM the mean
 * weight over all pairs of nodes. A matrix that is one CSR block already shares its arrays.
 */
export function qualityGraph(
  matrix: SymmetricMatrix,
  quality: ClusterQuality,
  resolution?: number,
): QualityGraph {
  const { size } = matrix;
  const csr = asCsr(matrix);
  const strength = rowSums(csr);
  let total = 0;
  for (let node = 0; node < size; node++) total += strength[node] as number;
  const entries = csr.column.length;
  const isModularity = quality === "modularity";
  const pairs = Math.max(1, size * (size - 1));
  return {
    csr,
    mass: isModularity ? strength : new Float64Array(size).fill(1),
    strength,
    scale: {
      resolution: isModularity ? (resolution ?? 1) / (total || 1) : (resolution ?? total / pairs),
      totalMass: isModularity ? total : size,
      meanWeight: total / (entries || 1),
    },
  };
}

/** The value of labels 0 ... size - 1, see the top of this file. */
export function qualityOf(graph: LevelGraph, labels: Int32Array, { resolution }: QualityScale): number {
  const { size, rowStart, column, weight, mass } = graph;
  const clusterMass = new Float64Array(size);
  let inside = 0;
  for (let node = 0; node < size; node++) {
    const label = labels[node] as number;
    clusterMass[label] = (clusterMass[label] as number) + (mass[node] as number);
    const end = rowStart[node + 1] as number;
    for (let at = rowStart[node] as number; at < end; at++) {
      if (labels[column[at] as number] === label) inside += weight[at] as number;
    }
  }
  let squares = 0;
  for (let label = 0; label < size; label++) squares += (clusterMass[label] as number) ** 2;
  return (inside - resolution * squares) / 2;
}

function asCsr(matrix: SymmetricMatrix): Csr {
  const [block] = matrix.blocks;
  const isWhole = block?.shape === "sparse" && matrix.blocks.length === 1 && block.count === matrix.size;
  return isWhole && !hasZero(block.weight) ? block : toCsr(matrix);
}

function hasZero(weight: Float32Array): boolean {
  for (let at = 0; at < weight.length; at++) if (weight[at] === 0) return true;
  return false;
}

function rowSums({ rowStart, weight }: Csr): Float64Array {
  const sums = new Float64Array(rowStart.length - 1);
  for (let row = 0; row < sums.length; row++) {
    const end = rowStart[row + 1] as number;
    let sum = 0;
    for (let at = rowStart[row] as number; at < end; at++) sum += weight[at] as number;
    sums[row] = sum;
  }
  return sums;
}
