/** Products of a matrix on the device with groups of 16 vectors. */
import type { DeviceBuffer } from "./device-buffer.ts";
import type { DeviceMatrix } from "./device-matrix.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { columnConstants } from "./node-weights.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";

type ProductParam = "rows" | "columns" | "row_start" | "column_start" | "size" | "vector_groups";
const PRODUCT = {
  params: {
    rows: "u32",
    columns: "u32",
    row_start: "u32",
    column_start: "u32",
    size: "u32",
    vector_groups: "u32",
  },
  bindings: { values: "read", vectors: "read", product: "read_write" },
} as const;

export const PRODUCT_ROWS: ShaderKernel<ProductParam, "values" | "vectors" | "product"> = {
  name: "product-rows",
  ...PRODUCT,
};
export const PRODUCT_COLUMNS: ShaderKernel<ProductParam, "values" | "vectors" | "product"> = {
  name: "product-columns",
  ...PRODUCT,
};
export const PRODUCT_SPARSE: ShaderKernel<
  "rows" | "row_start" | "column_start" | "size" | "vector_groups",
  "row_ends" | "columns" | "weights" | "vectors" | "product"
> = {
  name: "product-sparse",
  params: { rows: "u32", row_start: "u32", column_start: "u32", size: "u32", vector_groups: "u32" },
  bindings: { row_ends: "read", columns: "read", weights: "read", vectors: "read", product: "read_write" },
};

/** Vectors that the block products take at a time. */
export const VECTOR_GROUP = 16;
const LANES = 64;

/**
 * Adds the product of the matrix with groups of 16 vectors to `product`, block by block in their order. Both are groups x
 * four quadruples of vectors x size.
 */
export function productSteps(
  device: GpuDevice,
  matrix: DeviceMatrix,
  vectorGroups: number,
  vectors: DeviceBuffer,
  product: DeviceBuffer,
): Step[] {
  const steps: Step[] = [];
  for (const piece of matrix.pieces) {
    const params = {
      rows: piece.rows,
      row_start: piece.rowStart,
      column_start: piece.columnStart,
      size: matrix.size,
      vector_groups: vectorGroups,
    };
    if (piece.shape === "sparse") {
      const { rowEnds, columns, weights } = piece;
      steps.push(
        dispatch(PRODUCT_SPARSE, {
          groups: Math.ceil((piece.rows * vectorGroups * 4) / LANES),
          params,
          buffers: { row_ends: rowEnds, columns, weights, vectors, product },
        }),
      );
      continue;
    }
    const { columns, values } = piece;
    const call = { params: { ...params, columns }, buffers: { values, vectors, product } };
    steps.push(
      dispatch(PRODUCT_ROWS, {
        groups: Math.ceil(piece.rows / 2) * vectorGroups,
        constants: { WORKGROUP_SIZE: device.cooperatingLanes },
        ...call,
      }),
    );
    if (!piece.isMirrored) continue;
    const constants = columnConstants(device);
    const groups = Math.ceil(columns / constants.COLUMNS) * vectorGroups;
    steps.push(dispatch(PRODUCT_COLUMNS, { groups, constants, ...call }));
  }
  return steps;
}
