/**
 * k-means from many k-means++ seedings at once on the GPU, by the rules of its CPU twin: the same random numbers, the
 * same order of draws, restarts leave and are given up by the same criteria. One dispatch serves all restarts; per
 * iteration four numbers of each cluster come back. Distances are float32 differences, not products, so that last bits
 * differ from the twin's.
 */
import { type RunOptions, StepCounter, throwIfAborted } from "../../progress.ts";
import type { Rng } from "../../statistics/rng.ts";
import type { KmeansResult } from "../compute.ts";
import {
  betterHalf,
  distinctBest,
  exactInertia,
  isHalving,
  MAX_ITERATIONS,
  SHIFT_TOLERANCE,
} from "../cpu/kmeans.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import {
  KMEANS_ACCUMULATE,
  KMEANS_ASSIGN,
  KMEANS_MOVE,
  KMEANS_NEAREST,
  KMEANS_PICK,
} from "./kmeans-kernels.ts";
import { type DispatchStep, dispatch } from "./shader-kernel.ts";
import { readFloats } from "./transfer.ts";

const LANES = 64;
/** Points whose distances are summed by one lane when centres are drawn. */
const POINTS_PER_DRAW = 64;
const NO_RUN = 0xffffffff;

/** Buffers and sizes of one call. */
interface State {
  readonly device: GpuDevice;
  readonly count: number;
  /** Padded with zeros to a multiple of four. */
  readonly dimensions: number;
  readonly k: number;
  readonly restarts: number;
  readonly pointsPerRun: number;
  readonly runs: number;
  readonly meanVariance: number;
  /** count x dimensions, centred. */
  readonly points: DeviceBuffer;
  readonly centres: DeviceBuffer;
  readonly moved: DeviceBuffer;
  /** restarts x count. */
  readonly labels: DeviceBuffer;
  /** restarts x count pairs (squared distance, whether the label is new). */
  readonly moves: DeviceBuffer;
  readonly partials: DeviceBuffer;
  readonly facts: DeviceBuffer;
  readonly moving: DeviceBuffer;
}

/** What one iteration did to each restart that moves. */
interface Iteration {
  readonly changes: Float64Array;
  readonly inertia: Float64Array;
  readonly shifts: Float64Array;
}

/** See `Compute.kmeans`. Throws `E_DEVICE_LIMIT` when restarts x points are more than a binding holds. */
export async function kmeans(
  device: GpuDevice,
  values: Float32Array,
  dimensions: number,
  k: number,
  restarts: number,
  kept: number,
  rng: Rng,
  options: RunOptions = {},
): Promise<KmeansResult[]> {
  const owned: DeviceBuffer[] = [];
  try {
    const state = makeState(device, values, dimensions, k, restarts, owned);
    const counter = new StepCounter("k-means", restarts, options);
    await seed(state, rng, options);
    const tolerance = SHIFT_TOLERANCE * state.meanVariance;
    const inertia = new Float64Array(restarts);
    let active: Int32Array = Int32Array.from({ length: restarts }, (_, restart) => restart);
    for (let iteration = 0; iteration < MAX_ITERATIONS && active.length > 0; iteration++) {
      const { changes, shifts, inertia: found } = await iterate(state, active, iteration === 0);
      active.forEach((restart, slot) => {
        inertia[restart] = found[slot] as number;
      });
      const next = active.filter((_, slot) => changes[slot] !== 0 && (shifts[slot] as number) > tolerance);
      const staying = isHalving(iteration) ? betterHalf(next, inertia) : next;
      counter.advance(active.length - staying.length);
      active = staying;
    }
    const finished = distinctBest(inertia, kept);
    let winners: Int32Array = finished;
    for (let iteration = 0; iteration < MAX_ITERATIONS && winners.length > 0; iteration++) {
      throwIfAborted(options.signal);
      const { changes } = await iterate(state, winners, false);
      winners = winners.filter((_, slot) => changes[slot] !== 0);
    }
    const results: KmeansResult[] = [];
    for (const restart of finished) {
      const labels = await readLabels(state, restart);
      results.push({ labels, inertia: exactInertia(values, dimensions, k, labels) });
    }
    return results.sort((a, b) => a.inertia - b.inertia);
  } finally {
    for (const buffer of owned) buffer.release();
  }
}

