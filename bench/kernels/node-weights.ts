/** Degrees and cluster weights: one kernel on the GPU, by shape of the matrix. */
import type { SymmetricMatrix } from "../../src/compute/compute.ts";
import { clusterWeights } from "../../src/compute/cpu/cluster-weights.ts";
import { degrees } from "../../src/compute/cpu/operator.ts";
import { releaseMatrix, uploadMatrix } from "../../src/compute/webgpu/device-matrix.ts";
import {
  clusterWeights as gpuClusterWeights,
  degrees as gpuDegrees,
} from "../../src/compute/webgpu/node-weights.ts";
import { type KernelBench, type Problem, relativeDifference, type Way } from "../kernel-bench.ts";
import { MATRICES, type MatrixSize } from "../matrices.ts";

const CLUSTERS = 16;

function problem(matrixSize: MatrixSize, kind: "degrees" | "cluster-weights"): Problem {
  const { size, ladder, nodes, entries, entryBytes } = matrixSize;
  return {
    size,
    ladder,
    flops: null,
    bytes: entryBytes * entries + 8 * nodes,
    // Matrices are cut into pieces that fit.
    bufferBytes: 8 * nodes,
    hostBytes: entryBytes * entries,
    open({ gpu }) {
      const matrix = matrixSize.make();
      const labels = Int32Array.from({ length: nodes }, (_, node) => (node % 11) % CLUSTERS);
      let found: ArrayLike<number> = [];
      const flat = ({ inside, volume }: { inside: Float64Array; volume: Float64Array }) =>
        Float64Array.of(...inside, ...volume);
      const onCpu = (given: SymmetricMatrix) =>
        kind === "degrees" ? degrees(given) : flat(clusterWeights(given, labels, CLUSTERS));
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => {
            found = onCpu(matrix);
          },
          answer: () => found,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const uploaded = uploadMatrix(device, matrix);
      ways.push({
        device: "webgpu",
        form: "",
        work: async () => {
          found =
            kind === "degrees"
              ? await gpuDegrees(device, uploaded)
              : flat(await gpuClusterWeights(device, uploaded, labels, CLUSTERS));
        },
        answer: () => found,
      });
      return { ways, dispose: () => releaseMatrix(uploaded) };
    },
  };
}

function bench(kind: "degrees" | "cluster-weights", about: string): KernelBench {
  return {
    name: kind,
    about: `${about}; bytes: every stored weight (and its column) once`,
    isStage: false,
    difference: relativeDifference,
    tolerance: 1e-5,
    problems: MATRICES.map((matrix) => problem(matrix, kind)),
  };
}

export const DEGREES: KernelBench = bench("degrees", "row sums of a matrix on the device, read back");
export const CLUSTER_WEIGHTS: KernelBench = bench(
  "cluster-weights",
  `weights inside ${CLUSTERS} clusters and their volumes, read back by node`,
);
