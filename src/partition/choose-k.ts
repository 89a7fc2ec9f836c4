/**
 * The number of clusters that a graph's spectrum suggests: the k behind which the eigenvalues of D^-1/2 A D^-1/2 fall most
 * (von Luxburg 2007, doi:10.1007/s11222-007-9033-z, section 8.3). A graph that falls into k pieces has k eigenvalues 1
 * and then smaller ones; k weakly connected clusters leave a gap in the same place.
 */
import type { Compute, Eigenpairs, SymmetricMatrix } from "../compute/compute.ts";
import type { RunOptions } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";

/** Numbers of clusters that are considered. */
export const LEAST_K = 2;
const MOST_K = 32;

/** A number of clusters and the curve that it was read from: a value for every k considered. */
export type ChosenK =
  | {
      readonly k: number;
      readonly rule: "eigengap";
      /** Gap between the k-th and the next eigenvalue. */
      readonly candidates: readonly { readonly k: number; readonly gap: number }[];
    }
  | {
      readonly k: number;
      readonly rule: "stability";
      /** Mean adjusted mutual information of clusterings of random parts of the units. */
      readonly candidates: readonly { readonly k: number; readonly ami: number }[];
    };

/**
 * Chooses k from 2 to 32 (below the number of nodes) for a matrix of positive degrees, and gives its eigenvectors, with the
 * eigenvalues of all k. The
 * smallest k where several gaps are equal; 1 for fewer than four nodes.
 */
export async function chooseK(
  compute: Compute,
  matrix: SymmetricMatrix,
  random: Rng,
  options: RunOptions = {},
): Promise<{ readonly chosen: ChosenK; readonly pairs: Eigenpairs; readonly eigenvalues: Float64Array }> {
  const { pairs, most } = await eigenvectorsUpTo(compute, matrix, random, options);
  const candidates = [];
  for (let k = LEAST_K; k <= most; k++) {
    const gap = (pairs.values[k - 1] as number) - (pairs.values[k] as number);
    // Beyond six digits the eigenvalues are the solver's rounding errors.
    candidates.push({ k, gap: Number(gap.toFixed(6)) });
  }
  let chosen = { k: 1, gap: Number.NEGATIVE_INFINITY };
  for (const candidate of candidates) if (candidate.gap > chosen.gap) chosen = candidate;
  return {
    chosen: { k: chosen.k, rule: "eigengap", candidates },
    pairs: leadingPairs(pairs, chosen.k),
    eigenvalues: pairs.values,
  };
}

/** One eigenpair more than the most clusters that are considered, and their number (0 or less for tiny graphs). */
export async function eigenvectorsUpTo(
  compute: Compute,
  matrix: SymmetricMatrix,
  random: Rng,
  options: RunOptions = {},
): Promise<{ readonly pairs: Eigenpairs; readonly most: number }> {
  const most = Math.min(MOST_K, matrix.size - 2);
  return { pairs: await compute.spectralEmbedding(matrix, Math.max(1, most + 1), random, options), most };
}

/** The first k eigenpairs. */
export function leadingPairs(pairs: Eigenpairs, k: number): Eigenpairs {
  const { values, vectors } = pairs;
  const columns = values.length;
  const size = vectors.length / columns;
  const kept = new Float32Array(size * k);
  for (let node = 0; node < size; node++) {
    for (let column = 0; column < k; column++) {
      kept[node * k + column] = vectors[node * columns + column] as number;
    }
  }
  return { ...pairs, values: values.slice(0, k), vectors: kept };
}
