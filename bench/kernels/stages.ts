/** Whole calls of `Compute`, as the program makes them. */
import type { Compute, KmeansResult } from "../../src/compute/compute.ts";
import { partitionQuality } from "../../src/partition/quality.ts";
import { spectral } from "../../src/partition/spectral.ts";
import { rng } from "../../src/statistics/rng.ts";
import { denseMatrix, layerOutputs, quickStream } from "../inputs.ts";
import {
  absoluteDifference,
  type KernelBench,
  type OpenProblem,
  type Problem,
  relativeDifference,
  type Way,
} from "../kernel-bench.ts";

const K = 16;

/** The same call on the CPU and on the GPU. `work` gives what is compared, once the timed part is over. */
function onDevices(
  devices: Parameters<Problem["open"]>[0],
  make: (compute: Compute) => Pick<Way, "prepare" | "work" | "answer">,
): OpenProblem {
  const ways: [Way, ...Way[]] = [{ device: "cpu", form: "", ...make(devices.cpu) }];
  if (devices.gpu !== null) ways.push({ device: "webgpu", form: "", ...make(devices.gpu.compute) });
  return { ways, dispose() {} };
}

function correlationGraph(units: number, samples: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `${units} x ${samples}`,
    ladder,
    flops: samples * units * (units + 1),
    bytes: null,
    // What is larger than a buffer goes in pieces.
    bufferBytes: 4 * Math.max(units, samples),
    hostBytes: 8 * units * samples + 12 * units * units,
    open(devices) {
      const outputs = layerOutputs(units, samples);
      const scratch = new Float32Array(outputs.length);
      return onDevices(devices, (compute) => {
        let values: Float32Array = new Float32Array(0);
        return {
          prepare: () => scratch.set(outputs),
          async work() {
            ({ values } = await compute.correlations(scratch, units, samples, "spearman"));
          },
          answer: () => values,
        };
      });
    },
  };
}

export const CORRELATION_GRAPH: KernelBench = {
  name: "stage-correlation-graph",
  about: "Spearman, from activations in main memory to squared correlations there; flops: the products alone",
  isStage: true,
  difference: absoluteDifference,
  tolerance: 1e-5,
  problems: [
    correlationGraph(256, 1000, "small"),
    correlationGraph(1024, 2000, "small"),
    correlationGraph(4096, 5000, "full"),
    correlationGraph(16384, 8192, "full"),
  ],
};

function distanceMatrix(count: number, width: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `${count} x ${width}`,
    ladder,
    flops: width * count * (count + 1),
    bytes: null,
    // What is larger than a buffer goes in pieces.
    bufferBytes: 4 * Math.max(count, width),
    hostBytes: 8 * count * width + 12 * count * count,
    open(devices) {
      const points = layerOutputs(count, width);
      return onDevices(devices, (compute) => {
        let found: Float32Array = new Float32Array(0);
        return {
          async work() {
            found = await compute.distances(points, count, width, "euclidean");
          },
          answer: () => found,
        };
      });
    },
  };
}

export const DISTANCES: KernelBench = {
  name: "stage-distances",
  about: "Euclidean distances, from points in main memory to the matrix there; flops: the products alone",
  isStage: true,
  difference: relativeDifference,
  tolerance: 1e-5,
  problems: [
    distanceMatrix(256, 1000, "small"),
    distanceMatrix(1024, 2000, "small"),
    distanceMatrix(2000, 2048, "full"),
    distanceMatrix(12_800, 2048, "full"),
  ],
};

function embedding(nodes: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `dense ${nodes}, k = ${K}`,
    ladder,
    flops: null,
    bytes: null,
    // The eigensolver's vectors; the matrix is cut into pieces that fit.
    bufferBytes: 4 * nodes * 8 * K,
    hostBytes: 4 * nodes * nodes,
    open(devices) {
      const matrix = denseMatrix(nodes);
      return onDevices(devices, (compute) => {
        let values: Float64Array = new Float64Array(0);
        return {
          async work() {
            ({ values } = await compute.spectralEmbedding(matrix, K, rng(0, "bench")));
          },
          answer: () => values,
        };
      });
    },
  };
}

export const SPECTRAL_EMBEDDING: KernelBench = {
  name: "stage-spectral-embedding",
  about:
    "the leading eigenpairs; the matrix stays on the device from run to run, and eigenvalues are compared",
  isStage: true,
  difference: absoluteDifference,
  tolerance: 1e-4,
  problems: [
    embedding(1024, "small"),
    embedding(2048, "small"),
    embedding(4096, "full"),
    embedding(8192, "full"),
    embedding(16384, "full"),
  ],
};

function clustering(count: number, restarts: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `${count} x ${K}, ${restarts} restarts`,
    ladder,
    flops: null,
    bytes: null,
    bufferBytes: 8 * count * restarts,
    hostBytes: 64 * count * K,
    open(devices) {
      const next = quickStream(10);
      const centres = Float32Array.from({ length: K * K }, next);
      const points = Float32Array.from(
        { length: count * K },
        (_, at) => (centres[(Math.floor(at / K) % K) * K + (at % K)] as number) + 0.2 * next(),
      );
      return onDevices(devices, (compute) => {
        let results: readonly KmeansResult[] = [];
        return {
          async work() {
            results = await compute.kmeans(points, K, K, restarts, 1, rng(0, "bench"));
          },
          answer: () => [results[0]?.inertia ?? Number.NaN],
        };
      });
    },
  };
}

export const KMEANS: KernelBench = {
  name: "stage-k-means",
  about: `k-means++ and all iterations, k = ${K}; inertias are compared`,
  isStage: true,
  difference: relativeDifference,
  tolerance: 0.01,
  problems: [
    clustering(1000, 25, "small"),
    clustering(4096, 100, "small"),
    clustering(16384, 100, "full"),
    clustering(100_000, 100, "full"),
  ],
};

function partition(nodes: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `dense ${nodes}, k = ${K}`,
    ladder,
    flops: null,
    bytes: null,
    // The eigensolver's vectors; the matrix is cut into pieces that fit.
    bufferBytes: 4 * nodes * 8 * K,
    hostBytes: 4 * nodes * nodes,
    open(devices) {
      const matrix = denseMatrix(nodes);
      return onDevices(devices, (compute) => {
        let labels: Int32Array = new Int32Array(0);
        return {
          async work() {
            ({ labels } = await spectral(compute, matrix, { k: K, seed: 0 }));
          },
          // The same judge for all devices.
          answer: async () => [(await partitionQuality(devices.cpu, matrix, labels, K)).ncut],
        };
      });
    },
  };
}

export const SPECTRAL_PARTITION: KernelBench = {
  name: "stage-spectral-partition",
  about: "degrees, eigenvectors, k-means and the choice of the solution; n-cuts are compared",
  isStage: true,
  difference: relativeDifference,
  tolerance: 0.01,
  problems: [
    partition(512, "small"),
    partition(2048, "small"),
    partition(8192, "full"),
    partition(16384, "full"),
  ],
};
