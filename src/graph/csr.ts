import type { SymmetricBlock, SymmetricMatrix } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";

/** A symmetric matrix in compressed sparse rows: both triangles, columns ascending in every row, no zeros. */
export interface Csr {
  /** rows + 1 offsets into `column` and `weight`. */
  readonly rowStart: Int32Array;
  readonly column: Int32Array;
  readonly weight: Float32Array;
}

/** Columns of a block that are turned into rows at a time: two cache lines of every row read, few rows written. */
const TILE = 32;

/**
 * The blocks of a matrix as one CSR. Two passes, one that counts and one that fills, over typed arrays alone, so
 * that 100 million entries need no more than the result. Throws `E_GRAPH_SIZE` above 2^31 - 1 entries.
 */
export function toCsr(matrix: SymmetricMatrix): Csr {
  const counts = new Uint32Array(matrix.size);
  for (const block of matrix.blocks) countEntries(block, counts);
  const rowStart = startsOf(counts);
  const entries = rowStart[matrix.size] as number;
  const column = new Int32Array(entries);
  const weight = new Float32Array(entries);
  const cursor = rowStart.slice(0, matrix.size);
  // Blocks fill rows from left to right: their column ranges within one row are disjoint.
  const fills = matrix.blocks.flatMap((block) => fillsOf(block, cursor, column, weight));
  fills.sort((a, b) => a.columnStart - b.columnStart);
  for (const { run } of fills) run();
  assertAscending(rowStart, column);
  return { rowStart, column, weight };
}

/** Offsets of rows with the given numbers of entries. Throws `E_GRAPH_SIZE` where they exceed int32. */
export function startsOf(counts: Uint32Array): Int32Array {
  const rowStart = new Int32Array(counts.length + 1);
  let entries = 0;
  for (let row = 0; row < counts.length; row++) {
    entries += counts[row] as number;
    rowStart[row + 1] = entries;
  }
  if (entries > 0x7fffffff) {
    throw new BrodmannError("E_GRAPH_SIZE", `graph: found ${entries} entries, expected at most 2147483647`, {
      hint: "Keep the strongest edges of each unit only: --top-k 32 (option topK) of an activation graph.",
    });
  }
  return rowStart;
}

function countEntries(block: SymmetricBlock, counts: Uint32Array): void {
  const count = (row: number): void => {
    counts[row] = (counts[row] as number) + 1;
  };
  if (block.shape === "sparse") {
    for (let row = 0; row < block.count; row++) {
      for (let at = block.rowStart[row] as number; at < (block.rowStart[row + 1] as number); at++) {
        if (block.weight[at] !== 0) count(block.start + row);
      }
    }
    return;
  }
  const isWithin = block.shape === "within";
  const [firstRow, rows] = isWithin ? [block.start, block.count] : [block.rowStart, block.rowCount];
  const [firstColumn, columns] = isWithin
    ? [block.start, block.count]
    : [block.columnStart, block.columnCount];
  const { values } = block;
  for (let row = 0; row < rows; row++) {
    let found = 0;
    const from = row * columns;
    for (let column = 0; column < columns; column++) {
      if (values[from + column] === 0 || (isWithin && row === column)) continue;
      found++;
      const other = firstColumn + column;
      if (!isWithin) counts[other] = (counts[other] as number) + 1;
    }
    counts[firstRow + row] = (counts[firstRow + row] as number) + found;
  }
}

interface Fill {
  readonly columnStart: number;
  readonly run: () => void;
}

function fillsOf(
  block: SymmetricBlock,
  cursor: Int32Array,
  column: Int32Array,
  weight: Float32Array,
): Fill[] {
  const put = (row: number, to: number, value: number): void => {
    const at = cursor[row] as number;
    column[at] = to;
    weight[at] = value;
    cursor[row] = at + 1;
  };
  if (block.shape === "sparse") {
    const { start } = block;
    const run = (): void => {
      for (let row = 0; row < block.count; row++) {
        for (let at = block.rowStart[row] as number; at < (block.rowStart[row + 1] as number); at++) {
          const value = block.weight[at] as number;
          if (value !== 0) put(start + row, start + (block.column[at] as number), value);
        }
      }
    };
    return [{ columnStart: start, run }];
  }
  const { values } = block;
  if (block.shape === "within") {
    const { start, count } = block;
    const run = (): void => {
      for (let row = 0, at = 0; row < count; row++) {
        for (let to = 0; to < count; to++, at++) {
          const value = values[at] as number;
          if (value !== 0 && row !== to) put(start + row, start + to, value);
        }
      }
    };
    return [{ columnStart: start, run }];
  }
  const { rowStart, rowCount, columnStart, columnCount } = block;
  const runRows = (): void => {
    for (let row = 0; row < rowCount; row++) {
      const from = row * columnCount;
      let at = cursor[rowStart + row] as number;
      for (let to = 0; to < columnCount; to++) {
        const value = values[from + to] as number;
        if (value === 0) continue;
        column[at] = columnStart + to;
        weight[at] = value;
        at++;
      }
      cursor[rowStart + row] = at;
    }
  };
  const runColumns = (): void => {
    for (let first = 0; first < columnCount; first += TILE) {
      const last = Math.min(first + TILE, columnCount);
      for (let row = 0; row < rowCount; row++) {
        for (let from = first; from < last; from++) {
          const value = values[row * columnCount + from] as number;
          if (value !== 0) put(columnStart + from, rowStart + row, value);
        }
      }
    }
  };
  return [
    { columnStart, run: runRows },
    { columnStart: rowStart, run: runColumns },
  ];
}

function assertAscending(rowStart: Int32Array, column: Int32Array): void {
  for (let row = 0; row + 1 < rowStart.length; row++) {
    for (let at = (rowStart[row] as number) + 1; at < (rowStart[row + 1] as number); at++) {
      if ((column[at - 1] as number) < (column[at] as number)) continue;
      throw new BrodmannError("E_INTERNAL_BLOCKS", `graph: blocks overlap or are out of order in row ${row}`);
    }
  }
}
