/**
 * Squared correlations of units over samples on the GPU: ranks (Spearman), rows of mean 0 and length 1, then the
 * product of the rows with themselves. Units are cut into panels such that no buffer exceeds a binding; panels that do
 * not fit the memory budget together wait in main memory.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import { correlationSteps, fastestForm, rowStride, type StandardisedRows } from "./correlation.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { rankScratchLength, rankSteps } from "./ranks.ts";
import { dispatch, type ShaderKernel } from "./shader-kernel.ts";
import { readFloats, requireRow } from "./transfer.ts";

export const STANDARDISE: ShaderKernel<
  "rows" | "samples" | "stride" | "first_row",
  "source" | "scaled" | "dead"
> = {
  name: "standardise",
  params: { rows: "u32", samples: "u32", stride: "u32", first_row: "u32" },
  bindings: { source: "read", scaled: "read_write", dead: "read_write" },
};

/** Values that are ranked and standardised between two looks at the abort signal. */
const CHUNK_VALUES = 16 * 2 ** 20;
/** Bytes of standardised rows that stay on the device. */
const RESIDENT_BYTES = 4 * 2 ** 30;
const PANEL_MULTIPLE = 8;

/** Standardised rows of some units, on the device or in main memory. */
interface Panel {
  readonly first: number;
  readonly rows: number;
  readonly resident: DeviceBuffer | null;
  readonly values: Float32Array | null;
}

/** See `Compute.correlations`. `residentBytes` is the most that standardised rows may take on the device. */
export async function correlations(
  device: GpuDevice,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
  residentBytes: number = RESIDENT_BYTES,
): Promise<Correlations> {
  const isDead = new Uint8Array(units);
  if (units === 0 || samples === 0) {
    return { units, values: new Float32Array(units * units), isDead: isDead.fill(1) };
  }
  const form = await fastestForm(device);
  const panelRows = rowsPerPanel(device, units, samples);
  const count = Math.ceil(units / panelRows);
  const counter = new StepCounter("correlations", count + (count * (count + 1)) / 2, options);
  const panels: Panel[] = [];
  try {
    let resident = 0;
    for (let first = 0; first < units; first += panelRows) {
      const rows = Math.min(panelRows, units - first);
      resident += 4 * rows * rowStride(samples);
      const source = values.subarray(first * samples, (first + rows) * samples);
      const { scaled, dead } = await standardise(device, source, rows, samples, method, counter);
      isDead.set(dead, first);
      if (resident <= residentBytes) panels.push({ first, rows, resident: scaled, values: null });
      else {
        try {
          panels.push({ first, rows, resident: null, values: await readFloats(device, scaled) });
        } finally {
          scaled.release();
        }
      }
      counter.advance(1);
    }
    const result = await multiplyPanels(device, form, panels, units, samples, counter);
    return { units, values: result, isDead };
  } finally {
    for (const { resident } of panels) resident?.release();
  }
}

/** Units of a panel: its standardised rows and its square of correlations both fit a binding. */
function rowsPerPanel(device: GpuDevice, units: number, samples: number): number {
  const byValues = requireRow(device, "correlation/values", rowStride(samples));
  const bySquare = Math.floor(Math.sqrt(Math.min(device.limits.bindingBytes, device.limits.bufferBytes) / 4));
  const most = Math.min(byValues, bySquare);
  if (units <= most) return units;
  return most < PANEL_MULTIPLE ? most : most - (most % PANEL_MULTIPLE);
}

