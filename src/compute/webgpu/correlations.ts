/**
 * Squared correlations of units over samples on the GPU: the product of standardised rows with themselves, panel by
 * panel.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import { type CorrelationFormName, correlationSteps } from "./correlation.ts";
import { fastestForm } from "./fastest-form.ts";
import type { GpuDevice } from "./gpu-device.ts";
import {
  cutRows,
  loadPanel,
  type Panel,
  RESIDENT_BYTES,
  type RecordedPanel,
  releasePanels,
  rowsPerPanel,
  standardisePanels,
  unloadPanel,
} from "./standardised-panels.ts";
import { readFloats } from "./transfer.ts";

/**
 * See `Compute.correlations`; `values` is units x samples, or in panels that a recorder holds. `residentBytes` is the
 * most that standardised rows may take on the device.
 */
export async function correlations(
  device: GpuDevice,
  values: Float32Array | readonly RecordedPanel[],
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
  const recorded =
    values instanceof Float32Array
      ? cutRows(values, units, samples, rowsPerPanel(device, units, samples))
      : values;
  const count = recorded.length;
  const counter = new StepCounter("correlations", count + (count * (count + 1)) / 2, options);
  const panels = await standardisePanels(device, recorded, samples, method, residentBytes, isDead, counter);
  try {
    return { units, values: await multiplyPanels(device, form, panels, units, samples, counter), isDead };
  } finally {
    releasePanels(panels);
  }
}

/** All products of two panels, upper triangle, and their mirror images; units x units. */
async function multiplyPanels(
  device: GpuDevice,
  form: CorrelationFormName,
  panels: readonly Panel[],
  units: number,
  samples: number,
  counter: StepCounter,
): Promise<Float32Array> {
  const largest = panels[0]?.rows ?? 0;
  using squared = device.buffer("correlation/squared", 4 * largest * largest);
  let result: Float32Array | null = panels.length === 1 ? null : new Float32Array(units * units);
  for (const [number, left] of panels.entries()) {
    const leftRows = loadPanel(device, left);
    try {
      for (const right of panels.slice(number)) {
        const rightRows = right === left ? leftRows : loadPanel(device, right);
        try {
          await device.submit("correlation", correlationSteps(form, leftRows, rightRows, samples, squared));
          const block = await readFloats(device, squared, 0, left.rows * right.rows);
          if (result === null) result = block;
          else writeBlock(result, units, left, right, block);
        } finally {
          if (rightRows !== leftRows) unloadPanel(right, rightRows);
        }
        counter.advance(1);
      }
    } finally {
      unloadPanel(left, leftRows);
    }
  }
  return result ?? new Float32Array(0);
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
