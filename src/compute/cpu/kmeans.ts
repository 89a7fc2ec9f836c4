/**
 * k-means (Lloyd 1982) from many k-means++ seedings (Arthur & Vassilvitskii 2007) at once. The scores of a tile of
 * points against the centres of all restarts that still move are one dense product; what is left to the loops here is
 * to find each smallest score and to move the sums of points that changed cluster.
 *
 * A restart leaves when its labels stay, or its centres move by less than 1e-4 of the mean variance in all, as in
 * scikit-learn; the best restarts then go on until their labels stay. On points without clear clusters, where restarts
 * creep for hundreds of iterations, those with the higher inertia are given up by halves from iteration 16 on. That costs
 * less than 0.1 % of the best inertia on clouds without any cluster (4096 x 16 and 16384 x 12 normal points) and nothing
 * on clear clusters, which have converged by then.
 */
import { type RunOptions, StepCounter, throwIfAborted } from "../../progress.ts";
import type { Rng } from "../../statistics/rng.ts";
import type { KmeansResult } from "../compute.ts";
import type { DenseMatrix, Matmul } from "./matmul.ts";

/** Iterations after which a restart stops in any case. */
export const MAX_ITERATIONS = 300;
/** Share of the mean variance below which the centres of a restart count as still. */
export const SHIFT_TOLERANCE = 1e-4;
/** Iterations that every restart gets, and those between two halvings of what still moves then. */
const FULL_ITERATIONS = 16;
const HALVING_INTERVAL = 8;
/** Scores of one product; 4 MB, so that the loop behind it still finds them in the cache. */
const TILE_SCORES = 1 << 20;
const MAX_TILE_POINTS = 4096;
/** Points whose distances are summed together in seeding. */
const BLOCK_POINTS = 64;

/** Points and the state of all restarts; `width` is dimensions + 1, the last column being 1. */
interface State {
  readonly count: number;
  readonly dimensions: number;
  readonly width: number;
  readonly k: number;
  readonly restarts: number;
  /** count x width, centred. */
  readonly points: Float32Array;
  /** Squared length of each point. */
  readonly squares: Float64Array;
  /** count x restarts. */
  readonly labels: Int32Array;
  /** restarts x k x dimensions. */
  readonly centres: Float64Array;
  readonly sums: Float64Array;
  /** restarts x k. */
  readonly sizes: Float64Array;
  readonly inertia: Float64Array;
}

/** Scores of one tile, and the smallest of each k of them. */
interface Scratch {
  readonly scores: Float32Array;
  readonly minima: Float32Array;
}

/** See `Compute.kmeans`. `points` is count x dimensions; same seed, same bytes. */
export async function kmeans(
  matmul: Matmul,
  points: Float32Array,
  dimensions: number,
  k: number,
  restarts: number,
  kept: number,
  rng: Rng,
  options: RunOptions = {},
): Promise<KmeansResult[]> {
  const state = makeState(points, dimensions, k, restarts);
  const largestTile = Math.max(TILE_SCORES, restarts * k);
  const scratch = {
    scores: new Float32Array(largestTile),
    minima: new Float32Array(Math.ceil(largestTile / k)),
  };
  const counter = new StepCounter("k-means", restarts, options);
  await seed(matmul, state, scratch, rng, options);
  const tolerance = SHIFT_TOLERANCE * meanVariance(state);

  let active: Int32Array = Int32Array.from({ length: restarts }, (_, restart) => restart);
  for (let iteration = 0; iteration < MAX_ITERATIONS && active.length > 0; iteration++) {
    const changes = await assign(matmul, state, active, scratch, iteration === 0);
    const shifts = active.map((restart) => (moveCentres(state, restart) > tolerance ? 1 : 0));
    const next = active.filter((_, i) => changes[i] !== 0 && shifts[i] === 1);
    const kept = isHalving(iteration) ? betterHalf(next, state.inertia) : next;
    counter.advance(active.length - kept.length);
    active = kept;
  }
  let winners: Int32Array = distinctBest(state.inertia, kept);
  const finished = winners;
  for (let iteration = 0; iteration < MAX_ITERATIONS && winners.length > 0; iteration++) {
    throwIfAborted(options.signal);
    const changes = await assign(matmul, state, winners, scratch, false);
    winners = winners.filter((_, i) => changes[i] !== 0);
    for (const winner of winners) moveCentres(state, winner);
  }
  const results = Array.from(finished, (restart) => {
    const labels = Int32Array.from(
      { length: state.count },
      (_, point) => state.labels[point * restarts + restart] as number,
    );
    return { labels, inertia: exactInertia(points, dimensions, k, labels) };
  });
  return results.sort((a, b) => a.inertia - b.inertia);
}

