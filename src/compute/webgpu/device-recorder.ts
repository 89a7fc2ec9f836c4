/**
 * Units recorded on the device, batch by batch, so that a network's outputs need not leave it and no array of units x
 * samples exists in main memory. What exceeds the memory budget is recorded there after all.
 */
import { BrodmannError } from "../../errors.ts";
import type { UnitBatch, UnitRecorder } from "../compute.ts";
import { HostRecorder } from "../cpu/host-recorder.ts";
import { rowStride } from "./correlation.ts";
import { DeviceBuffer } from "./device-buffer.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
import { cutRows, RESIDENT_BYTES, type RecordedPanel, rowsPerPanel } from "./standardised-panels.ts";
import { TOP_PANEL_ROWS } from "./top-correlations.ts";
import { readFloats, requireRow } from "./transfer.ts";

export const RECORD_UNITS: ShaderKernel<
  "rows" | "width" | "first_unit" | "units" | "samples" | "start" | "target_row" | "is_summed",
  "batch" | "positions" | "ends" | "recorded"
> = {
  name: "record-units",
  params: {
    rows: "u32",
    width: "u32",
    first_unit: "u32",
    units: "u32",
    samples: "u32",
    start: "u32",
    target_row: "u32",
    is_summed: "u32",
  },
  bindings: { batch: "read", positions: "read", ends: "read", recorded: "read_write" },
};

const WORKGROUP_SIZE = 64;

/** Where the positions of each unit of a layer are. */
interface Placement {
  readonly units: number;
  readonly positions: DeviceBuffer;
  readonly ends: DeviceBuffer;
}

/** Units recorded on a GPU; `dispose()` frees them. */
export class DeviceRecorder implements UnitRecorder {
  readonly units: number;
  readonly samples: number;
  readonly #device: GpuDevice;
  readonly #panels: { readonly first: number; readonly rows: number; readonly values: DeviceBuffer }[] = [];
  /** Units from here on are recorded in main memory. */
  readonly #hostFirst: number;
  readonly #panelRows: number;
  readonly #host: HostRecorder;
  readonly #placements = new Map<Int32Array, Placement>();
  #isCleared = false;

