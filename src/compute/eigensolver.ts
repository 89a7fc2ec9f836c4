/**
 * The algebraically largest eigenpairs of a symmetric operator by the thick-restarted block Lanczos method with full
 * reorthogonalisation, which is the block Krylov-Schur method of a symmetric matrix (Stewart 2001,
 * doi:10.1137/S0895479800371529; Wu & Simon 2000, doi:10.1137/S0895479898334605; Zhou & Saad 2008,
 * doi:10.1007/s11075-008-9192-9). Blocks are as wide as the number of pairs wanted: a product of a large matrix costs
 * the same for 1 and for 16 vectors, and eigenvalues of any multiplicity up to k are found, as graphs of several
 * components have them.
 *
 * A pair has converged when its residual |B v - lambda v| is at most 1e-5. All eigenvalues of B = D^-1/2 A D^-1/2 lie
 * in [-1, 1], so this is relative to the largest. Vectors of eigenvalues that differ by g still turn by residual / g
 * then, enough to change the partition of a graph without clear clusters from device to device. Where products cost next
 * to nothing, iteration goes on to what float32 can tell apart.
 */
import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";
import type { Eigenpairs } from "./compute.ts";
import { identity, orthonormalize, randomVectors } from "./orthonormalize.ts";
import type { PanelStore } from "./panels.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** Residual at which a pair counts as converged, and that of graphs of few nodes. */
const TOLERANCE = 1e-5;
const FINE_TOLERANCE = 5e-7;
const FEW_NODES = 2000;
/** Residual beyond which the pairs are of no use. */
const USELESS_RESIDUAL = 1e-2;
/** Products after which the solver stops and reports the residual it has. */
const MAX_PRODUCTS = 600;
const MIN_BLOCK = 8;
/** Vectors in the basis at a restart: more means fewer products, but a larger projected problem (15 ms at this size). */
const BASIS = 160;
const MIN_BASIS_BLOCKS = 4;
/** Blocks after which the first projected problems are solved: separated eigenvalues have converged by then. */
const CHECKED_BLOCKS: readonly number[] = [3, 5, 8, 12];

/** Vectors per block and at most in the basis when `k` pairs are wanted. */
export function krylovSizes(k: number): { readonly block: number; readonly basis: number } {
  const block = Math.max(k, MIN_BLOCK);
  const blocks = Math.max(MIN_BASIS_BLOCKS, Math.floor(BASIS / block));
  return { block, basis: block * blocks };
}

/** Vectors that a store must hold for `leadingEigenpairs`. */
export function krylovCapacity(k: number): number {
  const { block, basis } = krylovSizes(k);
  return basis + block;
}

/**
 * The `k` largest eigenpairs. `start` is a good first vector (length 1), such as the known eigenvector D^1/2 1; the
 * others of the first block are drawn from `rng`. Needs a store of `krylovCapacity(k)` vectors, longer than that.
 * Throws `E_PARTITION_CONVERGENCE` when after 600 products the residual is still above 1e-2.
 */
export async function leadingEigenpairs(
  store: PanelStore,
  k: number,
  start: Float32Array,
  rng: Rng,
  options: RunOptions = {},
): Promise<Eigenpairs> {
  const { block, basis } = krylovSizes(k);
  // Whole blocks, about a third of the basis: with more, blocks between restarts are fewer and restarts more.
  const kept = block * Math.max(2, Math.floor(basis / block / 3));
  const projected = new Float64Array(basis * basis);
  const tolerance = store.size <= FEW_NODES ? FINE_TOLERANCE : TOLERANCE;
  const progress = new ResidualProgress(tolerance, options);
  await store.write(0, start);
  await store.write(1, randomVectors(block - 1, store.size, rng));
  await orthonormalize(store, 0, 0, block, rng);

  let done = 0;
  let products = 0;
  for (;;) {
    // The store holds `done` vectors with known rows of the projected matrix, then the newest block.
    const newest = done + block;
    await store.applyOperator(done, newest, block);
    products++;
    const { inBasis, factor } = await orthonormalize(store, newest, newest, block, rng);
    fillProjected(projected, basis, inBasis, done, block);
    done = newest;

    const isFull = done + block > basis;
    if (!isFull && !CHECKED_BLOCKS.includes(done / block)) continue;
    const ritz = symmetricEigen(leadingSquare(projected, basis, done), done, isFull ? kept : k);
    const residual = ritzResidual(ritz.vectors, done, k, factor, block);
    progress.report(residual);
    if (residual <= tolerance || products >= MAX_PRODUCTS) {
      await store.combine(ritz.vectors.subarray(0, k * done), 0, done, 0, k, false);
      return finish(store, k, products, rng);
    }
    if (!isFull) continue;
    // Restart: the best Ritz vectors, then the newest block.
    await store.combine(ritz.vectors.subarray(0, kept * done), 0, done, 0, kept, false);
    await store.combine(identity(block), done, block, kept, block, false);
    projected.fill(0);
    for (let i = 0; i < kept; i++) projected[i * basis + i] = ritz.values[i] as number;
    done = kept;
  }
}