/** Inertias that differ by less than this share belong to one solution with its clusters in another order. */
const SAME_INERTIA = 1e-6;

/** The `kept` restarts of lowest inertia, one of each solution. */
export function distinctBest(inertia: Float64Array, kept: number): Int32Array {
  const ranked = Array.from(inertia.keys()).sort(
    (a, b) => (inertia[a] as number) - (inertia[b] as number) || a - b,
  );
  const distinct = ranked.filter((restart, rank) => {
    const before = inertia[ranked[rank - 1] ?? -1] ?? Number.NEGATIVE_INFINITY;
    return (inertia[restart] as number) - before > SAME_INERTIA * (inertia[restart] as number);
  });
  return Int32Array.from((distinct.length > 0 ? distinct : ranked).slice(0, kept));
}

/** Whether the worse half of the moving restarts is given up after this iteration (from 0). */
export function isHalving(iteration: number): boolean {
  return iteration + 1 >= FULL_ITERATIONS && (iteration + 1 - FULL_ITERATIONS) % HALVING_INTERVAL === 0;
}

/** The half of the restarts (at least one) with the lower inertia, in their order. */
export function betterHalf(restarts: Int32Array, inertia: Float64Array): Int32Array {
  const ranked = Array.from(restarts).sort(
    (a, b) => (inertia[a] as number) - (inertia[b] as number) || a - b,
  );
  return Int32Array.from(ranked.slice(0, Math.ceil(ranked.length / 2))).sort();
}

function makeState(values: Float32Array, dimensions: number, k: number, restarts: number): State {
  const count = values.length / dimensions;
  const width = dimensions + 1;
  const points = new Float32Array(count * width).fill(1);
  const squares = new Float64Array(count);
  for (let dimension = 0; dimension < dimensions; dimension++) {
    let sum = 0;
    for (let point = 0; point < count; point++) sum += values[point * dimensions + dimension] as number;
    // Distances do not change, but scores in float32 keep more digits around 0.
    const mean = sum / count;
    for (let point = 0; point < count; point++) {
      const value = Math.fround((values[point * dimensions + dimension] as number) - mean);
      points[point * width + dimension] = value;
      squares[point] = (squares[point] as number) + value * value;
    }
  }
  return {
    count,
    dimensions,
    width,
    k,
    restarts,
    points,
    squares,
    labels: new Int32Array(count * restarts),
    centres: new Float64Array(restarts * k * dimensions),
    sums: new Float64Array(restarts * k * dimensions),
    sizes: new Float64Array(restarts * k),
    inertia: new Float64Array(restarts),
  };
}

/** Mean over dimensions of the variance of the (centred) points. */
function meanVariance(state: State): number {
  let sum = 0;
  for (const square of state.squares) sum += square;
  return sum / (state.count * state.dimensions);
}

/**
 * Scores of tiles of points against `columns` centres, as products with `factor` (width x columns; last row |c|^2 / 2,
 * the others -c): score = (|p - c|^2 - |p|^2) / 2. Each tile (points x columns) is handed to `visit`.
 */
