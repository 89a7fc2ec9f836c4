import { BrodmannError } from "../../errors.ts";
import type { UnitBatch, UnitRecorder } from "../compute.ts";

/** Units recorded in main memory. */
export class HostRecorder implements UnitRecorder {
  readonly units: number;
  readonly samples: number;
  /** Units x samples, row-major. */
  readonly values: Float32Array;

  constructor(units: number, samples: number) {
    this.units = units;
    this.samples = samples;
    this.values = new Float32Array(units * samples);
  }

  async append(batch: UnitBatch): Promise<void> {
    this.appendFloats(batch, floatsOf(batch));
  }

  /** The same from floats, without a promise. */
  appendFloats(
    { rows, index, isSummed, firstUnit, firstSample }: Omit<UnitBatch, "values">,
    values: Float32Array,
  ): void {
    const { samples, values: target } = this;
    const width = index.length;
    for (let row = 0; row < rows; row++) {
      for (let position = 0; position < width; position++) {
        const unit = index[position] as number;
        if (unit < 0) continue;
        const value = values[row * width + position] as number;
        const cell = (firstUnit + unit) * samples + firstSample + row;
        target[cell] = isSummed ? (target[cell] as number) + Math.abs(value) : value;
      }
    }
  }

  /** Nothing to free. */
  dispose(): void {}
}

function floatsOf({ values }: UnitBatch): Float32Array {
  if (values instanceof Float32Array) return values;
  throw new BrodmannError("E_INTERNAL_RECORDER", "recorder: found a GPU buffer, expected floats on the CPU");
}

/** Rows for the kernels of this device: the array itself, or what one of its recorders holds. */
export function hostRows(rows: Float32Array | UnitRecorder): Float32Array {
  if (rows instanceof Float32Array) return rows;
  if (rows instanceof HostRecorder) return rows.values;
  throw new BrodmannError("E_INTERNAL_RECORDER", "recorder: found one of another device");
}
