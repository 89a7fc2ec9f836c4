/**
 * NumPy's .npz format: a zip archive of .npy files.
 * The only file that imports `fflate`, which packs the same bytes on every machine (`node:zlib` does not promise to).
 */
import { deflateSync, Zip, ZipDeflate, ZipPassThrough } from "fflate";
import { BrodmannError } from "../errors.ts";
import { formatNpyParts, type NpyArray, parseNpy } from "./npy.ts";
import { openZip } from "./zip.ts";

/** An open .npz file; arrays are unpacked when they are asked for. */
export interface Npz {
  /** Array names without `.npy`, in the file's order. */
  readonly names: readonly string[];
  /** The named array; throws `E_INPUT_NPZ` when it is missing, naming those that are there. */
  readonly read: (name: string) => NpyArray;
}

/**
 * Opens an .npz file held in memory. Throws `E_INPUT_ZIP` when it is no zip archive.
 *
 * @example
 * const digits = openNpz(await readBytes("digits.npz"), "digits.npz").read("x");
 */
export function openNpz(bytes: Uint8Array, where: string): Npz {
  const zip = openZip(bytes, where);
  const names = zip.names.filter((name) => name.endsWith(".npy")).map((name) => name.slice(0, -4));
  return {
    names,
    read: (name) => {
      if (!names.includes(name)) {
        throw new BrodmannError(
          "E_INPUT_NPZ",
          `${where}: found arrays ${names.join(", ") || "(none)"}, expected one named ${name}`,
          { hint: `Write it with numpy.savez(path, ${name}=...).` },
        );
      }
      return parseNpy(zip.read(`${name}.npy`), `${where}[${name}]`);
    },
  };
}

/** Bytes handed on at a time. */
const CHUNK_BYTES = 1 << 24;
/** Arrays beyond this are stored as they are: packing takes far longer than writing them. */
const PACKED_BYTES = 1 << 26;
/** So are those where packing their beginning saves less than a fifth, as with most floats. */
const SAMPLE_BYTES = 1 << 18;
const WORTHWHILE = 0.8;

/**
 * Packs arrays into an .npz file, in the given order and with fixed timestamps: equal arrays give equal bytes.
 * The file comes in pieces, so that big arrays are never held twice. Throws `E_OUTPUT_NPZ` from 4 GiB on.
 *
 * @example
 * for (const piece of formatNpz({ x, y })) await file.write(piece);
 */
export function* formatNpz(arrays: Readonly<Record<string, NpyArray>>): Generator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let total = 0;
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    pieces.push(piece);
    total += piece.length;
  });
  // Zip times are local wall-clock times, and so is this.
  const mtime = new Date(1980, 0, 1);
  for (const [name, array] of Object.entries(arrays)) {
    const [header, values] = formatNpyParts(array);
    if (total + values.length > 0xffff0000) {
      throw new BrodmannError(
        "E_OUTPUT_NPZ",
        `${name}: found ${values.length} bytes, expected below 4 GiB in all`,
        {
          hint: "Sparsify the graph before writing it.",
        },
      );
    }
    const entry = isWorthPacking(values)
      ? new ZipDeflate(`${name}.npy`, { level: 1 })
      : new ZipPassThrough(`${name}.npy`);
    entry.mtime = mtime;
    zip.add(entry);
    entry.push(header, values.length === 0);
    for (let start = 0; start < values.length; start += CHUNK_BYTES) {
      const stop = Math.min(start + CHUNK_BYTES, values.length);
      // A copy, because what is stored unpacked is handed on as it is, and the caller may reuse the array.
      entry.push(values.slice(start, stop), stop === values.length);
      yield* pieces;
      pieces = [];
    }
  }
  zip.end();
  yield* pieces;
}

function isWorthPacking(values: Uint8Array): boolean {
  const sample = values.subarray(0, SAMPLE_BYTES);
  return (
    values.length <= PACKED_BYTES && deflateSync(sample, { level: 1 }).length < sample.length * WORTHWHILE
  );
}

/** The pieces of `formatNpz` as one array of bytes. */
export function joinNpz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  return Buffer.concat([...formatNpz(arrays)]);
}
