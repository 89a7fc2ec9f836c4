/**
 * Standardised rows of many units on the device: ranks (Spearman), mean 0, length 1. Units are cut into panels such that
 * no buffer exceeds a binding; panels that do not fit the memory budget together wait in main memory.
 */
import type { StepCounter } from "../../progress.ts";
import type { CorrelationMethod } from "../compute.ts";
import { type PaddedRows, rowStride } from "./correlation.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { rankGroups, rankScratchLength, rankSteps } from "./ranks.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
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
/** Bytes of rows that stay on the device. */
export const RESIDENT_BYTES: number = 4 * 2 ** 30;
const PANEL_MULTIPLE = 8;

/** Rows of some units, one after another, in a buffer with room for the padding that standardising adds. */
export interface RecordedPanel {
  readonly first: number;
  readonly rows: number;
  /** Standardised in place; stays with its owner. */
  readonly values: DeviceBuffer | Float32Array;
}

/** Rows of some units, ready to be multiplied, on the device or in main memory. */
export interface Panel {
  readonly first: number;
  readonly rows: number;
  readonly values: DeviceBuffer | Float32Array;
  readonly isOwned: boolean;
}

/**
 * Units of a panel, at most `most`: its rows and its square of correlations both fit a binding. Throws `E_DEVICE_LIMIT`
 * when one row does not.
 */
export function rowsPerPanel(
  device: GpuDevice,
  units: number,
  samples: number,
  most: number = Number.POSITIVE_INFINITY,
): number {
  const byValues = requireRow(device, "correlation/values", rowStride(samples));
  const bySquare = Math.floor(Math.sqrt(Math.min(device.limits.bindingBytes, device.limits.bufferBytes) / 4));
  const rows = Math.min(byValues, bySquare, most);
  if (units <= rows) return units;
  return rows < PANEL_MULTIPLE ? rows : rows - (rows % PANEL_MULTIPLE);
}

/** `values` (units x samples) cut into panels of `rows` units. */
export function cutRows(values: Float32Array, units: number, samples: number, rows: number): RecordedPanel[] {
  const panels: RecordedPanel[] = [];
  for (let first = 0; first < units; first += rows) {
    const count = Math.min(rows, units - first);
    panels.push({ first, rows: count, values: values.subarray(first * samples, (first + count) * samples) });
  }
  return panels;
}

/**
 * Standardises panels; 1 in `isDead` for units that do not vary or are not finite. Counts a step for each panel. Free
 * the result with `releasePanels`.
 */
export async function standardisePanels(
  device: GpuDevice,
  recorded: readonly RecordedPanel[],
  samples: number,
  method: CorrelationMethod,
  residentBytes: number,
  isDead: Uint8Array,
  counter: StepCounter,
): Promise<Panel[]> {
  const panels: Panel[] = [];
  let resident = 0;
  try {
    for (const { first, rows, values } of recorded) {
      resident += 4 * rows * rowStride(samples);
      if (!(values instanceof Float32Array)) {
        isDead.set(await standardise(device, values, values, rows, samples, method, counter), first);
        panels.push({ first, rows, values, isOwned: false });
      } else {
        const scaled = device.buffer("standardise/scaled", 4 * rows * rowStride(samples));
        let isKept = false;
        try {
          isDead.set(await standardise(device, values, scaled, rows, samples, method, counter), first);
          isKept = resident <= residentBytes;
          panels.push({
            first,
            rows,
            values: isKept ? scaled : await readFloats(device, scaled),
            isOwned: true,
          });
        } finally {
          if (!isKept) scaled.release();
        }
      }
      counter.advance(1);
    }
    return panels;
  } catch (error) {
    releasePanels(panels);
    throw error;
  }
}

/** Frees what panels hold on the device, but for what belongs to a recorder. */
export function releasePanels(panels: readonly Panel[]): void {
  for (const { values, isOwned } of panels) {
    if (isOwned && !(values instanceof Float32Array)) values.release();
  }
}

/** A panel's rows on the device; give them back with `unloadPanel`. */
export function loadPanel(device: GpuDevice, { rows, values }: Panel): PaddedRows {
  return {
    rows,
    values: values instanceof Float32Array ? device.upload("correlation/values", values) : values,
  };
}

/** Frees the rows of a panel that waits in main memory. */
export function unloadPanel(panel: Panel, rows: PaddedRows): void {
  if (panel.values instanceof Float32Array) rows.values.release();
}

/** Writes standardised rows (rows x stride) to `scaled` and returns the dead ones; both may be one buffer. */
async function standardise(
  device: GpuDevice,
  values: DeviceBuffer | Float32Array,
  scaled: DeviceBuffer,
  rows: number,
  samples: number,
  method: CorrelationMethod,
  counter: StepCounter,
): Promise<Uint32Array> {
  const stride = rowStride(samples);
  const isRanked = method === "spearman";
  const keyLength = isRanked ? rankScratchLength(device, samples) : 0;
  const fitting = requireRow(device, "ranks/keys", Math.max(samples, keyLength));
  const dispatched = Math.floor(device.limits.groupsPerDimension ** 2 / rankGroups(device, samples));
  const step = Math.max(1, Math.min(rows, fitting, dispatched, Math.floor(CHUNK_VALUES / samples)));
  using dead = device.buffer("standardise/dead", 4 * rows);
  using source = device.buffer("standardise/source", 4 * step * samples);
  using ranks = device.buffer("ranks/ranks", isRanked ? 4 * step * samples : 0);
  using keys = device.buffer("ranks/keys", 4 * step * keyLength);
  // From the end: padding moves rows back, over rows that have been read.
  for (let first = step * (Math.ceil(rows / step) - 1); first >= 0; first -= step) {
    const chunk = Math.min(step, rows - first);
    const steps: Step[] = [];
    if (values instanceof Float32Array) {
      device.write(source, values.subarray(first * samples, (first + chunk) * samples));
    } else {
      const [sourceOffset, sizeBytes] = [4 * first * samples, 4 * chunk * samples];
      steps.push({ kind: "copy", source: values, sourceOffset, target: source, targetOffset: 0, sizeBytes });
    }
    if (isRanked)
      steps.push(...rankSteps(device, chunk, samples, source, ranks, keyLength === 0 ? null : keys));
    steps.push(
      dispatch(STANDARDISE, {
        groups: chunk,
        params: { rows: chunk, samples, stride, first_row: first },
        buffers: { source: isRanked ? ranks : source, scaled, dead },
        constants: { WORKGROUP_SIZE: device.cooperatingLanes },
      }),
    );
    await device.submit("standardise", steps);
    counter.advance(0);
  }
  return new Uint32Array(await device.readBack(dead));
}
