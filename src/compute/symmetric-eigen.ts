import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/** Eigenpairs of a small dense symmetric matrix, eigenvalues descending; `vectors` holds one eigenvector per row. */
export interface DenseEigenpairs {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * All eigenpairs of the symmetric `matrix` (size x size, row-major) by ml-matrix's tridiagonal QL. Cubic: 20 ms for
 * 128 rows, 0.26 s for 300, 1.3 s for 512.
 */
export function symmetricEigen(matrix: Float64Array, size: number): DenseEigenpairs {
  const rows = Array.from({ length: size }, (_, row) => matrix.subarray(row * size, (row + 1) * size));
  const decomposition = new EigenvalueDecomposition(new Matrix(rows as unknown as number[][]), {
    assumeSymmetric: true,
  });
  const ascending = decomposition.realEigenvalues;
  const columns = decomposition.eigenvectorMatrix;
  const values = new Float64Array(size);
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const from = size - 1 - i;
    values[i] = ascending[from] as number;
    for (let row = 0; row < size; row++) vectors[i * size + row] = columns.get(row, from);
  }
  return { values, vectors };
}
