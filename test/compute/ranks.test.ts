import { describe, expect, test } from "vitest";
import { rankerFor } from "../../src/compute/cpu/ranks.ts";
import { rng } from "../../src/statistics/rng.ts";

/** 1 + how many are smaller + half of how many others are equal. */
function bruteForce(values: Float32Array): number[] {
  return Array.from(values, (value) => {
    const smaller = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return smaller + (equal + 1) / 2;
  });
}

function rank(values: Float32Array): number[] {
  const ranks = new Float32Array(values.length);
  rankerFor(values.length)(values, ranks);
  return [...ranks];
}

describe("rankerFor", () => {
  test("ties get their mean rank, and -0 ties with 0", () => {
    expect(rank(Float32Array.of(3, 1, 3, 0))).toEqual([3.5, 2, 3.5, 1]);
    expect(rank(Float32Array.of(0, -0, 1, -1))).toEqual([2.5, 2.5, 4, 1]);
    expect(rank(Float32Array.of(7, 7, 7))).toEqual([2, 2, 2]);
    expect(rank(Float32Array.of(5))).toEqual([1]);
  });

  test("denormal, huge and close values are told apart", () => {
    const next = new Float32Array(new Uint32Array([0x3f800000, 0x3f800001, 0x3f7fffff]).buffer);
    expect(rank(next)).toEqual([2, 3, 1]);
    expect(rank(Float32Array.of(1e-45, 0, -1e-45, 3e38, -3e38))).toEqual([4, 3, 2, 5, 1]);
  });

  test.each(["normal", "relu", "digits"])("%s values equal brute force", (kind) => {
    const random = rng(1, kind);
    const values = Float32Array.from({ length: 777 }, () => {
      if (kind === "digits") return random.integer(9) - 4;
      return kind === "relu"
        ? Math.max(0, random.normal())
        : random.normal() * 10 ** (random.integer(20) - 10);
    });
    expect(rank(values)).toEqual(bruteForce(values));
  });

  test("rows longer than 65536", () => {
    const length = 70_000;
    const order = rng(2, "order").shuffle(Int32Array.from({ length }, (_, i) => i));
    const ranks = rank(Float32Array.from(order, (place) => place - 30_000));
    expect(ranks.every((value, i) => value === (order[i] as number) + 1)).toBe(true);
  });

  test("one ranker ranks many rows, also after a constant one", () => {
    const rankRow = rankerFor(4);
    const ranks = new Float32Array(4);
    rankRow(Float32Array.of(1, 1, 1, 1), ranks);
    rankRow(Float32Array.of(4, 3, 2, 1), ranks);
    expect([...ranks]).toEqual([4, 3, 2, 1]);
  });
});
