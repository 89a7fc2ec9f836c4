import { describe, expect, it } from "vitest";
import { mostChanged } from "../../../src/report/page/sections/subcluster/class-rows.ts";
import {
  coherenceRows,
  hitsOf,
  importanceRows,
  points,
  signedPoints,
  verdictOf,
} from "../../../src/report/page/sections/subcluster/measures.ts";
import {
  classSentence,
  coherenceSentence,
  inputsSentence,
  lesionSentence,
  listOf,
  siblingsOf,
  verdictSentence,
} from "../../../src/report/page/sections/subcluster/sentences.ts";
import { densityOf, quantileAt } from "../../../src/report/page/sections/subcluster/strip.ts";
import type {
  ImportanceEntry,
  ScoresDocument,
  SubclusterEntry,
} from "../../../src/report/scores-document.ts";
import { quantilesOf } from "../../../src/statistics/quantiles.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { reportData } from "../../support/report-data.ts";

const data = reportData();
const scores = data.scores as ScoresDocument;
const first = scores.subclusters[0] as SubclusterEntry;
const className = (label: number): string => ["zero", "one", "two"][label] ?? "?";

/** The first subcluster with other verdicts on accuracy. */
function entryOf(
  amount: number | null,
  p: number | null,
  groups: number,
  changes: Partial<ImportanceEntry> = {},
): SubclusterEntry {
  const importance = first.importance as ImportanceEntry;
  return {
    ...first,
    units: Array.from({ length: 24 }, (_, unit) => unit),
    importance: {
      ...importance,
      meanClassAccuracy: 0.945,
      p: { accuracy: p },
      q: { accuracy: p === null ? null : Math.min(1, 40 * p) },
      nulls: { accuracy: groups },
      nullSpread: { accuracy: { amount, quantiles: Array.from({ length: 21 }, (_, at) => at / 1000) } },
      ...changes,
    },
  };
}

