import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { symmetricEigen } from "../../src/compute/symmetric-eigen.ts";
import { type Rng, rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";

function symmetric(size: number, entry: (row: number, column: number) => number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      matrix[row * size + column] = matrix[column * size + row] = entry(row, column);
    }
  }
  return matrix;
}

/** Sum of `rank` squares, with entries of very different size where `decades` is above 0. */
function ofRank(size: number, rank: number, decades: number, random: Rng): Float64Array {
  const scale = Float64Array.from({ length: size }, () => 10 ** (-decades * random.uniform()));
  const factor = Float64Array.from(
    { length: size * rank },
    (_, at) => (scale[Math.floor(at / rank)] as number) * random.normal(),
  );
  return symmetric(size, (row, column) => {
    let sum = 0;
    for (let i = 0; i < rank; i++) {
      sum += (factor[row * rank + i] as number) * (factor[column * rank + i] as number);
    }
    return sum;
  });
}

const CASES: Readonly<Record<string, (size: number, random: Rng) => Float64Array>> = {
  random: (size, random) => symmetric(size, () => random.normal()),
  "of low rank": (size, random) => ofRank(size, Math.ceil(size / 4), 0, random),
  "of entries over ten decades": (size, random) => ofRank(size, size, 5, random),
  diagonal: (size, random) => symmetric(size, (row, column) => (row === column ? random.normal() : 0)),
  "in blocks": (size, random) =>
    symmetric(size, (row, column) => (row % 3 === column % 3 ? random.normal() : 0)),
  "of one eigenvalue but one": (size) => symmetric(size, (row, column) => (row === column ? 2 : 1)),
  zero: (size) => new Float64Array(size * size),
  "a path": (size) => symmetric(size, (row, column) => (row - column === 1 ? 1 : 0)),
};

describe("symmetricEigen", () => {
  const cases = Object.entries(CASES).flatMap(([name, make]) =>
    [1, 2, 3, 4, 7, 33, 160].map((size) => [name, size, make] as const),
  );
  it.each(cases)("of a matrix %s of %i rows has ml-matrix's values and exact vectors", (name, size, make) => {
    const matrix = make(size, rng(0, name, size));
    const { values, vectors } = symmetricEigen(matrix, size);
    const rows = Array.from({ length: size }, (_, row) =>
      Array.from(matrix.subarray(row * size, (row + 1) * size)),
    );
    const expected = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true });
    const ascending = Array.from(expected.realEigenvalues).sort((a, b) => a - b);
    const scale = Math.max(...ascending.map(Math.abs), 1e-300);
    const tolerance = 1e-14 * size;
    for (let pair = 0; pair < size; pair++) {
      const value = values[pair] as number;
      expect(Math.abs(value - (ascending[size - 1 - pair] as number)) / scale).toBeLessThan(tolerance);
      const vector = vectors.subarray(pair * size, (pair + 1) * size);
      const residual = rows.map(
        (row, i) =>
          row.reduce((sum, x, j) => sum + x * (vector[j] as number), 0) - value * (vector[i] as number),
      );
      expect(Math.hypot(...residual) / scale).toBeLessThan(tolerance);
      for (let other = 0; other <= pair; other++) {
        const dot = vector.reduce((sum, x, i) => sum + x * (vectors[other * size + i] as number), 0);
        expect(Math.abs(dot - Number(other === pair))).toBeLessThan(tolerance);
      }
    }
  });

  it("has known values for a path: twice the cosines of its angles", () => {
    const size = 50;
    const { values } = symmetricEigen(
      symmetric(size, (row, column) => (row - column === 1 ? 1 : 0)),
      size,
    );
    values.forEach((value, pair) => {
      expect(value).toBeCloseTo(2 * Math.cos((Math.PI * (pair + 1)) / (size + 1)), 13);
    });
  });

  it("gives the first of all pairs where few are asked for, and leaves the matrix as it was", () => {
    const random = rng(3);
    const matrix = symmetric(20, () => random.normal());
    const before = matrix.slice();
    const all = symmetricEigen(matrix, 20);
    const some = symmetricEigen(matrix, 20, 5);
    expect(matrix).toEqual(before);
    expect(some.values).toEqual(all.values.slice(0, 5));
    expect(some.vectors).toEqual(all.vectors.slice(0, 100));
  });

  it("refuses entries that are not finite", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const matrix = symmetric(4, (row) => (row === 2 ? value : 1));
      expect(await catchError(() => symmetricEigen(matrix, 4))).toMatchObject({ code: "E_INTERNAL_EIGEN" });
    }
  });
});
