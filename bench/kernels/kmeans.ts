/** The two halves of a k-means iteration, all restarts at once: assignment, and update of the centres. */
import {
  KMEANS_ACCUMULATE,
  KMEANS_ASSIGN,
  KMEANS_MOVE,
  KMEANS_TOTAL,
} from "../../src/compute/webgpu/kmeans-kernels.ts";
import { dispatch } from "../../src/compute/webgpu/shader-kernel.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { uniformValues } from "../inputs.ts";
import { type KernelBench, type Problem, relativeDifference, stepsWay, type Way } from "../kernel-bench.ts";

const DIMENSIONS = 16;
const CLUSTERS = 16;
const LANES = 64;
/** As the k-means of src/compute/webgpu cuts its sums. */
const pointsPerRun = (count: number): number => Math.max(64, Math.ceil(count / 128));

interface Inputs {
  readonly points: Float32Array;
  /** restarts x clusters x dimensions. */
  readonly centres: Float32Array;
  /** restarts x count. */
  readonly labels: Uint32Array;
}

type Half = "assign" | "update";

function problem(half: Half, count: number, restarts: number, ladder: Problem["ladder"]): Problem {
  const pairs = count * restarts;
  const runs = Math.ceil(count / pointsPerRun(count));
  const width = DIMENSIONS + 3;
  return {
    size: `${count} x ${DIMENSIONS}, ${restarts} restarts`,
    ladder,
    flops: half === "assign" ? 3 * pairs * CLUSTERS * DIMENSIONS : null,
    bytes: 4 * count * DIMENSIONS + 12 * pairs,
    bufferBytes: Math.max(8 * pairs, 4 * restarts * runs * CLUSTERS * width),
    hostBytes: 32 * pairs,
    open({ gpu }) {
      const inputs: Inputs = {
        points: uniformValues(count * DIMENSIONS, 8),
        centres: uniformValues(restarts * CLUSTERS * DIMENSIONS, 9),
        labels: Uint32Array.from({ length: pairs }, (_, at) => (at * 7 + Math.floor(at / count)) % CLUSTERS),
      };
      let found: Float32Array = new Float32Array(0);
      const onCpu = half === "assign" ? nearestDistances : means;
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "plain loops",
          work: () => {
            found = onCpu(inputs, count, restarts);
          },
          answer: () => found,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const points = device.upload("bench/points", inputs.points);
      const centres = device.upload("bench/centres", inputs.centres);
      const labels = device.upload("bench/labels", inputs.labels);
      const moving = device.upload(
        "bench/moving",
        Uint32Array.from({ length: restarts }, (_, i) => i),
      );
      const moves = device.upload("bench/moves", new Float32Array(2 * pairs));
      const moved = device.buffer("bench/moved", 4 * restarts * CLUSTERS * DIMENSIONS);
      const partials = device.buffer("bench/partials", 4 * restarts * runs * CLUSTERS * width);
      const totals = device.buffer("bench/totals", 4 * restarts * CLUSTERS * width);
      const facts = device.buffer("bench/facts", 16 * restarts * CLUSTERS);
      const steps =
        half === "assign"
          ? [
              dispatch(KMEANS_ASSIGN, {
                groups: Math.ceil(pairs / LANES),
                params: {
                  count,
                  quadruples: DIMENSIONS / 4,
                  clusters: CLUSTERS,
                  slots: restarts,
                  is_first: 1,
                },
                buffers: { points, centres, moving, labels, moves },
              }),
            ]
          : [
              dispatch(KMEANS_ACCUMULATE, {
                groups: Math.ceil((restarts * runs * width) / LANES),
                params: {
                  count,
                  dimensions: DIMENSIONS,
                  clusters: CLUSTERS,
                  slots: restarts,
                  points_per_run: pointsPerRun(count),
                },
                buffers: { points, moving, labels, moves, partials },
              }),
              dispatch(KMEANS_TOTAL, {
                groups: Math.ceil((restarts * CLUSTERS * width) / LANES),
                params: { columns: CLUSTERS * width, slots: restarts, runs },
                buffers: { partials, totals },
              }),
              dispatch(KMEANS_MOVE, {
                groups: Math.ceil((restarts * CLUSTERS) / LANES),
                params: { dimensions: DIMENSIONS, clusters: CLUSTERS, slots: restarts },
                buffers: { totals, moving, centres, moved, facts },
              }),
            ];
      const answer = async () => {
        if (half === "update") return readFloats(device, moved);
        return (await readFloats(device, moves)).filter((_, at) => at % 2 === 0);
      };
      ways.push(stepsWay(device, "", steps, answer));
      return {
        ways,
        dispose() {
          for (const buffer of [points, centres, labels, moving, moves, moved, partials, totals, facts]) {
            buffer.release();
          }
        },
      };
    },
  };
}

/** Squared distance of every point to the nearest centre of each restart. */
function nearestDistances({ points, centres }: Inputs, count: number, restarts: number): Float32Array {
  const nearest = new Float32Array(restarts * count);
  for (let restart = 0; restart < restarts; restart++) {
    for (let point = 0; point < count; point++) {
      let smallest = Number.POSITIVE_INFINITY;
      for (let cluster = 0; cluster < CLUSTERS; cluster++) {
        const centre = (restart * CLUSTERS + cluster) * DIMENSIONS;
        let distance = 0;
        for (let i = 0; i < DIMENSIONS; i++) {
          const difference = (points[point * DIMENSIONS + i] as number) - (centres[centre + i] as number);
          distance += difference * difference;
        }
        if (distance < smallest) smallest = distance;
      }
      nearest[restart * count + point] = smallest;
    }
  }
  return nearest;
}

/** The mean of every cluster of each restart. */
function means({ points, labels }: Inputs, count: number, restarts: number): Float32Array {
  const centres = new Float32Array(restarts * CLUSTERS * DIMENSIONS);
  for (let restart = 0; restart < restarts; restart++) {
    const sums = new Float64Array(CLUSTERS * DIMENSIONS);
    const sizes = new Uint32Array(CLUSTERS);
    for (let point = 0; point < count; point++) {
      const label = labels[restart * count + point] as number;
      sizes[label] = (sizes[label] as number) + 1;
      for (let i = 0; i < DIMENSIONS; i++) {
        const at = label * DIMENSIONS + i;
        sums[at] = (sums[at] as number) + (points[point * DIMENSIONS + i] as number);
      }
    }
    const offset = restart * CLUSTERS * DIMENSIONS;
    for (let at = 0; at < sums.length; at++) {
      const size = sizes[Math.floor(at / DIMENSIONS)] as number;
      centres[offset + at] = (sums[at] as number) / Math.max(1, size);
    }
  }
  return centres;
}

function bench(half: Half, about: string): KernelBench {
  return {
    name: `k-means-${half}`,
    about: `${about}, k = ${CLUSTERS}; bytes: points once, what is kept of each point and restart once`,
    isStage: false,
    difference: relativeDifference,
    tolerance: 1e-5,
    problems: [
      problem(half, 300, 5, "small"),
      problem(half, 2000, 25, "small"),
      problem(half, 4096, 100, "small"),
      problem(half, 16384, 100, "full"),
      problem(half, 100_000, 100, "full"),
    ],
  };
}

export const KMEANS_ASSIGNMENT: KernelBench = bench(
  "assign",
  "the nearest centre of every point; flops: 3 per coordinate, point, centre and restart",
);
export const KMEANS_UPDATE: KernelBench = bench("update", "the means of all clusters");