function makeState(
  device: GpuDevice,
  values: Float32Array,
  width: number,
  k: number,
  restarts: number,
  owned: DeviceBuffer[],
): State {
  const count = values.length / width;
  const dimensions = 4 * Math.ceil(width / 4);
  const points = new Float32Array(count * dimensions);
  let squares = 0;
  for (let dimension = 0; dimension < width; dimension++) {
    let sum = 0;
    for (let at = dimension; at < values.length; at += width) sum += values[at] as number;
    const mean = sum / count;
    for (let point = 0; point < count; point++) {
      const value = Math.fround((values[point * width + dimension] as number) - mean);
      points[point * dimensions + dimension] = value;
      squares += value * value;
    }
  }
  // About 128 runs: enough lanes for a GPU, few enough sums to add up afterwards.
  const pointsPerRun = Math.max(64, Math.ceil(count / 128));
  const runs = Math.ceil(count / pointsPerRun);
  const own = (role: string, length: number): DeviceBuffer => {
    const buffer = device.buffer(`kmeans/${role}`, 4 * length);
    owned.push(buffer);
    return buffer;
  };
  const state: State = {
    device,
    count,
    dimensions,
    k,
    restarts,
    pointsPerRun,
    runs,
    meanVariance: squares / (count * width),
    points: own("points", points.length),
    centres: own("centres", restarts * k * dimensions),
    moved: own("moved", restarts * k * dimensions),
    labels: own("labels", restarts * count),
    moves: own("moves", 2 * restarts * count),
    partials: own("partials", restarts * runs * k * (dimensions + 3)),
    facts: own("facts", 4 * restarts * k),
    moving: own("moving", restarts),
  };
  device.write(state.points, points);
  return state;
}

/** k-means++: each next centre is a point drawn with probability proportional to its squared distance. */
async function seed(state: State, rng: Rng, options: RunOptions): Promise<void> {
  const { device, count, dimensions, k, restarts, points, centres, moved } = state;
  const runs = Math.ceil(count / POINTS_PER_DRAW);
  using nearest = device.buffer("kmeans/nearest", 4 * restarts * count);
  using sums = device.buffer("kmeans/sums", 4 * restarts * runs);
  using chosen = device.buffer("kmeans/chosen", 4 * restarts);
  using draws = device.buffer("kmeans/draws", 8 * restarts);
  const draw = new Uint32Array(2 * restarts);
  const bits = new Float32Array(draw.buffer);
  for (let restart = 0; restart < restarts; restart++) {
    draw[2 * restart] = NO_RUN;
    draw[2 * restart + 1] = rng.integer(count);
  }
  for (let cluster = 0; cluster < k; cluster++) {
    throwIfAborted(options.signal);
    device.write(draws, draw);
    const pick = dispatch(KMEANS_PICK, {
      groups: Math.ceil(restarts / LANES),
      params: { count, dimensions, clusters: k, restarts, cluster, points_per_run: POINTS_PER_DRAW },
      buffers: { points, nearest, draws, chosen, centres },
    });
    if (cluster === k - 1) {
      await device.submit("kmeans", [pick, copyOf(centres, moved)]);
      return;
    }
    const measure = dispatch(KMEANS_NEAREST, {
      groups: Math.ceil((restarts * runs) / LANES),
      params: {
        count,
        dimensions,
        restarts,
        points_per_run: POINTS_PER_DRAW,
        is_first: cluster === 0 ? 1 : 0,
      },
      buffers: { points, chosen, nearest, sums },
    });
    await device.submit("kmeans", [pick, measure]);
    drawRuns(await readFloats(device, sums), restarts, rng, draw, bits, count);
  }
}

/** Draws a run of points for each restart, and how far into it the drawn point lies. */
function drawRuns(
  sums: Float32Array,
  restarts: number,
  rng: Rng,
  draw: Uint32Array,
  bits: Float32Array,
  count: number,
): void {
  const runs = sums.length / restarts;
  const uniform = Float64Array.from({ length: restarts }, () => rng.uniform());
  for (let restart = 0; restart < restarts; restart++) {
    const own = sums.subarray(restart * runs, (restart + 1) * runs);
    let total = 0;
    for (const sum of own) total += sum;
    let left = (uniform[restart] as number) * total;
    const run = own.findIndex((sum) => {
      if (left < sum) return true;
      left -= sum;
      return false;
    });
    // Nothing left to draw from: fewer distinct points than centres.
    draw[2 * restart] = run === -1 ? NO_RUN : run;
    if (run === -1) draw[2 * restart + 1] = rng.integer(count);
    else bits[2 * restart + 1] = left;
  }
}

