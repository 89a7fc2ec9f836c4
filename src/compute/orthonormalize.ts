/**
 * Orthonormal bases of panels by inner products only: block classical Gram-Schmidt, repeated, with the singular value
 * normalisation of Stathopoulos & Wu 2002 (doi:10.1137/S1064827500370883) inside the block.
 */
import type { Rng } from "../statistics/rng.ts";
import type { PanelStore } from "./panels.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** W = inBasis * V + factor * Q: the given vectors (rows of W) in the basis V they were freed of and the new Q. */
export interface BlockFactors {
  /** count x basisCount. */
  readonly inBasis: Float64Array;
  /** count x count. */
  readonly factor: Float64Array;
}

/** Rounds of projection and normalisation; two are usual, more when the block is close to singular. */
const MAX_ROUNDS = 6;
/** Eigenvalues of a Gram matrix below this share of the largest are lost in float32 rounding. */
const GRAM_FLOOR = 1e-6;
/** A block this close to orthonormal is made so, to rounding, by the round that measured it. */
const NEAR = 0.05;

/**
 * Replaces the `count` vectors at `start` by an orthonormal set that is orthogonal to the vectors 0 ... basisCount - 1
 * and, with those, spans what the given ones span. Vectors that have nothing new are replaced by random ones.
 */
export async function orthonormalize(
  store: PanelStore,
  basisCount: number,
  start: number,
  count: number,
  rng: Rng,
): Promise<BlockFactors> {
  const inBasis = new Float64Array(count * basisCount);
  let factor = identity(count);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let isNear = true;
    if (basisCount > 0) {
      const overlap = await store.gram(start, count, 0, basisCount);
      await store.combine(
        overlap.map((value) => -value),
        0,
        basisCount,
        start,
        count,
        true,
      );
      accumulate(inBasis, factor, overlap, count, basisCount);
      isNear = overlap.every((value) => Math.abs(value) < NEAR);
    }
    const gram = await store.gram(start, count, start, count);
    if (await replaceZeroVectors(store, gram, start, count, factor, rng)) continue;
    const { transform, inverse, isNear: isGramNear } = whiten(gram, count);
    await store.combine(transform, start, count, start, count, false);
    factor = product(factor, inverse, count);
    if (isNear && isGramNear) break;
  }
  return { inBasis, factor };
}

/**
 * The transform that makes vectors of this Gram matrix orthonormal, and its inverse. The Gram matrix is scaled to a
 * unit diagonal first; small eigenvalues are raised to the floor, so that a later round sees those directions anew.
 */
function whiten(
  gram: Float64Array,
  count: number,
): { transform: Float64Array; inverse: Float64Array; isNear: boolean } {
  const norm = Float64Array.from({ length: count }, (_, i) => Math.sqrt(gram[i * count + i] as number));
  const scaled = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const mean = ((gram[i * count + j] as number) + (gram[j * count + i] as number)) / 2;
      scaled[i * count + j] = mean / ((norm[i] as number) * (norm[j] as number));
    }
  }
  const { values, vectors } = symmetricEigen(scaled, count);
  const floor = GRAM_FLOOR * (values[0] as number);
  const transform = new Float64Array(count * count);
  const inverse = new Float64Array(count * count);
  let isNear = norm.every((value) => Math.abs(value - 1) < NEAR);
  for (let i = 0; i < count; i++) {
    if (Math.abs((values[i] as number) - 1) > NEAR) isNear = false;
    const root = Math.sqrt(Math.max(values[i] as number, floor));
    for (let j = 0; j < count; j++) {
      const entry = vectors[i * count + j] as number;
      transform[i * count + j] = entry / (root * (norm[j] as number));
      inverse[j * count + i] = entry * root * (norm[j] as number);
    }
  }
  return { transform, inverse, isNear };
}

/** Puts random vectors in the place of zero vectors and drops these from `factor`; returns whether there were any. */
async function replaceZeroVectors(
  store: PanelStore,
  gram: Float64Array,
  start: number,
  count: number,
  factor: Float64Array,
  rng: Rng,
): Promise<boolean> {
  let isAny = false;
  for (let i = 0; i < count; i++) {
    if ((gram[i * count + i] as number) > 1e-24) continue;
    isAny = true;
    await store.write(start + i, randomVectors(1, store.size, rng));
    for (let j = 0; j < count; j++) factor[j * count + i] = 0;
  }
  return isAny;
}

/** `count` vectors of standard normal entries over the root of `size`, so that their length is about 1. */
export function randomVectors(count: number, size: number, rng: Rng): Float32Array {
  const scale = 1 / Math.sqrt(size);
  return Float32Array.from({ length: count * size }, () => scale * rng.normal());
}

/** inBasis += factor * overlap. */
function accumulate(
  inBasis: Float64Array,
  factor: Float64Array,
  overlap: Float64Array,
  count: number,
  basisCount: number,
): void {
  for (let i = 0; i < count; i++) {
    for (let l = 0; l < count; l++) {
      const weight = factor[i * count + l] as number;
      if (weight === 0) continue;
      for (let j = 0; j < basisCount; j++) {
        const at = i * basisCount + j;
        inBasis[at] = (inBasis[at] as number) + weight * (overlap[l * basisCount + j] as number);
      }
    }
  }
}

export function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  accumulate(result, a, b, size, size);
  return result;
}