  constructor(device: GpuDevice, units: number, samples: number, residentBytes: number = RESIDENT_BYTES) {
    this.#device = device;
    this.units = units;
    this.samples = samples;
    const rowBytes = 4 * rowStride(samples);
    this.#panelRows = units === 0 || samples === 0 ? 1 : rowsPerPanel(device, units, samples, TOP_PANEL_ROWS);
    let first = 0;
    try {
      while (first < units && samples > 0) {
        const rows = Math.min(this.#panelRows, units - first);
        if ((first + rows) * rowBytes > residentBytes) break;
        this.#panels.push({ first, rows, values: device.buffer("record-units/recorded", rows * rowBytes) });
        first += rows;
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
    this.#hostFirst = first;
    this.#host = new HostRecorder(units - first, samples);
  }

  isOn(device: GpuDevice): boolean {
    return this.#device === device;
  }

  /** What is recorded, for `correlations` and `topCorrelations` of this device. */
  get recorded(): readonly RecordedPanel[] {
    const { samples } = this;
    const rest = this.units - this.#hostFirst;
    const onHost = cutRows(this.#host.values, rest, samples, this.#panelRows);
    return [
      ...this.#panels,
      ...onHost.map(({ first, rows, values }) => ({ first: this.#hostFirst + first, rows, values })),
    ];
  }

  async append(batch: UnitBatch): Promise<void> {
    const { rows, index, values } = batch;
    const device = this.#device;
    const width = index.length;
    if (rows === 0 || width === 0) return;
    const { units, positions, ends } = this.#place(index);
    // A dispatch has at most as many lanes as one unit for each row of a panel and input.
    const lanes = WORKGROUP_SIZE * device.limits.groupsPerDimension ** 2;
    const most = Math.max(1, Math.floor(lanes / this.#panelRows));
    const step = Math.min(rows, requireRow(device, "record-units/batch", width), most);
    using source = device.buffer("record-units/batch", 4 * step * width);
    // Units without any position stay 0.
    if (!this.#isCleared) {
      const clears = this.#panels.map(({ values: target }): Step => ({ kind: "clear", target }));
      await device.submit("record-units", clears);
      this.#isCleared = true;
    }
    for (let first = 0; first < rows; first += step) {
      const count = Math.min(step, rows - first);
      const steps: Step[] = [];
      if (values instanceof Float32Array) {
        device.write(source, values.subarray(first * width, (first + count) * width));
      } else {
        steps.push({
          kind: "copy",
          source: borrowed(values),
          sourceOffset: 4 * first * width,
          target: source,
          targetOffset: 0,
          sizeBytes: 4 * count * width,
        });
      }
      for (const panel of this.#panels) {
        const from = Math.max(panel.first, batch.firstUnit);
        const to = Math.min(panel.first + panel.rows, batch.firstUnit + units);
        if (from >= to) continue;
        steps.push(
          dispatch(RECORD_UNITS, {
            groups: Math.ceil((count * (to - from)) / WORKGROUP_SIZE),
            params: {
              rows: count,
              width,
              first_unit: from - batch.firstUnit,
              units: to - from,
              samples: this.samples,
              start: batch.firstSample + first,
              target_row: from - panel.first,
              is_summed: batch.isSummed ? 1 : 0,
            },
            buffers: { batch: source, positions, ends, recorded: panel.values },
          }),
        );
      }
      await device.submit("record-units", steps);
      await this.#appendToHost(batch, units, first, count, source);
    }
  }

  dispose(): void {
    for (const { values } of this.#panels) values.release();
    this.#panels.length = 0;
    for (const { positions, ends } of this.#placements.values()) {
      positions.release();
      ends.release();
    }
    this.#placements.clear();
  }

  /** Records those units of a piece of a batch whose rows are in main memory. */
  async #appendToHost(
    batch: UnitBatch,
    units: number,
    first: number,
    rows: number,
    source: DeviceBuffer,
  ): Promise<void> {
    const skipped = this.#hostFirst - batch.firstUnit;
    if (skipped >= units) return;
    const { isSummed, values } = batch;
    const width = batch.index.length;
    const piece =
      values instanceof Float32Array
        ? values.subarray(first * width, (first + rows) * width)
        : await readFloats(this.#device, source, 0, rows * width);
    const index = batch.index.map((unit) => (unit < skipped ? -1 : unit));
    const firstSample = batch.firstSample + first;
    this.#host.appendFloats({ rows, index, isSummed, firstUnit: -skipped, firstSample }, piece);
  }

  #place(index: Int32Array): Placement {
    let placement = this.#placements.get(index);
    if (placement === undefined) {
      const { units, positions, ends } = placeUnits(index);
      placement = {
        units,
        positions: this.#device.upload("record-units/positions", positions),
        ends: this.#device.upload("record-units/ends", ends),
      };
      this.#placements.set(index, placement);
    }
    return placement;
  }
}

/** Positions by unit, in their order within each. */
function placeUnits(index: Int32Array): { units: number; positions: Uint32Array; ends: Uint32Array } {
  const units = index.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const ends = new Uint32Array(units + 1);
  for (const unit of index) if (unit >= 0) ends[unit + 1] = (ends[unit + 1] as number) + 1;
  for (let unit = 0; unit < units; unit++)
    ends[unit + 1] = (ends[unit + 1] as number) + (ends[unit] as number);
  const positions = new Uint32Array(ends[units] as number);
  const cursor = ends.slice(0, units);
  index.forEach((unit, position) => {
    if (unit < 0) return;
    const at = cursor[unit] as number;
    positions[at] = position;
    cursor[unit] = at + 1;
  });
  return { units, positions, ends };
}

/** A buffer of somebody else's on the same device, to copy from. */
function borrowed(buffer: GPUBuffer): DeviceBuffer {
  return new DeviceBuffer("record-units/borrowed", buffer.size, buffer, () => {});
}

/** Rows for the kernels of `device`: the array itself, or what a recorder holds there or in main memory. */
export function deviceRows(
  device: GpuDevice,
  rows: Float32Array | UnitRecorder,
): Float32Array | readonly RecordedPanel[] {
  if (rows instanceof Float32Array) return rows;
  if (rows instanceof HostRecorder) return rows.values;
  if (rows instanceof DeviceRecorder && rows.isOn(device)) return rows.recorded;
  throw new BrodmannError("E_INTERNAL_RECORDER", "recorder: found one of another device");
}
