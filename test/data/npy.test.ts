import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { npyText, parseNpy, toFloat32 } from "../../src/data/npy.ts";
import { openNpz } from "../../src/data/npz.ts";
import { catchError } from "../support/catch-error.ts";
import { formatNpy } from "../support/npy.ts";

const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);
const npz = openNpz(readFileSync(fixture("arrays.npz")), "arrays.npz");
const expected: Record<string, { shape: number[]; values: unknown }> = JSON.parse(
  readFileSync(fixture("arrays.json"), "utf8"),
);

describe("parseNpy", () => {
  it.each(Object.keys(expected))("reads NumPy's %s", (name) => {
    const array = npz.read(name);
    const { shape, values } = expected[name] ?? { shape: [], values: [] };
    const text = npyText(array);
    if (text) {
      expect(text).toEqual(values);
      expect(array.shape.slice(0, -1)).toEqual(shape);
    } else {
      expect(array.shape).toEqual(shape);
      expect(Array.from(array.values, Number)).toEqual([values].flat(9));
      expect(Array.from(toFloat32(array.values))).toEqual(
        [values].flat(9).map((value) => Math.fround(value as number)),
      );
    }
  });

  it("tells types apart", () => {
    expect(npz.read("int64>")).toMatchObject({ dtype: "int64" });
    expect(npz.read("int64>").values).toBeInstanceOf(BigInt64Array);
    expect(npz.read("bool").dtype).toBe("bool");
    expect(npz.read("float16<").dtype).toBe("float16");
    expect(Object.is(npz.read("float16<").values[1], -0)).toBe(true);
  });

  it("refuses pickled objects, complex numbers and records", async () => {
    expect(await catchError(() => npz.read("object"))).toMatchObject({ code: "E_INPUT_NPY_OBJECT" });
    expect((await catchError(() => npz.read("complex"))).message).toContain("<c16");
    expect((await catchError(() => npz.read("fields"))).message).toContain("several fields");
  });

  it("refuses every truncation and trailing bytes", async () => {
    const bytes = formatNpy({ shape: [2, 3], dtype: "float32", values: new Float32Array(6) });
    for (let length = 0; length < bytes.length; length++) {
      expect((await catchError(() => parseNpy(bytes.subarray(0, length), "cut"))).code).toBe("E_INPUT_NPY");
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect((await catchError(() => parseNpy(longer, "long.npy"))).message).toBe(
      "long.npy: found 25 bytes of values, expected 24 for float32 of shape (2, 3)",
    );
  });

  it("reads from a buffer at any offset", () => {
    const bytes = formatNpy({ shape: [3], dtype: "float64", values: Float64Array.of(1, 2, 3) });
    for (let offset = 0; offset < 9; offset++) {
      const buffer = Buffer.alloc(bytes.length + offset);
      buffer.set(bytes, offset);
      expect(Array.from(parseNpy(buffer.subarray(offset), "x").values, Number)).toEqual([1, 2, 3]);
    }
  });
});

describe("formatNpy", () => {
  it("writes what NumPy writes, but for padding", () => {
    const bytes = formatNpy({
      shape: [3, 4],
      dtype: "float32",
      values: Float32Array.from({ length: 12 }, (_, at) => at),
    });
    const text = Buffer.from(bytes).toString("latin1");
    expect(bytes.length).toBe(128 + 48);
    expect(text.slice(10, 128).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
    expect(text[127]).toBe("\n");
  });

  it("round-trips every array", () => {
    for (const name of Object.keys(expected).filter((key) => !key.startsWith("float16"))) {
      const array = npz.read(name);
      const again = parseNpy(formatNpy(array), name);
      expect(again).toEqual(array);
    }
  });
});
