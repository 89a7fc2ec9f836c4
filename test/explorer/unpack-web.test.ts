import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { checksum, gunzip, inflate } from "../../src/explorer/unpack-web.ts";

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);

describe("unpacking in a page", () => {
  it("gives what zlib packed", () => {
    expect(Buffer.from(inflate(deflateRawSync(bytes), bytes.length)).equals(bytes)).toBe(true);
    expect(Buffer.from(gunzip(gzipSync(bytes))).equals(bytes)).toBe(true);
    expect(inflate(deflateRawSync(new Uint8Array()), 0)).toHaveLength(0);
  });

  it("has zlib's checksum", () => {
    for (const part of [new Uint8Array(), bytes, bytes.subarray(3, 4)])
      expect(checksum(part)).toBe(crc32(part));
  });

  it("does not inflate a forged entry beyond its length, and refuses damage", () => {
    const bomb = deflateRawSync(new Uint8Array(10_000_000));
    expect(inflate(bomb, 1000).length).toBeLessThanOrEqual(1000);
    expect(() => inflate(deflateRawSync(bytes).subarray(0, 500), bytes.length)).toThrow();
    expect(() => gunzip(gzipSync(bytes).subarray(0, 500))).toThrow();
  });
});
