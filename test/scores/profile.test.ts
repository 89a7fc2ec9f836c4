import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ClassDetails, type OutcomeDetail } from "../../src/network/outcome-details.ts";
import { baselineOf, damageOf } from "../../src/scores/damage.ts";
import { changeIntervals } from "../../src/scores/intervals.ts";
import { quantileBins } from "../../src/scores/matching.ts";
import { openMeanBootstrap } from "../../src/scores/mean-bootstrap.ts";
import { concentrationOf, dissociate, profileOf } from "../../src/scores/profile.ts";
import { percentileInterval } from "../../src/statistics/bootstrap.ts";
import { rng } from "../../src/statistics/rng.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/lesion-statistics.json", import.meta.url), "utf8"),
);

describe("profileOf", () => {
  it("has SciPy's entropy and the mean difference of Gini", () => {
    for (const { drops, specialisation, gini } of fixture.profiles) {
      const found = concentrationOf(Float64Array.from(drops));
      expect(found.specialisation).toBeCloseTo(specialisation, 12);
      expect(found.gini).toBeCloseTo(gini, 12);
    }
    // One class of four, all alike, none.
    expect(concentrationOf(Float64Array.of(0, 0.5, 0, 0))).toEqual({ specialisation: 1, gini: 0.75 });
    expect(concentrationOf(Float64Array.of(0.5, 0.5)).specialisation).toBeCloseTo(0, 12);
    expect(concentrationOf(Float64Array.of(0, -0.5)).specialisation).toBeNaN();
    // Classes without inputs are no classes, those that improve do not fall.
    expect(concentrationOf(Float64Array.of(0.5, Number.NaN, -1))).toEqual({ specialisation: 1, gini: 0.5 });
  });

  it("takes changes within twice the standard error for noise and keeps signs", () => {
    const outcome = (...correct: number[]) => ({ correct: Int32Array.from(correct), loss: 1, runs: 1 });
    const baseline = baselineOf(outcome(80, 50, 90, 0), Int32Array.of(100, 100, 100, 0), true);
    // tau = 0.08, 0.1, 0.06.
    const { drops } = profileOf(damageOf(outcome(73, 39, 97, 0), baseline), baseline);
    expect([...drops].map((drop) => Math.round(drop * 100) / 100)).toEqual([0, 0.11, -0.07, Number.NaN]);
  });
});

describe("dissociate", () => {
  it("gives the smaller of the two differences, of the best two classes", () => {
    const one = Float64Array.of(0.9, 0.1, 0.3, Number.NaN);
    const other = Float64Array.of(0.2, 0.4, 0.8, Number.NaN);
    // Classes 0 and 2: 0.6 and 0.6; classes 0 and 1: 0.8 and 0.2.
    const found = dissociate(one, other);
    expect(found?.classes).toEqual([0, 2]);
    expect(found?.strength).toBeCloseTo(0.6, 12);
    expect(dissociate(other, one)?.classes).toEqual([2, 0]);
    expect(dissociate(one, one)).toBeNull();
    expect(dissociate(one, Float64Array.of(0.5, 0, 0.1, 0))).toBeNull();
  });
});

async function intervalsOf(detail: OutcomeDetail, labels: Int32Array) {
  const bootstrap = openMeanBootstrap(detail.lossIncreases.length, () => rng(0, "bootstrap"));
  const [found] = await changeIntervals([detail], labels, bootstrap);
  await bootstrap.dispose();
  return found;
}

