/** A matrix of all pairs of rows in main memory, from products of panels on the device. */
import type { StepCounter } from "../../progress.ts";
import type { PaddedRows } from "./correlation.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { Step } from "./shader-kernel.ts";
import { loadPanel, type Panel, unloadPanel } from "./standardised-panels.ts";
import { readFloats } from "./transfer.ts";

/** What multiplies two sets of rows, or one with itself (`left` is `right`), into `target`, left.rows x right.rows. */
export type ProductSteps = (left: PaddedRows, right: PaddedRows, target: DeviceBuffer) => Step[];

/** All products of two panels, upper triangle, and their mirror images; units x units. Counts a step for each. */
export async function multiplyPanels(
  device: GpuDevice,
  panels: readonly Panel[],
  units: number,
  counter: StepCounter,
  steps: ProductSteps,
): Promise<Float32Array> {
  const largest = panels[0]?.rows ?? 0;
  using target = device.buffer("correlation/products", 4 * largest * largest);
  let result: Float32Array | null = panels.length === 1 ? null : new Float32Array(units * units);
  for (const [number, left] of panels.entries()) {
    const leftRows = loadPanel(device, left);
    try {
      for (const right of panels.slice(number)) {
        const rightRows = right === left ? leftRows : loadPanel(device, right);
        try {
          await device.submit("correlation", steps(leftRows, rightRows, target));
          const block = await readFloats(device, target, 0, left.rows * right.rows);
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
