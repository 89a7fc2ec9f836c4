import type { Compute } from "../compute.ts";
import { denseEmbedding } from "../dense-embedding.ts";
import { krylovCapacity, krylovSizes, leadingEigenpairs } from "../eigensolver.ts";
import { clusterWeights } from "./cluster-weights.ts";
import { correlations } from "./correlations.ts";
import { cpuPanels } from "./cpu-panels.ts";
import { kernelNorms } from "./kernel-norms.ts";
import { kmeans } from "./kmeans.ts";
import { Matmul } from "./matmul.ts";
import { degrees, normalizedOperator } from "./operator.ts";

/** Nodes up to which a full decomposition is quick enough (0.1 s at this size). */
const DENSE_NODES = 200;
/** A full decomposition is quicker as well when the basis would hold most of the eigenvectors. */
const DENSE_PER_CAPACITY = 1.25;

/**
 * The kernels on the CPU: dense products by ONNX Runtime, everything else in plain loops.
 *
 * @example
 * const compute = await createCpuCompute();
 * const { values } = await compute.correlations(activations, units, samples, "spearman");
 * await compute.dispose();
 */
export async function createCpuCompute(): Promise<Compute> {
  const matmul = new Matmul();
  return {
    device: "cpu",
    kernelNorms: async (kernel, norm) => kernelNorms(kernel, norm),
    correlations: (values, units, samples, method, options) =>
      correlations(matmul, values, units, samples, method, options),
    degrees: async (matrix) => degrees(matrix),
    spectralEmbedding: async (matrix, k, rng, options) => {
      const degree = degrees(matrix);
      const capacity = krylovCapacity(k);
      if (matrix.size <= Math.max(DENSE_NODES, DENSE_PER_CAPACITY * capacity))
        return denseEmbedding(matrix, degree, k);
      const operator = normalizedOperator(matrix, degree);
      const panels = cpuPanels(matmul, operator, capacity, krylovSizes(k).block);
      return leadingEigenpairs(panels, k, trivialEigenvector(degree), rng, options);
    },
    kmeans: (points, dimensions, k, restarts, kept, rng, options) =>
      kmeans(matmul, points, dimensions, k, restarts, kept, rng, options),
    clusterWeights: async (matrix, labels, clusters) => clusterWeights(matrix, labels, clusters),
    dispose: () => matmul.dispose(),
  };
}

/** D^1/2 1 of length 1, the eigenvector of D^-1/2 A D^-1/2 for eigenvalue 1. */
function trivialEigenvector(degree: Float64Array): Float32Array {
  let volume = 0;
  for (const value of degree) volume += value;
  return Float32Array.from(degree, (value) => Math.sqrt(value / volume));
}