/** Standardised rows (rows x stride, on loan) and the dead ones among them. */
async function standardise(
  device: GpuDevice,
  values: Float32Array,
  rows: number,
  samples: number,
  method: CorrelationMethod,
  counter: StepCounter,
): Promise<{ scaled: DeviceBuffer; dead: Uint32Array }> {
  const stride = rowStride(samples);
  const isRanked = method === "spearman";
  const keyLength = isRanked ? rankScratchLength(device, samples) : 0;
  const fitting = requireRow(device, "ranks/keys", Math.max(samples, keyLength));
  const step = Math.max(1, Math.min(rows, fitting, Math.floor(CHUNK_VALUES / samples)));
  const scaled = device.buffer("standardise/scaled", 4 * rows * stride);
  try {
    using dead = device.buffer("standardise/dead", 4 * rows);
    using source = device.buffer("standardise/source", 4 * step * samples);
    using ranks = device.buffer("ranks/ranks", isRanked ? 4 * step * samples : 0);
    using keys = device.buffer("ranks/keys", 4 * step * keyLength);
    for (let first = 0; first < rows; first += step) {
      const chunk = Math.min(step, rows - first);
      device.write(source, values.subarray(first * samples, (first + chunk) * samples));
      await device.submit("standardise", [
        ...(isRanked ? rankSteps(device, chunk, samples, source, ranks, keyLength === 0 ? null : keys) : []),
        dispatch(STANDARDISE, {
          groups: chunk,
          params: { rows: chunk, samples, stride, first_row: first },
          buffers: { source: isRanked ? ranks : source, scaled, dead },
          constants: { WORKGROUP_SIZE: device.cooperatingLanes },
        }),
      ]);
      counter.advance(0);
    }
    return { scaled, dead: new Uint32Array(await device.readBack(dead)) };
  } catch (error) {
    scaled.release();
    throw error;
  }
}

/** All products of two panels, upper triangle, and their mirror images; units x units. */
async function multiplyPanels(
  device: GpuDevice,
  form: "registers" | "tiles",
  panels: readonly Panel[],
  units: number,
  samples: number,
  counter: StepCounter,
): Promise<Float32Array> {
  const largest = panels[0]?.rows ?? 0;
  using squared = device.buffer("correlation/squared", 4 * largest * largest);
  let result: Float32Array | null = panels.length === 1 ? null : new Float32Array(units * units);
  for (const [number, left] of panels.entries()) {
    const leftRows = load(device, left);
    try {
      for (const right of panels.slice(number)) {
        const rightRows = right === left ? leftRows : load(device, right);
        try {
          await device.submit("correlation", correlationSteps(form, leftRows, rightRows, samples, squared));
          const block = await readFloats(device, squared, 0, left.rows * right.rows);
          if (result === null) result = block;
          else writeBlock(result, units, left, right, block);
        } finally {
          if (rightRows !== leftRows && right.resident === null) rightRows.values.release();
        }
        counter.advance(1);
      }
    } finally {
      if (left.resident === null) leftRows.values.release();
    }
  }
  return result ?? new Float32Array(0);
}

function load(device: GpuDevice, panel: Panel): StandardisedRows {
  const { rows, resident, values } = panel;
  return {
    rows,
    values: resident ?? device.upload("correlation/values", values ?? new Float32Array(0)),
  };
}

/** Side of the squares that are transposed at once, so that reads and writes stay in the first-level cache. */
const MIRROR_SIDE = 32;

/** Copies a block into its place and, off the diagonal, its transpose into the mirrored place. */
function writeBlock(
  result: Float32Array,
  units: number,
  left: Panel,
  right: Panel,
  block: Float32Array,
): void {
  for (let i = 0; i < left.rows; i++) {
    result.set(block.subarray(i * right.rows, (i + 1) * right.rows), (left.first + i) * units + right.first);
  }
  if (left === right) return;
  for (let row = 0; row < left.rows; row += MIRROR_SIDE) {
    const rowEnd = Math.min(left.rows, row + MIRROR_SIDE);
    for (let column = 0; column < right.rows; column += MIRROR_SIDE) {
      const columnEnd = Math.min(right.rows, column + MIRROR_SIDE);
      for (let j = column; j < columnEnd; j++) {
        const to = (right.first + j) * units + left.first;
        for (let i = row; i < rowEnd; i++) result[to + i] = block[i * right.rows + j] as number;
      }
    }
  }
}
