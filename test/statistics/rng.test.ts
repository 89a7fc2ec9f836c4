import { describe, expect, it } from "vitest";
import { rng } from "../../src/statistics/rng.ts";

/** Chi-square of counts against equal expectation, as a standard normal deviate (Wilson & Hilferty 1931). */
function deviate(counts: ArrayLike<number>): number {
  const all = Array.from(counts);
  const expected = all.reduce((sum, count) => sum + count, 0) / all.length;
  const chi2 = all.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = all.length - 1;
  return (Math.cbrt(chi2 / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
}

/** Length of the shortest linear recurrence over GF(2) that makes the bits (Berlekamp & Massey 1969). */
function linearComplexity(bits: Uint8Array): number {
  const n = bits.length;
  const c = new Uint8Array(n);
  let b = new Uint8Array(n);
  c[0] = 1;
  b[0] = 1;
  let length = 0;
  let last = -1;
  for (let i = 0; i < n; i++) {
    let discrepancy = bits[i] as number;
    for (let j = 1; j <= length; j++) discrepancy ^= (c[j] as number) & (bits[i - j] as number);
    if (discrepancy === 0) continue;
    const kept = c.slice();
    for (let j = 0; j < n - (i - last); j++) c[j + i - last] = (c[j + i - last] as number) ^ (b[j] as number);
    if (2 * length <= i) {
      length = i + 1 - length;
      last = i;
      b = kept;
    }
  }
  return length;
}

describe("rng", () => {
  it("goes back to a marked place, as often as wanted", () => {
    const random = rng(7, "mark");
    random.normal();
    const rewind = random.mark();
    const draw = () => [random.bits(), random.uniform(), random.integer(10), random.normal()];
    const first = draw();
    expect(draw()).not.toEqual(first);
    for (let again = 0; again < 2; again++) {
      rewind();
      expect(draw()).toEqual(first);
    }
  });

  it("repeats a stream for the same seed and key", () => {
    const draw = () => {
      const random = rng(7, "null", 3);
      return [random.bits(), random.uniform(), random.integer(10), random.normal()];
    };
    expect(draw()).toEqual(draw());
  });

  it("gives the numbers it has always given", () => {
    const random = rng(0, "known");
    expect([random.bits(), random.bits(), random.bits()]).toMatchInlineSnapshot(`
      [
        2450519536,
        1528258920,
        2428941137,
      ]
    `);
  });

  it("fills bytes, high and low bits alike, evenly", () => {
    const random = rng(1, "bytes");
    const low = new Uint32Array(256);
    const high = new Uint32Array(256);
    const pair = new Uint32Array(256);
    let before = 0;
    for (let draw = 0; draw < 100_000; draw++) {
      const bits = random.bits();
      low[bits & 255] = (low[bits & 255] as number) + 1;
      high[bits >>> 24] = (high[bits >>> 24] as number) + 1;
      const cell = ((before & 15) << 4) | (bits & 15);
      pair[cell] = (pair[cell] as number) + 1;
      before = bits;
    }
    for (const counts of [low, high, pair]) expect(Math.abs(deviate(counts))).toBeLessThan(4);
  });

  it("has no linear recurrence in its lowest and highest bit", () => {
    // A random sequence of n bits has a recurrence of length about n / 2; that of the raw generator has 128.
    for (const shift of [0, 31]) {
      const random = rng(2, "recurrence", shift);
      const bits = Uint8Array.from({ length: 1000 }, () => (random.bits() >>> shift) & 1);
      expect(Math.abs(linearComplexity(bits) - 500)).toBeLessThan(20);
    }
  });

  it("draws uniforms in [0, 1) with the right moments and 53 bits", () => {
    const random = rng(3, "uniform");
    let sum = 0;
    let squares = 0;
    let isFine = false;
    let least = 1;
    let most = 0;
    const draws = 100_000;
    for (let draw = 0; draw < draws; draw++) {
      const value = random.uniform();
      least = Math.min(least, value);
      most = Math.max(most, value);
      isFine ||= (value * 2 ** 52) % 1 !== 0;
      sum += value;
      squares += value * value;
    }
    // Standard errors 0.0009 and 0.0009.
    expect(Math.abs(sum / draws - 1 / 2)).toBeLessThan(0.004);
    expect(Math.abs(squares / draws - 1 / 3)).toBeLessThan(0.004);
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThan(1);
    expect(isFine).toBe(true);
  });

  it("draws integers below the bound, evenly, also where the bound does not divide 2^32", () => {
    for (const bound of [1, 2, 3, 7, 16, 100, 1000]) {
      const random = rng(4, "integer", bound);
      const counts = new Uint32Array(bound);
      for (let draw = 0; draw < 60_000; draw++) {
        const value = random.integer(bound);
        counts[value] = (counts[value] as number) + 1;
      }
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60_000);
      if (bound > 1) expect(Math.abs(deviate(counts))).toBeLessThan(4);
    }
    // With a bound of 3 * 2^30 the naive remainder would fall into the lowest third half of the time.
    const random = rng(4, "large bound");
    let lowest = 0;
    for (let draw = 0; draw < 20_000; draw++) if (random.integer(3 * 2 ** 30) < 2 ** 30) lowest++;
    expect(Math.abs(lowest / 20_000 - 1 / 3)).toBeLessThan(0.017);
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it("refuses bounds without integers below them", () => {
    for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 33]) {
      expect(() => rng(0).integer(bound)).toThrowError(/expected 1 to 2\^32/);
    }
  });

  it("draws normals with the right moments", () => {
    const random = rng(5, "normal");
    const draws = 100_000;
    const moments = [0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const value = random.normal();
      for (let power = 0; power < 4; power++) {
        moments[power] = (moments[power] as number) + value ** (power + 1) / draws;
      }
    }
    // Standard errors 0.003, 0.0045, 0.012, 0.031.
    expect(Math.abs(moments[0] as number)).toBeLessThan(0.013);
    expect(Math.abs((moments[1] as number) - 1)).toBeLessThan(0.018);
    expect(Math.abs(moments[2] as number)).toBeLessThan(0.05);
    expect(Math.abs((moments[3] as number) - 3)).toBeLessThan(0.13);
  });

  it("shuffles in place to every order equally often", () => {
    const random = rng(6, "shuffle");
    const counts = new Uint32Array(24);
    for (let draw = 0; draw < 24_000; draw++) {
      const order = random.shuffle(new Int32Array([0, 1, 2, 3])) as Int32Array;
      let index = 0;
      for (let i = 0; i < 4; i++) {
        let smaller = 0;
        for (let j = i + 1; j < 4; j++) if ((order[j] as number) < (order[i] as number)) smaller++;
        index = index * (4 - i) + smaller;
      }
      counts[index] = (counts[index] as number) + 1;
    }
    expect(Math.abs(deviate(counts))).toBeLessThan(4);
    const values = ["a", "b"];
    expect(random.shuffle(values)).toBe(values);
  });

  it("gives streams of neighbouring keys that neither repeat nor correlate", () => {
    const streams = 2000;
    const firsts = new Set<number>();
    const bytes = new Uint32Array(256);
    let correlation = 0;
    let before = 0.5;
    for (let key = 0; key < streams; key++) {
      const random = rng(0, "null", key);
      const first = random.bits();
      firsts.add(first);
      bytes[first & 255] = (bytes[first & 255] as number) + 1;
      const value = random.uniform();
      correlation += ((value - 0.5) * (before - 0.5) * 12) / streams;
      before = value;
    }
    // 2000 draws of 2^32 hold 0.0005 pairs on average.
    expect(firsts.size).toBe(streams);
    expect(Math.abs(deviate(bytes))).toBeLessThan(4);
    // Standard error 0.022.
    expect(Math.abs(correlation)).toBeLessThan(0.1);
  });

  it("tells keys apart by their parts, order and type", () => {
    const keys = [["ab", "c"], ["a", "bc"], ["abc"], [1, 2], ["1", 2], [2, 1], [12], []];
    const firsts = keys.map((key) => rng(0, ...key).bits());
    expect(new Set(firsts).size).toBe(keys.length);
    expect(rng(0, 1).bits()).not.toBe(rng(1, 0).bits());
  });
});