async function forEachTile(
  state: State,
  factor: Float32Array,
  columns: number,
  multiply: (left: DenseMatrix, right: DenseMatrix) => Promise<void>,
  visit: (firstPoint: number, endPoint: number) => void,
): Promise<void> {
  const { count, width, points } = state;
  const step = tilePoints(columns);
  const right = { rows: width, columns, values: factor };
  for (let first = 0; first < count; first += step) {
    const end = Math.min(count, first + step);
    await multiply(
      { rows: end - first, columns: width, values: points.subarray(first * width, end * width) },
      right,
    );
    visit(first, end);
  }
}

function tilePoints(columns: number): number {
  return Math.max(1, Math.min(MAX_TILE_POINTS, Math.floor(TILE_SCORES / columns)));
}

/** Writes one centre into column `column` of the factor of `forEachTile`. */
function writeFactor(
  factor: Float32Array,
  columns: number,
  column: number,
  centres: Float64Array,
  at: number,
  dimensions: number,
): void {
  let square = 0;
  for (let dimension = 0; dimension < dimensions; dimension++) {
    const value = centres[at + dimension] as number;
    square += value * value;
    factor[dimension * columns + column] = -value;
  }
  factor[dimensions * columns + column] = square / 2;
}

/**
 * k-means++: each next centre is a point drawn with probability proportional to its squared distance. Distances are
 * summed by blocks of points, so that a draw finds its block first and then looks at the points of that block only.
 */
async function seed(
  matmul: Matmul,
  state: State,
  { scores }: Scratch,
  rng: Rng,
  options: RunOptions,
): Promise<void> {
  const { count, dimensions, width, k, restarts, points, centres } = state;
  const nearest = new Float32Array(count * restarts).fill(Number.POSITIVE_INFINITY);
  const factor = new Float32Array(width * restarts);
  const chosen = Int32Array.from({ length: restarts }, () => rng.integer(count));
  const blockSums = new Float64Array(Math.ceil(count / BLOCK_POINTS) * restarts);
  const multiply = (a: DenseMatrix, b: DenseMatrix) =>
    matmul.multiply("AB", a, b, scores.subarray(0, a.rows * restarts));
  for (let cluster = 0; cluster < k; cluster++) {
    throwIfAborted(options.signal);
    for (let restart = 0; restart < restarts; restart++) {
      const at = (restart * k + cluster) * dimensions;
      const from = (chosen[restart] as number) * width;
      for (let dimension = 0; dimension < dimensions; dimension++) {
        centres[at + dimension] = points[from + dimension] as number;
      }
      writeFactor(factor, restarts, restart, centres, at, dimensions);
    }
    if (cluster === k - 1) return;
    blockSums.fill(0);
    await forEachTile(state, factor, restarts, multiply, (first, end) => {
      lowerDistances(state, scores, nearest, blockSums, first, end);
    });
    for (let restart = 0; restart < restarts; restart++) {
      // A centre has distance 0 to itself but for rounding, which must not make it likely to be drawn again.
      const centre = chosen[restart] as number;
      const block = Math.floor(centre / BLOCK_POINTS) * restarts + restart;
      const at = centre * restarts + restart;
      blockSums[block] = (blockSums[block] as number) - (nearest[at] as number);
      nearest[at] = 0;
      // Nothing to draw from when there are fewer distinct points than centres.
      chosen[restart] = drawPoint(state, nearest, blockSums, restart, rng.uniform()) ?? rng.integer(count);
    }
  }
}

/** Lowers `nearest` (count x restarts) to the distances of a tile's scores and adds them to the sums of their blocks. */
function lowerDistances(
  { restarts, squares }: State,
  scores: Float32Array,
  nearest: Float32Array,
  blockSums: Float64Array,
  first: number,
  end: number,
): void {
  let from = 0;
  let to = first * restarts;
  for (let point = first; point < end; point++) {
    const square = squares[point] as number;
    let block = Math.floor(point / BLOCK_POINTS) * restarts;
    for (let restart = 0; restart < restarts; restart++, from++, to++, block++) {
      const distance = square + 2 * (scores[from] as number);
      let smaller = nearest[to] as number;
      if (distance < smaller) {
        smaller = distance > 0 ? distance : 0;
        nearest[to] = smaller;
      }
      blockSums[block] = (blockSums[block] as number) + smaller;
    }
  }
}

