import type { Eigenpairs, SymmetricMatrix } from "./compute.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/**
 * The k leading eigenpairs of D^-1/2 A D^-1/2 by a full decomposition in float64, for graphs that are small or of which
 * nearly all eigenvectors are wanted. Cubic in the size of the graph.
 */
export function denseEmbedding(matrix: SymmetricMatrix, degree: Float64Array, k: number): Eigenpairs {
  const { size } = matrix;
  const normalized = toDense(matrix);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const at = i * size + j;
      normalized[at] = (normalized[at] as number) / Math.sqrt((degree[i] as number) * (degree[j] as number));
    }
  }
  const { values, vectors } = symmetricEigen(normalized, size, k);
  const leading = new Float32Array(size * k);
  for (let i = 0; i < size; i++) {
    for (let pair = 0; pair < k; pair++) leading[i * k + pair] = vectors[pair * size + i] as number;
  }
  return { values, vectors: leading, residual: 0, products: 0 };
}

/** All entries of a block matrix, size x size. */
export function toDense(matrix: SymmetricMatrix): Float64Array {
  const { size } = matrix;
  const dense = new Float64Array(size * size);
  for (const block of matrix.blocks) {
    if (block.shape === "between") {
      for (let i = 0; i < block.rowCount; i++) {
        for (let j = 0; j < block.columnCount; j++) {
          const value = block.values[i * block.columnCount + j] as number;
          dense[(block.rowStart + i) * size + block.columnStart + j] = value;
          dense[(block.columnStart + j) * size + block.rowStart + i] = value;
        }
      }
    } else if (block.shape === "within") {
      for (let i = 0; i < block.count; i++) {
        const row = block.values.subarray(i * block.count, (i + 1) * block.count);
        dense.set(row, (block.start + i) * size + block.start);
      }
    } else {
      for (let i = 0; i < block.count; i++) {
        const end = block.rowStart[i + 1] as number;
        for (let at = block.rowStart[i] as number; at < end; at++) {
          const column = block.start + (block.column[at] as number);
          dense[(block.start + i) * size + column] = block.weight[at] as number;
        }
      }
    }
  }
  return dense;
}
