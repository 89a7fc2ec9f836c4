/**
 * Distances of pairs that lie so close together, as seen from the origin of a product, that rounding of their squared
 * lengths shows: the product marks them by a negative sign, and they are multiplied again from an origin among them. That
 * takes N^2 products at the most for each factor of 2^-10 in squared distance, and nothing where no pair is close; direct
 * differences of all pairs of a tight group would take minutes where products take a second.
 */
import type { StepCounter } from "../progress.ts";
import { type PlacedRows, type Points, placeRows, pointAt, pointDistance } from "./distance-rows.ts";

/**
 * Pairs are close where |a - b|^2 is below this share of |a|^2 + |b|^2. Products in float32 are wrong by 2 to 5e-7 of that
 * sum, hence distances by 2.5e-4 of themselves at most.
 */
export const NEAR: number = 2 ** -10;
/** A close pair's squared distance as long as it is not known better: this share at least. */
export const NEAR_FLOOR: number = 2 ** -24;
/** Direct differences of a pair take about as long as placing this many rows. */
const DIRECT_ROWS = 2;

/** A device's product. */
export interface DistanceProduct {
  /** Values from one row to the next. */
  readonly stride: number;
  /** Rows of the two factors at the most. */
  readonly leftRows: number;
  readonly rightRows: number;
  /** Distances, left.rows x right.rows, times `unit`; negative for pairs that are close. */
  multiply(left: PlacedRows, right: PlacedRows, unit: number): Promise<Float32Array>;
}

/** The distance of a squared distance and the sum of both squared lengths: negative where the pair is close. */
export function markedDistance(squared: number, squares: number): number {
  return squared < NEAR * squares ? -Math.sqrt(Math.max(squared, NEAR_FLOOR * squares)) : Math.sqrt(squared);
}

/**
 * Replaces the negative entries of `distances` (count x count, symmetric) by the distances that they stand for. `space` is
 * scratch space of count x stride.
 */
export async function resolveNear(
  distances: Float32Array,
  points: Points,
  space: Float32Array,
  product: DistanceProduct,
  counter: StepCounter,
): Promise<void> {
  const { count } = points;
  const isGrouped = new Uint8Array(count);
  const isNear = new Uint8Array(count);
  for (;;) {
    isGrouped.fill(0);
    let found = 0;
    for (let leader = 0; leader < count; leader++) {
      if (isGrouped[leader] === 1) continue;
      isNear.fill(0);
      if (markNear(distances, count, leader, isNear) === 0) continue;
      found++;
      isNear[leader] = 1;
      const group: number[] = [];
      for (let other = 0; other < count; other++) {
        if (isNear[other] === 1 && isGrouped[other] === 0) group.push(other);
      }
      // Every close pair of a member is looked at, also with points of earlier groups.
      let pairs = 0;
      for (const member of group) {
        isGrouped[member] = 1;
        pairs += markNear(distances, count, member, isNear);
      }
      const others: number[] = [];
      for (let other = 0; other < count; other++) if (isNear[other] === 1) others.push(other);
      if (pairs <= DIRECT_ROWS * others.length) subtract(distances, points, group);
      else await multiplyGroup(distances, points, leader, group, others, space, product);
      await counter.pace(0);
    }
    if (found === 0) return;
  }
}

/** Marks and counts the points that one point is close to. */
function markNear(distances: Float32Array, count: number, point: number, isNear: Uint8Array): number {
  const row = distances.subarray(point * count, (point + 1) * count);
  let near = 0;
  for (let other = 0; other < count; other++) {
    if (!((row[other] as number) < 0)) continue;
    isNear[other] = 1;
    near++;
  }
  return near;
}

function subtract(distances: Float32Array, points: Points, group: readonly number[]): void {
  const { count } = points;
  for (const member of group) {
    for (let other = 0; other < count; other++) {
      if (!((distances[member * count + other] as number) < 0)) continue;
      const distance = pointDistance(points, member, other);
      distances[member * count + other] = distance;
      distances[other * count + member] = distance;
    }
  }
}

/** The close pairs of a group with `others` (which hold the group), from the leader as origin. */
async function multiplyGroup(
  distances: Float32Array,
  points: Points,
  leader: number,
  group: readonly number[],
  others: readonly number[],
  space: Float32Array,
  { stride, leftRows, rightRows, multiply }: DistanceProduct,
): Promise<void> {
  const { count } = points;
  const squares = new Float64Array(others.length);
  const unit = placeRows(points, others, pointAt(points, leader), space, stride, squares);
  const placeOf = new Map(others.map((other, place) => [other, place]));
  for (let first = 0; first < group.length; first += rightRows) {
    const members = group.slice(first, first + rightRows);
    const places = members.map((member) => placeOf.get(member) as number);
    const values = new Float32Array(members.length * stride);
    for (const [i, place] of places.entries()) {
      values.set(space.subarray(place * stride, (place + 1) * stride), i * stride);
    }
    const right = {
      rows: members.length,
      values,
      squares: Float64Array.from(places, (place) => squares[place] as number),
    };
    for (let from = 0; from < others.length; from += leftRows) {
      const rows = Math.min(leftRows, others.length - from);
      const left = {
        rows,
        values: space.subarray(from * stride, (from + rows) * stride),
        squares: squares.subarray(from, from + rows),
      };
      const found = await multiply(left, right, unit);
      for (let i = 0, at = 0; i < rows; i++) {
        const other = others[from + i] as number;
        for (let j = 0; j < members.length; j++, at++) {
          const member = members[j] as number;
          if (!((distances[other * count + member] as number) < 0)) continue;
          distances[other * count + member] = found[at] as number;
          distances[member * count + other] = found[at] as number;
        }
      }
    }
  }
}
