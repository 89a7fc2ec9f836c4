/** The graph of every unit's strongest edges: each is kept where either end lists it. */
import type { SymmetricBlock, TopCorrelations } from "../compute/compute.ts";

/** Numbers of the units that vary, ascending. */
export function aliveUnits(isDead: Uint8Array): number[] {
  return Array.from(isDead.keys()).filter((unit) => !isDead[unit]);
}

/**
 * Lists joined into a block whose nodes are the units that vary, numbered from `start`. `dropped` counts the pairs of
 * nodes that are no edge.
 *
 * @example
 * const { block, dropped } = joinLists(await compute.topCorrelations(values, units, samples, "spearman", 32), 0);
 */
export function joinLists(
  { units, k, values, columns, isDead }: TopCorrelations,
  start: number,
): { readonly block: SymmetricBlock; readonly dropped: number } {
  const nodeOf = new Int32Array(units).fill(-1);
  let count = 0;
  for (let unit = 0; unit < units; unit++) if (!isDead[unit]) nodeOf[unit] = count++;

  // Every entry goes to both of its ends; where both list it, the second is dropped after sorting.
  const ends = new Int32Array(count + 1);
  const forEachEntry = (visit: (row: number, column: number, value: number) => void): void => {
    for (let unit = 0; unit < units; unit++) {
      for (let at = unit * k; at < (unit + 1) * k; at++) {
        const other = columns[at] as number;
        if (other < 0) break;
        const [row, column] = [nodeOf[unit] as number, nodeOf[other] as number];
        visit(row, column, values[at] as number);
        visit(column, row, values[at] as number);
      }
    }
  };
  forEachEntry((row) => {
    ends[row + 1] = (ends[row + 1] as number) + 1;
  });
  for (let row = 0; row < count; row++) ends[row + 1] = (ends[row + 1] as number) + (ends[row] as number);
  const entries = ends[count] as number;
  const filled = new Int32Array(entries);
  const filledValues = new Float32Array(entries);
  const cursor = ends.slice(0, count);
  forEachEntry((row, column, value) => {
    const at = cursor[row] as number;
    filled[at] = column;
    filledValues[at] = value;
    cursor[row] = at + 1;
  });

  const rowStart = new Int32Array(count + 1);
  const column = new Int32Array(entries);
  const weight = new Float32Array(entries);
  // What a row's columns weigh; both ends list an edge with one value.
  const weightOf = new Float32Array(count);
  let kept = 0;
  for (let row = 0; row < count; row++) {
    const [from, to] = [ends[row] as number, ends[row + 1] as number];
    for (let at = from; at < to; at++) weightOf[filled[at] as number] = filledValues[at] as number;
    const sorted = filled.subarray(from, to).sort();
    for (let at = 0; at < sorted.length; at++) {
      const other = sorted[at] as number;
      if (at > 0 && other === sorted[at - 1]) continue;
      column[kept] = other;
      weight[kept++] = weightOf[other] as number;
    }
    rowStart[row + 1] = kept;
  }
  return {
    block: {
      shape: "sparse",
      start,
      count,
      rowStart,
      column: column.slice(0, kept),
      weight: weight.slice(0, kept),
    },
    dropped: (count * (count - 1)) / 2 - kept / 2,
  };
}
