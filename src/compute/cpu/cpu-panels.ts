import type { PanelStore } from "../panels.ts";
import type { Matmul } from "./matmul.ts";
import { multiplyOperator, operatorScratch, type ScaledOperator } from "./operator.ts";

/** Vectors in main memory, products by ONNX Runtime; `block` is the most vectors the operator is applied to at once. */
export function cpuPanels(
  matmul: Matmul,
  operator: ScaledOperator,
  capacity: number,
  block: number,
): PanelStore {
  const { size } = operator.matrix;
  const all = new Float32Array(capacity * size);
  const applyScratch = operatorScratch(size, block);
  let scratch = new Float32Array(block * size);
  const range = (start: number, count: number) => all.subarray(start * size, (start + count) * size);
  const panel = (start: number, count: number) => ({
    rows: count,
    columns: size,
    values: range(start, count),
  });

  return {
    size,
    capacity,
    async write(start, vectors) {
      all.set(vectors, start * size);
    },
    async read(start, count) {
      return range(start, count).slice();
    },
    async applyOperator(source, target, count) {
      await multiplyOperator(
        matmul,
        operator,
        range(source, count),
        count,
        range(target, count),
        applyScratch,
      );
    },
    async gram(a, aCount, b, bCount) {
      const products = new Float32Array(aCount * bCount);
      await matmul.multiply("ABt", panel(a, aCount), panel(b, bCount), products);
      return Float64Array.from(products);
    },
    async combine(coefficients, source, sourceCount, target, targetCount, isAdded) {
      const length = targetCount * size;
      if (scratch.length < length) scratch = new Float32Array(length);
      const left = { rows: targetCount, columns: sourceCount, values: Float32Array.from(coefficients) };
      await matmul.multiply("AB", left, panel(source, sourceCount), scratch.subarray(0, length));
      if (!isAdded) {
        all.set(scratch.subarray(0, length), target * size);
        return;
      }
      const base = target * size;
      for (let i = 0; i < length; i++) all[base + i] = (all[base + i] as number) + (scratch[i] as number);
    },
  };
}
