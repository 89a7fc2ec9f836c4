import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, requireSendable } from "../../src/chrome/message.ts";
import { catchError } from "../support/catch-error.ts";

/** The message as one piece of memory, as it arrives. */
function bytesOf(value: unknown): ArrayBuffer {
  const { parts, byteLength } = encodeMessage(value);
  const bytes = new Uint8Array(byteLength);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  expect(offset).toBe(byteLength);
  return bytes.buffer;
}

const roundTrip = (value: unknown): unknown => decodeMessage(bytesOf(value));

describe("messages", () => {
  it.each([
    ["null", null],
    ["a text that is not ASCII", "Größe \u2028 \ud83e\udde0"],
    ["a truth", true],
    [
      "numbers that JSON has no word for",
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
    ],
    ["numbers with all their digits", [0.1 + 0.2, 5e-324, 2 ** 53, -1.7976931348623157e308]],
    ["large integers", { value: 2n ** 80n, other: -1n }],
    ["nothing much", [[], {}, "", 0]],
    [
      "a map",
      new Map<unknown, unknown>([
        ["layer", 3],
        [4, new Map([["inner", Float32Array.of(1)]])],
      ]),
    ],
    ["keys that look like ours", { $array: 1, $number: { $map: ["x"] }, plain: -0 }],
    ["keys that are no plain words", { "": 1, "a b": 2, constructor: 3 }],
    [
      "arrays of every type, also odd lengths",
      [
        Float32Array.of(1.5, Number.NaN, -0),
        Float64Array.of(Math.PI),
        Int8Array.of(-1, 2, 3),
        Int16Array.of(-300),
        Int32Array.of(1, -2, 3),
        BigInt64Array.of(-(2n ** 62n)),
        Uint8Array.of(255),
        Uint16Array.of(65535, 1, 2),
        Uint32Array.of(2 ** 32 - 1),
        BigUint64Array.of(2n ** 63n),
        new Float32Array(0),
      ],
    ],
  ])("carry %s", (_, value) => {
    expect(roundTrip(value)).toEqual(value);
  });

  it("carry the part that an array is a view of, not what lies around it", () => {
    const all = Float32Array.from({ length: 10_000 }, (_, i) => i);
    const value = { part: all.subarray(3, 6) };
    expect(encodeMessage(value).byteLength).toBeLessThan(100);
    expect(roundTrip(value)).toEqual({ part: Float32Array.of(3, 4, 5) });
    expect(roundTrip(Buffer.from("abc"))).toEqual(Uint8Array.of(97, 98, 99));
  });

  it("carry an array that occurs twice once, and keep it one array", () => {
    const values = new Float32Array(1000).fill(2);
    const message = { first: { values }, second: { values } };
    expect(encodeMessage(message).byteLength).toBeLessThan(4500);
    const { first, second } = roundTrip(message) as typeof message;
    expect(first.values).toEqual(values);
    expect(second.values).toBe(first.values);
  });

  it("leave out what is undefined, as JSON does", () => {
    expect(roundTrip({ a: undefined, b: 1 })).toEqual({ b: 1 });
    expect(roundTrip(undefined)).toBeNull();
  });

  it.each([0, 3, 20, 60])("that are cut to %i bytes are refused", async (length) => {
    const whole = bytesOf({ name: "values", values: Float64Array.of(1, 2, 3) });
    expect((await catchError(() => decodeMessage(whole.slice(0, length)))).code).toBe("E_INTERNAL_MESSAGE");
  });
});

describe("requireSendable", () => {
  it("refuses what a page cannot be sure to send, and says what to do", async () => {
    requireSendable(4 * 11_585 ** 2);
    requireSendable(100, 100);
    expect(await catchError(() => requireSendable(101, 100))).toMatchObject({ code: "E_DEVICE_LIMIT" });
    expect(await catchError(() => requireSendable(4 * 16_384 ** 2))).toMatchObject({
      code: "E_DEVICE_LIMIT",
      message: expect.stringContaining("found a result of 1024 MB, expected at most 512 MB"),
      hint: expect.stringContaining("--top-k"),
    });
  });
});
