import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fisherP, fisherStatistic } from "../../src/statistics/fisher.ts";
import { centerP } from "../../src/statistics/rank-p.ts";
import { rng } from "../../src/statistics/rng.ts";

const fixture: { fisher: { q: number[]; p: number; statistic: number }[] } = JSON.parse(
  readFileSync(new URL("../fixtures/statistics.json", import.meta.url), "utf8"),
);

const centered = (ps: readonly number[], n: number) => ps.map((p) => centerP(p, n));

describe("fisherP and fisherStatistic", () => {
  it("give the combined p of the ranks printed for VGG16 (method note, oracle 3)", () => {
    const entropy = [
      0.6, 0.8, 0.3, 0.6, 0.4, 0.1, 0.3, 0.2, 0.5, 0.7, 0.4, 0.2, 0.1, 0.1, 0.2, 0.7, 0.9, 0.7, 0.1, 0.4, 1,
      0.4, 0.7, 0.4, 0.9, 0.3,
    ];
    const score = [
      0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.9, 0.1, 0.2, 0.1, 0.1, 0.8, 1, 0.1, 0.1, 0.4, 0.8, 1, 1, 0.1, 0.9,
      0.4, 0.7, 0.4, 0.1,
    ];
    expect(fisherP(centered(entropy, 9))).toBeCloseTo(0.142569, 6);
    expect(fisherStatistic(centered(entropy, 9))).toBeCloseTo(1.2101, 4);
    expect(fisherP(centered(score, 9))).toBeCloseTo(0.00026996, 8);
    expect(fisherStatistic(centered(score, 9))).toBeCloseTo(1.822, 4);
  });

  it("give the hand-computed figures for n = 19 (oracle 4)", () => {
    const three = centered([0.05, 0.1, 0.5], 19);
    expect(fisherStatistic(three)).toBeCloseTo(2.341196, 6);
    expect(fisherP(three)).toBeCloseTo(0.0291136, 7);
    const ten = centered(new Array<number>(10).fill(0.05), 19);
    expect(fisherStatistic(ten)).toBeCloseTo(3.688879, 6);
    expect(fisherP(ten) / 4.35074e-8).toBeCloseTo(1, 5);
  });

  it("agree with SciPy for up to 800 terms", () => {
    for (const { q, p, statistic } of fixture.fisher) {
      expect(fisherP(q) / p).toBeCloseTo(1, 9);
      expect(fisherStatistic(q)).toBeCloseTo(statistic, 12);
    }
  });

  it("keep their precision in tails far below 1e-100", () => {
    // S = 100, all q = 0.001: h = 690.78; leading term h^99/99! e^-h, summed by recurrence downwards here.
    const half = -100 * Math.log(0.001);
    let relative = 1;
    let sum = 1;
    for (let j = 99; j >= 1; j--) {
      relative *= j / half;
      sum += relative;
    }
    let logTop = 99 * Math.log(half) - half;
    for (let j = 2; j <= 99; j++) logTop -= Math.log(j);
    const logP = Math.log(fisherP(new Array<number>(100).fill(0.001)));
    expect(logP).toBeLessThan(-350);
    expect(logP).toBeCloseTo(logTop + Math.log(sum), 9);
  });

  it("have the means under the null of section 8.1 (oracle 6)", () => {
    for (const [n, mean] of [
      [9, 0.966],
      [19, 0.983],
      [20, 0.984],
      [24, 0.986],
      [50, 0.993],
      [199, 0.998],
      [999, 0.9997],
    ] as const) {
      const all = Array.from({ length: n + 1 }, (_, rank) => centerP((rank + 1) / (n + 1), n));
      expect(fisherStatistic(all)).toBeCloseTo(mean, n === 999 ? 4 : 3);
    }
  });

  it("are slightly conservative for uniform ranks (oracle 7)", () => {
    const random = rng(5, "fisher test");
    let significant = 0;
    let statistics = 0;
    const experiments = 4000;
    for (let experiment = 0; experiment < experiments; experiment++) {
      const q = Array.from({ length: 30 }, () => centerP((random.integer(20) + 1) / 20, 19));
      if (fisherP(q) < 0.05) significant++;
      statistics += fisherStatistic(q);
    }
    // 0.029 for S = 30; standard error 0.0027.
    expect(significant / experiments).toBeGreaterThan(0.018);
    expect(significant / experiments).toBeLessThan(0.04);
    expect(statistics / experiments).toBeCloseTo(0.983, 2);
  });

  it("leave NaN out, and know the limits", () => {
    expect(fisherP([Number.NaN, 0.3, Number.NaN])).toBeCloseTo(0.3, 12);
    expect(fisherStatistic([Number.NaN, 0.3])).toBeCloseTo(-Math.log(0.3), 12);
    expect(fisherP([])).toBeNaN();
    expect(fisherStatistic([Number.NaN])).toBeNaN();
    expect(fisherP([1, 1, 1])).toBe(1);
    expect(fisherP([0, 0.5])).toBe(0);
  });
});
