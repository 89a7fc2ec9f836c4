/**
 * The product of standardised rows that gives squared correlations, in two forms: 8 x 8 values in the registers of a
 * lane, or tiles in workgroup memory. Which one is faster differs several times either way between CPU adapters and
 * GPUs; see `fastestForm`. Both sum in the same order, so that the choice leaves no trace in the result.
 */
import type { DeviceBuffer } from "./device-buffer.ts";
import { type DispatchStep, dispatch, type ShaderKernel } from "./shader-kernel.ts";

type Param = "rows" | "columns" | "stride" | "first" | "end" | "is_diagonal" | "is_first" | "is_last";
type Binding = "left" | "right" | "squared";

const LAYOUT = {
  params: {
    rows: "u32",
    columns: "u32",
    stride: "u32",
    first: "u32",
    end: "u32",
    is_diagonal: "u32",
    is_first: "u32",
    is_last: "u32",
  },
  bindings: { left: "read", right: "read", squared: "read_write" },
} as const;

export const CORRELATION_REGISTERS: ShaderKernel<Param, Binding> = {
  name: "correlation-registers",
  ...LAYOUT,
};
export const CORRELATION_TILES: ShaderKernel<Param, Binding> = { name: "correlation-tiles", ...LAYOUT };

/** A form of the kernel: the side of the squares it computes, and squares per workgroup. */
interface CorrelationForm {
  readonly kernel: ShaderKernel<Param, Binding>;
  readonly side: number;
  readonly perGroup: number;
}

export type CorrelationFormName = "registers" | "tiles";

const FORMS: Readonly<Record<CorrelationFormName, CorrelationForm>> = {
  registers: { kernel: CORRELATION_REGISTERS, side: 8, perGroup: 64 },
  tiles: { kernel: CORRELATION_TILES, side: 128, perGroup: 1 },
};

/** Samples of one dispatch. Sums of one batch are added in float32 one by one, so that this bounds their error. */
export const SAMPLE_BATCH = 8192;

/** Rows of standardised values, padded to whole quadruples of samples. */
export interface StandardisedRows {
  readonly rows: number;
  readonly values: DeviceBuffer;
}

/** Values from one row to the next: samples rounded up to whole quadruples. */
export function rowStride(samples: number): number {
  return 4 * Math.ceil(samples / 4);
}

/**
 * Writes the squared correlations of two sets of rows, or of one with itself (`left` is `right`: both triangles, zero
 * diagonal), to `squared`, left.rows x right.rows.
 */
export function correlationSteps(
  form: CorrelationFormName,
  left: StandardisedRows,
  right: StandardisedRows,
  samples: number,
  squared: DeviceBuffer,
  batch: number = SAMPLE_BATCH,
): DispatchStep[] {
  const { kernel, side, perGroup } = FORMS[form];
  const isDiagonal = left === right;
  const blockRows = Math.ceil(left.rows / side);
  const blocks = isDiagonal ? (blockRows * (blockRows + 1)) / 2 : blockRows * Math.ceil(right.rows / side);
  if (blocks === 0) return [];
  const stride = rowStride(samples) / 4;
  const steps: DispatchStep[] = [];
  // At least one batch, which writes zeros where there are no samples.
  for (let first = 0; first === 0 || first < stride; first += batch / 4) {
    const end = Math.min(stride, first + batch / 4);
    steps.push(
      dispatch(kernel, {
        groups: Math.ceil(blocks / perGroup),
        params: {
          rows: left.rows,
          columns: right.rows,
          stride,
          first,
          end,
          is_diagonal: isDiagonal ? 1 : 0,
          is_first: first === 0 ? 1 : 0,
          is_last: end === stride ? 1 : 0,
        },
        buffers: { left: left.values, right: right.values, squared },
      }),
    );
  }
  return steps;
}
