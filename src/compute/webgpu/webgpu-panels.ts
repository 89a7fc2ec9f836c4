/**
 * Vectors of the eigensolver on the device; what comes back are small products only. Vectors are cut into slices of
 * nodes such that all of them fit one binding, usually one; of a slice they are rows of a multiple of four entries, the
 * last of them zero.
 *
 * Of each product with the matrix the solver waits for four to six small products, which take about 0.3 ms each to come
 * back: 60 products of a large graph cost less than 0.1 s of waiting.
 */
import type { ScaledOperator } from "../cpu/operator.ts";
import type { PanelStore } from "../panels.ts";
import { productSteps, VECTOR_GROUP } from "./block-product.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { DeviceMatrix } from "./device-matrix.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
import { readFloats, requireRow } from "./transfer.ts";

export const PANEL_SCALE: ShaderKernel<
  "size" | "stride" | "node_start" | "nodes" | "first" | "count",
  "vectors" | "scale" | "scaled"
> = {
  name: "panel-scale",
  params: { size: "u32", stride: "u32", node_start: "u32", nodes: "u32", first: "u32", count: "u32" },
  bindings: { vectors: "read", scale: "read", scaled: "read_write" },
};

export const PANEL_UNSCALE: ShaderKernel<
  "size" | "stride" | "node_start" | "nodes" | "first" | "count" | "factor",
  "product" | "scale" | "vectors"
> = {
  name: "panel-unscale",
  params: {
    size: "u32",
    stride: "u32",
    node_start: "u32",
    nodes: "u32",
    first: "u32",
    count: "u32",
    factor: "f32",
  },
  bindings: { product: "read", scale: "read", vectors: "read_write" },
};

export const GRAM: ShaderKernel<
  "stride" | "first" | "first_count" | "second" | "second_count" | "part_length" | "first_part",
  "vectors" | "products"
