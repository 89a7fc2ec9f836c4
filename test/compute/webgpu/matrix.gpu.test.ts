/** Block matrices on the device: degrees, cluster weights and the vectors of the eigensolver. */
import { afterAll, describe, expect, test } from "vitest";
import type { SymmetricMatrix } from "../../../src/compute/compute.ts";
import { clusterWeights as cpuClusterWeights } from "../../../src/compute/cpu/cluster-weights.ts";
import { cpuPanels } from "../../../src/compute/cpu/cpu-panels.ts";
import { Matmul } from "../../../src/compute/cpu/matmul.ts";
import { degrees as cpuDegrees, normalizedOperator } from "../../../src/compute/cpu/operator.ts";
import { toDense } from "../../../src/compute/dense-embedding.ts";
import type { PanelStore } from "../../../src/compute/panels.ts";
import { type DeviceMatrix, releaseMatrix, uploadMatrix } from "../../../src/compute/webgpu/device-matrix.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { GRAM } from "../../../src/compute/webgpu/gram.ts";
import {
  clusterWeights,
  degrees,
  NODE_WEIGHTS_COLUMNS,
  NODE_WEIGHTS_ROWS,
  NODE_WEIGHTS_SPARSE,
} from "../../../src/compute/webgpu/node-weights.ts";
import {
  COMBINE,
  PANEL_SCALE,
  PANEL_UNSCALE,
  PRODUCT_COLUMNS,
  PRODUCT_ROWS,
  PRODUCT_SPARSE,
  webgpuPanels,
} from "../../../src/compute/webgpu/webgpu-panels.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { chain, sparse, within } from "../../support/reference-graphs.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
// Bindings of 2 kB: the blocks below go in pieces of a few rows.
const hardware = useGpu({}, openAsHardware);
const small = useGpu({ bindingBytes: 2048, groupsPerDimension: 9 });
const matmul = new Matmul();
afterAll(() => matmul.dispose());

function sideBySide(parts: readonly SymmetricMatrix[]): SymmetricMatrix {
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

const GRAPHS: Readonly<Record<string, () => SymmetricMatrix>> = {
  "a chain of layers": () => chain([40, 65, 33], 2, 2, 1),
  "a dense block": () => within(65, 3, 2, 2),
  "sparse rows": () => sparse(90, 2, 3),
  "all shapes": () => sideBySide([chain([9, 70, 5], 2, 2, 1), within(63, 3, 2, 2), sparse(41, 2, 3)]),
};

async function withMatrix(
  device: GpuDevice,
  matrix: SymmetricMatrix,
  run: (uploaded: DeviceMatrix) => Promise<void>,
): Promise<void> {
  const uploaded = uploadMatrix(device, matrix);
  try {
    await run(uploaded);
  } finally {
    releaseMatrix(uploaded);
  }
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    const want = expected[i] as number;
    const scale = Math.max(1, Math.abs(want));
    expect(Math.abs((found[i] as number) - want), `entry ${i}`).toBeLessThanOrEqual(tolerance * scale);
  }
}

describe.each([
  ["a usual device", gpu],
  ["a device of small bindings", small],
  ["a device of large workgroups", hardware],
] as const)("on %s", (_, device) => {
  describe.each(Object.entries(GRAPHS))("%s", (_name, make) => {
    const matrix = make();
    const dense = toDense(matrix);

    test("degrees are row sums, as on the CPU", async () => {
      await withMatrix(device(), matrix, async (uploaded) => {
        const found = await degrees(device(), uploaded);
        expectClose(found, cpuDegrees(matrix), 1e-6);
        const sum = dense.subarray(0, matrix.size).reduce((total, value) => total + value, 0);
        expect(found[0]).toBeCloseTo(sum, 4);
        expect(await degrees(device(), uploaded)).toEqual(found);
      });
    });

    test("cluster weights and volumes, without unlabelled nodes, as on the CPU", async () => {
      const draw = rng(4, "labels");
      const labels = Int32Array.from({ length: matrix.size }, () => draw.integer(4) - 1);
      await withMatrix(device(), matrix, async (uploaded) => {
        const found = await clusterWeights(device(), uploaded, labels, 3);
        const expected = cpuClusterWeights(matrix, labels, 3);
        expectClose(found.inside, expected.inside, 1e-6);
        expectClose(found.volume, expected.volume, 1e-6);
      });
    });
  });
});

