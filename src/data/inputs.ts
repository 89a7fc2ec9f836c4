import { BrodmannError } from "../errors.ts";
import type { NpyArray, NpyValues } from "./npy.ts";
import { batchesOf, type Channels, type StoredInputs } from "./stored-inputs.ts";

/** Inputs as they are stored, and what turns them into what a network reads. */
export interface Inputs {
  readonly count: number;
  /** Shape of one input as stored. */
  readonly shape: readonly number[];
  /** Inputs `start` ... `start + count - 1` as float32, one after the other. */
  readonly batch: (start: number, count: number) => Float32Array;
}

/** Values subtracted and divided by; one for all channels, or one per channel. */
export interface Normalisation {
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/**
 * Selects inputs `skip` ... `skip + take - 1` of an array (N, ...) and reads them batch by batch:
 * uint8 becomes value / 255, other types stay as they are; then (x - mean) / std per channel. The stored array is
 * kept in its own type, so memory beyond it is bounded by the batch.
 *
 * Throws `E_INPUT_SHAPE` when there is no axis of inputs, `E_INPUT_EMPTY` when nothing is selected,
 * `E_INPUT_VALUE` for NaN or infinite values, `E_USAGE_NORMALISATION` when mean or std do not fit.
 */
export function selectInputs(
  array: NpyArray,
  skip: number,
  take: number,
  normalisation: Normalisation,
  where: string,
): Inputs {
  const [total, ...shape] = array.shape;
  if (total === undefined || shape.length === 0 || array.dtype === "bytes" || array.dtype === "unicode") {
    throw new BrodmannError(
      "E_INPUT_SHAPE",
      `${where}: found ${array.dtype} inputs of shape (${array.shape.join(", ")}), expected numbers of shape (N, ...)`,
      { hint: "The first axis counts the inputs: use x.reshape(N, -1) or x[None]." },
    );
  }
  const count = Math.min(take, total - skip);
  const size = shape.reduce((product, length) => product * length, 1);
  if (count <= 0 || size === 0) {
    throw new BrodmannError(
      "E_INPUT_EMPTY",
      `${where}: found ${total} inputs of ${size} values, expected some after skipping ${skip} and taking ${Number.isFinite(take) ? take : "all"}`,
      { hint: "Lower --skip, or raise --take." },
    );
  }
  const stored = array.values.subarray(skip * size, (skip + count) * size) as NpyValues;
  assertFinite(stored, size, skip, where);

  const inputs: StoredInputs = {
    count,
    size,
    values: stored,
    isByte: array.dtype === "uint8",
    channels: resolveChannels(shape, normalisation, where),
    transposed: [],
  };
  return { count, shape, batch: batchesOf(inputs) };
}

function assertFinite(values: NpyValues, size: number, skip: number, where: string): void {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return;
  for (let at = 0; at < values.length; at++) {
    // float64 beyond float32's range turns infinite in a batch, so it is refused here as well.
    if (Number.isFinite(Math.fround(values[at] as number))) continue;
    throw new BrodmannError(
      "E_INPUT_VALUE",
      `${where}: found ${values[at]} in input ${skip + Math.floor(at / size)} (value ${at % size}), expected finite numbers`,
      { hint: "Remove or repair such inputs, or select others with --skip and --take." },
    );
  }
}

/**
 * Channel axis: the first of inputs of rank 3 and more; the last where the values given fit only there
 * (images stored as height, width, channel); none for rank 1 and 2, which take a single value.
 */
export function resolveChannels(
  shape: readonly number[],
  { mean, std }: Normalisation,
  where: string,
): Channels | null {
  if (mean === undefined && std === undefined) return null;
  const given = Math.max(mean?.length ?? 1, std?.length ?? 1);
  const first = shape.length >= 3 ? (shape[0] as number) : 1;
  const last = shape.length >= 3 ? (shape.at(-1) as number) : 1;
  const isLast = given > 1 && given !== first && given === last;
  const count = isLast ? last : first;
  const expand = (name: string, values: readonly number[]): Float64Array => {
    if (values.length !== 1 && values.length !== count) {
      throw new BrodmannError(
        "E_USAGE_NORMALISATION",
        `--${name}: found ${values.length} values, expected 1${count > 1 ? ` or ${count}` : ""} for inputs of shape (${shape.join(", ")}) in ${where}`,
        { hint: `Give --${name} one value, or one per channel.` },
      );
    }
    const isBad = (value: number): boolean => !Number.isFinite(value) || (name === "std" && value <= 0);
    if (values.some(isBad)) {
      throw new BrodmannError(
        "E_USAGE_NORMALISATION",
        `--${name}: found ${values.find(isBad)}, expected ${name === "std" ? "positive" : "finite"} numbers`,
        { hint: `Write --${name} 0.5 or --${name} 0.49,0.48,0.45.` },
      );
    }
    return Float64Array.from(
      { length: count },
      (_, channel) => values[values.length === 1 ? 0 : channel] as number,
    );
  };
  const stride = isLast ? 1 : shape.slice(1).reduce((product, length) => product * length, 1);
  return {
    mean: expand("mean", mean ?? [0]),
    std: expand("std", std ?? [1]),
    stride: shape.length >= 3 ? stride : 1,
  };
}
