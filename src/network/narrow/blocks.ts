/** Blocks of numbers, row-major, and their slices along one axis. */

/** A block of numbers; a value of the network for one input has its batch axis at size 1. */
export interface Block {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The sizes in front of an axis, along it and behind it. */
export function spansOf(
  dims: readonly number[],
  axis: number,
): { readonly outer: number; readonly size: number; readonly inner: number } {
  return {
    outer: sizeOf(dims.slice(0, axis)),
    size: dims[axis] as number,
    inner: sizeOf(dims.slice(axis + 1)),
  };
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((total, size) => total * size, 1);

/** The slices at some positions of an axis, in that order. */
export function takeSlices({ dims, values }: Block, axis: number, positions: ArrayLike<number>): Block {
  const { outer, size, inner } = spansOf(dims, axis);
  const taken = new Float32Array(outer * positions.length * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < positions.length; i++) {
      const from = (o * size + (positions[i] as number)) * inner;
      taken.set(values.subarray(from, from + inner), (o * positions.length + i) * inner);
    }
  }
  return { dims: dims.map((extent, other) => (other === axis ? positions.length : extent)), values: taken };
}

/** The block with zeros in the slices at some positions. */
export function clearSlices({ dims, values }: Block, axis: number, positions: ArrayLike<number>): Block {
  const { outer, size, inner } = spansOf(dims, axis);
  const cleared = values.slice();
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < positions.length; i++) {
      const from = (o * size + (positions[i] as number)) * inner;
      cleared.fill(0, from, from + inner);
    }
  }
  return { dims, values: cleared };
}

/** The block with the slices at some positions taken from another one of the same dims. */
export function replaceSlices(block: Block, other: Block, axis: number, positions: ArrayLike<number>): Block {
  const { outer, size, inner } = spansOf(block.dims, axis);
  const values = block.values.slice();
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < positions.length; i++) {
      const from = (o * size + (positions[i] as number)) * inner;
      values.set(other.values.subarray(from, from + inner), from);
    }
  }
  return { dims: block.dims, values };
}

/** Differences below this share of the largest number are what kernels round differently from place to place. */
const ROUNDING = 1e-6;

/** The block with every axis but one at size 1 where its numbers do not change along it. */
export function foldAxes(block: Block, keptAxis: number): Block {
  let most = 0;
  for (const value of block.values) most = Math.max(most, Math.abs(value));
  return block.dims.reduce<Block>((folded, size, axis) => {
    if (axis === keptAxis || size === 1) return folded;
    const first = takeSlices(folded, axis, [0]);
    const { outer, inner } = spansOf(folded.dims, axis);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < inner; j++) {
          const value = folded.values[(o * size + i) * inner + j] as number;
          const difference = Math.abs(value - (first.values[o * inner + j] as number));
          if (!(difference <= ROUNDING * most)) return folded;
        }
      }
    }
    return first;
  }, block);
}

/** Positions 0 ... size - 1 that are not in a list. */
export function othersAmong(positions: ArrayLike<number>, size: number): Int32Array {
  const isIn = new Uint8Array(size);
  for (let i = 0; i < positions.length; i++) isIn[positions[i] as number] = 1;
  return Int32Array.from({ length: size }, (_, position) => position).filter((position) => !isIn[position]);
}

/** Positions of any of several ascending lists, ascending. */
export function unite(lists: readonly Int32Array[]): Int32Array {
  return Int32Array.from(new Set(lists.flatMap((list) => Array.from(list)))).sort();
}

/** Place of every entry of `some` in `all`. */
export function placesIn(all: ArrayLike<number>, some: ArrayLike<number>): number[] {
  const places = new Map(Array.from(all, (position, place) => [position, place]));
  return Array.from(some, (position) => places.get(position) ?? -1);
}
