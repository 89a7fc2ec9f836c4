/** The vectors of the eigensolver on the device. */
import { afterAll, describe, expect, test } from "vitest";
import type { SymmetricMatrix } from "../../../src/compute/compute.ts";
import { cpuPanels } from "../../../src/compute/cpu/cpu-panels.ts";
import { Matmul } from "../../../src/compute/cpu/matmul.ts";
import { degrees as cpuDegrees, normalizedOperator } from "../../../src/compute/cpu/operator.ts";
import { toDense } from "../../../src/compute/dense-embedding.ts";
import type { PanelStore } from "../../../src/compute/panels.ts";
import { PRODUCT_COLUMNS, PRODUCT_ROWS, PRODUCT_SPARSE } from "../../../src/compute/webgpu/block-product.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import {
  COMBINE,
  GRAM,
  PANEL_SCALE,
  PANEL_UNSCALE,
  webgpuPanels,
} from "../../../src/compute/webgpu/webgpu-panels.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { expectClose, GRAPHS, SHAPES, withMatrix } from "../../support/device-matrix.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { within } from "../../support/reference-graphs.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
// 26 kB hold 16 vectors of 251 nodes but only 80 entries of 80, and the dispatches are folded into rows.
const small = useGpu({ bindingBytes: 25600, groupsPerDimension: 30 });
const matmul = new Matmul();
afterAll(() => matmul.dispose());

const operatorOf = (matrix: SymmetricMatrix) =>
  normalizedOperator(
    matrix,
    // Not exactly the degrees, so that nodes without edges do no harm.
    cpuDegrees(matrix).map((value) => value + 0.01),
  );

/** The same operations on both stores; every range is compared afterwards. */
async function compare(matrix: SymmetricMatrix, block: number, device: GpuDevice): Promise<void> {
  const operator = operatorOf(matrix);
  const { size } = matrix;
  const capacity = 4 * block;
  const script = async (panels: PanelStore) => {
    const stream = rng(6, "panels", block);
    const draw = (length: number) => Float32Array.from({ length }, () => stream.normal() / Math.sqrt(size));
    const matrixOf = (length: number) => Float64Array.from({ length }, stream.normal);
    await panels.write(0, draw(block * size));
    await panels.write(block, draw(block * size));
    await panels.applyOperator(0, 2 * block, block);
    await panels.applyOperator(block, 3 * block, 1);
    const gram = await panels.gram(1, block, 0, 2 * block);
    // Overlapping ranges, replaced and added to.
    await panels.combine(matrixOf(block * (block + 1)), 0, block + 1, 1, block, false);
    await panels.combine(matrixOf(block * block), 2 * block, block, 0, block, true);
    return { gram, rows: await panels.read(0, 3 * block + 1) };
  };
  const expected = await script(cpuPanels(matmul, operator, capacity, block));
  await withMatrix(device, matrix, async (uploaded) => {
    const run = async () => {
      const panels = await webgpuPanels(device, uploaded, operator, capacity, block);
      try {
        return await script(panels);
      } finally {
        panels.dispose();
      }
    };
    const found = await run();
    expectClose(found.gram, expected.gram, 1e-5);
    expectClose(found.rows, expected.rows, 1e-5);
    expect(await run()).toEqual(found);
  });
}

describe.each(Object.entries(GRAPHS))("%s", (_, matrix) => {
  test("as on the CPU", () => compare(matrix, 8, gpu()));
  test("as on the CPU, with the workgroups of GPUs", () => compare(matrix, 8, hardware()));
  test("as on the CPU, in slices of nodes and with folded dispatches", () => compare(matrix, 20, small()));
});

describe.each(Object.entries(SHAPES))("one block %s, 17 vectors at a time", (_, make) => {
  test.each(SIZES.slice(1))("%i nodes: as on the CPU", (nodes) => compare(make(nodes), 17, gpu()));
});

