/** How the leading eigenpairs of a graph are found: by a full decomposition where that is quick, else by block Lanczos. */
import type { RunOptions } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";
import type { Eigenpairs, SymmetricMatrix } from "./compute.ts";
import { denseEmbedding } from "./dense-embedding.ts";
import { krylovCapacity, krylovSizes, leadingEigenpairs } from "./eigensolver.ts";
import type { PanelStore } from "./panels.ts";

/** Nodes up to which a full decomposition is quick enough (20 ms at this size). */
const DENSE_NODES = 200;
/** A full decomposition is quicker as well when the basis would hold most of the eigenvectors. */
const DENSE_PER_CAPACITY = 1.25;

/**
 * See `Compute.spectralEmbedding`. `withPanels` makes a store of `capacity` vectors for blocks of `block` of them, runs
 * the solver on it and frees it.
 */
export async function spectralEmbedding(
  matrix: SymmetricMatrix,
  degree: Float64Array,
  k: number,
  withPanels: (
    capacity: number,
    block: number,
    solve: (panels: PanelStore) => Promise<Eigenpairs>,
  ) => Promise<Eigenpairs>,
  rng: Rng,
  options: RunOptions = {},
): Promise<Eigenpairs> {
  const capacity = krylovCapacity(k);
  if (matrix.size <= Math.max(DENSE_NODES, DENSE_PER_CAPACITY * capacity)) {
    return denseEmbedding(matrix, degree, k);
  }
  return withPanels(capacity, krylovSizes(k).block, (panels) =>
    leadingEigenpairs(panels, k, trivialEigenvector(degree), rng, options),
  );
}

/** D^1/2 1 of length 1, the eigenvector of D^-1/2 A D^-1/2 for eigenvalue 1. */
function trivialEigenvector(degree: Float64Array): Float32Array {
  let volume = 0;
  for (const value of degree) volume += value;
  return Float32Array.from(degree, (value) => Math.sqrt(value / volume));
}
