/** Unpacking in a page, in the place of `src/data/unpack.ts`. */
import { gunzipSync, inflateSync } from "fflate";

/** Into memory of the expected size, so that a forged entry cannot grow: what is too long shows by its checksum. */
export function inflate(packed: Uint8Array, bytes: number): Uint8Array {
  return inflateSync(packed, { out: new Uint8Array(bytes) });
}

/** A gzip file says at its end how long it is. */
export function gunzip(packed: Uint8Array): Uint8Array {
  return gunzipSync(packed);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 255] as number);
  return (value ^ 0xffffffff) >>> 0;
}
