/**
 * The product of standardised rows that gives squared correlations, in two forms: 8 x 8 values in the registers of a
 * lane, or tiles in workgroup memory. Which one is faster differs several times either way between CPU adapters and
 * GPUs, so the first call of a device measures both.
 */
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
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

const chosen = new WeakMap<GpuDevice, Promise<CorrelationFormName>>();

/** The faster form on this device; measured once. */
export function fastestForm(device: GpuDevice): Promise<CorrelationFormName> {
  let form = chosen.get(device);
  if (form === undefined) {
    form = measureForms(device);
    chosen.set(device, form);
    form.catch(() => chosen.delete(device));
  }
  return form;
}

/** Units of the trial problems; the larger ones are for GPUs, which do the small ones in no measurable time. */
const TRIAL_UNITS: readonly number[] = [512, 2048, 8192];
const TRIAL_SAMPLES = 256;
const TRIAL_RUNS = 5;
const MEASURABLE_MS = 4;

/** Times both forms in turns and takes the best time of each, so that other load on the machine hits both alike. */
async function measureForms(device: GpuDevice): Promise<CorrelationFormName> {
  const names = ["registers", "tiles"] as const;
  let fastest: CorrelationFormName = "registers";
  for (const units of TRIAL_UNITS) {
    if (4 * units * units > device.limits.bindingBytes) break;
    using values = device.upload("correlation/trial", new Float32Array(units * TRIAL_SAMPLES).fill(0.05));
    using squared = device.buffer("correlation/trial-result", 4 * units * units);
    const rows = { rows: units, values };
    const best = { registers: Number.POSITIVE_INFINITY, tiles: Number.POSITIVE_INFINITY };
    // The first run compiles and is not counted.
    for (let run = 0; run <= TRIAL_RUNS; run++) {
      for (const name of names) {
        const start = performance.now();
        await device.submit("correlation", correlationSteps(name, rows, rows, TRIAL_SAMPLES, squared));
        await device.finish();
        if (run > 0) best[name] = Math.min(best[name], performance.now() - start);
      }
    }
    fastest = best.registers <= best.tiles ? "registers" : "tiles";
    if (Math.min(best.registers, best.tiles) >= MEASURABLE_MS) break;
  }
  return fastest;
}