/** The point at which the running sum of a restart's distances passes `share` of their total; undefined if all are 0. */
function drawPoint(
  { count, restarts }: State,
  nearest: Float32Array,
  blockSums: Float64Array,
  restart: number,
  share: number,
): number | undefined {
  let total = 0;
  for (let at = restart; at < blockSums.length; at += restarts) total += blockSums[at] as number;
  let left = share * total;
  let drawn: number | undefined;
  for (let first = 0, at = restart; first < count; first += BLOCK_POINTS, at += restarts) {
    const sum = blockSums[at] as number;
    if (left >= sum) {
      left -= sum;
      continue;
    }
    const end = Math.min(count, first + BLOCK_POINTS);
    for (let point = first; point < end; point++) {
      const distance = nearest[point * restarts + restart] as number;
      if (distance === 0) continue;
      drawn = point;
      left -= distance;
      if (left < 0) return drawn;
    }
    // Rounding of the block's sum: the last point that can be drawn stands for what is left.
    if (drawn !== undefined) return drawn;
  }
  return drawn;
}

/**
 * Gives every point its nearest centre in each active restart, keeps sums and sizes of clusters up to date and sets
 * the inertia (against the centres used). Returns the number of points that changed cluster, by active restart.
 */
async function assign(
  matmul: Matmul,
  state: State,
  active: Int32Array,
  scratch: Scratch,
  isFirst: boolean,
): Promise<Int32Array> {
  const { dimensions, width, k, centres, inertia, squares } = state;
  const { scores, minima } = scratch;
  const columns = active.length * k;
  const factor = new Float32Array(width * columns);
  for (let slot = 0; slot < active.length; slot++) {
    const restart = active[slot] as number;
    for (let cluster = 0; cluster < k; cluster++) {
      const at = (restart * k + cluster) * dimensions;
      writeFactor(factor, columns, slot * k + cluster, centres, at, dimensions);
    }
  }
  const changes = new Int32Array(active.length);
  const halfInertia = new Float64Array(active.length);
  const multiply = (a: DenseMatrix, b: DenseMatrix) =>
    matmul.multiplyWithMinima(
      a,
      b,
      k,
      scores.subarray(0, a.rows * columns),
      minima.subarray(0, a.rows * active.length),
    );
  await forEachTile(state, factor, columns, multiply, (first, end) => {
    assignTile(state, active, scratch, isFirst, first, end, changes, halfInertia);
  });
  let total = 0;
  for (const square of squares) total += square;
  for (let slot = 0; slot < active.length; slot++) {
    inertia[active[slot] as number] = total + 2 * (halfInertia[slot] as number);
  }
  return changes;
}

/** One tile of `assign`; adds to `changes` and `halfInertia`, by active restart. */
function assignTile(
  { dimensions, width, k, restarts, points, labels, sums, sizes }: State,
  active: Int32Array,
  { scores, minima }: Scratch,
  isFirst: boolean,
  first: number,
  end: number,
  changes: Int32Array,
  halfInertia: Float64Array,
): void {
  let at = 0;
  let group = 0;
  for (let point = first; point < end; point++) {
    const from = point * width;
    for (let slot = 0; slot < active.length; slot++, at += k, group++) {
      const restart = active[slot] as number;
      const old = labels[point * restarts + restart] as number;
      const smallest = minima[group] as number;
      halfInertia[slot] = (halfInertia[slot] as number) + smallest;
      // In a tie the old cluster stays.
      if (scores[at + old] === smallest && !isFirst) continue;
      let nearest = 0;
      while (nearest < k - 1 && scores[at + nearest] !== smallest) nearest++;
      changes[slot] = (changes[slot] as number) + 1;
      labels[point * restarts + restart] = nearest;
      const to = restart * k + nearest;
      addPoint(sums, to * dimensions, points, from, dimensions, 1);
      sizes[to] = (sizes[to] as number) + 1;
      if (isFirst) continue;
      const away = restart * k + old;
      addPoint(sums, away * dimensions, points, from, dimensions, -1);
      sizes[away] = (sizes[away] as number) - 1;
    }
  }
}

