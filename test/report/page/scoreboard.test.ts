/** The scoreboard without a page: its measures, rows, columns, sentences, and its file. */
import { describe, expect, it } from "vitest";
import {
  isSignificant,
  measuresOf,
  placed,
  type Reading,
  readingOf,
} from "../../../src/report/page/measures.ts";
import {
  columnsOf,
  placesOf,
  plus,
  points,
  scoreboardCsv,
} from "../../../src/report/page/sections/scoreboard/columns.ts";
import { chanceBand, marksOf } from "../../../src/report/page/sections/scoreboard/places.ts";
import {
  filterRows,
  NO_FILTER,
  type Row,
  rowsOf,
  sortRows,
  worstClass,
} from "../../../src/report/page/sections/scoreboard/rows.ts";
import {
  caveats,
  countSentence,
  pictureCaption,
} from "../../../src/report/page/sections/scoreboard/sentences.ts";
import type { ScoresDocument } from "../../../src/report/scores-document.ts";
import { HOSTILE, reportData } from "../../support/report-data.ts";

const data = reportData();
const scores = data.scores as ScoresDocument;
const [accuracy, classRange] = measuresOf(scores, "importance");
const [correlation, cosine] = measuresOf(scores, "coherence");
if (!accuracy || !classRange || !correlation || !cosine) throw new Error("measures are missing");
const layerNumber = (name: string) => data.graph.layers.findIndex((layer) => layer.name === name);
const className = (label: number) => data.classNames?.[label] ?? "";
const shown = { importance: accuracy, coherence: correlation };
const rows = rowsOf(scores, shown, layerNumber);

/** Of random sets with a mean of 2 and a standard deviation of 0.5. */
const reading: Reading = {
  amount: 3,
  low: 1.5,
  high: 3,
  p: 0.02,
  q: 0.2,
  bh: 0.04,
  effect: 1.2,
  z: 2,
  difference: 1,
};

describe("measures", () => {
  it("are those of the document, with what they ask", () => {
    expect(measuresOf(scores, "importance").map(({ name }) => name)).toEqual([
      "accuracy",
      "classRange",
      "loss",
    ]);
    expect(correlation.meaning).toBe("the subcluster's units act alike over the inputs");
    expect(measuresOf({ ...scores, network: {} }, "coherence")).toEqual([]);
  });

  it("place amounts, standard deviations and effects with their random sets", () => {
    expect(placed(reading, "amount")).toEqual({ value: 3, low: 1.5, high: 3 });
    expect(placed(reading, "z")).toEqual({ value: 2, low: -1, high: 2 });
    expect(placed(reading, "effect")).toEqual({ value: 1.2, low: 3 / 3.5, high: 6 / 5 });
  });

  it("have no place where a scale is undefined", () => {
    expect(placed({ ...reading, effect: null }, "effect")).toBeNull();
    expect(placed({ ...reading, z: null }, "z")).toBeNull();
    expect(placed({ ...reading, z: 0, difference: 0 }, "z")).toEqual({ value: 0, low: null, high: null });
  });

  it("are read of files of before the spreads", () => {
    const [entry] = scores.subclusters;
    if (!entry?.importance) throw new Error("no importance");
    const { nullSpread: _, ...importance } = entry.importance;
    const old = { ...entry, importance } as unknown as typeof entry;
    // Intact (0.97 + 0.93 + 0.95) / 3, lesioned (0.4 + 0.7 + 0.96) / 3.
    expect(readingOf(old, accuracy, scores)?.amount).toBeCloseTo(0.95 - 2.06 / 3, 12);
    expect(readingOf(old, accuracy, scores)?.low).toBeNull();
  });

  it("are significant up to .05, by the adjustment that is asked for", () => {
    expect(isSignificant(reading, "q")).toBe(false);
    expect(isSignificant(reading, "bh")).toBe(true);
    expect(isSignificant({ ...reading, q: 0.05 }, "q")).toBe(true);
    expect(isSignificant(null, "q")).toBe(false);
  });
});

