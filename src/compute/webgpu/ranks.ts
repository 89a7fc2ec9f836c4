/**
 * Average-tie ranks on the GPU. Rows whose keys fit workgroup memory are sorted and ranked by one kernel. Longer ones
 * are sorted tile by tile and merged: of each merge the steps that reach across tiles run in global memory, the rest
 * tile by tile again.
 */
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";

export const RANKS: ShaderKernel<"rows" | "samples", "values" | "ranks"> = {
  name: "ranks",
  params: { rows: "u32", samples: "u32" },
  bindings: { values: "read", ranks: "read_write" },
};

export const RANKS_TILE: ShaderKernel<"rows" | "samples" | "padded" | "is_first", "values" | "keys"> = {
  name: "ranks-tile",
  params: { rows: "u32", samples: "u32", padded: "u32", is_first: "u32" },
  bindings: { values: "read", keys: "read_write" },
};

export const RANKS_STEP: ShaderKernel<"rows" | "padded" | "half" | "is_first", "keys"> = {
  name: "ranks-step",
  params: { rows: "u32", padded: "u32", half: "u32", is_first: "u32" },
  bindings: { keys: "read_write" },
};

export const RANKS_SEARCH: ShaderKernel<"rows" | "samples" | "padded", "values" | "keys" | "ranks"> = {
  name: "ranks-search",
  params: { rows: "u32", samples: "u32", padded: "u32" },
  bindings: { values: "read", keys: "read", ranks: "read_write" },
};

const WORKGROUP_SIZE = 64;
const SMALLEST_TILE = 128;
const LARGEST_TILE = 8192;
/** CPU adapters compile kernels of much workgroup memory slowly: 5 s for 8192 keys on SwiftShader, 1 s for 2048. */
const LARGEST_SOFTWARE_TILE = 2048;

/** Lanes that sort one tile: each has at least two keys at a time. */
function sortingLanes(device: GpuDevice, tile: number): number {
  return Math.min(
    tile / 2,
    isSoftware(device) ? device.cooperatingLanes : 256,
    device.limits.workgroupInvocations,
  );
}

function isSoftware(device: GpuDevice): boolean {
  return device.facts.type === "software";
}

/** Smallest power of two that is at least `value` and `least`. */
function powerOfTwo(value: number, least: number): number {
  let power = least;
  while (power < value) power *= 2;
  return power;
}

/** Keys that one workgroup can sort: a power of two. */
export function largestTile(device: GpuDevice): number {
  const most = isSoftware(device) ? LARGEST_SOFTWARE_TILE : LARGEST_TILE;
  let tile = SMALLEST_TILE;
  while (tile < most && 8 * tile <= device.limits.workgroupBytes) tile *= 2;
  return tile;
}

/** 4-byte values of scratch memory per row that `rankSteps` needs; 0 where workgroup memory is enough. */
export function rankScratchLength(device: GpuDevice, samples: number): number {
  const tile = largestTile(device);
  return samples <= tile ? 0 : powerOfTwo(samples, 2 * tile);
}

/** Workgroups per row that the largest dispatch of `rankSteps` needs. */
export function rankGroups(device: GpuDevice, samples: number): number {
  const padded = rankScratchLength(device, samples);
  return padded === 0 ? 1 : padded / Math.min(largestTile(device), 2 * WORKGROUP_SIZE);
}

/**
 * The steps that write the ranks (1 ... samples, ties get their mean; 0 throughout rows with values that are not
 * finite) of `rows` rows of `values` to `ranks`; both rows x samples. `keys` holds rows x `rankScratchLength`.
 */
export function rankSteps(
  device: GpuDevice,
  rows: number,
  samples: number,
  values: DeviceBuffer,
  ranks: DeviceBuffer,
  keys: DeviceBuffer | null,
): Step[] {
  if (rows === 0 || samples === 0) return [];
  const padded = rankScratchLength(device, samples);
  if (keys === null || padded === 0) {
    const tile = powerOfTwo(samples, SMALLEST_TILE);
    const constants = { TILE: tile, WORKGROUP_SIZE: sortingLanes(device, tile) };
    return [
      dispatch(RANKS, { groups: rows, params: { rows, samples }, buffers: { values, ranks }, constants }),
    ];
  }
  const tile = largestTile(device);
  const sortTiles = (isFirst: boolean) =>
    dispatch(RANKS_TILE, {
      groups: rows * (padded / tile),
      params: { rows, samples, padded, is_first: isFirst ? 1 : 0 },
      buffers: { values, keys },
      constants: { TILE: tile, WORKGROUP_SIZE: sortingLanes(device, tile) },
    });
  const steps: Step[] = [sortTiles(true)];
  for (let run = tile; run < padded; run *= 2) {
    for (let half = run; half >= tile; half /= 2) {
      steps.push(
        dispatch(RANKS_STEP, {
          groups: Math.ceil((rows * padded) / 2 / WORKGROUP_SIZE),
          params: { rows, padded, half, is_first: half === run ? 1 : 0 },
          buffers: { keys },
        }),
      );
    }
    steps.push(sortTiles(false));
  }
  steps.push(
    dispatch(RANKS_SEARCH, {
      groups: Math.ceil((rows * samples) / WORKGROUP_SIZE),
      params: { rows, samples, padded },
      buffers: { values, keys, ranks },
    }),
  );
  return steps;
}
