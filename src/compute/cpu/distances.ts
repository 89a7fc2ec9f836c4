/**
 * Distances of points: |a|^2 + |b|^2 - 2 a.b from the products of `correlations`, which hold the rows about their mean.
 *
 * Roof: 12,800 points of 2,048 columns are 3.4e11 operations of the lower triangle, 1.7 s at the 200 GFLOP/s of two cores;
 * the result is 655 MB, which takes 0.1 s to write once at 8 GB/s.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { DistanceMetric } from "../compute.ts";
import { chordsToAngles, makePoints, meanPoint, type PlacedRows, placeRows } from "../distance-rows.ts";
import { type DistanceProduct, markedDistance, resolveNear } from "../near-distances.ts";
import { multiplyPanels, panelSteps } from "./correlation-panels.ts";
import type { Matmul } from "./matmul.ts";
import { type ConvertRun, mirrorPanel } from "./mirror-panel.ts";

/** See `Compute.distances`. */
export async function distances(
  matmul: Matmul,
  values: Float32Array,
  count: number,
  width: number,
  metric: DistanceMetric,
  options: RunOptions = {},
): Promise<Float32Array> {
  const points = makePoints(values, count, width, metric);
  const result = new Float32Array(count * count);
  if (count === 0 || width === 0) return result;
  const counter = new StepCounter("distances", panelSteps(count), options);
  const rows = new Float32Array(count * width);
  const squares = new Float64Array(count);
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const unit = placeRows(points, all, meanPoint(points), rows, width, squares);
  const convert = converter(squares, squares, unit);
  await multiplyPanels(matmul, rows, count, width, counter, (panel) => {
    mirrorPanel(result, count, panel, convert);
  });
  await resolveNear(result, points, rows, productOn(matmul, width), counter);
  if (metric === "arccos") await chordsToAngles(result, points, counter);
  return result;
}

/** Products of rows to distances. */
function converter(rowSquares: Float64Array, columnSquares: Float64Array, unit: number): ConvertRun {
  return (product, start, end, row, firstColumn) => {
    const own = rowSquares[row] as number;
    for (let at = start; at < end; at++) {
      const squares = own + (columnSquares[firstColumn + at - start] as number);
      product[at] = unit * markedDistance(squares - 2 * (product[at] as number), squares);
    }
  };
}

function productOn(matmul: Matmul, width: number): DistanceProduct {
  return {
    stride: width,
    leftRows: 16384,
    rightRows: 128,
    async multiply(left: PlacedRows, right: PlacedRows, unit: number) {
      const product = new Float32Array(left.rows * right.rows);
      const factor = ({ rows, values }: PlacedRows) => ({ rows, columns: width, values });
      await matmul.multiply("ABt", factor(left), factor(right), product);
      const convert = converter(left.squares, right.squares, unit);
      for (let row = 0; row < left.rows; row++) {
        convert(product, row * right.rows, (row + 1) * right.rows, row, 0);
      }
      return product;
    },
  };
}
