import type { Compute } from "../compute.ts";
import { normalizedOperator } from "../cpu/operator.ts";
import { spectralEmbedding } from "../spectral-embedding.ts";
import { correlations } from "./correlations.ts";
import { DeviceRecorder, deviceRows } from "./device-recorder.ts";
import { distances } from "./distances.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { kernelNorms } from "./kernel-norms.ts";
import { kmeans } from "./kmeans.ts";
import { MatrixCache } from "./matrix-cache.ts";
import { clusterWeights } from "./node-weights.ts";
import { topCorrelations } from "./top-correlations.ts";
import { webgpuPanels } from "./webgpu-panels.ts";

/**
 * The kernels on a WebGPU device, in Node or in a browser. `dispose()` disposes of the device as well.
 *
 * @example
 * const compute = createWebgpuCompute(await openNodeGpu());
 * const { values } = await compute.correlations(activations, units, samples, "spearman");
 * await compute.dispose();
 */
export function createWebgpuCompute(device: GpuDevice): Compute {
  const matrices = new MatrixCache(device);
  return {
    device: "webgpu",
    kernelNorms: (kernel, norm) => kernelNorms(device, kernel, norm),
    recorder: (units, samples) => new DeviceRecorder(device, units, samples),
    correlations: async (values, units, samples, method, options) =>
      correlations(device, deviceRows(device, values), units, samples, method, options),
    topCorrelations: async (values, units, samples, method, k, options) =>
      topCorrelations(device, deviceRows(device, values), units, samples, method, k, options),
    distances: (values, count, width, metric, options) =>
      distances(device, values, count, width, metric, options),
    degrees: (matrix) => matrices.use(matrix, async ({ degree }) => degree.slice()),
    spectralEmbedding: (matrix, k, rng, options) =>
      matrices.use(matrix, (kept) => {
        const withPanels: Parameters<typeof spectralEmbedding>[3] = async (capacity, block, solve) => {
          const operator = normalizedOperator(matrix, kept.degree);
          const panels = await webgpuPanels(device, kept.matrix, operator, capacity, block);
          try {
            return await solve(panels);
          } finally {
            panels.dispose();
          }
        };
        return spectralEmbedding(matrix, kept.degree, k, withPanels, rng, options);
      }),
    kmeans: (points, dimensions, k, restarts, kept, rng, options) =>
      kmeans(device, points, dimensions, k, restarts, kept, rng, options),
    clusterWeights: (matrix, labels, clusters) =>
      matrices.use(matrix, (kept) => clusterWeights(device, kept.matrix, labels, clusters)),
    dispose: async () => {
      matrices.clear();
      device.dispose();
    },
  };
}
