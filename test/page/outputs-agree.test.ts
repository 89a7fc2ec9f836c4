import { describe, expect, it } from "vitest";
import { areClose, type NamedValues, outputsAgree } from "../../src/page/outputs-agree.ts";
import { rng } from "../../src/statistics/rng.ts";

const floats = (values: ArrayLike<number>, dims: readonly number[] = [values.length]): NamedValues => ({
  y: { type: "float32", dims, data: Float32Array.from(values) },
});
const random = rng(5, "outputs");
const NORMAL = Float32Array.from({ length: 30_000 }, () => 3 * random.normal());

describe("areClose", () => {
  it.each([
    ["rounding errors of float32", 1e-6, true],
    ["half precision", 2 ** -11, false],
  ])("%s", (_, relative, isClose) => {
    const changed = NORMAL.map((value) => value * (1 + relative * (random.uniform() < 0.5 ? -1 : 1)));
    expect(areClose(floats(changed), floats(NORMAL))).toBe(isClose);
  });

  it("finds one value among many that is another one's", () => {
    const changed = NORMAL.slice();
    [changed[7], changed[8]] = [changed[8] as number, changed[7] as number];
    expect(areClose(floats(changed), floats(NORMAL))).toBe(false);
  });

  it.each([
    [[0, 0], [0, 0], true],
    [[1e-3, 0], [0, 0], false],
    // GPUs may take the smallest numbers for zero.
    [[0, 0], [1e-39, 0], true],
    [[1, Number.NaN], [1, Number.NaN], true],
    [[1, 2], [1, Number.NaN], false],
    [[1, Number.NaN], [1, 2], false],
    [[1, Number.POSITIVE_INFINITY], [1, Number.POSITIVE_INFINITY], true],
    [[1, Number.NEGATIVE_INFINITY], [1, Number.POSITIVE_INFINITY], false],
    [[1, 3e38], [1, Number.POSITIVE_INFINITY], false],
  ])("%j for %j: %s", (made, expected, isClose) => {
    expect(areClose(floats(made), floats(expected))).toBe(isClose);
  });

  it("takes whole numbers exactly, and the same shape and outputs only", () => {
    const tokens = (...values: bigint[]): NamedValues => ({
      y: { type: "int64", dims: [values.length], data: values },
    });
    expect(areClose(tokens(1n, 10_000_000n), tokens(1n, 10_000_000n))).toBe(true);
    expect(areClose(tokens(1n, 10_000_001n), tokens(1n, 10_000_000n))).toBe(false);
    expect(areClose(floats([1, 2], [1, 2]), floats([1, 2], [2, 1]))).toBe(false);
    expect(areClose({}, floats([1]))).toBe(false);
  });
});

describe("outputsAgree", () => {
  const rows = 20;
  const x = Float32Array.from({ length: 2 * rows }, () => random.normal());
  const inputs: NamedValues = { x: { type: "float32", dims: [rows, 2], data: x } };
  const declared = [{ name: "x", shape: ["batch", 2] }];

  /** A provider; counts the rows that it was given. */
  const provider = (output: (x: Float32Array) => ArrayLike<number>) => {
    const given: number[] = [];
    const run = async ({ x }: NamedValues): Promise<NamedValues> => {
      given.push(x?.dims[0] ?? 0);
      const values = output(x?.data as Float32Array);
      return floats(values, values.length > 1 ? [values.length / 2, 2] : [1]);
    };
    return { given, run };
  };
  const double = (values: Float32Array) => values.map((value) => 2 * value);

  it("runs few rows of the reference, the first and the last one among them", async () => {
    const { run, given } = provider(double);
    expect(await outputsAgree(await provider(double).run(inputs), inputs, declared, run)).toBe(true);
    expect(given).toEqual([4]);
    for (const wrong of [0, 2 * rows - 1]) {
      const made = double(x);
      made[wrong] = (made[wrong] as number) + 1;
      expect(await outputsAgree(floats(made, [rows, 2]), inputs, declared, run)).toBe(false);
    }
  });

  it("runs all rows where they are mixed, or where a model takes no other number of them", async () => {
    const sum = provider((values) => [values.reduce((total, value) => total + value, 0)]);
    expect(await outputsAgree(await sum.run(inputs), inputs, declared, sum.run)).toBe(true);
    expect(sum.given).toEqual([rows, 4, rows]);
    const fixed = async (some: NamedValues) => {
      if (some.x?.dims[0] !== rows) throw new Error("found another batch");
      return provider(double).run(some);
    };
    expect(await outputsAgree(await fixed(inputs), inputs, declared, fixed)).toBe(true);
    expect(await outputsAgree(floats(x, [rows, 2]), inputs, declared, fixed)).toBe(false);
  });

  it("runs everything where inputs are open in other ways, or have few rows", async () => {
    const { run, given } = provider(double);
    const made = await provider(double).run(inputs);
    const open = [...declared, { name: "mask", shape: ["mask/0", "mask/1"] }];
    expect(await outputsAgree(made, inputs, open, run)).toBe(true);
    const two: NamedValues = { x: { type: "float32", dims: [2, 2], data: x.slice(0, 4) } };
    expect(await outputsAgree(await provider(double).run(two), two, declared, run)).toBe(true);
    expect(given).toEqual([rows, 2]);
  });
});
