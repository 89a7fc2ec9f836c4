import type { Compute, SymmetricMatrix } from "../compute.ts";
import { spectralEmbedding } from "../spectral-embedding.ts";
import { clusterWeights } from "./cluster-weights.ts";
import { correlations } from "./correlations.ts";
import { cpuPanels } from "./cpu-panels.ts";
import { distances } from "./distances.ts";
import { HostRecorder, hostRows } from "./host-recorder.ts";
import { kernelNorms } from "./kernel-norms.ts";
import { kmeans } from "./kmeans.ts";
import { Matmul } from "./matmul.ts";
import { degrees, normalizedOperator } from "./operator.ts";
import { topCorrelations } from "./top-correlations.ts";

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
  // A pass over the whole matrix, which every step of a partition asks for; matrices do not change.
  const known = new WeakMap<SymmetricMatrix, Float64Array>();
  const degreesOf = (matrix: SymmetricMatrix): Float64Array => {
    const degree = known.get(matrix) ?? degrees(matrix);
    known.set(matrix, degree);
    return degree;
  };
  return {
    device: "cpu",
    kernelNorms: async (kernel, norm) => kernelNorms(kernel, norm),
    recorder: (units, samples) => new HostRecorder(units, samples),
    correlations: async (values, units, samples, method, options) =>
      correlations(matmul, hostRows(values), units, samples, method, options),
    topCorrelations: async (values, units, samples, method, k, options) =>
      topCorrelations(matmul, hostRows(values), units, samples, method, k, options),
    distances: (values, count, width, metric, options) =>
      distances(matmul, values, count, width, metric, options),
    degrees: async (matrix) => degreesOf(matrix).slice(),
    spectralEmbedding: async (matrix, k, rng, options) => {
      const degree = degreesOf(matrix);
      const withPanels: Parameters<typeof spectralEmbedding>[3] = (capacity, block, solve) =>
        solve(cpuPanels(matmul, normalizedOperator(matrix, degree), capacity, block));
      return spectralEmbedding(matrix, degree, k, withPanels, rng, options);
    },
    kmeans: (points, dimensions, k, restarts, kept, rng, options) =>
      kmeans(matmul, points, dimensions, k, restarts, kept, rng, options),
    clusterWeights: async (matrix, labels, clusters) => clusterWeights(matrix, labels, clusters),
    dispose: () => matmul.dispose(),
  };
}
