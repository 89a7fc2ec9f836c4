/** Points and restarts of k-means on the device. */
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { CopyStep } from "./shader-kernel.ts";
import { requireRow } from "./transfer.ts";

/** Columns of the clusters' sums besides the dimensions: points, squared distances, new labels. */
export const COUNTS = 3;

/** Sizes of one call, its points, and its restarts in groups. */
export interface State {
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
  readonly groups: readonly Group[];
}

/** Restarts whose buffers fit a binding, first ... first + restarts - 1; usually all of them. */
export interface Group {
  readonly first: number;
  readonly restarts: number;
  readonly centres: DeviceBuffer;
  /** Where the centres move to in the next iteration. */
  readonly moved: DeviceBuffer;
  /** restarts x count. */
  readonly labels: DeviceBuffer;
  /** restarts x count pairs (squared distance, whether the label is new). */
  readonly moves: DeviceBuffer;
  readonly partials: DeviceBuffer;
  readonly totals: DeviceBuffer;
  readonly facts: DeviceBuffer;
  readonly moving: DeviceBuffer;
}

/**
 * Uploads the points and takes the memory of all restarts, on loan in `owned` also after an error. Throws
 * `E_DEVICE_LIMIT`, before any work, when the points or one restart do not fit a binding.
 */
export function makeState(
  device: GpuDevice,
  values: Float32Array,
  width: number,
  k: number,
  restarts: number,
  owned: DeviceBuffer[],
): State {
  const count = values.length / width;
  const dimensions = 4 * Math.ceil(width / 4);
  // About 128 runs: enough lanes for a GPU, few enough sums to add up afterwards.
  const pointsPerRun = Math.max(64, Math.ceil(count / 128));
  const runs = Math.ceil(count / pointsPerRun);
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
  const own = (role: string, length: number): DeviceBuffer => {
    const buffer = device.buffer(`kmeans/${role}`, 4 * length);
    owned.push(buffer);
    return buffer;
  };
  const columns = k * (dimensions + COUNTS);
  requireRow(device, "kmeans/points", points.length);
  const perGroup = Math.min(
    restarts,
    requireRow(device, "kmeans/moves", 2 * count),
    requireRow(device, "kmeans/partials", runs * columns),
  );
  const groups: Group[] = [];
  for (let first = 0; first < restarts; first += perGroup) {
    const some = Math.min(perGroup, restarts - first);
    groups.push({
      first,
      restarts: some,
      centres: own("centres", some * k * dimensions),
      moved: own("moved", some * k * dimensions),
      labels: own("labels", some * count),
      moves: own("moves", 2 * some * count),
      partials: own("partials", some * runs * columns),
      totals: own("totals", some * columns),
      facts: own("facts", 4 * some * k),
      moving: own("moving", some),
    });
  }
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
    groups,
  };
  device.write(state.points, points);
  return state;
}

/** The group of a restart. */
export function groupOf({ groups }: State, restart: number): Group {
  // All groups but the last are of one size.
  return groups[Math.floor(restart / (groups[0] as Group).restarts)] as Group;
}

/** Labels of a restart, numbered from the first one of its group. */
export async function readLabels(
  { device, count }: State,
  { labels }: Group,
  restart: number,
): Promise<Int32Array> {
  return new Int32Array(await device.readBack(labels, 4 * restart * count, 4 * count));
}

/** Copies a whole buffer. */
export function copyOf(source: DeviceBuffer, target: DeviceBuffer): CopyStep {
  const { sizeBytes } = source;
  return { kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, sizeBytes };
}
