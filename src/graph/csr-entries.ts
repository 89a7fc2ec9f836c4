/** Entries from a file, in any order, as the CSR of a unit graph; and the checks that they are one. */
import { BrodmannError } from "../errors.ts";
import { type Csr, startsOf } from "./csr.ts";

type Numbers = ArrayLike<number>;

/** Relative difference up to which a_ij and a_ji count as equal. */
const TOLERANCE = 1e-6;

/**
 * Entries (row, column, weight) of a symmetric matrix of the given size as CSR: sorted, entries of one place summed,
 * zeros left out. `where` names the file in errors.
 *
 * Throws `E_GRAPH_FORMAT` for indices outside the matrix, `E_GRAPH_VALUE` for weights that are not finite in float32,
 * `E_GRAPH_NEGATIVE`, `E_GRAPH_SELF_LOOP` and `E_GRAPH_ASYMMETRIC` for what a unit graph cannot hold.
 */
export function entriesToCsr(
  size: number,
  rows: Numbers,
  columns: Numbers,
  weights: Numbers,
  where: string,
): Csr {
  const entries = weights.length;
  const counts = new Uint32Array(size);
  for (let at = 0; at < entries; at++) {
    const row = rows[at] as number;
    if (!(row >= 0 && row < size)) failIndex(row, size, where);
    counts[row] = (counts[row] as number) + 1;
  }
  const rowStart = startsOf(counts);
  const cursor = rowStart.slice(0, size);
  const column = new Int32Array(entries);
  const weight = new Float64Array(entries);
  for (let at = 0; at < entries; at++) {
    const row = rows[at] as number;
    const target = cursor[row] as number;
    column[target] = columns[at] as number;
    weight[target] = weights[at] as number;
    cursor[row] = target + 1;
  }
  return rowsToCsr(size, rowStart, column, weight, where);
}

/**
 * The same for entries that are in compressed rows already, as `scipy.sparse` has them: columns may be unsorted and
 * repeated. Arrays of the types of a CSR are reused for the result, since a big graph fills memory once already.
 */
export function rowsToCsr(
  size: number,
  offsets: Numbers,
  columns: Numbers,
  weights: Numbers,
  where: string,
): Csr {
  const entries = weights.length;
  if (
    offsets.length !== size + 1 ||
    offsets[0] !== 0 ||
    offsets[size] !== entries ||
    columns.length !== entries
  ) {
    throw new BrodmannError(
      "E_GRAPH_FORMAT",
      `${where}: found ${offsets.length} row offsets up to ${offsets[size]}, ${columns.length} columns and ${entries} weights, expected ${size + 1} offsets up to the number of weights`,
      { hint: "Write the matrix again with scipy.sparse.save_npz." },
    );
  }
  for (let row = 0; row < size; row++) {
    const first = offsets[row] as number;
    const last = offsets[row + 1] as number;
    if (!(first <= last && last <= entries)) failIndex(last, entries + 1, where);
  }
  const rowStart = new Int32Array(size + 1);
  // In place nothing is overwritten before it is read, except by rows that are not sorted.
  const isReusable = columns instanceof Int32Array && weights instanceof Float32Array;
  const isInPlace = isReusable && areRowsSorted(offsets, columns);
  const column = isInPlace ? columns : new Int32Array(entries);
  const weight = isInPlace ? weights : new Float32Array(entries);
  let end = 0;
  for (let row = 0; row < size; row++) {
    const first = offsets[row] as number;
    const last = offsets[row + 1] as number;
    const order = sortedOrder(columns, first, last);
    for (let at = first; at < last; ) {
      const source = order ? (order[at - first] as number) : at;
      const to = columns[source] as number;
      if (!(to >= 0 && to < size)) failIndex(to, size, where);
      let sum = weights[source] as number;
      for (at++; at < last; at++) {
        const next = order ? (order[at - first] as number) : at;
        if (columns[next] !== to) break;
        sum += weights[next] as number;
      }
      const value = Math.fround(sum);
      if (value === 0) continue;
      assertWeight(row, to, sum, value, where);
      column[end] = to;
      weight[end] = value;
      end++;
    }
    rowStart[row + 1] = end;
  }
  const csr = { rowStart, column: column.subarray(0, end), weight: weight.subarray(0, end) };
  makeSymmetric(csr, where);
  return csr;
}

