/**
 * Unpacking by `node:zlib`, which is faster than a JavaScript one on arrays of hundreds of megabytes. Pages have
 * `src/explorer/unpack-web.ts` in the place of this file.
 */
import { crc32, gunzipSync, inflateRawSync } from "node:zlib";

/** Inflates a zip entry. Throws where it is damaged, or longer than `bytes`: a forged one must not inflate without bound. */
export function inflate(packed: Uint8Array, bytes: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
}

/** Unpacks a gzip file; throws where it is damaged. */
export function gunzip(packed: Uint8Array): Uint8Array {
  return gunzipSync(packed);
}

/** The CRC-32 of zip archives. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}
