import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute, SymmetricMatrix } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { denseEmbedding, toDense } from "../../src/compute/dense-embedding.ts";
import { rng } from "../../src/statistics/rng.ts";
import { chain, fromEdges, scaleWeights, sparse, within } from "../support/reference-graphs.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const embed = (matrix: SymmetricMatrix, k: number) =>
  compute.spectralEmbedding(matrix, k, rng(0, "embedding"));

function ring(size: number): [number, number, number][] {
  return Array.from({ length: size }, (_, i) => [
    Math.min(i, (i + 1) % size),
    Math.max(i, (i + 1) % size),
    1,
  ]);
}

/** Checks orthonormal columns and B v = lambda v against the dense matrix. */
async function expectEigenpairs(matrix: SymmetricMatrix, k: number): Promise<Float64Array> {
  const { size } = matrix;
  const { values, vectors, residual } = await embed(matrix, k);
  const degree = await compute.degrees(matrix);
  const dense = toDense(matrix);
  for (let a = 0; a < k; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += (vectors[i * k + a] as number) * (vectors[i * k + b] as number);
      expect(dot).toBeCloseTo(a === b ? 1 : 0, 5);
    }
    let squares = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) {
        const weight = dense[i * size + j] as number;
        if (weight === 0) continue;
        const root = Math.sqrt((degree[i] as number) * (degree[j] as number));
        sum += (weight / root) * (vectors[j * k + a] as number);
      }
      squares += (sum - (values[a] as number) * (vectors[i * k + a] as number)) ** 2;
    }
    // The solver stops at 1e-5; float32 vectors add rounding.
    expect(Math.sqrt(squares)).toBeLessThan(2e-5);
  }
  expect(residual).toBeLessThan(2e-5);
  return values;
}

describe("spectralEmbedding", () => {
  test("a cycle has the cosines, every one but the first twice", async () => {
    const size = 350;
    const values = await expectEigenpairs(fromEdges(size, ring(size)), 7);
    [0, 1, 1, 2, 2, 3, 3].forEach((turn, i) => {
      // Products are in float32; neighbouring eigenvalues are 1.6e-4 apart at the least.
      expect(Math.abs((values[i] as number) - Math.cos((2 * Math.PI * turn) / size))).toBeLessThan(1e-6);
    });
  });

  test("a complete graph has 1 and then -1 / (n - 1) throughout", async () => {
    const size = 320;
    const ones = new Float32Array(size * size).fill(1);
    for (let i = 0; i < size; i++) ones[i * size + i] = 0;
    const matrix: SymmetricMatrix = {
      size,
      blocks: [{ shape: "within", start: 0, count: size, values: ones }],
    };
    const values = await expectEigenpairs(matrix, 4);
    expect(values[0]).toBeCloseTo(1, 5);
    for (let i = 1; i < 4; i++) expect(values[i]).toBeCloseTo(-1 / (size - 1), 5);
  });

  test("a graph of 12 components has the eigenvalue 1 twelve times", async () => {
    const components = 12;
    const edges: [number, number, number][] = [];
    const random = rng(3, "components");
    for (let i = 0; i < 420; i++) {
      for (let j = i + components; j < 420; j += components) {
        if (random.uniform() < 0.5) edges.push([i, j, 1 + random.uniform()]);
      }
    }
    const values = await expectEigenpairs(fromEdges(420, edges), 14);
    for (let i = 0; i < components; i++) expect(values[i]).toBeCloseTo(1, 5);
    expect(values[components]).toBeLessThan(0.9);
  });

  test.each<[string, SymmetricMatrix, number]>([
    ["a bipartite chain, whose spectrum reaches -1", chain([200, 150], 3, 2, 1), 5],
    ["an unstructured chain", chain([180, 120, 100, 10], 1, 1, 2), 16],
    ["a dense graph", within(400, 4, 1.5, 3), 9],
    ["a sparse graph", sparse(400, 4, 4), 12],
    ["a k whose block is wide", within(420, 8, 1.2, 5), 32],
  ])("%s: the values of a full decomposition", async (_, matrix, k) => {
    const values = await expectEigenpairs(matrix, k);
    const exact = denseEmbedding(matrix, await compute.degrees(matrix), k).values;
    // An eigenvalue errs by at most the residual.
    for (let i = 0; i < k; i++)
      expect(Math.abs((values[i] as number) - (exact[i] as number))).toBeLessThan(1e-5);
  });

  test("small graphs and k = n", async () => {
    await expectEigenpairs(chain([3, 2], 1, 1, 1), 5);
    await expectEigenpairs(fromEdges(2, [[0, 1, 3]]), 2);
    await expectEigenpairs(within(301, 2, 2, 1), 299);
  });

  test("weights times a power of two give the same bytes, as does the same seed", async () => {
    const matrix = chain([200, 150, 20], 3, 2, 1);
    const first = await embed(matrix, 6);
    expect(await embed(matrix, 6)).toEqual(first);
    expect((await embed(scaleWeights(matrix, 2 ** -7), 6)).vectors).toEqual(first.vectors);
  });

  test("progress ends at its total, and a signal stops the work", async () => {
    const matrix = chain([200, 150, 20], 3, 2, 1);
    const shares: number[] = [];
    const onProgress = (progress: { done: number; total: number }) =>
      shares.push(progress.done / progress.total);
    await compute.spectralEmbedding(matrix, 6, rng(0, "x"), { onProgress });
    expect(shares.at(-1)).toBe(1);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    const aborted = compute.spectralEmbedding(matrix, 6, rng(0, "x"), { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "E_INTERRUPTED" });
  });
});
