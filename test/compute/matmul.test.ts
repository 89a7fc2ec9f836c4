import { afterAll, expect, test } from "vitest";
import { Matmul, type ProductForm } from "../../src/compute/cpu/matmul.ts";
import { rng } from "../../src/statistics/rng.ts";

const matmul = new Matmul();
afterAll(() => matmul.dispose());

const random = rng(0, "matmul");
const matrix = (rows: number, columns: number) => ({
  rows,
  columns,
  // A view that does not start at the front of its buffer.
  values: Float32Array.from({ length: rows * columns + 3 }, () => random.normal()).subarray(3),
});

test.each<[ProductForm, [number, number], [number, number]]>([
  ["AB", [5, 7], [7, 3]],
  ["ABt", [65, 130], [4, 130]],
  ["AtBt", [33, 6], [4, 33]],
])("%s equals the sum of products", async (form, aShape, bShape) => {
  const a = matrix(...aShape);
  const b = matrix(...bShape);
  const at = (i: number, l: number) =>
    a.values[form === "AtBt" ? l * a.columns + i : i * a.columns + l] as number;
  const bt = (l: number, j: number) =>
    b.values[form === "AB" ? l * b.columns + j : j * b.columns + l] as number;
  const [rows, inner] = form === "AtBt" ? [a.columns, a.rows] : [a.rows, a.columns];
  const columns = form === "AB" ? b.columns : b.rows;
  const target = new Float32Array(rows * columns + 1).fill(9);
  await matmul.multiply(form, a, b, target.subarray(0, rows * columns));
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let l = 0; l < inner; l++) sum += at(i, l) * bt(l, j);
      expect(target[i * columns + j]).toBeCloseTo(sum, 4);
    }
  }
  expect(target.at(-1)).toBe(9);
});

test("minima are those of the runs of the product", async () => {
  const a = matrix(10, 4);
  const b = matrix(4, 12);
  const target = new Float32Array(120);
  const minima = new Float32Array(40);
  await matmul.multiplyWithMinima(a, b, 3, target, minima);
  const plain = new Float32Array(120);
  await matmul.multiply("AB", a, b, plain);
  expect(target).toEqual(plain);
  for (let run = 0; run < 40; run++) {
    expect(minima[run]).toBe(Math.min(...target.subarray(3 * run, 3 * run + 3)));
  }
});