describe("what a lesion does", () => {
  it("is told with the groups that do as much", () => {
    expect(lesionSentence(entryOf(0.031, 0.015, 199), scores)).toBe(
      "Lesioning these 24 units costs 3.1 points of accuracy (97.6 % → 94.5 %, mean over classes); 2 of 199 random groups of the same size do as much (p .015).",
    );
    expect(lesionSentence(entryOf(0.031, 0.005, 199), scores)).toContain(
      "; none of 199 random groups of the same size does as much (p .005).",
    );
    expect(lesionSentence(entryOf(0.01, 0.01, 199), scores)).toContain(
      "costs 1.0 point of accuracy (95.5 % → 94.5 %, mean over classes); 1 of 199 random groups of the same size does as much",
    );
  });

  it("may be nothing, or good", () => {
    expect(lesionSentence(entryOf(0.0001, 0.5, 199), scores)).toMatch(
      /^Lesioning these 24 units leaves the accuracy as it is; 99 of 199 /,
    );
    expect(lesionSentence(entryOf(-0.02, 1, 199), scores)).toMatch(
      /^Lesioning these 24 units gains 2\.0 points of accuracy \(92\.5 % → 94\.5 %/,
    );
    expect(lesionSentence(entryOf(null, null, 199), scores)).toBe(
      "What a lesion of these 24 units does could not be measured.",
    );
    const { importance: _, ...rest } = first;
    expect(lesionSentence(rest, scores)).toBeNull();
  });

  it("is the loss where there is no accuracy", () => {
    const spread = { amount: 0.25, quantiles: [0, 1] };
    const entry = entryOf(null, null, 9, {
      p: { loss: 0.1 },
      q: { loss: 1 },
      nulls: { loss: 9 },
      nullSpread: { loss: spread },
    });
    expect(lesionSentence({ ...entry, units: [3] }, scores)).toBe(
      "Lesioning this unit adds 0.25 to the loss; none of 9 random groups of the same size does as much (p .100).",
    );
  });

  it("is not counted where p is no count, and names other subclusters that p counts", () => {
    const sequential = { ...scores, sequential: true };
    const entry = entryOf(0.031, 0.015, 199);
    expect(lesionSentence(entry, sequential)).toContain("; p .015 against random groups of the same size.");
    const twins = { ...scores, subclusters: [entry, { ...entry, cluster: 7 }] };
    expect(siblingsOf(entry, twins)).toBe(1);
    expect(siblingsOf(entry, { ...twins, protocol: "paper" })).toBe(0);
    expect(lesionSentence(entry, twins)).toContain("2 of 199 groups of the same size do as much");
  });

  it("is judged after correction", () => {
    expect(verdictSentence(entryOf(0.03, 0.001, 999), scores)).toBe(
      "Corrected for all 9 subclusters, it matters more than chance: accuracy (q .040).",
    );
    expect(verdictSentence(entryOf(0.03, 0.03, 199), scores)).toBe(
      "Taken alone, accuracy (p .030) would be more than chance; corrected for all 9 subclusters, it is not.",
    );
    expect(verdictSentence(entryOf(0.03, 0.3, 199), scores)).toContain("no sign that this one matters more");
    expect(verdictSentence(entryOf(null, null, 199), scores)).toBeNull();
  });

  it("names the class that is hit most", () => {
    expect(classSentence(first, scores, className)).toBe(
      "Class zero is hit most beyond the noise: 97.0 % → 40.0 %.",
    );
    const profile = { classDrop: [0, 0, 0], specialisation: null, gini: null };
    expect(classSentence(entryOf(0, 1, 9, { profile }), scores, className)).toBe(
      "No class loses more accuracy than the noise.",
    );
  });
});

describe("words", () => {
  it("for coherence", () => {
    expect(coherenceSentence(first, scores)).toBe(
      "Its units belong together by 4 measures of 4: correlation of pairs, preferred classes, image score and image entropy.",
    );
    const q = { meanCorrelation: 1, profileCosine: 1, score: 1, entropy: 1 };
    const coherence = { ...(first.coherence as NonNullable<SubclusterEntry["coherence"]>), q };
    expect(coherenceSentence({ ...first, coherence }, scores)).toContain("No measure of coherence");
  });

  it("for inputs", () => {
    expect(inputsSentence([2, 2, 0], className)).toBe(
      "2 of the 3 inputs that drive it most are of class two.",
    );
    expect(inputsSentence([2, 1, 0, 2], className)).toBe("The 4 inputs that drive it most are of 3 classes.");
    expect(inputsSentence([null], className)).toBeNull();
  });

  it("for lists and points", () => {
    expect([listOf([]), listOf(["a"]), listOf(["a", "b"]), listOf(["a", "b", "c"])]).toEqual([
      "",
      "a",
      "a and b",
      "a, b and c",
    ]);
    expect([points(0.031), points(null), signedPoints(-0.5), signedPoints(0.012)]).toEqual([
      "3.1 points",
      "–",
      "−50.0",
      "+1.2",
    ]);
  });
});

describe("rows", () => {
  it("tell the measures that have an amount, and name the others", () => {
    const { rows, undefinedLabels } = importanceRows(entryOf(null, null, 9));
    expect({ rows, undefinedLabels }).toEqual({ rows: [], undefinedLabels: ["Accuracy"] });
    const [correlation] = coherenceRows(first, scores).rows;
    expect(correlation).toMatchObject({
      label: "Correlation of pairs",
      meaning: "Its units act alike over the inputs",
      tail: "upper",
    });
  });

  it("have verdicts by q, then by p", () => {
    expect(verdictOf({ p: 0.001, q: 0.05 })).toBe("stands out");
    expect(verdictOf({ p: 0.05, q: 0.2 })).toBe("only before correction");
    expect(verdictOf({ p: 0.06, q: 0.2 })).toBe("like random groups");
    expect(verdictOf({ p: null, q: null })).toBe("no verdict");
  });

  it("count the groups that p counts", () => {
    for (const [hits, groups] of [
      [0, 199],
      [25, 399],
      [199, 199],
    ] as const) {
      expect(hitsOf((1 + hits) / (1 + groups), groups)).toBe(hits);
    }
    expect(hitsOf(0.0163, 199)).toBeNull();
    expect(hitsOf(null, 199)).toBeNull();
    expect(hitsOf(0.5, 0)).toBeNull();
  });

  it("of many classes are those that change most, in their order", () => {
    const row = (name: string, change: number | null, auroc: number | null = null) => {
      return { name, before: null, after: null, change, isNoise: false, auroc };
    };
    const rows = [row("a", 0.1), row("b", -0.5), row("c", 0), row("d", 0.3)];
    expect(mostChanged(rows, 2).map(({ name }) => name)).toEqual(["b", "d"]);
    const told = [row("a", null, 0.5), row("b", null, 0.1), row("c", null, 0.8)];
    expect(mostChanged(told, 2).map(({ name }) => name)).toEqual(["b", "c"]);
  });
});

describe("the strip's curve", () => {
  const area = (x: readonly number[], density: readonly number[]): number => {
    const step = ((x.at(-1) as number) - (x[0] as number)) / (x.length - 1);
    return density.reduce((sum, value) => sum + value * step, 0);
  };

  it("has an area of 1, holds the amount and the median", () => {
    for (const amount of [-4, 0.3, 9]) {
      const found = densityOf(
        Array.from({ length: 21 }, (_, at) => at / 20),
        amount,
      );
      if (found === null) throw new Error("found no curve");
      expect(area(found.x, found.density)).toBeCloseTo(1, 2);
      expect(found.low).toBeLessThan(Math.min(0, amount));
      expect(found.high).toBeGreaterThan(Math.max(1, amount));
      expect(found.median).toBeCloseTo(0.5, 12);
    }
  });

  it("is near that of the values that the quantiles are of", () => {
    const random = rng(3, "strip");
    const values = Array.from({ length: 20_000 }, () => 5 + 2 * random.normal());
    const found = densityOf(quantilesOf(values, 20), 6);
    if (found === null) throw new Error("found no curve");
    const normal = (value: number) => Math.exp(-((value - 5) ** 2) / 8) / (2 * Math.sqrt(2 * Math.PI));
    found.x.forEach((value, at) => {
      expect(Math.abs((found.density[at] as number) - normal(value))).toBeLessThan(0.03);
    });
    const mirrored = densityOf(
      quantilesOf(
        values.map((value) => -value),
        20,
      ),
      -6,
    );
    [...(mirrored?.density ?? [])].reverse().forEach((value, at) => {
      expect(value).toBeCloseTo(found.density[at] as number, 9);
    });
  });

  it("of equal values is one peak at them, and of none is none", () => {
    const found = densityOf(Array(21).fill(1), 1);
    if (found === null) throw new Error("found no curve");
    const top = found.density.indexOf(Math.max(...found.density));
    expect(found.x[top]).toBeCloseTo(1, 2);
    expect(area(found.x, found.density)).toBeCloseTo(1, 2);
    expect(densityOf(Array(21).fill(0), null)?.median).toBe(0);
    expect(densityOf([], 3)).toBeNull();
    expect(densityOf([1, null, 2], 3)).toBeNull();
  });

  it("finds quantiles between its own", () => {
    expect([0, 0.25, 0.5, 0.9, 1].map((share) => quantileAt([0, 10, 30], share))).toEqual([0, 5, 10, 26, 30]);
  });
});
