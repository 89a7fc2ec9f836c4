import { describe, expect, it } from "vitest";
import { formatNpz, joinNpz, openNpz } from "../../src/data/npz.ts";
import { catchError } from "../support/catch-error.ts";

const float = (values: Float32Array) => ({ shape: [values.length], dtype: "float32" as const, values });
const noise = Float32Array.from({ length: 200_000 }, (_, at) => Math.sin(at * at));
const ramp = {
  shape: [100_000],
  dtype: "int32" as const,
  values: Int32Array.from({ length: 100_000 }, (_, at) => at % 100),
};

describe("formatNpz", () => {
  const arrays = { noise: float(noise), ramp, empty: float(new Float32Array(0)) };
  const bytes = joinNpz(arrays);

  it("round-trips in order, packing what packs", () => {
    const npz = openNpz(bytes, "a.npz");
    expect(npz.names).toEqual(["noise", "ramp", "empty"]);
    expect(npz.read("noise").values).toEqual(noise);
    expect(npz.read("ramp")).toEqual(ramp);
    expect(npz.read("empty").shape).toEqual([0]);
    expect(bytes.length).toBeGreaterThan(800_000);
    expect(bytes.length).toBeLessThan(830_000);
  });

  it("gives the same bytes whatever the clock says", () => {
    const zone = process.env.TZ;
    process.env.TZ = "Pacific/Auckland";
    expect(Buffer.compare(joinNpz(arrays), bytes)).toBe(0);
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it("hands out pieces that do not change with the arrays", () => {
    const values = Float32Array.from(noise);
    const pieces: Uint8Array[] = [];
    for (const piece of formatNpz({ noise: float(values) })) pieces.push(piece);
    values.fill(0);
    expect(openNpz(Buffer.concat(pieces), "a").read("noise").values[5]).toBe(noise[5]);
  });
});

describe("openNpz", () => {
  const bytes = joinNpz({ noise: float(noise.slice(0, 50)), ramp });

  it("names what is there when an array is missing", async () => {
    const error = await catchError(() => openNpz(bytes, "a.npz").read("y"));
    expect(error.code).toBe("E_INPUT_NPZ");
    expect(error.message).toBe("a.npz: found arrays noise, ramp, expected one named y");
  });

  it("refuses what is no zip, and every truncation", async () => {
    expect((await catchError(() => openNpz(new Uint8Array(100), "a"))).code).toBe("E_INPUT_ZIP");
    for (let length = 0; length < bytes.length; length += 7) {
      expect((await catchError(() => openNpz(bytes.subarray(0, length), "a"))).code).toBe("E_INPUT_ZIP");
    }
  });

  it("finds every flipped bit of the content", async () => {
    const start = Buffer.from(bytes).indexOf("noise.npy") + 9;
    for (let at = start; at < start + 250; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      expect((await catchError(() => openNpz(damaged, "a").read("noise"))).code).toBe("E_INPUT_ZIP");
    }
    const packed = Buffer.from(bytes).indexOf("ramp.npy") + 20;
    const damaged = Uint8Array.from(bytes);
    damaged[packed] = (damaged[packed] ?? 0) ^ 0x55;
    expect((await catchError(() => openNpz(damaged, "a").read("ramp"))).code).toBe("E_INPUT_ZIP");
  });

  it("does not inflate beyond the declared size", async () => {
    const forged = Uint8Array.from(bytes);
    const entry = Buffer.from(forged.buffer).lastIndexOf("ramp.npy") - 46;
    new DataView(forged.buffer).setUint32(entry + 24, 1000, true);
    expect((await catchError(() => openNpz(forged, "a").read("ramp"))).code).toBe("E_INPUT_ZIP");
  });
});
