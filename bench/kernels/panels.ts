/** What the eigensolver does with its vectors: combinations and orthonormalisation. */
import { cpuPanels } from "../../src/compute/cpu/cpu-panels.ts";
import { normalizedOperator } from "../../src/compute/cpu/operator.ts";
import { orthonormalize } from "../../src/compute/orthonormalize.ts";
import type { PanelStore } from "../../src/compute/panels.ts";
import { releaseMatrix, uploadMatrix } from "../../src/compute/webgpu/device-matrix.ts";
import { webgpuPanels } from "../../src/compute/webgpu/webgpu-panels.ts";
import { rng } from "../../src/statistics/rng.ts";
import { uniformValues } from "../inputs.ts";
import { type KernelBench, type Problem, relativeDifference, type Way } from "../kernel-bench.ts";

/** Vectors of the basis and of the block that joins it, as in an eigensolver for k = 16. */
const BASIS = 64;
const BLOCK = 16;

interface Operation {
  readonly flops: number;
  readonly bytes: number;
  prepare?(store: PanelStore): Promise<void>;
  work(store: PanelStore): Promise<ArrayLike<number> | undefined>;
  /** Where `work` gives no answer itself. */
  answer?(store: PanelStore): Promise<ArrayLike<number>>;
}

function problem(nodes: number, ladder: Problem["ladder"], make: (nodes: number) => Operation): Problem {
  const operation = make(nodes);
  return {
    size: `${nodes} x (${BASIS} + ${BLOCK})`,
    ladder,
    flops: operation.flops,
    bytes: operation.bytes,
    bufferBytes: 4 * nodes * (BASIS + BLOCK),
    hostBytes: 12 * nodes * (BASIS + BLOCK),
    async open({ matmul, gpu }) {
      // The operator is not applied; a matrix without weights takes no memory.
      const matrix = { size: nodes, blocks: [] };
      const operator = normalizedOperator(matrix, new Float64Array(nodes).fill(1));
      const vectors = uniformValues((BASIS + BLOCK) * nodes, 5);
      for (let i = 0; i < vectors.length; i++) vectors[i] = (vectors[i] as number) / Math.sqrt(nodes / 3);
      fillBasis(vectors, nodes);
      const way = (device: Way["device"], store: PanelStore, finish: () => Promise<void>): Way => {
        let found: ArrayLike<number> | undefined;
        return {
          device,
          form: "",
          prepare: () => operation.prepare?.(store),
          async work() {
            found = await operation.work(store);
            await finish();
          },
          answer: async () => found ?? (await operation.answer?.(store)) ?? [],
        };
      };
      const onCpu = cpuPanels(matmul, operator, BASIS + BLOCK, BLOCK);
      await onCpu.write(0, vectors);
      const ways: [Way, ...Way[]] = [way("cpu", onCpu, async () => {})];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const uploaded = uploadMatrix(device, matrix);
      const panels = await webgpuPanels(device, uploaded, operator, BASIS + BLOCK, BLOCK);
      await panels.write(0, vectors);
      ways.push(way("webgpu", panels, () => device.finish()));
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

/**
 * Orthonormal vectors by a formula, those of the discrete cosine transform: what an orthonormalisation gives depends on the
 * last bits of its products, and a page would find other vectors of the same span.
 */
function fillBasis(vectors: Float32Array, nodes: number): void {
  for (let vector = 0; vector < BASIS; vector++) {
    const scale = Math.sqrt((vector === 0 ? 1 : 2) / nodes);
    for (let i = 0; i < nodes; i++) {
      vectors[vector * nodes + i] = scale * Math.cos((Math.PI * (i + 0.5) * vector) / nodes);
    }
  }
}

function bench(name: string, about: string, make: (nodes: number) => Operation): KernelBench {
  return {
    name,
    about,
    isStage: false,
    difference: relativeDifference,
    tolerance: 1e-4,
    problems: [
      problem(500, "small", make),
      problem(4096, "small", make),
      problem(16384, "small", make),
      problem(100_000, "full", make),
      problem(1_000_000, "full", make),
    ],
  };
}

const lastVectors = (store: PanelStore) => store.read(BASIS, BLOCK);

const coefficients = Float64Array.from(uniformValues(BASIS * BLOCK, 6));

export const COMBINE: KernelBench = bench(
  "combine",
  `${BLOCK} combinations of ${BASIS} vectors; flops: 2 per entry and pair; bytes: every vector read once, every combination written once`,
  (nodes) => ({
    flops: 2 * nodes * BASIS * BLOCK,
    bytes: 4 * nodes * (BASIS + BLOCK),
    async work(store) {
      await store.combine(coefficients, 0, BASIS, BASIS, BLOCK, false);
      return undefined;
    },
    answer: lastVectors,
  }),
);

export const ORTHONORMALISE: KernelBench = bench(
  "orthonormalise",
  `${BLOCK} vectors made orthonormal and orthogonal to ${BASIS}; flops: those of two rounds, each 4 per entry and pair with the basis and within the block`,
  (nodes) => {
    const vectors = uniformValues(BLOCK * nodes, 7);
    return {
      flops: 2 * 4 * nodes * BLOCK * (BASIS + BLOCK),
      bytes: 4 * nodes * (BASIS + 2 * BLOCK),
      prepare: (store) => store.write(BASIS, vectors),
      async work(store) {
        await orthonormalize(store, BASIS, BASIS, BLOCK, rng(0, "bench"));
        return undefined;
      },
      // Zeros and a unit matrix, on any device.
      answer: (store) => store.gram(BASIS, BLOCK, 0, BASIS + BLOCK),
    };
  },
);