describe("rows", () => {
  it("name the class that is hurt most", () => {
    expect(worstClass([0.5, 0.2, null], [0.6, 0.9, 0.9])).toEqual({ label: 1, change: 0.2 - 0.9 });
    expect(worstClass([0.9, 0.9], [0.9, 0.8])).toBeNull();
    expect(worstClass([], [])).toBeNull();
  });

  const cluster = ({ entry }: Row) => entry.cluster;

  it("are sorted either way, undefined ones last and ties in the document's order", () => {
    const value = ({ entry, number }: Row) => (number === 1 ? null : entry.cluster);
    expect(sortRows(rows, value, false).map(({ number }) => number)).toEqual([0, 3, 6, 4, 7, 2, 5, 8, 1]);
    expect(sortRows(rows, value, true).map(({ number }) => number)).toEqual([2, 5, 8, 4, 7, 0, 3, 6, 1]);
    expect(sortRows(rows, ({ number }) => `layer${number + 5}`, false).map(cluster)).toEqual(
      rows.map(cluster),
    );
  });

  it("are narrowed down by layer, cluster, significance and words", () => {
    const numbers = (filter: Partial<typeof NO_FILTER>) =>
      filterRows(rows, { ...NO_FILTER, ...filter }, "q", className).map(({ number }) => number);
    expect(numbers({})).toHaveLength(9);
    expect(numbers({ layer: HOSTILE })).toEqual([3, 4, 5]);
    expect(numbers({ cluster: 2 })).toEqual([2, 5, 8]);
    expect(numbers({ isSignificantOnly: true })).toEqual([0, 3, 6]);
    expect(numbers({ text: " CONV1  cluster" })).toEqual([0, 1, 2]);
    expect(numbers({ text: "img gemm" })).toEqual([]);
    expect(numbers({ text: "gemm" })).toEqual([6, 7, 8]);
    expect(numbers({ text: "conv1 fc.2" })).toEqual([]);
    expect(numbers({ layer: "conv1", isSignificantOnly: true })).toEqual([0]);
  });
});

describe("columns", () => {
  it("have as many decimals as the largest needs", () => {
    expect([placesOf([0.241, -0.004]), placesOf([266, 1]), placesOf([0.00012]), placesOf([null])]).toEqual([
      3, 0, 6, 0,
    ]);
    expect([plus(0.5, 2), plus(-0.5, 2), plus(0.0001, 2), plus(null, 2)]).toEqual([
      "+0.50",
      "−0.50",
      "0.00",
      "–",
    ]);
    expect(points(-0.1254)).toBe("−12.5 pp");
  });

  it("are only those that the document has something for", () => {
    const keys = (...args: Parameters<typeof columnsOf>) => columnsOf(...args).map(({ key }) => key);
    const all = keys(rows, shown, "q", className, true);
    expect(all).toContain("worstClass");
    const regression = keys(rows, shown, "q", className, false);
    expect(all.filter((key) => !regression.includes(key))).toEqual(["accuracy", "classRange", "worstClass"]);
    const coherence = keys(rows, { importance: null, coherence: correlation }, "q", className, true);
    expect(coherence.some((key) => /loss|importance/.test(key))).toBe(false);
  });

  it("are saved with all digits, and names as nobody's formula", () => {
    const columns = columnsOf(
      rows,
      shown,
      "bh",
      (label) => (label === 0 ? '=HYPERLINK("x")' : String(label)),
      true,
    );
    const [row, other] = rows;
    if (!row || !other) throw new Error("no rows");
    const hostile = { ...row, entry: { ...row.entry, layer: 'fc,"1"' }, importance: { ...reading, p: null } };
    const [header = "", first = "", second = "", ...rest] = scoreboardCsv([hostile, other], columns).split(
      "\n",
    );
    expect(rest).toEqual([""]);
    expect(header).toBe(
      "layer,cluster,units,layerUnits,lossIncrease,lossIncreaseLow,lossIncreaseHigh,accuracy,classRange,worstClass,worstClassChange,accuracyFall,p_accuracy,bh_accuracy,z_accuracy,effect_accuracy,meanCorrelationAmount,p_meanCorrelation,bh_meanCorrelation,z_meanCorrelation,effect_meanCorrelation",
    );
    expect(first).toMatch(
      /^"fc,""1""",0,4,12,0\.78,0\.6,0\.95,0\.686\d+,3\.2,"'=HYPERLINK\(""x""\)",-0\.5\d*,3,,0\.04,2,1\.2,/,
    );
    expect(second).toMatch(/^conv1,1,4,12,-0\.004,-0\.02,0\.01,0\.9499\d*,,/);
    expect(scoreboardCsv([], columns)).toBe("");
  });
});