function areRowsSorted(offsets: Numbers, columns: Numbers): boolean {
  for (let row = 0; row + 1 < offsets.length; row++) {
    if (!isSorted(columns, offsets[row] as number, offsets[row + 1] as number)) return false;
  }
  return true;
}

function isSorted(columns: Numbers, first: number, last: number): boolean {
  for (let at = first + 1; at < last; at++) {
    if ((columns[at - 1] as number) > (columns[at] as number)) return false;
  }
  return true;
}

/** Positions of a row's entries by ascending column; null where they are in order already. */
function sortedOrder(columns: Numbers, first: number, last: number): Uint32Array | null {
  if (isSorted(columns, first, last)) return null;
  const order = Uint32Array.from({ length: last - first }, (_, at) => first + at);
  return order.sort((a, b) => (columns[a] as number) - (columns[b] as number) || a - b);
}

function assertWeight(row: number, column: number, sum: number, value: number, where: string): void {
  if (row === column) {
    throw new BrodmannError(
      "E_GRAPH_SELF_LOOP",
      `${where}: found weight ${sum} from node ${row} to itself, expected none`,
      {
        hint: "Clear the diagonal: A = A.tolil(); A.setdiag(0); A = A.tocsr().",
      },
    );
  }
  if (sum < 0) {
    throw new BrodmannError(
      "E_GRAPH_NEGATIVE",
      `${where}: found weight ${sum} between nodes ${row} and ${column}, expected weights from 0`,
      { hint: "Decide what a negative weight means: square it, take abs(A), or keep the positive ones." },
    );
  }
  if (!Number.isFinite(value)) {
    throw new BrodmannError(
      "E_GRAPH_VALUE",
      `${where}: found weight ${sum} between nodes ${row} and ${column}, expected finite float32 numbers`,
      { hint: "Remove such edges or rescale the weights." },
    );
  }
}

/**
 * Checks that a_ij = a_ji up to rounding, and makes them equal. Rows are visited in ascending order and columns
 * ascend within a row, so the partner of (i, j) is the first entry of row j that no earlier row has claimed:
 * one pass, no search.
 */
function makeSymmetric({ rowStart, column, weight }: Csr, where: string): void {
  const cursor = rowStart.slice(0, rowStart.length - 1);
  for (let row = 0; row < cursor.length; row++) {
    for (let at = rowStart[row] as number; at < (rowStart[row + 1] as number); at++) {
      const to = column[at] as number;
      const partner = cursor[to] as number;
      const isThere = partner < (rowStart[to + 1] as number) && column[partner] === row;
      const a = weight[at] as number;
      const b = isThere ? (weight[partner] as number) : 0;
      if (!isThere || Math.abs(a - b) > TOLERANCE * Math.max(a, b)) failAsymmetric(row, to, a, where);
      cursor[to] = partner + 1;
      if (row < to) weight[partner] = a;
    }
  }
}

function failAsymmetric(row: number, column: number, weight: number, where: string): never {
  throw new BrodmannError(
    "E_GRAPH_ASYMMETRIC",
    `${where}: found weight ${weight} from node ${row} to ${column} without its like in the other direction, expected a symmetric matrix`,
    { hint: "Make it symmetric: A = (A + A.T) / 2." },
  );
}

function failIndex(found: number, limit: number, where: string): never {
  throw new BrodmannError("E_GRAPH_FORMAT", `${where}: found index ${found}, expected 0 to ${limit - 1}`, {
    hint: "Write the matrix again with scipy.sparse.save_npz.",
  });
}
