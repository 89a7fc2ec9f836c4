import { describe, expect, it } from "vitest";
import { isIdx, parseIdx } from "../../src/data/idx.ts";
import { catchError } from "../support/catch-error.ts";

const idx = (type: number, shape: number[], content: number[]): Uint8Array =>
  Uint8Array.from([
    0,
    0,
    type,
    shape.length,
    ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]),
    ...content,
  ]);

describe("parseIdx", () => {
  it("reads all types, big-endian", () => {
    expect(parseIdx(idx(8, [2, 1, 2], [0, 1, 128, 255]), "a")).toEqual({
      shape: [2, 1, 2],
      dtype: "uint8",
      values: Uint8Array.of(0, 1, 128, 255),
    });
    expect(parseIdx(idx(9, [2], [1, 255]), "a").values).toEqual(Int8Array.of(1, -1));
    expect(parseIdx(idx(11, [2], [1, 0, 255, 254]), "a").values).toEqual(Int16Array.of(256, -2));
    expect(parseIdx(idx(12, [1], [0, 1, 0, 0]), "a").values).toEqual(Int32Array.of(65536));
    expect(parseIdx(idx(13, [1], [0x3f, 0xc0, 0, 0]), "a").values).toEqual(Float32Array.of(1.5));
    expect(parseIdx(idx(14, [1], [0xc0, 4, 0, 0, 0, 0, 0, 0]), "a").values).toEqual(Float64Array.of(-2.5));
  });

  it("refuses truncated files and other types", async () => {
    const whole = idx(8, [3], [1, 2, 3]);
    for (let length = 0; length < whole.length; length++) {
      expect((await catchError(() => parseIdx(whole.subarray(0, length), "a"))).code).toBe("E_INPUT_IDX");
    }
    expect(isIdx(idx(10, [1], [0]))).toBe(false);
    expect(isIdx(idx(8, [], [0]))).toBe(false);
  });
});