describe("places in the picture", () => {
  const view = { ...shown, scale: "z", by: "q" } as const;

  it("tell by which measures a subcluster is significant", () => {
    const [mark] = marksOf(rows, view);
    expect(mark?.standing).toBe("both");
    expect(marksOf(rows, view)[1]?.standing).toBe("neither");
    const apart = { ...rows[0], coherence: reading } as Row;
    expect(marksOf([apart], view)[0]?.standing).toBe("important");
    expect(marksOf([apart], { ...view, by: "bh" })[0]?.standing).toBe("both");
  });

  it("are none where the scale is undefined, and stand along layers with one score alone", () => {
    const signed = rowsOf(scores, { importance: accuracy, coherence: cosine }, layerNumber);
    expect(marksOf(signed, { ...view, coherence: cosine, scale: "effect" })).toEqual([]);
    const strip = marksOf(rows, { ...view, importance: null });
    expect(strip.map(({ y }) => Math.abs(Math.round(y.value)))).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(strip[0]?.x.value).toBe(rows[0]?.coherence?.z);
  });

  it("have the median of the random sets' bounds where all share a scale", () => {
    const place = (low: number, high: number | null) => ({ value: 0, low, high });
    const marks = [place(-3, 1), place(-1, null), place(-2, 5)].map((x) => ({ x, y: x }));
    expect(chanceBand(marks as never, "z").x).toEqual({ low: -2, high: 5 });
    expect(chanceBand(marks as never, "amount").x).toBeNull();
  });
});

describe("sentences", () => {
  const row = scores.network.importance?.accuracy;
  if (!row) throw new Error("no row");
  const say = (changes: Partial<typeof row>) => countSentence(accuracy, { ...row, ...changes });

  it("count what stands out", () => {
    expect(say({})).toBe(
      "3 of 9 subclusters tested do more harm (accuracy) when lesioned than random sets of their layer and size by Benjamini-Yekutieli, as many by Benjamini-Hochberg.",
    );
    expect(say({ significant: 1, significantBH: 2 })).toMatch(
      /^1 of 9 .* does more .* its layer .*, 2 by the more lenient/,
    );
    expect(say({ significant: 0, significantBH: 0 })).toMatch(
      /^None of 9 .* does .*, by Benjamini-Yekutieli or by/,
    );
    expect(say({ tested: 0 })).toBe("No subcluster could be tested for importance (accuracy).");
  });

  it("tell what was left out", () => {
    const range = scores.network.importance?.classRange;
    if (!range) throw new Error("no row");
    const told = caveats(scores, [[classRange, range]]).join(" ");
    expect(told).toContain("6 subclusters have no p for class range: the change is within the noise");
    expect(told).toContain("2 subclusters of a single unit or of nearly a whole layer were not tested.");
    expect(caveats({ ...scores, filtered: 0 }, [])).toHaveLength(2);
    expect(pictureCaption({ ...shown, scale: "z", by: "q" }, 2)).toContain("2 subclusters cannot be shown");
    expect(pictureCaption({ ...shown, importance: null, scale: "z", by: "q" }, 0)).toContain(
      "the row of its layer",
    );
  });
});