> = {
  name: "gram",
  params: {
    stride: "u32",
    first: "u32",
    first_count: "u32",
    second: "u32",
    second_count: "u32",
    part_length: "u32",
    first_part: "u32",
  },
  bindings: { vectors: "read", products: "read_write" },
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
/** Quadruples of a part of an inner product: enough parts for a GPU, few enough numbers to read back. */
const PART_QUADRUPLES = 1024;

/** Some nodes' entries of all vectors, capacity x stride. */
interface Slice {
  readonly first: number;
  readonly nodes: number;
  readonly stride: number;
  readonly vectors: DeviceBuffer;
}

/** A store on the device; `dispose()` frees it. */
export interface WebgpuPanels extends PanelStore {
  dispose(): void;
}

/**
 * A store of `capacity` vectors for `operator`, whose matrix is `matrix` on the device; the operator is applied to at
 * most `block` vectors at once. Throws `E_DEVICE_LIMIT`, before any work, when 16 vectors or capacity x capacity
 * coefficients do not fit a binding.
 */
export async function webgpuPanels(
  device: GpuDevice,
  matrix: DeviceMatrix,
  operator: ScaledOperator,
  capacity: number,
  block: number,
): Promise<WebgpuPanels> {
  const { size } = matrix;
  // Vectors that the matrix is multiplied by at once are not cut: any row of it may need any node.
  const vectorGroups = Math.min(
    Math.ceil(block / VECTOR_GROUP),
    requireRow(device, "panels/product", VECTOR_GROUP * size),
  );
  requireRow(device, "panels/coefficients", capacity * 4 * Math.ceil(capacity / 4));
  const sliceNodes = 4 * requireRow(device, "panels/vectors", 4 * capacity);
  const owned: DeviceBuffer[] = [];
  const own = (role: string, length: number): DeviceBuffer => {
    const buffer = device.buffer(`panels/${role}`, 4 * length);
    owned.push(buffer);
    return buffer;
  };
  const dispose = () => {
    for (const buffer of owned) buffer.release();
  };
  try {
    const slices: Slice[] = [];
    for (let first = 0; first < size; first += sliceNodes) {
      const nodes = Math.min(sliceNodes, size - first);
      const stride = 4 * Math.ceil(nodes / 4);
      slices.push({ first, nodes, stride, vectors: own("vectors", capacity * stride) });
    }
    const combined = own("combined", capacity * (slices[0]?.stride ?? 0));
    const scaled = own("scaled", vectorGroups * VECTOR_GROUP * size);
    const product = own("product", vectorGroups * VECTOR_GROUP * size);
    const scale = own("scale", size);
    device.write(scale, Float32Array.from(operator.scale));
    // The entries that fill a row up to its stride stay zero from here on.
    await device.submit(
      "panels",
      slices.map(({ vectors }) => ({ kind: "clear", target: vectors })),
    );
    const factor = operator.weightScale / matrix.factor;
    return {
      size,
      capacity,
      dispose,
      async write(start, rows) {
        for (const slice of slices) {
          device.write(slice.vectors, cutRows(rows, size, slice), start * slice.stride);
        }
      },
      async read(start, count) {
        const rows = new Float32Array(count * size);
        for (const slice of slices) {
          const { vectors, stride } = slice;
          pasteRows(await readFloats(device, vectors, start * stride, count * stride), rows, size, slice);
        }
        return rows;
      },
      async applyOperator(source, target, count) {
        const steps: Step[] = [];
        for (let done = 0; done < count; done += vectorGroups * VECTOR_GROUP) {
          const some = Math.min(count - done, vectorGroups * VECTOR_GROUP);
          const groups = Math.ceil(some / VECTOR_GROUP);
          const place = ({ first, nodes, stride }: Slice) => ({ size, stride, node_start: first, nodes });
          const lanesOf = (quadruples: number, { nodes }: Slice) => Math.ceil((quadruples * nodes) / LANES);
          for (const slice of slices) {
            steps.push(
              dispatch(PANEL_SCALE, {
                groups: lanesOf(groups * 4, slice),
                params: { ...place(slice), first: source + done, count: some },
                buffers: { vectors: slice.vectors, scale, scaled },
              }),
            );
          }
          steps.push({ kind: "clear", target: product });
          steps.push(...productSteps(device, matrix, groups, scaled, product));
          for (const slice of slices) {
            steps.push(
              dispatch(PANEL_UNSCALE, {
                groups: lanesOf(Math.ceil(some / 4), slice),
                params: { ...place(slice), first: target + done, count: some, factor },
                buffers: { product, scale, vectors: slice.vectors },
              }),
            );
          }
        }
        await device.submit("operator", steps);
      },
      gram: (a, aCount, b, bCount) => addedGrams(device, slices, a, aCount, b, bCount),
      async combine(coefficients, source, sourceCount, target, targetCount, isAdded) {
        const packed = packCoefficients(coefficients, sourceCount, targetCount);
        using weights = device.upload("combine/coefficients", packed);
        const steps: Step[] = [];
        for (const { stride, vectors } of slices) {
          steps.push(
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
          );
        }
        await device.submit("combine", steps);
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Adds up the parts of inner products that runs of entries of each slice make, in float64. */
async function addedGrams(
  device: GpuDevice,
  slices: readonly Slice[],
  a: number,
  aCount: number,
  b: number,
  bCount: number,
): Promise<Float64Array> {
  const sums = new Float64Array(aCount * bCount);
  const fitting = requireRow(device, "gram/products", sums.length);
  let steps: Step[] = [];
  let parts = 0;
  using products = device.buffer(
    "gram/products",
    4 *
      sums.length *
      Math.min(
        fitting,
        slices.reduce((sum, slice) => sum + partsOf(slice, fitting), 0),
      ),
  );
  const collect = async () => {
    await device.submit("gram", steps);
    const found = await readFloats(device, products, 0, parts * sums.length);
    found.forEach((value, at) => {
      sums[at % sums.length] = (sums[at % sums.length] as number) + value;
    });
    [steps, parts] = [[], 0];
  };
  for (const slice of slices) {
    const own = partsOf(slice, fitting);
    if (parts + own > fitting) await collect();
    const params = {
      stride: slice.stride / 4,
      first: a,
      first_count: aCount,
      second: b,
      second_count: bCount,
      part_length: Math.ceil(slice.stride / 4 / own),
      first_part: parts,
    };
    steps.push(
      dispatch(GRAM, {
        groups: Math.ceil(aCount / 4) * Math.ceil(bCount / 4) * own,
        params,
        buffers: { vectors: slice.vectors, products },
        constants: { WORKGROUP_SIZE: device.cooperatingLanes },
      }),
    );
    parts += own;
  }
  await collect();
  return sums;
}

/** Parts of the inner products of a slice. */
function partsOf({ stride }: Slice, most: number): number {
  return Math.min(most, Math.ceil(stride / 4 / PART_QUADRUPLES));
}

/** A slice of rows of `size` entries as rows of its stride; the rest of each row is zero. */
function cutRows(rows: Float32Array, size: number, { first, nodes, stride }: Slice): Float32Array {
  if (nodes === size && stride === size) return rows;
  const cut = new Float32Array((rows.length / size) * stride);
  for (let row = 0; row * size < rows.length; row++) {
    const from = row * size + first;
    cut.set(rows.subarray(from, from + nodes), row * stride);
  }
  return cut;
}

/** Puts the rows of a slice into their place in rows of `size` entries. */
function pasteRows(
  cut: Float32Array,
  rows: Float32Array,
  size: number,
  { first, nodes, stride }: Slice,
): void {
  for (let row = 0; row * stride < cut.length; row++) {
    rows.set(cut.subarray(row * stride, row * stride + nodes), row * size + first);
  }
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
