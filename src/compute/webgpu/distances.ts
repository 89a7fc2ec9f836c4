/**
 * Distances of points on the GPU: the product of rows about their mean with themselves, panel by panel, with another
 * ending than that of correlations.
 *
 * Roof: 12,800 points of 2,048 columns are 3.4e11 operations, 17 ms on a GPU of 40 Tflop/s of which half is reached. Ending a
 * product costs a square root where correlations cost a multiplication. Reading back 655 MB takes longer, 33 ms at 20 GB/s,
 * and the tree, on the host, a second.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { DistanceMetric } from "../compute.ts";
import { chordsToAngles, makePoints, meanPoint, placeRows } from "../distance-rows.ts";
import { type DistanceProduct, resolveNear } from "../near-distances.ts";
import {
  type CorrelationFormName,
  correlationForm,
  distanceSteps,
  distanceStride,
  rowStride,
} from "./correlation.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { multiplyPanels } from "./panel-products.ts";
import { cutRows, type Panel, RESIDENT_BYTES, releasePanels, rowsPerPanel } from "./standardised-panels.ts";
import { readFloats } from "./transfer.ts";

/** See `Compute.distances`. `residentBytes` is the most that rows may take on the device. */
export async function distances(
  device: GpuDevice,
  values: Float32Array,
  count: number,
  width: number,
  metric: DistanceMetric,
  options: RunOptions = {},
  residentBytes: number = RESIDENT_BYTES,
): Promise<Float32Array> {
  const points = makePoints(values, count, width, metric);
  if (count === 0 || width === 0) return new Float32Array(count * count);
  const form = await correlationForm(device);
  const stride = distanceStride(width);
  const rows = new Float32Array(count * stride);
  const squares = new Float64Array(count);
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const unit = placeRows(points, all, meanPoint(points), rows, stride, squares);
  addSquares(rows, width, squares);
  const panelRows = rowsPerPanel(device, count, stride);
  const cut = cutRows(rows, count, stride, panelRows);
  const counter = new StepCounter("distances", (cut.length * (cut.length + 1)) / 2, options);
  const panels: Panel[] = [];
  let result: Float32Array;
  try {
    let resident = 0;
    for (const { first, rows: panelCount, values: panel } of cut) {
      resident += 4 * panelCount * stride;
      const isKept = panel instanceof Float32Array && resident <= residentBytes;
      const kept = isKept ? device.upload("distance/rows", panel) : panel;
      panels.push({ first, rows: panelCount, values: kept, isOwned: isKept });
    }
    result = await multiplyPanels(device, panels, count, counter, (left, right, target) =>
      distanceSteps(form, left, right, width, target, unit),
    );
  } finally {
    releasePanels(panels);
  }
  await resolveNear(result, points, rows, productOn(device, form, width, panelRows), counter);
  if (metric === "arccos") await chordsToAngles(result, points, counter);
  return result;
}

/** Puts each row's squared length where the kernel looks for it. */
function addSquares(rows: Float32Array, width: number, squares: Float64Array): void {
  const stride = distanceStride(width);
  for (const [row, square] of squares.entries()) rows[row * stride + rowStride(width)] = square;
}

function productOn(
  device: GpuDevice,
  form: CorrelationFormName,
  width: number,
  panelRows: number,
): DistanceProduct {
  return {
    stride: distanceStride(width),
    leftRows: panelRows,
    rightRows: panelRows,
    async multiply(left, right, unit) {
      addSquares(left.values, width, left.squares);
      addSquares(right.values, width, right.squares);
      using leftRows = device.upload("distance/left", left.values);
      using rightRows = device.upload("distance/right", right.values);
      using target = device.buffer("distance/target", 4 * left.rows * right.rows);
      const sides = [
        { rows: left.rows, values: leftRows },
        { rows: right.rows, values: rightRows },
      ] as const;
      await device.submit("distances", distanceSteps(form, ...sides, width, target, unit));
      return readFloats(device, target, 0, left.rows * right.rows);
    },
  };
}