test("long vectors: inner products in several parts", async () => {
  const size = 9000;
  const matrix = { size, blocks: [] };
  const stream = rng(5, "long");
  const rows = Float32Array.from({ length: 5 * size }, stream.normal);
  await withMatrix(gpu(), matrix, async (uploaded) => {
    const operator = { matrix, scale: new Float64Array(size).fill(1), weightScale: 1 };
    const panels = await webgpuPanels(gpu(), uploaded, operator, 5, 1);
    await panels.write(0, rows);
    const found = await panels.gram(0, 5, 1, 4);
    panels.dispose();
    const expected = Float64Array.from({ length: 20 }, (_, at) => {
      const [i, j] = [Math.floor(at / 4), 1 + (at % 4)];
      let sum = 0;
      for (let node = 0; node < size; node++) {
        sum += (rows[i * size + node] as number) * (rows[j * size + node] as number);
      }
      return sum;
    });
    expectClose(found, expected, 1e-4);
  });
});

test("the operator is D^-1/2 A D^-1/2", async () => {
  const matrix = GRAPHS["all shapes"] as SymmetricMatrix;
  const { size } = matrix;
  const degree = cpuDegrees(matrix).map((value) => value + 0.01);
  const dense = toDense(matrix);
  const vector = Float32Array.from({ length: size }, rng(8, "vector").normal);
  await withMatrix(gpu(), matrix, async (uploaded) => {
    const panels = await webgpuPanels(gpu(), uploaded, normalizedOperator(matrix, degree), 2, 1);
    await panels.write(0, vector);
    await panels.applyOperator(0, 1, 1);
    const found = await panels.read(1, 1);
    panels.dispose();
    const expected = Float64Array.from({ length: size }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < size; j++) {
        const scale = Math.sqrt((degree[i] as number) * (degree[j] as number));
        sum += ((dense[i * size + j] as number) * (vector[j] as number)) / scale;
      }
      return sum;
    });
    expectClose(found, expected, 1e-6);
  });
});

describe("limits", () => {
  /** A device whose bindings hold just `bindingBytes`. */
  const limited = (bindingBytes: number) => useGpu({ bindingBytes });
  const nodes = 400;
  // The coefficients of 80 combinations of 80 vectors fill it as well.
  const exact = limited(4 * 16 * nodes);
  const below = limited(4 * 16 * nodes - 16);
  const matrix = within(nodes, 2, 2, 2);

  test("16 vectors fill a binding exactly: a block of 20 goes in two halves, as on the CPU", () =>
    compare(matrix, 20, exact()));

  test.each([
    [below, 80, "panels/product: found a row of 25600 bytes, expected at most 25584"],
    [exact, 81, "panels/coefficients: found a row of 27216 bytes, expected at most 25600"],
  ] as const)(
    "what does not fit is refused before any work, and nothing stays behind",
    async (device, capacity, message) => {
      await withMatrix(device(), matrix, async (uploaded) => {
        const { lentBuffers } = device();
        const error = await catchError(() =>
          webgpuPanels(device(), uploaded, operatorOf(matrix), capacity, 20),
        );
        expect(error.code).toBe("E_DEVICE_LIMIT");
        expect(error.message).toContain(message);
        expect(error.hint).toContain("--device cpu");
        expect(device().lentBuffers).toBe(lentBuffers);
      });
    },
  );
});

