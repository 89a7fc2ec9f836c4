/**
 * Vectors of the eigensolver on the device; what comes back are small products only. Vectors are rows of a multiple of
 * four entries, the last of them zero.
 */
import type { ScaledOperator } from "../cpu/operator.ts";
import type { PanelStore } from "../panels.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { DeviceMatrix } from "./device-matrix.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { gramForm, gramStep } from "./gram.ts";
import { columnConstants } from "./node-weights.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
import { readFloats } from "./transfer.ts";

export const PANEL_SCALE: ShaderKernel<
  "size" | "stride" | "first" | "count",
  "vectors" | "scale" | "scaled"
> = {
  name: "panel-scale",
  params: { size: "u32", stride: "u32", first: "u32", count: "u32" },
  bindings: { vectors: "read", scale: "read", scaled: "read_write" },
};

export const PANEL_UNSCALE: ShaderKernel<
  "size" | "stride" | "first" | "count" | "factor",
  "product" | "scale" | "vectors"
> = {
  name: "panel-unscale",
  params: { size: "u32", stride: "u32", first: "u32", count: "u32", factor: "f32" },
  bindings: { product: "read", scale: "read", vectors: "read_write" },
};

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

export const COMBINE: ShaderKernel<
  "stride" | "source_first" | "source_count" | "target_first" | "target_count" | "is_added",
  "vectors" | "coefficients" | "combined"
> = {
  name: "combine",
  params: {
    stride: "u32",
    source_first: "u32",
    source_count: "u32",
    target_first: "u32",
    target_count: "u32",
    is_added: "u32",
  },
  bindings: { vectors: "read", coefficients: "read", combined: "read_write" },
};

const LANES = 64;
/** Vectors that the block products take at a time. */
const GROUP = 16;

/** A store on the device; `dispose()` frees it. */
export interface WebgpuPanels extends PanelStore {
  dispose(): void;
}

/**
 * A store of `capacity` vectors for `operator`, whose matrix is `matrix` on the device; the operator is applied to at
 * most `block` vectors at once. Throws `E_DEVICE_LIMIT` when the vectors do not fit a binding.
 */
export async function webgpuPanels(
  device: GpuDevice,
  matrix: DeviceMatrix,
  operator: ScaledOperator,
  capacity: number,
  block: number,
): Promise<WebgpuPanels> {
  const { size } = matrix;
  const stride = 4 * Math.ceil(size / 4);
  const productBytes = 4 * GROUP * Math.ceil(block / GROUP) * size;
  const owned: DeviceBuffer[] = [];
  const own = (label: string, sizeBytes: number): DeviceBuffer => {
    const buffer = device.buffer(label, sizeBytes);
    owned.push(buffer);
    return buffer;
  };
  const dispose = () => {
    for (const buffer of owned) buffer.release();
  };
  try {
    const vectors = own("panels/vectors", 4 * capacity * stride);
    const combined = own("panels/combined", 4 * capacity * stride);
    const scaled = own("panels/scaled", productBytes);
    const product = own("panels/product", productBytes);
    const scale = own("panels/scale", 4 * size);
    device.write(scale, Float32Array.from(operator.scale));
    // The entries that fill a row up to its stride stay zero from here on.
    await device.submit("panels", [{ kind: "clear", target: vectors }]);
    return {
      size,
      capacity,
      dispose,
      async write(start, rows) {
        device.write(vectors, padRows(rows, size, stride), start * stride);
      },
      async read(start, count) {
        const rows = await readFloats(device, vectors, start * stride, count * stride);
        return stride === size ? rows : cutRows(rows, size, stride);
      },
      async applyOperator(source, target, count) {
        const vectorGroups = Math.ceil(count / GROUP);
        await device.submit("operator", [
          dispatch(PANEL_SCALE, {
            groups: Math.ceil((vectorGroups * size * 4) / LANES),
            params: { size, stride, first: source, count },
            buffers: { vectors, scale, scaled },
          }),
          { kind: "clear", target: product },
          ...productSteps(device, matrix, vectorGroups, scaled, product),
          dispatch(PANEL_UNSCALE, {
            groups: Math.ceil((count * size) / LANES),
            params: { size, stride, first: target, count, factor: operator.weightScale / matrix.factor },
            buffers: { product, scale, vectors },
          }),
        ]);
      },
      async gram(a, aCount, b, bCount) {
        const ranges = [
          { start: a, count: aCount },
          { start: b, count: bCount },
        ] as const;
        using products = device.buffer("gram/products", 4 * aCount * bCount);
        await device.submit("gram", [
          gramStep(device, await gramForm(device), vectors, stride / 4, ranges, products),
        ]);
        return Float64Array.from(await readFloats(device, products));
      },
      async combine(coefficients, source, sourceCount, target, targetCount, isAdded) {
        const packed = packCoefficients(coefficients, sourceCount, targetCount);
        using weights = device.upload("combine/coefficients", packed);
        await device.submit("combine", [
          dispatch(COMBINE, {
            groups: Math.ceil((Math.ceil(targetCount / 4) * (stride / 4)) / LANES),
            params: {
              stride: stride / 4,
              source_first: source,
              source_count: sourceCount,
              target_first: target,
              target_count: targetCount,
              is_added: isAdded ? 1 : 0,
            },
            buffers: { vectors, coefficients: weights, combined },
          }),
          {
            kind: "copy",
            source: combined,
            sourceOffset: 0,
            target: vectors,
            targetOffset: 4 * target * stride,
            sizeBytes: 4 * targetCount * stride,
          },
        ]);
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Adds the product of the matrix with groups of 16 vectors to `product`, block by block in their order. */
function productSteps(
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

function padRows(rows: Float32Array, size: number, stride: number): Float32Array {
  if (size === stride) return rows;
  const padded = new Float32Array((rows.length / size) * stride);
  for (let row = 0; row * size < rows.length; row++) {
    padded.set(rows.subarray(row * size, (row + 1) * size), row * stride);
  }
  return padded;
}

function cutRows(rows: Float32Array, size: number, stride: number): Float32Array {
  const cut = new Float32Array((rows.length / stride) * size);
  for (let row = 0; row * stride < rows.length; row++) {
    cut.set(rows.subarray(row * stride, row * stride + size), row * size);
  }
  return cut;
}

/** Coefficients (targets x sources) as the kernel reads them: by source, targets padded to quadruples. */
function packCoefficients(coefficients: Float64Array, sources: number, targets: number): Float32Array {
  const width = 4 * Math.ceil(targets / 4);
  const packed = new Float32Array(sources * width);
  for (let target = 0; target < targets; target++) {
    for (let source = 0; source < sources; source++) {
      packed[source * width + target] = coefficients[target * sources + source] as number;
    }
  }
  return packed;
}