describe("vectors on the device", () => {
  /** The same operations on both stores; every range is compared afterwards. */
  async function compare(matrix: SymmetricMatrix, block: number, device: GpuDevice = gpu()): Promise<void> {
    const operator = normalizedOperator(
      matrix,
      cpuDegrees(matrix).map((value) => value + 0.01),
    );
    const capacity = 4 * block;
    const { size } = matrix;
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

  test.each(Object.entries(GRAPHS))("%s: as on the CPU", async (_, make) => {
    await compare(make(), 8);
    await compare(make(), 8, hardware());
  });

  test.each(SIZES.slice(1))(
    "a dense graph of %i nodes, 17 vectors at a time: as on the CPU",
    async (nodes) => {
      await compare(within(nodes, 2, 2, 5), 17);
    },
  );

  test("the operator is D^-1/2 A D^-1/2", async () => {
    const matrix = GRAPHS["all shapes"]?.() ?? within(10, 2, 2, 2);
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

  test("vectors beyond a binding are refused, and nothing stays behind", async () => {
    const matrix = within(20, 2, 2, 2);
    const operator = normalizedOperator(matrix, cpuDegrees(matrix));
    await withMatrix(small(), matrix, async (uploaded) => {
      const error = await catchError(() => webgpuPanels(small(), uploaded, operator, 100, 8));
      expect(error.code).toBe("E_DEVICE_LIMIT");
      expect(error.message).toContain("panels/vectors: found 8000 bytes, expected at most 2048");
    });
  });
});

test("a row of a block beyond a binding is refused, and nothing stays behind", async () => {
  const error = await catchError(() => uploadMatrix(small(), within(600, 2, 2, 2)));
  expect(error.code).toBe("E_DEVICE_LIMIT");
  const star = { size: 601, blocks: [starOf(600)] };
  expect((await catchError(() => uploadMatrix(small(), star))).message).toContain(
    "matrix/weights: found a row",
  );
});

/** A node with edges to all others, which have none among themselves. */
function starOf(leaves: number) {
  const rowStart = Int32Array.from({ length: leaves + 2 }, (_, row) => (row === 0 ? 0 : leaves + row - 1));
  const column = Int32Array.from({ length: 2 * leaves }, (_, at) => (at < leaves ? at + 1 : 0));
  const weight = new Float32Array(2 * leaves).fill(1);
  return { shape: "sparse", start: 0, count: leaves + 1, rowStart, column, weight } as const;
}

describe("shaders", () => {
  test.each([
    NODE_WEIGHTS_ROWS,
    NODE_WEIGHTS_COLUMNS,
    NODE_WEIGHTS_SPARSE,
    PANEL_SCALE,
    PANEL_UNSCALE,
    PRODUCT_ROWS,
    PRODUCT_COLUMNS,
    PRODUCT_SPARSE,
    GRAM,
    COMBINE,
  ])("$name binds what the host passes", expectLayout);

  // Rows 0, 1 and columns 2, 3, 4 of five nodes.
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  const place = { rows: 2, columns: 3, row_start: 0, column_start: 2 };
  const edges = {
    row_ends: Uint32Array.of(0, 3, 6),
    columns: Uint32Array.of(0, 1, 2, 0, 1, 2),
    weights: values,
  };

  test("no lane races in sums by node, on the interpreter", async () => {
    const labels = Uint32Array.of(0, 1, 0, 0xffffffff, 1);
    const sums = new Float32Array(10);
    await runOnInterpreter(NODE_WEIGHTS_ROWS, {
      groups: 2,
      params: place,
      buffers: { values, labels, sums },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(sums.subarray(0, 4))).toEqual([1, 4, 6, 10]);
    await runOnInterpreter(NODE_WEIGHTS_COLUMNS, {
      groups: 2,
      params: place,
      buffers: { values, labels, sums },
      constants: { COLUMNS: 2, WORKGROUP_SIZE: 4 },
    });
    expect(Array.from(sums)).toEqual([1, 4, 6, 10, 1, 5, 0, 7, 6, 9]);
    const { columns: _, ...sparsePlace } = place;
    await runOnInterpreter(NODE_WEIGHTS_SPARSE, {
      groups: 1,
      params: sparsePlace,
      buffers: { ...edges, labels, sums: sums.fill(0) },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(sums.subarray(0, 4))).toEqual([1, 4, 6, 10]);
  });

  test("no lane races in products, on the interpreter", async () => {
    const vectors = new Float32Array(5 * 16);
    vectors.forEach((_, at) => {
      vectors[at] = (at % 16 === 0 ? 1 : 0.5) * Math.floor(at / 16);
    });
    const params = { ...place, size: 5, vector_groups: 1 };
    const product = new Float32Array(5 * 16);
    const firstOf = () => Array.from({ length: 5 }, (_, node) => product[16 * node]);
    await runOnInterpreter(PRODUCT_ROWS, {
      groups: 1,
      params,
      buffers: { values, vectors, product },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(firstOf()).toEqual([20, 47, 0, 0, 0]);
    await runOnInterpreter(PRODUCT_COLUMNS, {
      groups: 2,
      params,
      buffers: { values, vectors, product },
      constants: { COLUMNS: 2, WORKGROUP_SIZE: 4 },
    });
    expect(firstOf()).toEqual([20, 47, 4, 5, 6]);
    const { columns: _, ...sparseParams } = params;
    await runOnInterpreter(PRODUCT_SPARSE, {
      groups: 4,
      params: sparseParams,
      buffers: { ...edges, vectors, product: product.fill(0) },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(firstOf()).toEqual([20, 47, 0, 0, 0]);
  });

  test("no lane races in the operations on vectors, on the interpreter", async () => {
    const vectors = Float32Array.of(1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0);
    const products = new Float32Array(6);
    await runOnInterpreter(GRAM, {
      groups: 1,
      params: { stride: 1, first: 0, first_count: 2, second: 0, second_count: 3 },
      buffers: { vectors, products },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(products)).toEqual([5, 11, 17, 11, 25, 39]);
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
    const scaled = new Float32Array(32);
    const scale = Float32Array.of(2, 3);
    const params = { size: 2, stride: 4, first: 1, count: 2 };
    await runOnInterpreter(PANEL_SCALE, {
      groups: 4,
      params,
      buffers: { vectors, scale, scaled },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect([0, 1, 2, 16, 17].map((at) => scaled[at])).toEqual([6, 10, 0, 12, 18]);
    await runOnInterpreter(PANEL_UNSCALE, {
      groups: 2,
      params: { ...params, first: 0, factor: 0.5 },
      buffers: { product: scaled, scale, vectors },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(vectors.subarray(0, 8))).toEqual([6, 18, 0, 0, 10, 27, 0, 0]);
  });
});
