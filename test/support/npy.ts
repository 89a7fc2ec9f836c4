import { formatNpyParts, type NpyArray } from "../../src/data/npy.ts";

/** A whole .npy file (version 1.0, little-endian, C order). */
export function formatNpy(array: NpyArray): Uint8Array {
  return new Uint8Array(Buffer.concat(formatNpyParts(array)));
}
