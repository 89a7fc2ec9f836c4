/**
 * A symmetric block matrix on the device. Blocks larger than a binding become several of fewer rows.
 */
import type { SymmetricBlock, SymmetricMatrix } from "../compute.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { requireRow } from "./transfer.ts";

/** Rows of the matrix as a dense rectangle; `isMirrored` where the transpose is part of the matrix as well. */
export interface DenseRows {
  readonly shape: "dense";
  readonly rowStart: number;
  readonly rows: number;
  readonly columnStart: number;
  readonly columns: number;
  readonly values: DeviceBuffer;
  readonly isMirrored: boolean;
}

/** Rows of the matrix in CSR; columns are counted from `columnStart`. */
export interface SparseRows {
  readonly shape: "sparse";
  readonly rowStart: number;
  readonly rows: number;
  readonly columnStart: number;
  readonly rowEnds: DeviceBuffer;
  readonly columns: DeviceBuffer;
  readonly weights: DeviceBuffer;
}

export interface DeviceMatrix {
  readonly size: number;
  /** A power of two that the weights on the device are multiplied by. */
  readonly factor: number;
  readonly pieces: readonly (DenseRows | SparseRows)[];
}

/**
 * Copies a matrix to the device, weights times `factor`. Throws `E_DEVICE_LIMIT`, before any work, when one row or the
 * sums by node are larger than a binding.
 */
export function uploadMatrix(device: GpuDevice, matrix: SymmetricMatrix, factor = 1): DeviceMatrix {
  requireMatrix(device, matrix);
  const pieces: (DenseRows | SparseRows)[] = [];
  try {
    for (const block of matrix.blocks) {
      if (block.shape === "sparse") uploadSparse(device, block, factor, pieces);
      else uploadDense(device, block, factor, pieces);
    }
  } catch (error) {
    releaseMatrix({ size: matrix.size, factor, pieces });
    throw error;
  }
  return { size: matrix.size, factor, pieces };
}

function requireMatrix(device: GpuDevice, { size, blocks }: SymmetricMatrix): void {
  requireRow(device, "node-weights/sums", 2 * size);
  for (const block of blocks) {
    if (block.shape === "between") requireRow(device, "matrix/values", block.columnCount);
    else if (block.shape === "within") requireRow(device, "matrix/values", block.count);
    else requireRow(device, "matrix/weights", longestRow(block));
  }
}

function longestRow({ count, rowStart }: Extract<SymmetricBlock, { shape: "sparse" }>): number {
  let longest = 0;
  for (let row = 0; row < count; row++) {
    longest = Math.max(longest, (rowStart[row + 1] as number) - (rowStart[row] as number));
  }
  return longest;
}

/** Frees the memory of a matrix. */
export function releaseMatrix({ pieces }: DeviceMatrix): void {
  for (const piece of pieces) {
    if (piece.shape === "dense") piece.values.release();
    else for (const buffer of [piece.rowEnds, piece.columns, piece.weights]) buffer.release();
  }
}

function uploadDense(
  device: GpuDevice,
  block: Exclude<SymmetricBlock, { shape: "sparse" }>,
  factor: number,
  pieces: (DenseRows | SparseRows)[],
): void {
  const isMirrored = block.shape === "between";
  const [rowStart, rows, columnStart, columns] = isMirrored
    ? [block.rowStart, block.rowCount, block.columnStart, block.columnCount]
    : [block.start, block.count, block.start, block.count];
  if (rows === 0 || columns === 0) return;
  const step = requireRow(device, "matrix/values", columns);
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const values = device.upload(
      "matrix/values",
      times(block.values.subarray(first * columns, (first + count) * columns), factor),
    );
    pieces.push({
      shape: "dense",
      rowStart: rowStart + first,
      rows: count,
      columnStart,
      columns,
      values,
      isMirrored,
    });
  }
}

function uploadSparse(
  device: GpuDevice,
  block: Extract<SymmetricBlock, { shape: "sparse" }>,
  factor: number,
  pieces: (DenseRows | SparseRows)[],
): void {
  const { start, count, rowStart, column, weight } = block;
  const most = requireRow(device, "matrix/row-ends", 1);
  for (let first = 0; first < count; ) {
    const from = rowStart[first] as number;
    let end = first;
    while (end < count && (rowStart[end + 1] as number) - from <= most && end - first < most - 1) end++;
    const to = rowStart[end] as number;
    pieces.push({
      shape: "sparse",
      rowStart: start + first,
      rows: end - first,
      columnStart: start,
      rowEnds: device.upload(
        "matrix/row-ends",
        rowStart.subarray(first, end + 1).map((entry) => entry - from),
      ),
      columns: device.upload("matrix/columns", column.subarray(from, to)),
      weights: device.upload("matrix/weights", times(weight.subarray(from, to), factor)),
    });
    first = end;
  }
}

function times(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => value * factor);
}
