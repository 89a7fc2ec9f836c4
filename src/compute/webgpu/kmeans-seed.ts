/** k-means++ seeding of all restarts on the device; the host draws the random numbers. */
import { type RunOptions, throwIfAborted } from "../../progress.ts";
import type { Rng } from "../../statistics/rng.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import { KMEANS_NEAREST, KMEANS_PICK } from "./kmeans-kernels.ts";
import { copyOf, type Group, type State } from "./kmeans-state.ts";
import { dispatch } from "./shader-kernel.ts";
import { readFloats } from "./transfer.ts";

const LANES = 64;
/** Points whose distances are summed by one lane when centres are drawn. */
const POINTS_PER_DRAW = 64;
const NO_RUN = 0xffffffff;

/** Takes all centres: each next one is a point drawn with probability proportional to its squared distance. */
export async function seed(state: State, rng: Rng, options: RunOptions): Promise<void> {
  const { count, k, restarts } = state;
  const runs = Math.ceil(count / POINTS_PER_DRAW);
  const draw = new Uint32Array(2 * restarts);
  const bits = new Float32Array(draw.buffer);
  const sums = new Float32Array(restarts * runs);
  for (let restart = 0; restart < restarts; restart++) {
    draw[2 * restart] = NO_RUN;
    draw[2 * restart + 1] = rng.integer(count);
  }
  const owned: DeviceBuffer[] = [];
  try {
    const scratch = state.groups.map((group): SeedScratch => {
      const own = (role: string, length: number) => {
        const buffer = state.device.buffer(`kmeans/${role}`, 4 * group.restarts * length);
        owned.push(buffer);
        return buffer;
      };
      return {
        nearest: own("nearest", count),
        sums: own("sums", runs),
        chosen: own("chosen", 1),
        draws: own("draws", 2),
      };
    });
    for (let cluster = 0; cluster < k; cluster++) {
      throwIfAborted(options.signal);
      for (const [number, group] of state.groups.entries()) {
        const drawn = draw.subarray(2 * group.first, 2 * (group.first + group.restarts));
        const found = await takeCentres(state, group, scratch[number] as SeedScratch, drawn, cluster);
        sums.set(found, group.first * runs);
      }
      if (cluster < k - 1) drawRuns(sums, restarts, rng, draw, bits, count);
    }
  } finally {
    for (const buffer of owned) buffer.release();
  }
}

/** What only the seeding of a group needs. */
interface SeedScratch {
  /** restarts x count, squared distances to the nearest centre so far. */
  readonly nearest: DeviceBuffer;
  readonly sums: DeviceBuffer;
  readonly chosen: DeviceBuffer;
  readonly draws: DeviceBuffer;
}

/** Takes the drawn points as centres and gives the sums of distances by run of points; none after the last centre. */
async function takeCentres(
  { device, count, dimensions, k, points }: State,
  { restarts, centres, moved }: Group,
  { nearest, sums, chosen, draws }: SeedScratch,
  draw: Uint32Array,
  cluster: number,
): Promise<Float32Array> {
  device.write(draws, draw);
  const pick = dispatch(KMEANS_PICK, {
    groups: Math.ceil(restarts / LANES),
    params: { count, dimensions, clusters: k, restarts, cluster, points_per_run: POINTS_PER_DRAW },
    buffers: { points, nearest, draws, chosen, centres },
  });
  if (cluster === k - 1) {
    await device.submit("kmeans", [pick, copyOf(centres, moved)]);
    return new Float32Array(0);
  }
  const measure = dispatch(KMEANS_NEAREST, {
    groups: Math.ceil((restarts * Math.ceil(count / POINTS_PER_DRAW)) / LANES),
    params: {
      count,
      quadruples: dimensions / 4,
      restarts,
      points_per_run: POINTS_PER_DRAW,
      is_first: cluster === 0 ? 1 : 0,
    },
    buffers: { points, chosen, nearest, sums },
  });
  await device.submit("kmeans", [pick, measure]);
  return readFloats(device, sums);
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
