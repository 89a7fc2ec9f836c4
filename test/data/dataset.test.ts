import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { loadDataset } from "../../src/data/dataset.ts";
import type { NpyArray } from "../../src/data/npy.ts";
import { joinNpz } from "../../src/data/npz.ts";
import { reshapeInputs } from "../../src/data/reshape-inputs.ts";
import { catchError } from "../support/catch-error.ts";
import { formatNpy } from "../support/npy.ts";

const folder = mkdtempSync(join(tmpdir(), "brodmann-data-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of the given content in a folder of its own. */
function put(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const bytes = (shape: number[]): NpyArray => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, dtype: "uint8", values: Uint8Array.from({ length: count }, (_, at) => at) };
};
const floats = (shape: number[], values: number[]): NpyArray => ({
  shape,
  dtype: "float32",
  values: Float32Array.from(values),
});
const labels = (...values: number[]): NpyArray => ({
  shape: [values.length],
  dtype: "int64",
  values: BigInt64Array.from(values, BigInt),
});
const idx = ({ shape, values }: NpyArray): Uint8Array =>
  Uint8Array.from([
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((size) => [0, 0, 0, size]),
    ...Array.from(values, Number),
  ]);

describe("loadDataset", () => {
  it("reads an .npz and scales bytes", async () => {
    const path = put("a/data.npz", joinNpz({ y: labels(2, 0, 1), x: bytes([3, 1, 2, 2]) }));
    const dataset = await loadDataset(path);
    expect(dataset).toMatchObject({ count: 3, inputShape: [1, 2, 2], classNames: null });
    expect(dataset.labels).toEqual(Int32Array.of(2, 0, 1));
    expect(dataset.batch(1, 2)).toEqual(
      Float32Array.from([4, 5, 6, 7, 8, 9, 10, 11], (value) => value / 255),
    );
    expect(dataset.source).toEqual({
      path,
      labelsPath: null,
      format: "npz",
      sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
      labelsSha256: null,
      skip: 0,
      take: 3,
      notes: [],
    });
  });

  it("reads the same from .npz, .npy and IDX pairs, plain and gzipped, named or found", async () => {
    const x = bytes([3, 2, 2]);
    const y: NpyArray = { shape: [3], dtype: "uint8", values: Uint8Array.of(1, 0, 2) };
    const npz = put("b/all.npz", joinNpz({ x, y }));
    const npy = put("b1/x.npy", formatNpy(x));
    const npyLabels = put("b1/y.npy", formatNpy(y));
    const named = put("b2/small_X.npy", formatNpy(x));
    put("b2/small_Y.npy", formatNpy(y));
    const plain = put("b3/t10k-images-idx3-ubyte", idx(x));
    put("b3/t10k-labels-idx1-ubyte", idx(y));
    const packed = put("b4/train-images-idx3-ubyte.gz", gzipSync(idx(x)));
    put("b4/train-labels-idx1-ubyte.gz", gzipSync(idx(y)));
    // The extension says nothing: this one is IDX inside.
    const disguised = put("b5/images.npz", idx(x));
    const expected = await loadDataset(npz);
    for (const path of [
      npy,
      `${npy},${npyLabels}`,
      [npy, npyLabels],
      named,
      plain,
      packed,
      join(folder, "b1"),
      join(folder, "b3"),
      join(folder, "b4"),
      `${disguised},${npyLabels}`,
    ]) {
      const dataset = await loadDataset(path);
      expect(dataset.batch(0, 3)).toEqual(expected.batch(0, 3));
      expect(dataset.labels).toEqual(expected.labels);
      expect(dataset.inputShape).toEqual([2, 2]);
    }
    expect((await loadDataset(packed)).source).toMatchObject({
      format: "idx",
      labelsPath: packed.replace("images-idx3", "labels-idx1"),
    });
  });

  it("takes a comma in a file name as part of it", async () => {
    const path = put("c/a,b.npz", joinNpz({ x: bytes([1, 4]), y: labels(0) }));
    expect((await loadDataset(path)).count).toBe(1);
  });

  it("wants one pair in a folder", async () => {
    for (const name of ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"]) {
      put(`d/${name}`, idx(bytes([1, 2, 2])));
      put(`d/${name.replace("images-idx3", "labels-idx1")}`, idx({ ...bytes([1]) }));
    }
    const error = await catchError(() => loadDataset(join(folder, "d")));
    expect(error.code).toBe("E_INPUT_PAIR");
    expect(error.message).toContain("t10k-images-idx3-ubyte, train-images-idx3-ubyte");
    // The packed file beside the unpacked one is the same data.
    put("d1/images-idx3-ubyte", idx(bytes([1, 2, 2])));
    put("d1/images-idx3-ubyte.gz", gzipSync(idx(bytes([1, 2, 2]))));
    put("d1/labels-idx1-ubyte.gz", gzipSync(idx(bytes([1]))));
    expect((await loadDataset(join(folder, "d1"))).count).toBe(1);
  });

  it("selects inputs", async () => {
    const path = put("e/data.npz", joinNpz({ x: bytes([10, 3]), y: labels(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) }));
    const whole = await loadDataset(path);
    const part = await loadDataset(path, { skip: 4, take: 3 });
    expect(part.labels).toEqual(Int32Array.of(4, 5, 6));
    expect(part.batch(0, 3)).toEqual(whole.batch(4, 3));
    expect(part.source).toMatchObject({ skip: 4, take: 3 });
    expect((await loadDataset(path, { skip: 8, take: 100 })).count).toBe(2);
    expect((await catchError(() => loadDataset(path, { skip: 10 }))).code).toBe("E_INPUT_EMPTY");
    expect((await catchError(() => loadDataset(path, { take: 0 }))).code).toBe("E_INPUT_EMPTY");
    expect((await catchError(() => loadDataset(path, { skip: -1 }))).code).toBe("E_USAGE_SELECTION");
    expect((await catchError(() => part.batch(2, 2))).code).toBe("E_INTERNAL_BATCH");
  });

  it("normalises per channel, whichever axis holds the channels", async () => {
    const mean = [0.1, 0.2, 0.3];
    const std = [0.5, 0.25, 2];
    const x = bytes([2, 3, 2, 2]);
    const path = put("f/chw.npz", joinNpz({ x, y: labels(0, 1) }));
    const plain = (await loadDataset(path)).batch(0, 2);
    const chw = (await loadDataset(path, { mean, std })).batch(0, 2);
    plain.forEach((value, at) => {
      const channel = Math.floor(at / 4) % 3;
      expect(chw[at]).toBeCloseTo((value - (mean[channel] ?? 0)) / (std[channel] ?? 1), 6);
    });
    // The same images stored as height, width, channel give the same values once transposed.
    const stored = new Uint8Array(24);
    for (let n = 0; n < 2; n++)
      for (let c = 0; c < 3; c++)
        for (let p = 0; p < 4; p++) stored[n * 12 + p * 3 + c] = x.values[n * 12 + c * 4 + p] as number;
    const hwc = put(
      "f/hwc.npz",
      joinNpz({ x: { ...x, shape: [2, 2, 2, 3], values: stored }, y: labels(0, 1) }),
    );
    const dataset = reshapeInputs(await loadDataset(hwc, { mean, std }), [3, 2, 2]);
    expect(dataset.batch(0, 2)).toEqual(chw);
    expect(dataset.batch(1, 1)).toEqual(chw.slice(12));
  });

  it("normalises by one value where there are no channels", async () => {
    const path = put("g/data.npz", joinNpz({ x: floats([2, 3], [0, 1, 2, 3, 4, 5]), y: labels(0, 1) }));
    expect((await loadDataset(path, { mean: [1], std: [2] })).batch(0, 2)).toEqual(
      Float32Array.of(-0.5, 0, 0.5, 1, 1.5, 2),
    );
    expect((await loadDataset(path, { mean: [1] })).batch(1, 1)).toEqual(Float32Array.of(2, 3, 4));
    const error = await catchError(() => loadDataset(path, { mean: [1, 2, 3] }));
    expect(error.code).toBe("E_USAGE_NORMALISATION");
    expect((await catchError(() => loadDataset(path, { std: [0] }))).code).toBe("E_USAGE_NORMALISATION");
    expect((await catchError(() => loadDataset(path, { mean: [Number.NaN] }))).code).toBe(
      "E_USAGE_NORMALISATION",
    );
  });

  it("leaves other types unscaled", async () => {
    const x: NpyArray = { shape: [1, 3], dtype: "int64", values: BigInt64Array.of(-1n, 255n, 7n) };
    const path = put("h/data.npz", joinNpz({ x, y: labels(0) }));
    expect((await loadDataset(path)).batch(0, 1)).toEqual(Float32Array.of(-1, 255, 7));
  });

  it("accepts labels of any integer kind and column shape", async () => {
    const y = floats([3, 1], [0, 3, 1]);
    const path = put("i/data.npz", joinNpz({ x: bytes([3, 2]), y }));
    expect((await loadDataset(path)).labels).toEqual(Int32Array.of(0, 3, 1));
  });

  it("takes floats for numbers to be predicted, and a row of whole numbers for tokens", async () => {
    const x = bytes([3, 2]);
    const load = (name: string, y: NpyArray) =>
      loadDataset(put(name, joinNpz({ x, y })), { skip: 1, take: 2 });
    const single = await load("r/one.npz", floats([3], [0.5, -1.5, 2]));
    expect(single.labels).toHaveLength(0);
    expect(single.targets).toEqual(Float32Array.of(-1.5, 2));
    const several = await load("r/two.npz", floats([3, 2], [1, 2, 3, 4, 5, 6]));
    expect(several.labels).toHaveLength(0);
    expect(several.targets).toEqual(Float32Array.of(3, 4, 5, 6));
    const whole = await load("r/whole.npz", floats([3], [2, 0, 1]));
    expect([whole.labels, whole.targets]).toEqual([Int32Array.of(0, 1), Float32Array.of(0, 1)]);
    const tokens = await load("r/tokens.npz", { ...labels(1, 2, 3, 4, 5, 6), shape: [3, 2] });
    expect([tokens.labels, tokens.targets]).toEqual([Int32Array.of(3, 4, 5, 6), null]);
  });

  it.each([
    ["no y", { x: bytes([2, 2]) }, "E_INPUT_NPZ", "expected one named y"],
    [
      "another number of labels",
      { x: bytes([2, 2]), y: labels(1) },
      "E_INPUT_COUNT",
      "found 1 labels, expected 2",
    ],
    [
      "a negative label",
      { x: bytes([2, 2]), y: labels(0, -1) },
      "E_INPUT_LABELS",
      "found label -1 at input 1",
    ],
    [
      "a label that is no number",
      { x: bytes([2, 2]), y: floats([2, 2], [0, 0.5, 1, Number.NaN]) },
      "E_INPUT_LABELS",
      "found label NaN at input 1",
    ],
    ["a huge label", { x: bytes([1, 2]), y: labels(2 ** 40) }, "E_INPUT_LABELS", "1099511627776"],
    [
      "labels of three axes",
      { x: bytes([2, 2]), y: floats([2, 2, 1], [0, 1, 1, 0]) },
      "E_INPUT_LABELS",
      "shape (2, 2, 1)",
    ],
    [
      "NaN",
      { x: floats([2, 2], [0, 1, Number.NaN, 3]), y: labels(0, 1) },
      "E_INPUT_VALUE",
      "found NaN in input 1 (value 0)",
    ],
    [
      "infinity",
      { x: floats([1, 2], [0, -1 / 0]), y: labels(0) },
      "E_INPUT_VALUE",
      "found -Infinity in input 0 (value 1)",
    ],
    ["inputs without an axis", { x: bytes([2]), y: labels(0, 1) }, "E_INPUT_SHAPE", "shape (2)"],
    ["no inputs", { x: bytes([0, 4]), y: labels() }, "E_INPUT_EMPTY", "found 0 inputs"],
  ])("refuses %s", async (name, arrays, code, message) => {
    const path = put(`j/${name}.npz`, joinNpz(arrays as Record<string, NpyArray>));
    const error = await catchError(() => loadDataset(path));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe("");
  });

  it("refuses files that are missing, alone, damaged or of another kind", async () => {
    const code = async (path: string): Promise<string> => (await catchError(() => loadDataset(path))).code;
    expect(await code(join(folder, "nowhere.npz"))).toBe("E_INPUT_FILE");
    expect(await code(put("k/x.npy", formatNpy(bytes([2, 2]))))).toBe("E_INPUT_LABELS");
    expect(await code(put("k/inputs.bin", formatNpy(bytes([2, 2]))))).toBe("E_INPUT_LABELS");
    const y = put("k/labels.npy", formatNpy(labels(0, 1)));
    expect(await code(`${put("k/x.txt", Buffer.from("1,2,3"))},${y}`)).toBe("E_INPUT_FORMAT");
    expect(await code(`${put("k/empty", new Uint8Array(0))},${y}`)).toBe("E_INPUT_FORMAT");
    const packed = gzipSync(idx(bytes([2, 2, 2])));
    expect(await code(`${put("k/cut.gz", packed.subarray(0, packed.length - 9))},${y}`)).toBe("E_INPUT_GZIP");
    expect(await code("a,b,c")).toBe("E_USAGE_DATA");
    expect(await code("a,")).toBe("E_USAGE_DATA");
  });
});

describe("reshapeInputs", () => {
  const load = async (shape: number[]) => {
    const name = `r/${shape.join("x")}.npz`;
    return loadDataset(put(name, joinNpz({ x: bytes([2, ...shape]), y: labels(0, 1) })));
  };

  it.each([
    [
      [4, 4],
      [1, 4, 4],
    ],
    [[4, 4], [16]],
    [
      [4, 4],
      [1, 16],
    ],
    [
      [1, 4, 4],
      [4, 4],
    ],
    [
      [4, 4, 1],
      [1, 4, 4],
    ],
    [[16], [1, 4, 4]],
    [[3, 2, 4], [24]],
    [
      [3, 3, 3],
      [3, 3, 3],
    ],
  ])("reads %j as %j without moving values", async (stored, wanted) => {
    const dataset = await load(stored);
    const reshaped = reshapeInputs(dataset, wanted);
    expect(reshaped.inputShape).toEqual(wanted);
    expect(reshaped.batch(0, 2)).toEqual(dataset.batch(0, 2));
  });

  it("moves channels to the front and to the back", async () => {
    const front = reshapeInputs(await load([2, 4, 3]), [3, 2, 4]);
    const values = Array.from(front.batch(0, 1), (value) => Math.round(value * 255));
    expect(values).toEqual([
      0, 3, 6, 9, 12, 15, 18, 21, 1, 4, 7, 10, 13, 16, 19, 22, 2, 5, 8, 11, 14, 17, 20, 23,
    ]);
    const back = reshapeInputs(front, [2, 4, 3]);
    expect(back.batch(0, 2)).toEqual((await load([2, 4, 3])).batch(0, 2));
  });

  it.each([
    [
      [4, 4],
      [1, 5, 5],
    ],
    [
      [4, 4],
      [2, 8],
    ],
    [
      [3, 2, 4],
      [3, 8],
    ],
    [
      [3, 2, 4],
      [2, 3, 4],
    ],
    [[24], [3, 2, 4]],
  ])("refuses to read %j as %j", async (stored, wanted) => {
    const dataset = await load(stored);
    const error = await catchError(() => reshapeInputs(dataset, wanted));
    expect(error.code).toBe("E_INPUT_SHAPE");
    expect(error.message).toContain(
      `found inputs of shape (${stored.join(", ")}), expected (${wanted.join(", ")})`,
    );
  });
});