function addPoint(
  sums: Float64Array,
  to: number,
  points: Float32Array,
  from: number,
  dimensions: number,
  sign: number,
): void {
  for (let dimension = 0; dimension < dimensions; dimension++) {
    sums[to + dimension] = (sums[to + dimension] as number) + sign * (points[from + dimension] as number);
  }
}

/** Moves the centres of one restart to the means of their points; returns the sum of squared moves. */
function moveCentres(state: State, restart: number): number {
  const { dimensions, k, centres, sums, sizes } = state;
  for (let cluster = 0; cluster < k; cluster++) {
    if (sizes[restart * k + cluster] === 0) fillEmptyCluster(state, restart, cluster);
  }
  let shift = 0;
  for (let cluster = 0; cluster < k; cluster++) {
    const size = sizes[restart * k + cluster] as number;
    if (size === 0) continue;
    const at = (restart * k + cluster) * dimensions;
    for (let dimension = at; dimension < at + dimensions; dimension++) {
      const mean = (sums[dimension] as number) / size;
      const move = mean - (centres[dimension] as number);
      shift += move * move;
      centres[dimension] = mean;
    }
  }
  return shift;
}

/**
 * Moves the point farthest from its centre into an empty cluster, as scikit-learn does, unless all points sit on
 * their centres: then there are fewer distinct points than clusters, and the cluster stays empty.
 */
function fillEmptyCluster(state: State, restart: number, cluster: number): void {
  const { count, dimensions, width, k, restarts, points, labels, centres, sums, sizes } = state;
  let farthest = -1;
  let largest = 1e-12 * meanVariance(state);
  for (let point = 0; point < count; point++) {
    const own = restart * k + (labels[point * restarts + restart] as number);
    if ((sizes[own] as number) < 2) continue;
    let distance = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const difference =
        (points[point * width + dimension] as number) - (centres[own * dimensions + dimension] as number);
      distance += difference * difference;
    }
    if (distance > largest) {
      largest = distance;
      farthest = point;
    }
  }
  if (farthest === -1) return;
  const from = restart * k + (labels[farthest * restarts + restart] as number);
  const to = restart * k + cluster;
  addPoint(sums, from * dimensions, points, farthest * width, dimensions, -1);
  addPoint(sums, to * dimensions, points, farthest * width, dimensions, 1);
  sizes[from] = (sizes[from] as number) - 1;
  sizes[to] = 1;
  labels[farthest * restarts + restart] = cluster;
  // An exact centre, so that the next assignment does not take the point away again.
  for (let dimension = 0; dimension < dimensions; dimension++) {
    centres[to * dimensions + dimension] = points[farthest * width + dimension] as number;
  }
}

/** Sum of squared distances to the means of the clusters, in float64. */
export function exactInertia(
  points: Float32Array,
  dimensions: number,
  k: number,
  labels: Int32Array,
): number {
  const means = new Float64Array(k * dimensions);
  const sizes = new Float64Array(k);
  for (let point = 0; point < labels.length; point++) {
    const cluster = labels[point] as number;
    sizes[cluster] = (sizes[cluster] as number) + 1;
    addPoint(means, cluster * dimensions, points, point * dimensions, dimensions, 1);
  }
  for (let at = 0; at < means.length; at++) {
    means[at] = (means[at] as number) / Math.max(1, sizes[Math.floor(at / dimensions)] as number);
  }
  let inertia = 0;
  for (let point = 0; point < labels.length; point++) {
    const at = (labels[point] as number) * dimensions;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      inertia +=
        ((points[point * dimensions + dimension] as number) - (means[at + dimension] as number)) ** 2;
    }
  }
  return inertia;
}
