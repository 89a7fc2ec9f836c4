/**
 * Products of a symmetric block matrix with a few vectors, as dense products on ONNX Runtime and one loop over CSR.
 * Vectors are rows (count x size): their inner products and combinations then run along contiguous memory, and a row
 * panel is what `ABt` wants as its right factor.
 */
import type { SymmetricBlock, SymmetricMatrix } from "../compute.ts";
import type { Matmul } from "./matmul.ts";

/** Row sums in float64. */
export function degrees(matrix: SymmetricMatrix): Float64Array {
  const sums = new Float64Array(matrix.size);
  for (const block of matrix.blocks) {
    if (block.shape === "between") addBetweenDegrees(block, sums);
    else if (block.shape === "within") addWithinDegrees(block, sums);
    else {
      for (let row = 0; row < block.count; row++) {
        let sum = 0;
        const end = block.rowStart[row + 1] as number;
        for (let at = block.rowStart[row] as number; at < end; at++) sum += block.weight[at] as number;
        sums[block.start + row] = (sums[block.start + row] as number) + sum;
      }
    }
  }
  return sums;
}

type Block<Shape extends SymmetricBlock["shape"]> = Extract<SymmetricBlock, { shape: Shape }>;

function addBetweenDegrees(block: Block<"between">, sums: Float64Array): void {
  const { rowStart, rowCount, columnStart, columnCount, values } = block;
  const columnSums = new Float64Array(columnCount);
  for (let row = 0; row < rowCount; row++) {
    const base = row * columnCount;
    let sum = 0;
    for (let column = 0; column < columnCount; column++) {
      const value = values[base + column] as number;
      sum += value;
      columnSums[column] = (columnSums[column] as number) + value;
    }
    sums[rowStart + row] = (sums[rowStart + row] as number) + sum;
  }
  for (let column = 0; column < columnCount; column++) {
    sums[columnStart + column] = (sums[columnStart + column] as number) + (columnSums[column] as number);
  }
}

function addWithinDegrees(block: Block<"within">, sums: Float64Array): void {
  const { start, count, values } = block;
  for (let row = 0; row < count; row++) {
    const end = (row + 1) * count;
    // Four sums, because one would wait for each addition before the next.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let at = row * count;
    for (; at + 4 <= end; at += 4) {
      a += values[at] as number;
      b += values[at + 1] as number;
      c += values[at + 2] as number;
      d += values[at + 3] as number;
    }
    for (; at < end; at++) a += values[at] as number;
    sums[start + row] = (sums[start + row] as number) + (a + b + (c + d));
  }
}

/** The operator S A S with a diagonal S: for the spectral embedding, S^2 = D^-1 up to `weightScale`. */
export interface ScaledOperator {
  readonly matrix: SymmetricMatrix;
  /** Diagonal of S. */
  readonly scale: Float64Array;
  /** A power of two that the weights are multiplied by. */
  readonly weightScale: number;
}

/**
 * D^-1/2 A D^-1/2 of a matrix with positive degrees. Weights and degrees are first brought near 1 by a power of two,
 * which is exact: matrices that differ by such a factor give the same bits from here on.
 */
export function normalizedOperator(matrix: SymmetricMatrix, degree: Float64Array): ScaledOperator {
  let largest = 0;
  for (const value of degree) if (value > largest) largest = value;
  const weightScale = 2 ** -Math.floor(Math.log2(largest));
  return { matrix, scale: degree.map((value) => 1 / Math.sqrt(value * weightScale)), weightScale };
}

/** Scratch memory of `multiplyOperator`, enough for `count` vectors. */
export interface OperatorScratch {
  readonly input: Float32Array;
  readonly output: Float32Array;
}

export function operatorScratch(size: number, count: number): OperatorScratch {
  return { input: new Float32Array(size * count), output: new Float32Array(size * count) };
}

/** Writes S A S times the `count` rows of `vectors` to the rows of `target`; both count x size, not overlapping. */
export async function multiplyOperator(
  matmul: Matmul,
  operator: ScaledOperator,
  vectors: Float32Array,
  count: number,
  target: Float32Array,
  scratch: OperatorScratch,
): Promise<void> {
  const { matrix, scale, weightScale } = operator;
  const { size } = matrix;
  target.fill(0);

  const product = async (
    form: "ABt" | "AtBt",
    block: { rows: number; columns: number; values: Float32Array },
    from: number,
    to: number,
  ) => {
    const [inputs, outputs] = form === "ABt" ? [block.columns, block.rows] : [block.rows, block.columns];
    const input = scratch.input.subarray(0, count * inputs);
    const output = scratch.output.subarray(0, count * outputs);
    for (let vector = 0; vector < count; vector++) {
      const source = vector * size + from;
      for (let i = 0; i < inputs; i++) {
        input[vector * inputs + i] = (vectors[source + i] as number) * (scale[from + i] as number);
      }
    }
    await matmul.multiply(form, block, { rows: count, columns: inputs, values: input }, output);
    for (let vector = 0; vector < count; vector++) {
      const sink = vector * size + to;
      for (let i = 0; i < outputs; i++) {
        target[sink + i] = (target[sink + i] as number) + (output[i * count + vector] as number);
      }
    }
  };

  for (const block of matrix.blocks) {
    if (block.shape === "between") {
      const dense = { rows: block.rowCount, columns: block.columnCount, values: block.values };
      await product("ABt", dense, block.columnStart, block.rowStart);
      await product("AtBt", dense, block.rowStart, block.columnStart);
    } else if (block.shape === "within") {
      const dense = { rows: block.count, columns: block.count, values: block.values };
      await product("ABt", dense, block.start, block.start);
    } else {
      addSparseProduct(block, scale, vectors, count, size, target, scratch);
    }
  }
  for (let vector = 0; vector < count; vector++) {
    const sink = vector * size;
    for (let i = 0; i < size; i++) {
      target[sink + i] = (target[sink + i] as number) * ((scale[i] as number) * weightScale);
    }
  }
}

function addSparseProduct(
  block: Block<"sparse">,
  scale: Float64Array,
  vectors: Float32Array,
  count: number,
  size: number,
  target: Float32Array,
  scratch: OperatorScratch,
): void {
  const { start, rowStart, column, weight } = block;
  const { input } = scratch;
  // One row of the matrix visits all vectors at once, so they lie side by side here.
  for (let vector = 0; vector < count; vector++) {
    const source = vector * size + start;
    for (let i = 0; i < block.count; i++) {
      input[i * count + vector] = (vectors[source + i] as number) * (scale[start + i] as number);
    }
  }
  const sums = new Float64Array(count);
  for (let row = 0; row < block.count; row++) {
    sums.fill(0);
    const end = rowStart[row + 1] as number;
    for (let at = rowStart[row] as number; at < end; at++) {
      const value = weight[at] as number;
      const source = (column[at] as number) * count;
      for (let vector = 0; vector < count; vector++) {
        sums[vector] = (sums[vector] as number) + value * (input[source + vector] as number);
      }
    }
    for (let vector = 0; vector < count; vector++) {
      const sink = vector * size + start + row;
      target[sink] = (target[sink] as number) + (sums[vector] as number);
    }
  }
}