/** Assigns all points and moves the centres, in every restart of `active`. */
async function iterate(state: State, active: Int32Array, isFirst: boolean): Promise<Iteration> {
  const { device, count, dimensions, k, points, centres, moved, labels, moves, facts, moving } = state;
  const slots = active.length;
  device.write(moving, Uint32Array.from(active));
  const assign = dispatch(KMEANS_ASSIGN, {
    groups: Math.ceil((slots * count) / LANES),
    params: { count, quadruples: dimensions / 4, clusters: k, slots, is_first: isFirst ? 1 : 0 },
    buffers: { points, centres, moving, labels, moves },
  });
  await device.submit("kmeans", [assign, ...updateSteps(state, slots)]);
  let found = await readFloats(device, facts, 0, 4 * slots * k);
  if (await fillEmptyClusters(state, active, found)) {
    await device.submit("kmeans", updateSteps(state, slots));
    const filled = await readFloats(device, facts, 0, 4 * slots * k);
    // The inertia is that of the assignment, as in restarts without an empty cluster.
    for (let at = 1; at < filled.length; at += 4) filled[at] = found[at] as number;
    found = filled;
  }
  await device.submit("kmeans", [copyOf(moved, centres)]);
  const sum = (slot: number, role: number) => {
    let total = 0;
    for (let cluster = 0; cluster < k; cluster++) total += found[4 * (slot * k + cluster) + role] as number;
    return total;
  };
  return {
    inertia: Float64Array.from(active, (_, slot) => sum(slot, 1)),
    changes: Float64Array.from(active, (_, slot) => sum(slot, 2)),
    shifts: Float64Array.from(active, (_, slot) => sum(slot, 3)),
  };
}

/** Sums of the clusters' points and from them the centres, into `moved`. */
function updateSteps(state: State, slots: number): DispatchStep[] {
  const { count, dimensions, k, runs, pointsPerRun, points, centres, moved } = state;
  const { labels, moves, partials, facts, moving } = state;
  return [
    dispatch(KMEANS_ACCUMULATE, {
      groups: Math.ceil((slots * runs * (dimensions + 3)) / LANES),
      params: { count, dimensions, clusters: k, slots, points_per_run: pointsPerRun },
      buffers: { points, moving, labels, moves, partials },
    }),
    dispatch(KMEANS_MOVE, {
      groups: Math.ceil((slots * k) / LANES),
      params: { dimensions, clusters: k, slots, runs },
      buffers: { partials, moving, centres, moved, facts },
    }),
  ];
}

/**
 * Moves the points farthest from their centres into empty clusters, as the twin does; returns whether any point moved.
 * Rare, so done on the host.
 */
async function fillEmptyClusters(state: State, active: Int32Array, facts: Float32Array): Promise<boolean> {
  const { device, count, k, labels, moves, meanVariance } = state;
  let isAny = false;
  for (const [slot, restart] of active.entries()) {
    const sizes = Array.from({ length: k }, (_, cluster) => facts[4 * (slot * k + cluster)] as number);
    if (!sizes.includes(0)) continue;
    const own = await readLabels(state, restart);
    const pairs = await readFloats(device, moves, 2 * restart * count, 2 * count);
    for (let cluster = 0; cluster < k; cluster++) {
      if (sizes[cluster] !== 0) continue;
      let farthest = -1;
      let largest = 1e-12 * meanVariance;
      for (let point = 0; point < count; point++) {
        if ((sizes[own[point] as number] as number) < 2 || (pairs[2 * point] as number) <= largest) continue;
        largest = pairs[2 * point] as number;
        farthest = point;
      }
      if (farthest === -1) break;
      const from = own[farthest] as number;
      sizes[from] = (sizes[from] as number) - 1;
      sizes[cluster] = 1;
      own[farthest] = cluster;
      pairs[2 * farthest] = 0;
      isAny = true;
    }
    device.write(labels, own, restart * count);
  }
  return isAny;
}

async function readLabels({ device, labels, count }: State, restart: number): Promise<Int32Array> {
  return new Int32Array(await device.readBack(labels, 4 * restart * count, 4 * count));
}

function copyOf(source: DeviceBuffer, target: DeviceBuffer) {
  const { sizeBytes } = source;
  return { kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, sizeBytes } as const;
}
