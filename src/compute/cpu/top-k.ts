/**
 * Lists of the k largest values with their columns, one per row; of equal values the smaller column comes first. While
 * it fills, a list is a binary heap with its worst entry at the root (Williams 1964, doi:10.1145/512274.512284).
 */

/** Running lists; made by `makeTopLists`, complete after `finishLists`. */
export interface TopLists {
  readonly k: number;
  /** rows x k. */
  readonly values: Float32Array;
  /** rows x k; -1 where a list has no entry. */
  readonly columns: Int32Array;
  /** What a value must exceed to enter a row's list: 0 until it is full, then its worst value. */
  readonly threshold: Float32Array;
  /** Entries of each list so far. */
  readonly length: Int32Array;
}

export function makeTopLists(rows: number, k: number): TopLists {
  return {
    k,
    values: new Float32Array(rows * k),
    columns: new Int32Array(rows * k).fill(-1),
    // A list without room takes nothing.
    threshold: new Float32Array(rows).fill(k === 0 ? Number.POSITIVE_INFINITY : 0),
    length: new Int32Array(rows),
  };
}

/**
 * Puts a value that exceeds the row's threshold into its list. Columns must ascend from call to call of one row: a later
 * value equal to the worst kept one then never replaces it.
 */
export function offer(lists: TopLists, row: number, value: number, column: number): void {
  const { k, values, columns, length } = lists;
  const start = row * k;
  const count = length[row] as number;
  if (count < k) {
    length[row] = count + 1;
    siftUp(values, columns, start, count, value, column);
    if (count + 1 < k) return;
  } else siftDown(values, columns, start, k, value, column);
  lists.threshold[row] = values[start] as number;
}

/** Sorts every list, best entry first. */
export function finishLists({ k, values, columns, length }: TopLists): void {
  for (let row = 0; row < length.length; row++) {
    const start = row * k;
    // The root, the worst of those left, changes places with the last of them.
    for (let last = (length[row] as number) - 1; last > 0; last--) {
      const value = values[start + last] as number;
      const column = columns[start + last] as number;
      values[start + last] = values[start] as number;
      columns[start + last] = columns[start] as number;
      siftDown(values, columns, start, last, value, column);
    }
  }
}

/** Whether entry a comes behind entry b. */
function isWorse(valueA: number, columnA: number, valueB: number, columnB: number): boolean {
  return valueA < valueB || (valueA === valueB && columnA > columnB);
}

/** Places an entry at the end, `at`, of a heap and moves it up to where it belongs. */
function siftUp(
  values: Float32Array,
  columns: Int32Array,
  start: number,
  end: number,
  value: number,
  column: number,
): void {
  let at = end;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const parentValue = values[start + parent] as number;
    const parentColumn = columns[start + parent] as number;
    if (!isWorse(value, column, parentValue, parentColumn)) break;
    values[start + at] = parentValue;
    columns[start + at] = parentColumn;
    at = parent;
  }
  values[start + at] = value;
  columns[start + at] = column;
}

/** Replaces the root of a heap of `count` entries and moves the new one down to where it belongs. */
function siftDown(
  values: Float32Array,
  columns: Int32Array,
  start: number,
  count: number,
  value: number,
  column: number,
): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) break;
    const right = start + child + 1;
    if (
      child + 1 < count &&
      isWorse(
        values[right] as number,
        columns[right] as number,
        values[right - 1] as number,
        columns[right - 1] as number,
      )
    ) {
      child++;
    }
    const childValue = values[start + child] as number;
    const childColumn = columns[start + child] as number;
    if (!isWorse(childValue, childColumn, value, column)) break;
    values[start + at] = childValue;
    columns[start + at] = childColumn;
    at = child;
  }
  values[start + at] = value;
  columns[start + at] = column;
}
