/**
 * What the host knows of a kernel: its file, the fields of its `Params` struct and its bindings. Every kernel has
 * `Params` as a uniform at binding 0, then its storage buffers in the order given here; the tests compare this with
 * the shader.
 */
import { BrodmannError } from "../../errors.ts";
import type { DeviceBuffer } from "./device-buffer.ts";

export type ScalarType = "u32" | "f32";
export type BufferAccess = "read" | "read_write";

/** A kernel of `shaders/<name>.wgsl`, entry point `main`. */
export interface ShaderKernel<Param extends string = string, Binding extends string = string> {
  readonly name: string;
  /** Fields of `Params` in their order; scalars of four bytes only, so that there is no padding between them. */
  readonly params: Readonly<Record<Param, ScalarType>>;
  /** Storage buffers in the order of their bindings, from 1. */
  readonly bindings: Readonly<Record<Binding, BufferAccess>>;
}

/** Override constants of a pipeline. */
export type Constants = Readonly<Record<string, number>>;

/** One dispatch of a kernel. */
export interface DispatchStep {
  readonly kind: "dispatch";
  readonly kernel: ShaderKernel;
  readonly constants: Constants;
  readonly params: ArrayBuffer;
  readonly buffers: readonly DeviceBuffer[];
  /** Workgroups in all; beyond one dimension's limit they are laid out in rows. */
  readonly groups: number;
}

/** Copies bytes between two buffers. */
export interface CopyStep {
  readonly kind: "copy";
  readonly source: DeviceBuffer;
  readonly sourceOffset: number;
  readonly target: DeviceBuffer;
  readonly targetOffset: number;
  readonly sizeBytes: number;
}

/** Zeroes a whole buffer. */
export interface ClearStep {
  readonly kind: "clear";
  readonly target: DeviceBuffer;
}

export type Step = DispatchStep | CopyStep | ClearStep;

/** A dispatch with its arguments by name. */
export function dispatch<Param extends string, Binding extends string>(
  kernel: ShaderKernel<Param, Binding>,
  call: {
    readonly groups: number;
    readonly params: Readonly<Record<Param, number>>;
    readonly buffers: Readonly<Record<Binding, DeviceBuffer>>;
    readonly constants?: Constants;
  },
): DispatchStep {
  return {
    kind: "dispatch",
    kernel,
    constants: call.constants ?? {},
    params: packParams(kernel, call.params),
    buffers: (Object.keys(kernel.bindings) as Binding[]).map((name) => call.buffers[name]),
    groups: call.groups,
  };
}

/** Bytes of the `Params` uniform: fields of four bytes, rounded up to the 16 bytes uniforms are aligned to. */
export function packParams<Param extends string>(
  kernel: ShaderKernel<Param, string>,
  values: Readonly<Record<Param, number>>,
): ArrayBuffer {
  const names = Object.keys(kernel.params) as Param[];
  const bytes = new ArrayBuffer(Math.ceil(names.length / 4) * 16);
  const view = new DataView(bytes);
  names.forEach((name, index) => {
    const value = values[name];
    if (kernel.params[name] === "f32") view.setFloat32(4 * index, value, true);
    else if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
      view.setUint32(4 * index, value, true);
    } else {
      throw new BrodmannError(
        "E_INTERNAL_PARAMS",
        `${kernel.name}: found ${name} = ${value}, expected a u32 of the shader`,
      );
    }
  });
  return bytes;
}

/**
 * Workgroups in x and y for `groups` in all, with at most `limit` in each direction; the last row may have some that
 * are too many, which kernels skip by their guards (`linear_group` in shaders/lib/grid.wgsl numbers them).
 */
export function dispatchGrid(kernel: string, groups: number, limit: number): readonly [number, number] {
  if (groups <= limit) return [groups, groups === 0 ? 0 : 1];
  const rows = Math.ceil(groups / limit);
  if (rows > limit) {
    throw new BrodmannError(
      "E_DEVICE_LIMIT",
      `${kernel}: found ${groups} workgroups, expected at most ${limit} x ${limit}`,
      { hint: "Use fewer units, or --device cpu." },
    );
  }
  return [Math.ceil(groups / rows), rows];
}