/** Writes the block row and column of the projected matrix that belong to the vectors done ... done + block - 1. */
function fillProjected(
  projected: Float64Array,
  basis: number,
  inBasis: Float64Array,
  done: number,
  block: number,
): void {
  const width = done + block;
  for (let i = 0; i < block; i++) {
    for (let j = 0; j < width; j++) {
      const mirrored = j < done ? inBasis[i * width + j] : inBasis[(j - done) * width + done + i];
      const value = ((inBasis[i * width + j] as number) + (mirrored as number)) / 2;
      projected[(done + i) * basis + j] = value;
      projected[j * basis + done + i] = value;
    }
  }
}

function leadingSquare(matrix: Float64Array, stride: number, size: number): Float64Array {
  const square = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    square.set(matrix.subarray(row * stride, row * stride + size), row * size);
  }
  return square;
}

/** Largest residual of the first k Ritz pairs: what the newest products have outside the basis. */
function ritzResidual(
  vectors: Float64Array,
  done: number,
  k: number,
  factor: Float64Array,
  block: number,
): number {
  let largest = 0;
  for (let pair = 0; pair < k; pair++) {
    let squares = 0;
    for (let j = 0; j < block; j++) {
      let sum = 0;
      for (let i = 0; i < block; i++) {
        sum += (vectors[pair * done + done - block + i] as number) * (factor[i * block + j] as number);
      }
      squares += sum * sum;
    }
    largest = Math.max(largest, Math.sqrt(squares));
  }
  return largest;
}

/** Rayleigh quotients and true residuals of the k Ritz vectors at the front of the store. */
async function finish(store: PanelStore, k: number, products: number, rng: Rng): Promise<Eigenpairs> {
  await orthonormalize(store, 0, 0, k, rng);
  await store.applyOperator(0, k, k);
  const rayleigh = await store.gram(0, k, k, k);
  for (let i = 0; i < k * k; i++) {
    // The block is an eigenbasis to the tolerance; symmetric rounding is all that is left off the diagonal.
    const mirrored = rayleigh[(i % k) * k + Math.floor(i / k)] as number;
    rayleigh[i] = ((rayleigh[i] as number) + mirrored) / 2;
  }
  const { values, vectors } = symmetricEigen(rayleigh, k);
  await store.combine(vectors, 0, k, 0, k, false);
  await store.combine(vectors, k, k, k, k, false);
  const shift = new Float64Array(k * k);
  for (let i = 0; i < k; i++) shift[i * k + i] = -(values[i] as number);
  await store.combine(shift, 0, k, k, k, true);
  const squares = await store.gram(k, k, k, k);
  let residual = 0;
  for (let i = 0; i < k; i++) residual = Math.max(residual, Math.sqrt(squares[i * k + i] as number));
  if (!(residual <= USELESS_RESIDUAL)) {
    throw new BrodmannError(
      "E_PARTITION_CONVERGENCE",
      `spectral embedding: found a residual of ${residual.toExponential(1)} after ${products} products, expected at most ${USELESS_RESIDUAL}`,
      { hint: "Choose a smaller k, or partition by louvain." },
    );
  }
  const rows = await store.read(0, k);
  const interleaved = new Float32Array(rows.length);
  for (let i = 0; i < store.size; i++) {
    for (let pair = 0; pair < k; pair++) interleaved[i * k + pair] = rows[pair * store.size + i] as number;
  }
  return { values, vectors: interleaved, residual, products: products + 1 };
}

/** Progress of an iteration of unknown length: the share of the decades of residual that are behind. */
class ResidualProgress {
  readonly #counter: StepCounter;
  readonly #tolerance: number;
  #first = 0;
  #percent = 0;

  constructor(tolerance: number, options: RunOptions) {
    this.#tolerance = tolerance;
    this.#counter = new StepCounter("eigenvectors", 100, options);
  }

  report(residual: number): void {
    const tolerance = this.#tolerance;
    if (this.#first === 0) this.#first = Math.max(residual, 10 * tolerance);
    const share = Math.log(this.#first / Math.max(residual, tolerance)) / Math.log(this.#first / tolerance);
    const percent = Math.max(this.#percent, Math.floor(100 * share));
    this.#counter.advance(percent - this.#percent);
    this.#percent = percent;
  }
}