describe("shaders", () => {
  test.each([PANEL_SCALE, PANEL_UNSCALE, PRODUCT_ROWS, PRODUCT_COLUMNS, PRODUCT_SPARSE, GRAM, COMBINE])(
    "$name binds what the host passes",
    expectLayout,
  );

  // Rows 0, 1 and columns 2, 3, 4 of five nodes.
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  const place = { rows: 2, columns: 3, row_start: 0, column_start: 2 };

  test("no lane races in products, on the interpreter", async () => {
    const vectors = new Float32Array(5 * 16);
    vectors.forEach((_, at) => {
      // Quadruple by quadruple; the first vector is the number of the node.
      vectors[at] = (at < 20 && at % 4 === 0 ? 1 : 0.5) * (Math.floor(at / 4) % 5);
    });
    const params = { ...place, size: 5, vector_groups: 1 };
    const product = new Float32Array(5 * 16);
    const vectorOf = (vector: number) =>
      Array.from({ length: 5 }, (_, node) => product[Math.floor(vector / 4) * 20 + 4 * node + (vector % 4)]);
    await runOnInterpreter(PRODUCT_ROWS, {
      groups: 1,
      params,
      buffers: { values, vectors, product },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(vectorOf(0)).toEqual([20, 47, 0, 0, 0]);
    expect(vectorOf(15)).toEqual([10, 23.5, 0, 0, 0]);
    await runOnInterpreter(PRODUCT_COLUMNS, {
      groups: 2,
      params,
      buffers: { values, vectors, product },
      constants: { COLUMNS: 2, WORKGROUP_SIZE: 4 },
    });
    expect(vectorOf(0)).toEqual([20, 47, 4, 5, 6]);
    expect(vectorOf(6)).toEqual([10, 23.5, 2, 2.5, 3]);
    const { columns: _, ...sparseParams } = params;
    await runOnInterpreter(PRODUCT_SPARSE, {
      groups: 4,
      params: sparseParams,
      buffers: {
        row_ends: Uint32Array.of(0, 3, 6),
        columns: Uint32Array.of(0, 1, 2, 0, 1, 2),
        weights: values,
        vectors,
        product: product.fill(0),
      },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(vectorOf(0)).toEqual([20, 47, 0, 0, 0]);
  });

  test("no lane races in the operations on vectors, on the interpreter", async () => {
    const vectors = Float32Array.of(1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0);
    const products = new Float32Array(6);
    await runOnInterpreter(GRAM, {
      groups: 1,
      params: {
        stride: 1,
        first: 0,
        first_count: 2,
        second: 0,
        second_count: 3,
        part_length: 1,
        first_part: 0,
      },
      buffers: { vectors, products },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(products)).toEqual([5, 11, 17, 11, 25, 39]);
    // One vector of three quadruples in two parts, behind a part of another dispatch.
    const parts = new Float32Array(3);
    await runOnInterpreter(GRAM, {
      groups: 2,
      params: {
        stride: 3,
        first: 0,
        first_count: 1,
        second: 0,
        second_count: 1,
        part_length: 2,
        first_part: 1,
      },
      buffers: { vectors, products: parts },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(parts)).toEqual([0, 30, 61]);
    const combined = new Float32Array(4);
    await runOnInterpreter(COMBINE, {
      groups: 1,
      params: {
        stride: 1,
        source_first: 0,
        source_count: 2,
        target_first: 2,
        target_count: 1,
        is_added: 1,
      },
      buffers: { vectors, coefficients: Float32Array.of(10, 0, 0, 0, 100, 0, 0, 0), combined },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(combined)).toEqual([315, 426, 0, 0]);
    // Two entries of two vectors belong to the nodes 1 and 2 of three.
    const scaled = new Float32Array(3 * 16);
    const scale = Float32Array.of(7, 2, 3);
    const params = { size: 3, stride: 4, node_start: 1, nodes: 2, first: 1, count: 2 };
    await runOnInterpreter(PANEL_SCALE, {
      groups: 4,
      params,
      buffers: { vectors, scale, scaled },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(scaled.subarray(0, 12))).toEqual([0, 0, 0, 0, 6, 10, 0, 0, 12, 18, 0, 0]);
    await runOnInterpreter(PANEL_UNSCALE, {
      groups: 2,
      params: { ...params, first: 0, factor: 0.5 },
      buffers: { product: scaled, scale, vectors },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(vectors.subarray(0, 8))).toEqual([6, 18, 0, 0, 10, 27, 0, 0]);
  });
});
