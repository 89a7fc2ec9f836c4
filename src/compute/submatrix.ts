import type { SymmetricBlock, SymmetricMatrix } from "./compute.ts";

/**
 * The nodes start ... start + count - 1 of a matrix with numbers from 0, sharing the blocks' memory. Blocks must lie
 * inside or outside of the range.
 */
export function sliceMatrix(matrix: SymmetricMatrix, start: number, count: number): SymmetricMatrix {
  if (start === 0 && count === matrix.size) return matrix;
  const blocks: SymmetricBlock[] = [];
  for (const block of matrix.blocks) {
    const first = block.shape === "between" ? Math.min(block.rowStart, block.columnStart) : block.start;
    if (first < start || first >= start + count) continue;
    blocks.push(
      block.shape === "between"
        ? { ...block, rowStart: block.rowStart - start, columnStart: block.columnStart - start }
        : { ...block, start: block.start - start },
    );
  }
  return { size: count, blocks };
}

/** The rows and columns of `nodes` (ascending), copied; the same matrix where `nodes` are all of them. */
export function selectNodes(matrix: SymmetricMatrix, nodes: Int32Array): SymmetricMatrix {
  if (nodes.length === matrix.size) return matrix;
  const blocks: SymmetricBlock[] = [];
  for (const block of matrix.blocks) {
    if (block.shape === "between") {
      const rows = rangeOf(nodes, block.rowStart, block.rowCount);
      const columns = rangeOf(nodes, block.columnStart, block.columnCount);
      blocks.push({
        shape: "between",
        rowStart: rows.first,
        rowCount: rows.local.length,
        columnStart: columns.first,
        columnCount: columns.local.length,
        values: gather(block.values, block.columnCount, rows.local, columns.local),
      });
    } else if (block.shape === "within") {
      const { first, local } = rangeOf(nodes, block.start, block.count);
      const values = gather(block.values, block.count, local, local);
      blocks.push({ shape: "within", start: first, count: local.length, values });
    } else blocks.push(selectSparse(block, nodes));
  }
  return { size: nodes.length, blocks };
}

/** The selected nodes in start ... start + count - 1, counted from `start`, and the position of the first of them. */
function rangeOf(nodes: Int32Array, start: number, count: number): { first: number; local: Int32Array } {
  const first = lowerBound(nodes, start);
  const end = lowerBound(nodes, start + count);
  return { first, local: nodes.subarray(first, end).map((node) => node - start) };
}

function lowerBound(ascending: Int32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function gather(values: Float32Array, stride: number, rows: Int32Array, columns: Int32Array): Float32Array {
  const selected = new Float32Array(rows.length * columns.length);
  let at = 0;
  for (const row of rows) {
    const base = row * stride;
    for (let i = 0; i < columns.length; i++) selected[at++] = values[base + (columns[i] as number)] as number;
  }
  return selected;
}

function selectSparse(
  block: Extract<SymmetricBlock, { shape: "sparse" }>,
  nodes: Int32Array,
): SymmetricBlock {
  const { first, local } = rangeOf(nodes, block.start, block.count);
  const position = new Int32Array(block.count).fill(-1);
  for (let i = 0; i < local.length; i++) position[local[i] as number] = i;
  const rowStart = new Int32Array(local.length + 1);
  const column = new Int32Array(block.column.length);
  const weight = new Float32Array(block.weight.length);
  let filled = 0;
  for (let row = 0; row < local.length; row++) {
    const source = local[row] as number;
    const end = block.rowStart[source + 1] as number;
    for (let at = block.rowStart[source] as number; at < end; at++) {
      const to = position[block.column[at] as number] as number;
      if (to === -1) continue;
      column[filled] = to;
      weight[filled++] = block.weight[at] as number;
    }
    rowStart[row + 1] = filled;
  }
  return {
    shape: "sparse",
    start: first,
    count: local.length,
    rowStart,
    column: column.subarray(0, filled),
    weight: weight.subarray(0, filled),
  };
}
