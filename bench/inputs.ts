/** Seeded inputs of the benches, made quickly: the largest have hundreds of millions of values. */
import type { SymmetricBlock, SymmetricMatrix } from "../src/compute/compute.ts";

/** A stream of uniform values in [-1, 1) (xorshift32, Marsaglia 2003, doi:10.18637/jss.v008.i14). */
export function quickStream(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2147483648;
  };
}

export function uniformValues(length: number, seed: number): Float32Array {
  const next = quickStream(seed);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = next();
  return values;
}

/** Outputs of a ReLU layer, units x samples: 16 shared factors, about half of all values exact zeros. */
export function layerOutputs(units: number, samples: number): Float32Array {
  const values = new Float32Array(units * samples);
  fillLayerOutputs(values, samples);
  return values;
}

/** `layerOutputs` into an array that is there already. */
export function fillLayerOutputs(values: Float32Array, samples: number): void {
  const factors = uniformValues(16 * samples, 1);
  const next = quickStream(2);
  for (let first = 0, unit = 0; first < values.length; first += samples, unit++) {
    const factor = (unit % 16) * samples;
    for (let sample = 0; sample < samples; sample++) {
      values[first + sample] = Math.max(0, 0.8 * next() + 0.6 * (factors[factor + sample] as number));
    }
  }
}

/** Cluster of a node in the graphs below. */
const PLANTED = 16;

/** A weight between 0 and 1, about three times larger inside one of 16 clusters; the same for (i, j) and (j, i). */
function weight(i: number, j: number): number {
  const [low, high] = i < j ? [i, j] : [j, i];
  let mixed = Math.imul(low + 1, 0x9e3779b1) ^ Math.imul(high + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  const uniform = ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
  return (low % PLANTED === high % PLANTED ? 1 : 0.3) * uniform;
}

/** One dense block with 16 planted clusters. */
export function denseMatrix(size: number): SymmetricMatrix {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) values[i * size + j] = i === j ? 0 : weight(i, j);
  }
  return { size, blocks: [{ shape: "within", start: 0, count: size, values }] };
}

/** Blocks between layers of equal size, with 16 planted clusters. */
export function layeredMatrix(units: number, layers: number): SymmetricMatrix {
  const blocks: SymmetricBlock[] = [];
  for (let layer = 0; layer + 1 < layers; layer++) {
    const rowStart = layer * units;
    const columnStart = rowStart + units;
    const values = new Float32Array(units * units);
    for (let i = 0; i < units; i++) {
      for (let j = 0; j < units; j++) values[i * units + j] = weight(rowStart + i, columnStart + j);
    }
    blocks.push({ shape: "between", rowStart, rowCount: units, columnStart, columnCount: units, values });
  }
  return { size: units * layers, blocks };
}

/** CSR rows of `2 * reach` entries each: node i is connected with i +- 1, 4, 9, ..., reach^2 (cyclic). */
export function sparseMatrix(size: number, reach: number): SymmetricMatrix {
  const perRow = 2 * reach;
  const rowStart = Int32Array.from({ length: size + 1 }, (_, row) => row * perRow);
  const column = new Int32Array(size * perRow);
  const weights = new Float32Array(size * perRow);
  for (let row = 0; row < size; row++) {
    const columns = column.subarray(row * perRow, (row + 1) * perRow);
    for (let step = 1; step <= reach; step++) {
      columns[2 * step - 2] = (row + step * step) % size;
      columns[2 * step - 1] = (row - step * step + size) % size;
    }
    columns.sort();
    columns.forEach((other, at) => {
      weights[row * perRow + at] = weight(row, other);
    });
  }
  return { size, blocks: [{ shape: "sparse", start: 0, count: size, rowStart, column, weight: weights }] };
}

/** Weights that a matrix stores. */
export function entryCount({ blocks }: SymmetricMatrix): number {
  return blocks.reduce(
    (sum, block) => sum + (block.shape === "sparse" ? block.weight : block.values).length,
    0,
  );
}

/** Multiplications of a weight with one vector: two for weights that stand for both triangles. */
export function productCount({ blocks }: SymmetricMatrix): number {
  return blocks.reduce(
    (sum, block) =>
      sum +
      (block.shape === "between" ? 2 : 1) * (block.shape === "sparse" ? block.weight : block.values).length,
    0,
  );
}
