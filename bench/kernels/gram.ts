import { gramParts, gramStep } from "../../src/compute/webgpu/gram.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { uniformValues } from "../inputs.ts";
import { type KernelBench, type Problem, relativeDifference, stepsWay, type Way } from "../kernel-bench.ts";

/** Vectors of the basis and of the block that joins it, as in an eigensolver for k = 16. */
const BASIS = 64;
const BLOCK = 16;

/** `nodes` is a multiple of four, so that vectors need no padding. */
function problem(nodes: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `${nodes} x (${BASIS} + ${BLOCK})`,
    ladder,
    flops: 2 * nodes * BASIS * BLOCK,
    bytes: 4 * nodes * (BASIS + BLOCK),
    bufferBytes: 4 * nodes * (BASIS + BLOCK),
    hostBytes: 4 * nodes * (BASIS + BLOCK),
    open({ matmul, gpu }) {
      const vectors = uniformValues((BASIS + BLOCK) * nodes, 5);
      const products = new Float32Array(BLOCK * BASIS);
      const block = { rows: BLOCK, columns: nodes, values: vectors.subarray(BASIS * nodes) };
      const basis = { rows: BASIS, columns: nodes, values: vectors.subarray(0, BASIS * nodes) };
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => matmul.multiply("ABt", block, basis, products),
          answer: () => products,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const stride = nodes / 4;
      const parts = gramParts(stride);
      const source = device.upload("bench/vectors", vectors);
      const target = device.buffer("bench/products", 4 * BLOCK * BASIS * parts);
      const read = async () => addParts(await readFloats(device, target), parts);
      const ranges = [
        { start: BASIS, count: BLOCK },
        { start: 0, count: BASIS },
      ] as const;
      const forms = device.subgroupSize === null ? (["memory"] as const) : (["memory", "subgroups"] as const);
      for (const form of forms) {
        const step = gramStep(device, form, { values: source, stride }, ranges, parts, 0, target);
        ways.push(stepsWay(device, form, [step], read));
      }
      return {
        ways,
        dispose() {
          source.release();
          target.release();
        },
      };
    },
  };
}

function addParts(values: Float32Array, parts: number): Float64Array {
  const count = values.length / parts;
  return Float64Array.from({ length: count }, (_, at) => {
    let sum = 0;
    for (let part = 0; part < parts; part++) sum += values[part * count + at] as number;
    return sum;
  });
}

export const GRAM: KernelBench = {
  name: "gram",
  about: `inner products of ${BLOCK} vectors with ${BASIS}, in each form; flops: 2 per entry and pair; bytes: every vector once`,
  isStage: false,
  difference: relativeDifference,
  tolerance: 1e-4,
  problems: [
    problem(512, "small"),
    problem(4096, "small"),
    problem(16384, "small"),
    problem(100_000, "full"),
    problem(1_000_000, "full"),
  ],
};
