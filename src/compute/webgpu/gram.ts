/**
 * Inner products of vectors on the device, in two forms of equal bytes: sums through workgroup memory, and through
 * subgroups where all of the adapter's are of one size.
 */
import type { DeviceBuffer } from "./device-buffer.ts";
import { fastestForm } from "./fastest-form.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { type DispatchStep, dispatch, type ShaderKernel } from "./shader-kernel.ts";

type Param = "stride" | "first" | "first_count" | "second" | "second_count" | "part_length" | "first_part";
type Binding = "vectors" | "products";

const LAYOUT = {
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
} as const;

export const GRAM: ShaderKernel<Param, Binding> = { name: "gram", ...LAYOUT };
export const GRAM_SUBGROUPS: ShaderKernel<Param, Binding> = { name: "gram-subgroups", ...LAYOUT };

export type GramForm = "memory" | "subgroups";

/** Vectors one after another, each of `stride` quadruples. */
export interface VectorRows {
  readonly values: DeviceBuffer;
  readonly stride: number;
}

/** A range of vectors. */
export interface VectorRange {
  readonly start: number;
  readonly count: number;
}

/** Quadruples of a part of an inner product: enough parts for a GPU, few enough numbers to read back. */
const PART_QUADRUPLES = 1024;

/** Parts of the inner products of vectors of `stride` quadruples, at most `most`. */
export function gramParts(stride: number, most: number = Number.POSITIVE_INFINITY): number {
  return Math.min(most, Math.ceil(stride / PART_QUADRUPLES));
}

/**
 * Writes the inner products of two ranges in `parts` parts, each first.count x second.count, from number `firstPart` of
 * `products` on. Their sums are the inner products.
 */
export function gramStep(
  device: GpuDevice,
  form: GramForm,
  { values, stride }: VectorRows,
  [first, second]: readonly [VectorRange, VectorRange],
  parts: number,
  firstPart: number,
  products: DeviceBuffer,
): DispatchStep {
  const sizes: Record<string, number> = { WORKGROUP_SIZE: device.cooperatingLanes };
  const size = device.subgroupSize;
  const isBySubgroups = form === "subgroups" && size !== null;
  return dispatch(isBySubgroups ? GRAM_SUBGROUPS : GRAM, {
    groups: Math.ceil(first.count / 4) * Math.ceil(second.count / 4) * parts,
    params: {
      stride,
      first: first.start,
      first_count: first.count,
      second: second.start,
      second_count: second.count,
      part_length: Math.ceil(stride / parts),
      first_part: firstPart,
    },
    buffers: { vectors: values, products },
    constants: isBySubgroups ? { ...sizes, SUBGROUP_SIZE: size } : sizes,
  });
}

/** Trial vectors: a block of 16 against a basis of 64, as in an eigensolver for 16 eigenvectors. */
const TRIAL_RANGES = [
  { start: 0, count: 16 },
  { start: 16, count: 64 },
] as const;

/** The faster form on this device; measured at the first call. */
export function gramForm(device: GpuDevice): Promise<GramForm> {
  return fastestForm<GramForm>(device, {
    kernel: "gram",
    forms: device.subgroupSize === null ? ["memory"] : ["memory", "subgroups"],
    lead: 1,
    sizes: [1024, 16384, 131072],
    open(nodes) {
      const length = 80 * nodes;
      if (4 * length > Math.min(device.limits.bindingBytes, device.limits.bufferBytes)) return null;
      const stride = nodes / 4;
      const parts = gramParts(stride);
      const values = device.upload("gram/trial", new Float32Array(length).fill(0.1));
      const products = device.buffer("gram/trial-products", 4 * 16 * 64 * parts);
      return {
        steps: (form) => [gramStep(device, form, { values, stride }, TRIAL_RANGES, parts, 0, products)],
        release() {
          values.release();
          products.release();
        },
      };
    },
  });
}
