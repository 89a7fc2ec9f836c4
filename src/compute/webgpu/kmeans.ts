/**
 * k-means from many k-means++ seedings at once on the GPU, by the rules of its CPU twin: the same random numbers, the
 * same order of draws, restarts leave and are given up by the same criteria. One dispatch serves all restarts, or as many
 * as fit a binding; per iteration four numbers of each cluster come back. Distances are float32 differences, not products,
 * so that last bits differ from the twin's.
 *
 * Cost of 16,384 points of 16 dimensions, k = 16, 100 restarts: an assignment is 1.3 GFLOP on 1.6 M lanes, whose loads hit
 * the caches (some 0.3 ms on a large GPU), the sums are 243,000 lanes of 128 points each (0.1 ms) and 30,400 of 128 sums
 * (0.02 ms). A seeding waits for 15 read-backs, an iteration for one (0.3 to 1 ms); as the worse halves of the restarts are
 * given up from iteration 16 on, some 100 iterations stay below 0.2 s.
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
import { KMEANS_ACCUMULATE, KMEANS_ASSIGN, KMEANS_MOVE, KMEANS_TOTAL } from "./kmeans-kernels.ts";
import { seed } from "./kmeans-seed.ts";
import { COUNTS, copyOf, type Group, groupOf, makeState, readLabels, type State } from "./kmeans-state.ts";
import { type DispatchStep, dispatch } from "./shader-kernel.ts";
import { readFloats } from "./transfer.ts";

const LANES = 64;

/** What one iteration did to each restart that moves. */
interface Iteration {
  readonly changes: Float64Array;
  readonly inertia: Float64Array;
  readonly shifts: Float64Array;
}

/** See `Compute.kmeans`. Throws `E_DEVICE_LIMIT`, before any work, when the points or one restart do not fit a binding. */
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
      const group = groupOf(state, restart);
      const labels = await readLabels(state, group, restart - group.first);
      results.push({ labels, inertia: exactInertia(values, dimensions, k, labels) });
    }
    return results.sort((a, b) => a.inertia - b.inertia);
  } finally {
    for (const buffer of owned) buffer.release();
  }
}

/** Assigns all points and moves the centres, in every restart of `active`. */
async function iterate(state: State, active: Int32Array, isFirst: boolean): Promise<Iteration> {
  const slots = active.length;
  const [changes, inertia, shifts] = [0, 1, 2].map(() => new Float64Array(slots)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const group of state.groups) {
    const own = Int32Array.from(active.keys()).filter(
      (slot) => groupOf(state, active[slot] as number) === group,
    );
    if (own.length === 0) continue;
    const restarts = own.map((slot) => (active[slot] as number) - group.first);
    const facts = await iterateGroup(state, group, restarts, isFirst);
    own.forEach((slot, number) => {
      const sums = sumsOf(facts, number, state.k);
      [inertia[slot], changes[slot], shifts[slot]] = sums.slice(1) as [number, number, number];
    });
  }
  return { inertia, changes, shifts };
}

/** A restart's facts (points, squared distances, new labels, squared move), added over its clusters in float64. */
function sumsOf(facts: Float32Array, slot: number, k: number): number[] {
  const sums = [0, 0, 0, 0];
  for (let at = 4 * slot * k; at < 4 * (slot + 1) * k; at++) {
    sums[at % 4] = (sums[at % 4] as number) + (facts[at] as number);
  }
  return sums;
}

/** One iteration of the restarts `active` of a group, numbered from its first; their facts by cluster. */
async function iterateGroup(
  state: State,
  group: Group,
  active: Int32Array,
  isFirst: boolean,
): Promise<Float32Array> {
  const { device, count, dimensions, k, points } = state;
  const { centres, moved, labels, moves, facts, moving } = group;
  const slots = active.length;
  device.write(moving, Uint32Array.from(active));
  const assign = dispatch(KMEANS_ASSIGN, {
    groups: Math.ceil((slots * count) / LANES),
    params: { count, quadruples: dimensions / 4, clusters: k, slots, is_first: isFirst ? 1 : 0 },
    buffers: { points, centres, moving, labels, moves },
  });
  await device.submit("kmeans", [copyOf(moved, centres), assign, ...updateSteps(state, group, slots)]);
  const found = await readFloats(device, facts, 0, 4 * slots * k);
  if (!(await fillEmptyClusters(state, group, active, found))) return found;
  await device.submit("kmeans", updateSteps(state, group, slots));
  const filled = await readFloats(device, facts, 0, 4 * slots * k);
  // The inertia is that of the assignment, as in restarts without an empty cluster.
  for (let at = 1; at < filled.length; at += 4) filled[at] = found[at] as number;
  return filled;
}

/** Sums of the clusters' points and from them the centres, into `moved`. */
function updateSteps(state: State, group: Group, slots: number): DispatchStep[] {
  const { count, dimensions, k, runs, pointsPerRun, points } = state;
  const { centres, moved, labels, moves, partials, totals, facts, moving } = group;
  const columns = k * (dimensions + COUNTS);
  return [
    dispatch(KMEANS_ACCUMULATE, {
      groups: Math.ceil((slots * runs * (dimensions + COUNTS)) / LANES),
      params: { count, dimensions, clusters: k, slots, points_per_run: pointsPerRun },
      buffers: { points, moving, labels, moves, partials },
    }),
    dispatch(KMEANS_TOTAL, {
      groups: Math.ceil((slots * columns) / LANES),
      params: { columns, slots, runs },
      buffers: { partials, totals },
    }),
    dispatch(KMEANS_MOVE, {
      groups: Math.ceil((slots * k) / LANES),
      params: { dimensions, clusters: k, slots },
      buffers: { totals, moving, centres, moved, facts },
    }),
  ];
}

/**
 * Moves the points farthest from their centres into empty clusters, as the twin does; returns whether any point moved.
 * Rare, so done on the host.
 */
async function fillEmptyClusters(
  state: State,
  group: Group,
  active: Int32Array,
  facts: Float32Array,
): Promise<boolean> {
  const { device, count, k, meanVariance } = state;
  const { labels, moves } = group;
  let isAny = false;
  for (const [slot, restart] of active.entries()) {
    const sizes = Array.from({ length: k }, (_, cluster) => facts[4 * (slot * k + cluster)] as number);
    if (!sizes.includes(0)) continue;
    const own = await readLabels(state, group, restart);
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
