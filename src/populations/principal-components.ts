/**
 * The leading principal components of wide data by subspace iteration (Halko, Martinsson & Tropp 2011,
 * doi:10.1137/090771806): products with the data alone, never a square of their width.
 */
import { Matmul } from "../compute/cpu/matmul.ts";
import { symmetricEigen } from "../compute/symmetric-eigen.ts";
import type { Rng } from "../statistics/rng.ts";

/** Directions beyond those asked for, and rounds: the components of images are then exact to a few digits. */
const SPARE = 10;
const ROUNDS = 10;

/**
 * Coordinates of each of `rows` rows of `values` (rows x width) along the `count` directions of largest variance, rows x
 * count; fewer columns where there are not so many directions.
 */
export async function principalComponents(
  values: Float32Array,
  rows: number,
  count: number,
  random: Rng,
): Promise<{ readonly coordinates: Float64Array; readonly count: number }> {
  const width = values.length / rows;
  const directions = Math.min(count + SPARE, rows, width);
  const centred = centreColumns(values, rows, width);
  const turned = transpose(centred, rows, width);
  const data = { rows, columns: width, values: centred };
  const dataTurned = { rows: width, columns: rows, values: turned };
  const basis = Float32Array.from({ length: directions * width }, () => random.normal());
  const scores = new Float32Array(rows * directions);
  const matmul = new Matmul();
  const project = () =>
    matmul.multiply("ABt", data, { rows: directions, columns: width, values: basis }, scores);
  try {
    orthonormalizeRows(basis, directions, width);
    for (let round = 0; round < ROUNDS; round++) {
      await project();
      await matmul.multiply("AtBt", { rows, columns: directions, values: scores }, dataTurned, basis);
      orthonormalizeRows(basis, directions, width);
    }
    await project();
  } finally {
    await matmul.dispose();
  }
  const gram = new Float64Array(directions * directions);
  for (let row = 0; row < rows; row++) {
    for (let a = 0; a < directions; a++) {
      for (let b = 0; b < directions; b++) {
        gram[a * directions + b] =
          (gram[a * directions + b] as number) +
          (scores[row * directions + a] as number) * (scores[row * directions + b] as number);
      }
    }
  }
  const kept = Math.min(count, directions);
  const { vectors } = symmetricEigen(gram, directions, kept);
  const coordinates = new Float64Array(rows * kept);
  for (let row = 0; row < rows; row++) {
    for (let component = 0; component < kept; component++) {
      let sum = 0;
      for (let a = 0; a < directions; a++) {
        sum += (vectors[component * directions + a] as number) * (scores[row * directions + a] as number);
      }
      coordinates[row * kept + component] = sum;
    }
  }
  return { coordinates, count: kept };
}

function centreColumns(values: Float32Array, rows: number, width: number): Float32Array {
  const means = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++)
      means[i] = (means[i] as number) + (values[row * width + i] as number) / rows;
  }
  return values.map((value, at) => value - (means[at % width] as number));
}

function transpose(values: Float32Array, rows: number, width: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) turned[i * rows + row] = values[row * width + i] as number;
  }
  return turned;
}

/** Gram & Schmidt, each row twice; a row that has nothing of its own becomes zero. */
function orthonormalizeRows(basis: Float32Array, count: number, width: number): void {
  for (let row = 0; row < count; row++) {
    const own = basis.subarray(row * width, (row + 1) * width);
    const before = Math.sqrt(dot(own, own));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < row; other++) {
        const known = basis.subarray(other * width, (other + 1) * width);
        const share = dot(own, known);
        for (let i = 0; i < width; i++) own[i] = (own[i] as number) - share * (known[i] as number);
      }
    }
    const norm = Math.sqrt(dot(own, own));
    const scale = norm > 1e-5 * before ? 1 / norm : 0;
    for (let i = 0; i < width; i++) own[i] = (own[i] as number) * scale;
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
