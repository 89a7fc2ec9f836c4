/**
 * The product of rows that gives squared correlations, or distances, in two forms: 8 x 8 values in the registers of a
 * lane, or tiles in workgroup memory. Which one is faster differs several times either way between CPU adapters and
 * GPUs; see `correlationForm`. Both sum in the same order, so that the choice leaves no trace in the result.
 */
import type { DeviceBuffer } from "./device-buffer.ts";
import { type FormTrials, fastestForm } from "./fastest-form.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { type DispatchStep, dispatch, type ShaderKernel } from "./shader-kernel.ts";

type Param =
  | "rows"
  | "columns"
  | "stride"
  | "first"
  | "end"
  | "is_diagonal"
  | "is_first"
  | "is_last"
  | "is_distance"
  | "unit";
type Binding = "left" | "right" | "finished";

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
    is_distance: "u32",
    unit: "f32",
  },
  bindings: { left: "read", right: "read", finished: "read_write" },
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

/** Rows of values, padded to whole quadruples. */
export interface PaddedRows {
  readonly rows: number;
  readonly values: DeviceBuffer;
}

/** Values from one row to the next: samples rounded up to whole quadruples. */
export function rowStride(samples: number): number {
  return 4 * Math.ceil(samples / 4);
}

/** Values from one row to the next where distances are computed: a quadruple more, which starts with its squared length. */
export function distanceStride(width: number): number {
  return rowStride(width) + 4;
}

/**
 * Writes the squared correlations of two sets of rows, or of one with itself (`left` is `right`: both triangles, zero
 * diagonal), to `squared`, left.rows x right.rows.
 */
export function correlationSteps(
  form: CorrelationFormName,
  left: PaddedRows,
  right: PaddedRows,
  samples: number,
  squared: DeviceBuffer,
  batch: number = SAMPLE_BATCH,
): DispatchStep[] {
  const stride = rowStride(samples) / 4;
  return steps(form, left, right, stride, stride, squared, null, batch);
}

/**
 * The same for distances of rows of `distanceStride`, times `unit`; those of close pairs are negative, see
 * `markedDistance`.
 */
export function distanceSteps(
  form: CorrelationFormName,
  left: PaddedRows,
  right: PaddedRows,
  width: number,
  distances: DeviceBuffer,
  unit: number,
  batch: number = SAMPLE_BATCH,
): DispatchStep[] {
  return steps(form, left, right, distanceStride(width) / 4, rowStride(width) / 4, distances, unit, batch);
}

/** Products over the first `multiplied` of the `stride` quadruples of a row. */
function steps(
  form: CorrelationFormName,
  left: PaddedRows,
  right: PaddedRows,
  stride: number,
  multiplied: number,
  finished: DeviceBuffer,
  unit: number | null,
  batch: number,
): DispatchStep[] {
  const { kernel, side, perGroup } = FORMS[form];
  const isDiagonal = left === right;
  const blockRows = Math.ceil(left.rows / side);
  const blocks = isDiagonal ? (blockRows * (blockRows + 1)) / 2 : blockRows * Math.ceil(right.rows / side);
  if (blocks === 0) return [];
  const dispatches: DispatchStep[] = [];
  // At least one batch, which writes zeros where there are no samples.
  for (let first = 0; first === 0 || first < multiplied; first += batch / 4) {
    const end = Math.min(multiplied, first + batch / 4);
    dispatches.push(
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
          is_last: end === multiplied ? 1 : 0,
          is_distance: unit === null ? 0 : 1,
          unit: unit ?? 1,
        },
        buffers: { left: left.values, right: right.values, finished },
      }),
    );
  }
  return dispatches;
}

export const MEMORY_TRIAL: ShaderKernel<"count" | "rounds" | "is_shared", "source" | "sums"> = {
  name: "memory-trial",
  params: { count: "u32", rounds: "u32", is_shared: "u32" },
  bindings: { source: "read", sums: "read_write" },
};

/** The faster form on this device; measured at the first call. */
export function correlationForm(device: GpuDevice): Promise<CorrelationFormName> {
  const choice = { kernel: "correlation", forms: ["registers", "tiles"] } as const;
  return device.facts.type === "software"
    ? fastestForm<CorrelationFormName>(device, { ...choice, ...memoryTrials(device) })
    : fastestForm<CorrelationFormName>(device, { ...choice, ...productTrials(device) });
}

type CorrelationTrials = Pick<FormTrials<CorrelationFormName>, "lead" | "sizes" | "open">;

/**
 * For software adapters, whose compilers take seconds for the tiles: these are of use only where reading workgroup
 * memory is clearly faster than reading storage, which a kernel of a few lines tells.
 */
function memoryTrials(device: GpuDevice): CorrelationTrials {
  const lanes = 64;
  return {
    lead: 2,
    sizes: [1024],
    open(rounds) {
      const source = device.upload("memory-trial/source", new Float32Array(4 * lanes));
      const sums = device.buffer("memory-trial/sums", 16 * lanes);
      return {
        steps: (form) => [
          dispatch(MEMORY_TRIAL, {
            groups: 1,
            params: { count: lanes, rounds, is_shared: form === "tiles" ? 1 : 0 },
            buffers: { source, sums },
          }),
        ],
        release() {
          source.release();
          sums.release();
        },
      };
    },
  };
}

const TRIAL_SAMPLES = 256;

/** The product itself, by units. */
function productTrials(device: GpuDevice): CorrelationTrials {
  return {
    lead: 1,
    sizes: [512, 2048, 8192],
    open(units) {
      if (4 * units * units > Math.min(device.limits.bindingBytes, device.limits.bufferBytes)) return null;
      const values = device.upload("correlation/trial", new Float32Array(units * TRIAL_SAMPLES).fill(0.05));
      const squared = device.buffer("correlation/trial-result", 4 * units * units);
      const rows = { rows: units, values };
      return {
        steps: (form) => correlationSteps(form, rows, rows, TRIAL_SAMPLES, squared),
        release() {
          values.release();
          squared.release();
        },
      };
    },
  };
}
