import { BrodmannError } from "../errors.ts";
import { isNpy, type NpyArray, npyText, parseNpy, toFloat32 } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { readBytes } from "./read-bytes.ts";
import { isZip } from "./zip.ts";

/** Recorded activations, samples x units, row-major. */
export interface Activations {
  readonly samples: number;
  readonly units: number;
  readonly values: Float32Array;
  /** Unit names, where the file has an array `names` of text. */
  readonly names: readonly string[] | null;
}

/**
 * Reads activations recorded elsewhere: a .npy of T samples x N units, or an .npz with an array `activations` or a
 * single array of two axes. Throws `E_INPUT_ACTIVATIONS` for other files and shapes and `E_INPUT_VALUE` for NaN and
 * infinite values.
 *
 * @example
 * const { samples, units, values } = await loadActivations("recorded.npy");
 */
export async function loadActivations(path: string): Promise<Activations> {
  const bytes = await readBytes(path);
  const { array, names } = readArrays(bytes, path);
  const [samples, units] = array.shape;
  if (array.shape.length !== 2 || samples === undefined || units === undefined || npyText(array) !== null) {
    return fail(
      `${path}: found ${array.dtype} of shape (${array.shape.join(", ")}), expected samples x units`,
    );
  }
  if (samples < 2 || units < 1) {
    return fail(`${path}: found ${samples} samples of ${units} units, expected at least 2 samples of 1 unit`);
  }
  if (names && names.length !== units) {
    return fail(`${path}[names]: found ${names.length} names, expected ${units}, one per unit`);
  }
  const values = toFloat32(array.values);
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at])) continue;
    throw new BrodmannError(
      "E_INPUT_VALUE",
      `${path}: found ${array.values[at]} at sample ${Math.floor(at / units)}, unit ${at % units}, expected finite float32 numbers`,
      { hint: "Leave out such samples or units." },
    );
  }
  return { samples, units, values, names };
}

/** Samples x units as units x samples. */
export function byUnit(values: Float32Array, samples: number, units: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let unit = 0; unit < units; unit++) {
    for (let sample = 0; sample < samples; sample++) {
      turned[unit * samples + sample] = values[sample * units + unit] as number;
    }
  }
  return turned;
}

function readArrays(bytes: Uint8Array, path: string): { array: NpyArray; names: string[] | null } {
  if (isNpy(bytes)) return { array: parseNpy(bytes, path), names: null };
  if (!isZip(bytes)) return fail(`${path}: found neither a .npy nor an .npz file`);
  const npz = openNpz(bytes, path);
  const names = npz.names.includes("names") ? npyText(npz.read("names")) : null;
  if (npz.names.includes("activations")) return { array: npz.read("activations"), names };
  const tables = npz.names
    .map((name) => npz.read(name))
    .filter((table) => table.shape.length === 2 && npyText(table) === null);
  const [array] = tables;
  if (!array || tables.length > 1) {
    return fail(
      `${path}: found arrays ${npz.names.join(", ") || "(none)"}, expected one named activations or a single one of two axes`,
    );
  }
  return { array, names };
}

function fail(message: string): never {
  throw new BrodmannError("E_INPUT_ACTIVATIONS", message, {
    hint: "Write it with numpy.save(path, activations), one row per sample and one column per unit.",
  });
}
