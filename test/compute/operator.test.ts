import { afterAll, describe, expect, test } from "vitest";
import type { SymmetricMatrix } from "../../src/compute/compute.ts";
import { clusterWeights } from "../../src/compute/cpu/cluster-weights.ts";
import { Matmul } from "../../src/compute/cpu/matmul.ts";
import {
  degrees,
  multiplyOperator,
  normalizedOperator,
  operatorScratch,
} from "../../src/compute/cpu/operator.ts";
import { toDense } from "../../src/compute/dense-embedding.ts";
import { selectNodes, sliceMatrix } from "../../src/compute/submatrix.ts";
import { rng } from "../../src/statistics/rng.ts";
import { chain, scaleWeights, sparse, within } from "../support/reference-graphs.ts";

const matmul = new Matmul();
afterAll(() => matmul.dispose());

/** Every shape of block in one matrix: a chain, a dense block and a sparse one side by side. */
function mixed(): SymmetricMatrix {
  const parts = [chain([9, 7, 5], 2, 2, 1), within(13, 3, 2, 2), sparse(40, 2, 3)];
  const blocks = [];
  let size = 0;
  for (const part of parts) {
    for (const block of part.blocks) {
      blocks.push(
        block.shape === "between"
          ? { ...block, rowStart: block.rowStart + size, columnStart: block.columnStart + size }
          : { ...block, start: block.start + size },
      );
    }
    size += part.size;
  }
  return { size, blocks };
}

const matrix = mixed();
const dense = toDense(matrix);
const { size } = matrix;

describe("block matrices", () => {
  test("the dense form is symmetric with zero diagonal", () => {
    for (let i = 0; i < size; i++) {
      expect(dense[i * size + i]).toBe(0);
      for (let j = 0; j < i; j++) expect(dense[i * size + j]).toBe(dense[j * size + i]);
    }
  });

  test("degrees are row sums", () => {
    const degree = degrees(matrix);
    for (let i = 0; i < size; i++) {
      const sum = dense.subarray(i * size, (i + 1) * size).reduce((total, value) => total + value, 0);
      expect(degree[i]).toBeCloseTo(sum, 10);
    }
  });

  test.each([1, 3, 17])("the normalised operator times %i vectors", async (count) => {
    const degree = degrees(matrix).map((value) => value + 0.01);
    const vectors = Float32Array.from({ length: count * size }, rng(count, "vectors").normal);
    const target = new Float32Array(count * size);
    const operator = normalizedOperator(matrix, degree);
    await multiplyOperator(matmul, operator, vectors, count, target, operatorScratch(size, count));
    for (let vector = 0; vector < count; vector++) {
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) {
          const weight = dense[i * size + j] as number;
          const product = Math.sqrt((degree[i] as number) * (degree[j] as number));
          sum += (weight / product) * (vectors[vector * size + j] as number);
        }
        expect(target[vector * size + i]).toBeCloseTo(sum, 4);
      }
    }
    const scaled = scaleWeights(matrix, 8);
    const again = new Float32Array(count * size);
    const scaledOperator = normalizedOperator(
      scaled,
      degree.map((value) => value * 8),
    );
    await multiplyOperator(matmul, scaledOperator, vectors, count, again, operatorScratch(size, count));
    expect(again).toEqual(target);
  });

  test("cluster weights by brute force, unlabelled nodes left out", () => {
    const random = rng(2, "labels");
    const labels = Int32Array.from({ length: size }, () => random.integer(5) - 1);
    const { inside, volume } = clusterWeights(matrix, labels, 4);
    for (let cluster = 0; cluster < 4; cluster++) {
      let [own, all] = [0, 0];
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          if (labels[i] !== cluster || (labels[j] as number) < 0) continue;
          all += dense[i * size + j] as number;
          if (labels[j] === cluster) own += dense[i * size + j] as number;
        }
      }
      expect(inside[cluster]).toBeCloseTo(own, 9);
      expect(volume[cluster]).toBeCloseTo(all, 9);
    }
  });

  test("selected nodes keep their weights", () => {
    const nodes = Int32Array.from({ length: size }, (_, i) => i).filter((node) => node % 3 !== 1);
    const selected = toDense(selectNodes(matrix, nodes));
    nodes.forEach((node, i) => {
      nodes.forEach((other, j) => {
        expect(selected[i * nodes.length + j]).toBe(dense[node * size + other]);
      });
    });
  });

  test("a slice is the part of the matrix, renumbered", () => {
    const slice = toDense(sliceMatrix(matrix, 21, 13));
    for (let i = 0; i < 13; i++) {
      for (let j = 0; j < 13; j++) expect(slice[i * 13 + j]).toBe(dense[(21 + i) * size + 21 + j]);
    }
  });
});