describe("changeIntervals", () => {
  it("bootstraps a lesion's loss and mean class accuracy over inputs", async () => {
    const { intact, lesioned, labels, flipRate, divergence, lossIncreases } = fixture.detail;
    const all = Int32Array.from(labels);
    const tally = new ClassDetails(all, 1, 4, 1, 1);
    tally.count(0, 0, Float32Array.from(lesioned), 0, Float32Array.from(intact), 0, labels.length);
    const [detail] = tally.details();
    if (detail === undefined) throw new Error("no detail");
    // SciPy's numbers from the same logits.
    expect(detail.flipRate).toBeCloseTo(flipRate, 12);
    expect(detail.divergence).toBeCloseTo(divergence, 5);
    detail.lossIncreases.forEach((increase, i) => {
      expect(increase).toBeCloseTo(lossIncreases[i], 5);
    });
    const found = await intervalsOf(detail, all);
    // The same draws by definition.
    const random = rng(0, "bootstrap");
    const losses: number[] = [];
    const changes: number[] = [];
    for (let draw = 0; draw < 1000; draw++) {
      const drawn = all.map(() => random.integer(all.length));
      losses.push(drawn.reduce((sum, i) => sum + lossIncreases[i] / all.length, 0));
      const gains = [0, 1, 2, 3].flatMap((c) => {
        const own = [...drawn].filter((i) => all[i] === c);
        const gain = own.reduce(
          (sum, i) => sum + (detail.isCorrect[i] ?? 0) - (detail.isCorrectIntact[i] ?? 0),
          0,
        );
        return own.length > 0 ? [gain / own.length] : [];
      });
      changes.push(gains.reduce((sum, gain) => sum + gain, 0) / gains.length);
    }
    const quantile = (values: number[], share: number) => {
      const sorted = values.sort((a, b) => a - b);
      const at = share * 999;
      const low = sorted[Math.floor(at)] as number;
      return low + (at % 1) * ((sorted[Math.ceil(at)] as number) - low);
    };
    expect(found?.lossIncrease.low).toBeCloseTo(quantile(losses, 0.025), 5);
    expect(found?.lossIncrease.high).toBeCloseTo(quantile(losses, 0.975), 5);
    expect(found?.meanChange.low).toBeCloseTo(quantile(changes, 0.025), 10);
    expect(found?.meanChange.high).toBeCloseTo(quantile(changes, 0.975), 10);
  });
});

describe("changeIntervals of several answers an input", () => {
  it("draws whole inputs", async () => {
    const [inputs, answers] = [9, 4];
    const source = rng(1, "answers");
    const labels = Int32Array.from({ length: inputs * answers }, () => source.integer(3));
    const bits = () => Uint8Array.from(labels, () => source.integer(2));
    const detail = {
      flipRate: 0,
      divergence: 0,
      lossIncreases: Float64Array.from({ length: inputs }, () => source.normal()),
      isCorrect: bits(),
      isCorrectIntact: bits(),
    };
    const found = await intervalsOf(detail, labels);
    const random = rng(0, "bootstrap");
    const changes: number[] = [];
    const losses: number[] = [];
    for (let draw = 0; draw < 1000; draw++) {
      const drawn = Array.from({ length: inputs }, () => random.integer(inputs));
      losses.push(drawn.reduce((sum, input) => sum + (detail.lossIncreases[input] ?? 0) / inputs, 0));
      const tokens = drawn.flatMap((input) => [0, 1, 2, 3].map((i) => input * answers + i));
      const gains = [0, 1, 2].flatMap((c) => {
        const own = tokens.filter((token) => labels[token] === c);
        const gain = own.reduce(
          (sum, token) => sum + (detail.isCorrect[token] ?? 0) - (detail.isCorrectIntact[token] ?? 0),
          0,
        );
        return own.length > 0 ? [gain / own.length] : [];
      });
      changes.push(gains.reduce((sum, gain) => sum + gain, 0) / gains.length);
    }
    for (const [interval, values, digits] of [
      // Losses pass through float32, counts of right answers are exact in it.
      [found?.lossIncrease, losses, 7],
      [found?.meanChange, changes, 10],
    ] as const) {
      const { low, high } = percentileInterval(Float64Array.from(values));
      expect(interval?.low).toBeCloseTo(low, digits);
      expect(interval?.high).toBeCloseTo(high, digits);
    }
  });
});

describe("quantileBins", () => {
  it("puts alike units together, in bins of at least six", () => {
    const eligible = Int32Array.from({ length: 26 }, (_, i) => i + 2);
    const amounts = Float64Array.from({ length: 30 }, (_, unit) => (unit * 7) % 30);
    const bins = quantileBins(eligible, amounts);
    expect(bins.map(({ length }) => length)).toEqual([7, 6, 7, 6]);
    expect(bins.flatMap((bin) => [...bin]).sort((a, b) => a - b)).toEqual([...eligible]);
    const ranges = bins.map((bin) => [...bin].map((unit) => amounts[unit] as number));
    ranges.slice(1).forEach((range, i) => {
      expect(Math.min(...range)).toBeGreaterThan(Math.max(...(ranges[i] ?? [])));
    });
    expect(quantileBins(eligible.slice(0, 11), amounts)).toHaveLength(1);
    expect(
      quantileBins(
        Int32Array.from({ length: 500 }, (_, i) => i),
        new Float64Array(500),
      ),
    ).toHaveLength(10);
  });
});
