/**
 * GPU time by kernel, from timestamps around each dispatch. Needs the feature `timestamp-query`. Dawn rounds timestamps to
 * 131 us unless it is told not to, which `open-node-gpu.ts` does; browsers round theirs, unless
 * flags like those of `src/chrome/browser.ts` say otherwise, so that only long kernels are told apart there.
 */
import { BrodmannError } from "../../errors.ts";

/** What the dispatches of one kernel took, added up. */
export interface KernelTime {
  readonly dispatches: number;
  readonly gpuMs: number;
}

/** The timestamps of one submission. */
export interface SubmissionTimes {
  /** For the pass of dispatch number `index`. */
  writes(index: number): GPUComputePassTimestampWrites;
  /** Records the copy of the timestamps to where they can be read; after the last pass. */
  resolve(encoder: GPUCommandEncoder): void;
}

/** Times of a query set: WebGPU allows no more. */
const SET_TIMES = 4096;
const TIME_BYTES = 8;

interface Submission {
  readonly kernels: readonly string[];
  readonly sets: readonly GPUQuerySet[];
  readonly resolved: GPUBuffer;
  readonly readable: GPUBuffer;
}

/** Collects the times of the submissions of one piece of work; see `GpuDevice.profile`. */
export class GpuProfiler {
  readonly #device: GPUDevice;
  readonly #submissions: Submission[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Timestamps for a submission of these kernels, one dispatch each. */
  begin(kernels: readonly string[]): SubmissionTimes {
    const device = this.#device;
    const count = 2 * kernels.length;
    const sets = Array.from({ length: Math.ceil(count / SET_TIMES) }, (_, number) =>
      device.createQuerySet({
        label: "profiler/times",
        type: "timestamp",
        count: Math.min(SET_TIMES, count - number * SET_TIMES),
      }),
    );
    const size = Math.max(1, count) * TIME_BYTES;
    const resolved = device.createBuffer({
      label: "profiler/resolved",
      size,
      usage: QUERY_RESOLVE | COPY_SOURCE,
    });
    const readable = device.createBuffer({ label: "profiler/readable", size, usage: MAP_READ | COPY_TARGET });
    this.#submissions.push({ kernels, sets, resolved, readable });
    return {
      writes(index) {
        const at = (2 * index) % SET_TIMES;
        return {
          querySet: sets[Math.floor((2 * index) / SET_TIMES)] as GPUQuerySet,
          beginningOfPassWriteIndex: at,
          endOfPassWriteIndex: at + 1,
        };
      },
      resolve(encoder) {
        sets.forEach((set, number) => {
          encoder.resolveQuerySet(set, 0, set.count, resolved, number * SET_TIMES * TIME_BYTES);
        });
        encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
      },
    };
  }

  /** Times by kernel of all submissions, once they are done. */
  async collect(): Promise<ReadonlyMap<string, KernelTime>> {
    const times = new Map<string, KernelTime>();
    for (const { kernels, readable } of this.#submissions) {
      if (kernels.length === 0) continue;
      try {
        await readable.mapAsync(MAP_MODE_READ);
      } catch (cause) {
        throw new BrodmannError("E_DEVICE_READ", "profiler: could not read the timestamps", { cause });
      }
      const stamps = new BigUint64Array(readable.getMappedRange());
      kernels.forEach((kernel, index) => {
        // Adapters may restart their clock in between; such a time counts as none.
        const elapsed = Number((stamps[2 * index + 1] as bigint) - (stamps[2 * index] as bigint)) / 1e6;
        const known = times.get(kernel) ?? { dispatches: 0, gpuMs: 0 };
        times.set(kernel, {
          dispatches: known.dispatches + 1,
          gpuMs: known.gpuMs + Math.max(0, elapsed),
        });
      });
      readable.unmap();
    }
    return times;
  }

  /** Frees the memory of the timestamps. */
  dispose(): void {
    for (const { sets, resolved, readable } of this.#submissions) {
      for (const set of sets) set.destroy();
      resolved.destroy();
      readable.destroy();
    }
    this.#submissions.length = 0;
  }
}

// The numbers are those of GPUBufferUsage and GPUMapMode, which Node has no globals of.
const MAP_READ = 0x1;
const COPY_SOURCE = 0x4;
const COPY_TARGET = 0x8;
const QUERY_RESOLVE = 0x200;
const MAP_MODE_READ = 0x1;
