import { cpuPanels } from "../../src/compute/cpu/cpu-panels.ts";
import { degrees, normalizedOperator } from "../../src/compute/cpu/operator.ts";
import { releaseMatrix, uploadMatrix } from "../../src/compute/webgpu/device-matrix.ts";
import { webgpuPanels } from "../../src/compute/webgpu/webgpu-panels.ts";
import { uniformValues } from "../inputs.ts";
import { type KernelBench, type Problem, relativeDifference, type Way } from "../kernel-bench.ts";
import { MATRICES, type MatrixSize } from "../matrices.ts";

/** Vectors that are multiplied at once, as many as the eigensolver takes for k = 16. */
const VECTORS = 16;

function problem(matrixSize: MatrixSize): Problem {
  const { size, ladder, nodes, entries, products, entryBytes } = matrixSize;
  return {
    size,
    ladder,
    flops: 2 * products * VECTORS,
    bytes: entryBytes * entries + 8 * nodes * VECTORS,
    // Matrices are cut into pieces that fit.
    bufferBytes: 8 * nodes * VECTORS,
    hostBytes: entryBytes * entries + 24 * nodes * VECTORS,
    async open({ matmul, gpu }) {
      const matrix = matrixSize.make();
      const operator = normalizedOperator(matrix, degrees(matrix));
      const vectors = uniformValues(VECTORS * nodes, 4);
      const onCpu = cpuPanels(matmul, operator, 2 * VECTORS, VECTORS);
      await onCpu.write(0, vectors);
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => onCpu.applyOperator(0, VECTORS, VECTORS),
          answer: () => onCpu.read(VECTORS, VECTORS),
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const uploaded = uploadMatrix(device, matrix);
      const panels = await webgpuPanels(device, uploaded, operator, 2 * VECTORS, VECTORS);
      await panels.write(0, vectors);
      ways.push({
        device: "webgpu",
        form: "",
        async work() {
          await panels.applyOperator(0, VECTORS, VECTORS);
          await device.finish();
        },
        answer: () => panels.read(VECTORS, VECTORS),
      });
      return {
        ways,
        dispose() {
          panels.dispose();
          releaseMatrix(uploaded);
        },
      };
    },
  };
}

export const BLOCK_PRODUCTS: KernelBench = {
  name: "block-products",
  about: `D^-1/2 A D^-1/2 times ${VECTORS} vectors; flops: 2 per weight and vector (4 where a weight stands for both triangles); bytes: every weight once, the vectors in and out`,
  isStage: false,
  difference: relativeDifference,
  tolerance: 1e-5,
  problems: MATRICES.map(problem),
};
