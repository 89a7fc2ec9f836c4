/**
 * Ward's minimum variance method (Ward 1963, doi:10.1080/01621459.1963.10500845) by chains of nearest neighbours (Murtagh
 * 1985): the two groups whose union adds least to the sum of squares are joined, until so many are left. A second opinion
 * on co-impact, since it goes by shape and size of the damage where cosines go by shape alone.
 */

/**
 * Labels 0, 1, ... (by their first row) of the rows of `values`, rows x width, in `groups` groups; at most as many as there
 * are rows.
 *
 * @example
 * ward(Float64Array.of(0, 0.1, 5, 5.2), 4, 2); // 0, 0, 1, 1
 */
export function ward(values: Float64Array, rows: number, groups: number): Int32Array {
  const merges = mergesOf(values, rows).sort((a, b) => a.height - b.height || a.order - b.order);
  const parent = Int32Array.from({ length: rows }, (_, row) => row);
  const rootOf = (row: number): number => {
    let root = row;
    while (parent[root] !== root) root = parent[root] as number;
    return root;
  };
  for (const { one, other } of merges.slice(0, Math.max(0, rows - groups))) {
    parent[rootOf(other)] = rootOf(one);
  }
  const ids = new Map<number, number>();
  return Int32Array.from({ length: rows }, (_, row) => {
    const root = rootOf(row);
    const id = ids.get(root) ?? ids.size;
    ids.set(root, id);
    return id;
  });
}

/** A union of the groups that hold these rows; `height` is what it adds to the sum of squares, twice. */
interface Merge {
  readonly one: number;
  readonly other: number;
  readonly height: number;
  readonly order: number;
}

function mergesOf(values: Float64Array, rows: number): Merge[] {
  const width = values.length / rows;
  const distances = new Float64Array(rows * rows);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let i = 0; i < width; i++) {
        sum += ((values[a * width + i] as number) - (values[b * width + i] as number)) ** 2;
      }
      distances[a * rows + b] = sum;
      distances[b * rows + a] = sum;
    }
  }
  const size = new Float64Array(rows).fill(1);
  const isOpen = new Uint8Array(rows).fill(1);
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (merges.length < rows - 1) {
    if (chain.length === 0) chain.push(isOpen.indexOf(1));
    const tip = chain.at(-1) as number;
    const before = chain.at(-2);
    // Of equal distances the one before in the chain, or the chain would not end.
    let nearest = before ?? -1;
    let least = before === undefined ? Number.POSITIVE_INFINITY : (distances[tip * rows + before] as number);
    for (let row = 0; row < rows; row++) {
      if (row === tip || !isOpen[row]) continue;
      const distance = distances[tip * rows + row] as number;
      if (distance < least) {
        least = distance;
        nearest = row;
      }
    }
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    merges.push({ one: tip, other: nearest, height: least, order: merges.length });
    join(distances, size, isOpen, tip, nearest, rows);
  }
  return merges;
}

/** The group at `other` goes into that at `one`; distances by Lance & Williams 1967. */
function join(
  distances: Float64Array,
  size: Float64Array,
  isOpen: Uint8Array,
  one: number,
  other: number,
  rows: number,
): void {
  const [a, b] = [size[one] as number, size[other] as number];
  const between = distances[one * rows + other] as number;
  for (let row = 0; row < rows; row++) {
    if (!isOpen[row] || row === one || row === other) continue;
    const c = size[row] as number;
    const [toOne, toOther] = [distances[one * rows + row] as number, distances[other * rows + row] as number];
    const distance = ((a + c) * toOne + (b + c) * toOther - c * between) / (a + b + c);
    distances[one * rows + row] = distance;
    distances[row * rows + one] = distance;
  }
  size[one] = a + b;
  isOpen[other] = 0;
}
