/**
 * Running lists of the largest values of every row of a matrix that exists tile by tile only. The lists of many rows lie
 * in several buffers, none larger than a binding.
 */
import { BrodmannError } from "../../errors.ts";
import type { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
import { requireRow } from "./transfer.ts";

export const TOP_K: ShaderKernel<
  "lists" | "elements" | "first" | "list_step" | "element_step" | "first_column",
  "squared" | "entries"
> = {
  name: "top-k",
  params: {
    lists: "u32",
    elements: "u32",
    first: "u32",
    list_step: "u32",
    element_step: "u32",
    first_column: "u32",
  },
  bindings: { squared: "read", entries: "read_write" },
};

/** Places of the shortest list; they come in powers of two. */
const LEAST_PLACES = 16;
/** A slot is a value and a column; a list has as many for candidates as for entries. */
const SLOT_BYTES = 8;
/** Workgroup memory that several lists share; more would keep workgroups from running side by side. */
const SHARED_BYTES = 16384;
const LANES_PER_LIST = 16;
const LARGEST_GROUP = 256;

/** Lists of some rows: `places` pairs of a value and a column each, the first k of which are the result. */
export interface DeviceLists {
  readonly rows: number;
  readonly k: number;
  readonly places: number;
  readonly pieces: readonly {
    readonly first: number;
    readonly rows: number;
    readonly entries: DeviceBuffer;
  }[];
}

/** Empty lists for `rows` rows. Throws `E_DEVICE_LIMIT` when k is more than workgroup memory can sort. */
export function makeLists(device: GpuDevice, rows: number, k: number): DeviceLists {
  let places = LEAST_PLACES;
  while (places < k) places *= 2;
  const { workgroupBytes } = device.limits;
  if (bytesOf(1, places) > workgroupBytes) {
    let most = LEAST_PLACES;
    while (bytesOf(1, 2 * most) <= workgroupBytes) most *= 2;
    throw new BrodmannError(
      "E_DEVICE_LIMIT",
      `top-k/entries: found k = ${k}, expected at most ${most}, what the workgroup memory of ${device.facts.name} sorts`,
      { hint: `Use --top-k ${most} or less, or --device cpu.` },
    );
  }
  // A workgroup takes one list at least.
  const step = Math.min(
    requireRow(device, "top-k/entries", 2 * places),
    device.limits.groupsPerDimension ** 2,
  );
  const pieces: { first: number; rows: number; entries: DeviceBuffer }[] = [];
  try {
    for (let first = 0; first < rows; first += step) {
      const count = Math.min(step, rows - first);
      const entries = device.buffer("top-k/entries", SLOT_BYTES * count * places);
      pieces.push({ first, rows: count, entries });
    }
  } catch (error) {
    for (const { entries } of pieces) entries.release();
    throw error;
  }
  return { rows, k, places, pieces };
}

export function releaseLists({ pieces }: DeviceLists): void {
  for (const { entries } of pieces) entries.release();
}

/** The steps that empty the lists. */
export function clearSteps({ pieces }: DeviceLists): Step[] {
  return pieces.map(({ entries }) => ({ kind: "clear", target: entries }));
}

/**
 * The steps that merge a tile into the lists of its rows, or of its columns (`isMirrored`). `tile` is rows x columns;
 * `firstColumn` is the number that its first column (of the mirrored tile: its first row) has in the lists.
 */
export function topSteps(
  device: GpuDevice,
  lists: DeviceLists,
  tile: { readonly values: DeviceBuffer; readonly rows: number; readonly columns: number },
  firstColumn: number,
  isMirrored: boolean,
): Step[] {
  const { places } = lists;
  const elements = isMirrored ? tile.rows : tile.columns;
  const [listStep, elementStep] = isMirrored ? [1, tile.columns] : [tile.columns, 1];
  const constants = workgroupOf(device, places);
  return lists.pieces.map(({ first, rows, entries }) =>
    dispatch(TOP_K, {
      groups: Math.ceil(rows / constants.LISTS),
      params: {
        lists: rows,
        elements,
        first: first * listStep,
        list_step: listStep,
        element_step: elementStep,
        first_column: firstColumn,
      },
      buffers: { squared: tile.values, entries },
      constants,
    }),
  );
}

/** Writes the lists to `values` and `columns` (rows x k, at row `firstRow`), as `TopCorrelations` wants them. */
export async function readLists(
  device: GpuDevice,
  { k, places, pieces }: DeviceLists,
  firstRow: number,
  values: Float32Array,
  columns: Int32Array,
): Promise<void> {
  for (const { first, rows, entries } of pieces) {
    const bytes = await device.readBack(entries);
    const bits = new Uint32Array(bytes);
    const floats = new Float32Array(bytes);
    for (let row = 0; row < rows; row++) {
      let to = (firstRow + first + row) * k;
      let from = 2 * row * places;
      for (let place = 0; place < k; place++, to++, from += 2) {
        values[to] = floats[from] as number;
        columns[to] = bits[from] === 0 ? -1 : (bits[from + 1] as number);
      }
    }
  }
}

function bytesOf(lists: number, places: number): number {
  // Slots, a counter of each list, and two words of the workgroup.
  return lists * (2 * places * SLOT_BYTES + 4) + 8;
}

/** Lists and lanes of a workgroup. */
function workgroupOf(
  device: GpuDevice,
  places: number,
): { WORKGROUP_SIZE: number; LISTS: number; K: number; SLOTS: number } {
  const isSoftware = device.facts.type === "software";
  const lanes = isSoftware
    ? device.cooperatingLanes
    : Math.min(LARGEST_GROUP, device.limits.workgroupInvocations);
  const shared = Math.min(SHARED_BYTES, device.limits.workgroupBytes);
  let lists = 1;
  while (2 * lists * LANES_PER_LIST <= lanes && bytesOf(2 * lists, places) <= shared) lists *= 2;
  return { WORKGROUP_SIZE: lanes, LISTS: lists, K: places, SLOTS: 2 * lists * places };
}
