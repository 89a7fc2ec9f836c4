import type { SymmetricBlock, SymmetricMatrix } from "../../src/compute/compute.ts";

/**
 * The graphs of test/fixtures/partition-references.py, made by the same linear congruential generator (Numerical Recipes
 * constants), so that references need no stored matrices.
 */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Dense blocks between adjacent layers, weights u^3, `boost` times that inside a planted group (unit mod groups). */
export function chain(dims: readonly number[], groups: number, boost: number, seed: number): SymmetricMatrix {
  const uniform = generator(seed);
  const blocks: SymmetricBlock[] = [];
  let start = 0;
  for (let layer = 0; layer + 1 < dims.length; layer++) {
    const rowCount = dims[layer] as number;
    const columnCount = dims[layer + 1] as number;
    const values = new Float32Array(rowCount * columnCount);
    for (let i = 0; i < rowCount; i++) {
      for (let j = 0; j < columnCount; j++) {
        values[i * columnCount + j] = uniform() ** 3 * (i % groups === j % groups ? boost : 1);
      }
    }
    blocks.push({
      shape: "between",
      rowStart: start,
      rowCount,
      columnStart: start + rowCount,
      columnCount,
      values,
    });
    start += rowCount;
  }
  return { size: start + (dims.at(-1) as number), blocks };
}

/** One dense block, weights u^2 / 10, `boost` times that inside a planted group. */
export function within(count: number, groups: number, boost: number, seed: number): SymmetricMatrix {
  const uniform = generator(seed);
  const values = new Float32Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const weight = (uniform() ** 2 / 10) * (i % groups === j % groups ? boost : 1);
      values[i * count + j] = weight;
      values[j * count + i] = weight;
    }
  }
  return { size: count, blocks: [{ shape: "within", start: 0, count, values }] };
}

/** Edges with probability 0.2 inside a planted group and 0.02 outside, weights 1 + u, in CSR. */
export function sparse(count: number, groups: number, seed: number): SymmetricMatrix {
  const uniform = generator(seed);
  const edges: [number, number, number][] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      if (uniform() < (i % groups === j % groups ? 0.2 : 0.02)) edges.push([i, j, 1 + uniform()]);
    }
  }
  return fromEdges(count, edges);
}

/** A sparse matrix of undirected edges (source, target, weight). */
export function fromEdges(
  count: number,
  edges: readonly (readonly [number, number, number])[],
): SymmetricMatrix {
  const both = edges.flatMap(([i, j, weight]) => [[i, j, weight] as const, [j, i, weight] as const]);
  both.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const rowStart = new Int32Array(count + 1);
  for (const [i] of both) rowStart[i + 1] = (rowStart[i + 1] as number) + 1;
  for (let i = 0; i < count; i++) rowStart[i + 1] = (rowStart[i + 1] as number) + (rowStart[i] as number);
  return {
    size: count,
    blocks: [
      {
        shape: "sparse",
        start: 0,
        count,
        rowStart,
        column: Int32Array.from(both, ([, j]) => j),
        weight: Float32Array.from(both, ([, , weight]) => weight),
      },
    ],
  };
}

/** The reference graphs by name. */
export const REFERENCE_GRAPHS: Readonly<Record<string, () => SymmetricMatrix>> = {
  "chain-planted": () => chain([60, 48, 48, 12], 6, 4, 1),
  "chain-weak": () => chain([200, 120, 80, 10], 5, 1.3, 2),
  "chain-plain": () => chain([100, 60, 60, 10], 1, 1, 3),
  "within-planted": () => within(200, 5, 3, 4),
  "within-large": () => within(420, 7, 2, 5),
  "sparse-planted": () => sparse(360, 6, 6),
};

/** The same matrix with all weights multiplied by `factor`. */
export function scaleWeights(matrix: SymmetricMatrix, factor: number): SymmetricMatrix {
  const scale = (values: Float32Array) => values.map((value) => value * factor);
  return {
    size: matrix.size,
    blocks: matrix.blocks.map((block) =>
      block.shape === "sparse"
        ? { ...block, weight: scale(block.weight) }
        : { ...block, values: scale(block.values) },
    ),
  };
}
