/**
 * Points as the distance kernels take them: rows brought near the origin, in float32, with their squared lengths. Then
 * |a - b|^2 = |a|^2 + |b|^2 - 2 a.b loses little to cancellation, but for pairs much closer to each other than to the
 * origin; see near-distances.ts. Angles come from chords: of unit vectors, |a - b| = 2 sin(angle / 2), which unlike the
 * arc cosine is exact for small angles too.
 */
import { BrodmannError } from "../errors.ts";
import type { StepCounter } from "../progress.ts";
import type { DistanceMetric } from "./compute.ts";

/** The points themselves: each is its row of `values` times its factor. */
export interface Points {
  readonly count: number;
  readonly width: number;
  /** count x width, row-major. */
  readonly values: Float32Array;
  /** 1, or for angles 1 / length; 0 for rows of zeros, which have no direction. */
  readonly factor: Float64Array;
}

/** Some rows in the place and scale of a product. */
export interface PlacedRows {
  readonly rows: number;
  /** rows x stride, the stride being that of whoever multiplies them. */
  readonly values: Float32Array;
  /** Squared length of each row. */
  readonly squares: Float64Array;
}

/** Throws `E_INPUT_SHAPE` and, for values that are not finite, `E_INPUT_VALUE`. */
export function makePoints(
  values: Float32Array,
  count: number,
  width: number,
  metric: DistanceMetric,
): Points {
  if (values.length !== count * width) {
    throw new BrodmannError(
      "E_INPUT_SHAPE",
      `points: found ${values.length} values, expected ${count} rows of ${width}`,
    );
  }
  for (let row = 0; row < count; row++) {
    // Float32 terms cannot overflow a sum in float64, so that it is finite where all of them are.
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += values[at] as number;
    if (Number.isFinite(sum)) continue;
    const column = values.subarray(row * width).findIndex((value) => !Number.isFinite(value));
    throw new BrodmannError(
      "E_INPUT_VALUE",
      `points: found ${values[row * width + column]} in row ${row}, column ${column}, expected finite numbers`,
      { hint: "Look for inputs that overflow the network, or leave them out." },
    );
  }
  const factor =
    metric === "euclidean" ? new Float64Array(count).fill(1) : inverseLengths(values, count, width);
  return { count, width, values, factor };
}

function inverseLengths(values: Float32Array, count: number, width: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let squares = 0;
    for (let at = row * width; at < (row + 1) * width; at++) squares += (values[at] as number) ** 2;
    return squares === 0 ? 0 : 1 / Math.sqrt(squares);
  });
}

/** The mean of all points. */
export function meanPoint({ count, width, values, factor }: Points): Float64Array {
  const mean = new Float64Array(width);
  for (let row = 0, at = 0; row < count; row++) {
    const scale = (factor[row] as number) / count;
    for (let column = 0; column < width; column++, at++) {
      mean[column] = (mean[column] as number) + scale * (values[at] as number);
    }
  }
  return mean;
}

/** One point. */
export function pointAt({ width, values, factor }: Points, row: number): Float64Array {
  const scale = factor[row] as number;
  return Float64Array.from(values.subarray(row * width, (row + 1) * width), (value) => scale * value);
}

/**
 * Writes the points `rows` relative to `origin` to `target`, rows x stride with zeros from `width` on, and the squared
 * lengths of what was written to `squares`. All are divided by the power of two that is returned, so that no square
 * leaves the range of float32.
 */
export function placeRows(
  points: Points,
  rows: ArrayLike<number>,
  origin: Float64Array,
  target: Float32Array,
  stride: number,
  squares: Float64Array,
): number {
  const { width, values, factor } = points;
  let largest = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const scale = factor[row] as number;
    const from = row * width;
    for (let column = 0; column < width; column++) {
      const value = Math.abs((values[from + column] as number) * scale - (origin[column] as number));
      if (value > largest) largest = value;
    }
  }
  const unit = largest > 0 ? 2 ** Math.ceil(Math.log2(largest)) : 1;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const scale = factor[row] as number;
    const from = row * width;
    const to = i * stride;
    let sum = 0;
    for (let column = 0; column < width; column++) {
      const value = Math.fround(
        ((values[from + column] as number) * scale - (origin[column] as number)) / unit,
      );
      target[to + column] = value;
      sum += value * value;
    }
    target.fill(0, to + width, to + stride);
    squares[i] = sum;
  }
  return unit;
}

/** Distance of two points by direct differences, in float64: the same whatever the order of the points. */
export function pointDistance({ width, values, factor }: Points, a: number, b: number): number {
  const aFactor = factor[a] as number;
  const bFactor = factor[b] as number;
  const aStart = a * width;
  const bStart = b * width;
  let sum = 0;
  for (let column = 0; column < width; column++) {
    const difference =
      (values[aStart + column] as number) * aFactor - (values[bStart + column] as number) * bFactor;
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** The angle of a chord of the unit circle; a right one where only one of both ends has a direction. */
export function angleOfChord(chord: number, aFactor: number, bFactor: number): number {
  if ((aFactor === 0) !== (bFactor === 0)) return Math.PI / 2;
  return 2 * Math.asin(Math.min(1, chord / 2));
}

/** Side of the squares that are mirrored at once, so that both images stay in the fast caches. */
const SQUARE = 64;

/** Turns the chords of a symmetric matrix of all points into angles, in place. */
export async function chordsToAngles(
  chords: Float32Array,
  { count, factor }: Points,
  counter: StepCounter,
): Promise<void> {
  for (let top = 0; top < count; top += SQUARE) {
    for (let left = 0; left <= top; left += SQUARE) {
      for (let row = top; row < Math.min(count, top + SQUARE); row++) {
        for (let column = left; column < Math.min(row, left + SQUARE); column++) {
          const chord = chords[row * count + column] as number;
          const angle = angleOfChord(chord, factor[row] as number, factor[column] as number);
          chords[row * count + column] = angle;
          chords[column * count + row] = angle;
        }
      }
    }
    await counter.pace(0);
  }
}

/** Distances of single pairs of rows in float64. */
export interface PairDistances {
  of(a: number, b: number): number;
  /**
   * How far apart equal distances can lie because the values were rounded to float32, each by up to 2^-24 of itself: twice
   * that share of the longest row.
   */
  readonly rounding: number;
}

/** Distances of the rows of `values`, without any rounding but that of the values themselves. */
export function pairDistances(values: Float32Array, width: number, metric: DistanceMetric): PairDistances {
  const points = makePoints(values, width === 0 ? 0 : values.length / width, width, metric);
  const { factor } = points;
  if (metric === "arccos") {
    return {
      of: (a, b) => angleOfChord(pointDistance(points, a, b), factor[a] as number, factor[b] as number),
      rounding: 2 ** -23,
    };
  }
  const shortest = inverseLengths(values, points.count, width).reduce(
    (least, inverse) => (inverse > 0 && inverse < least ? inverse : least),
    Number.POSITIVE_INFINITY,
  );
  return { of: (a, b) => pointDistance(points, a, b), rounding: 2 ** -23 / shortest };
}
