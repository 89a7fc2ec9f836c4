/** Where subclusters stand out, what is doubted, and the figures of the first screen. */
import { describe, expect, it } from "vitest";
import { doubtsOf, leastAtFloor, shufflesForOne } from "../../../src/report/page/sections/headline/doubts.ts";
import { describeRun, figuresOf } from "../../../src/report/page/sections/headline/facts.ts";
import {
  bothCount,
  byLayer,
  leadingLayers,
  ranked,
  rankingOf,
  standingsOf,
} from "../../../src/report/page/sections/headline/standouts.ts";
import type { ReportData } from "../../../src/report/report-data.ts";
import type { NetworkEntry, ScoresDocument } from "../../../src/report/scores-document.ts";
import { byAdjust } from "../../../src/statistics/multiplicity.ts";
import { reportData } from "../../support/report-data.ts";

const data = reportData();
const scores = data.scores as ScoresDocument;
const layers = data.graph.layers.map(({ name }) => name);

describe("where subclusters stand out", () => {
  it("ranks them by the leading measure, and counts them by layer", () => {
    const ranking = rankingOf(scores);
    expect(ranking).toEqual({ kind: "importance", measure: "accuracy" });
    if (ranking === null) return;
    const standings = standingsOf(scores, ranking);
    expect(
      ranked(standings)
        .slice(0, 3)
        .map(({ subcluster, mark }) => [subcluster.cluster, mark]),
    ).toEqual([
      [0, "by"],
      [0, "by"],
      [0, "by"],
    ]);
    const found = byLayer(layers, standings);
    expect(found.map(({ layer, tested, significant }) => [layer, tested, significant])).toEqual(
      layers.map((layer) => [layer, 3, 1]),
    );
    expect(leadingLayers(found)).toHaveLength(3);
    // Three of four equal layers do not lead.
    const layer = { layer: "", standings: [], tested: 4, significant: 1 };
    expect(leadingLayers([layer, layer, layer, layer])).toEqual([]);
    const leading = { ...layer, significant: 2 };
    expect(leadingLayers([layer, layer, leading, layer])).toEqual([leading]);
    expect(leadingLayers([{ ...layer, significant: 0 }])).toEqual([]);
    expect(bothCount(scores)).toBe(3);
  });

  it("goes by coherence where importance has none, and says nothing where nothing is tested", () => {
    const loss = scores.network.importance?.loss as NetworkEntry;
    const row = (significant: number, p: number | null, tested: number = 9): NetworkEntry => ({
      ...loss,
      significant,
      tested,
      permutationP: p,
      by: p,
    });
    const withRows = (importance: NetworkEntry, coherence: NetworkEntry): ScoresDocument => ({
      ...scores,
      network: { importance: { loss: importance }, coherence: { purity: coherence } },
    });
    expect(rankingOf(withRows(row(0, 0.2), row(2, 0.01)))?.kind).toBe("coherence");
    expect(rankingOf(withRows(row(0, 0.2), row(0, 0.01)))?.kind).toBe("importance");
    expect(rankingOf(withRows(row(0, null, 0), row(0, null, 0)))).toBeNull();
    expect(rankingOf(null)).toBeNull();
  });
});

describe("how sure a verdict is", () => {
  it.each([
    [199, 34],
    [199, 64],
    [999, 9],
    [19, 20],
  ])("%i random sets and %i tests: so many must reach the floor", (shuffles, tested) => {
    // The adjustment itself says how many p at the floor make any of them significant.
    const significant = (count: number) =>
      Math.min(
        ...byAdjust(Float64Array.from({ length: tested }, (_, at) => (at < count ? 1 / (shuffles + 1) : 1))),
      ) <=
      0.05 + 1e-12;
    const least = leastAtFloor(shuffles, tested);
    if (least <= tested) expect(significant(least)).toBe(true);
    expect(significant(Math.min(tested, least - 1))).toBe(false);
    const enough = shufflesForOne(tested);
    expect(leastAtFloor(enough, tested)).toBe(1);
    expect(leastAtFloor(enough - 1, tested)).toBe(2);
  });

  const titles = (changed: Partial<ReportData>) =>
    Object.fromEntries(doubtsOf({ ...data, ...changed }).map(({ title, tone }) => [title, tone]));

  it("says what speaks for it and what was not measured", () => {
    expect(titles({})).toEqual({
      "Permutation p": "good",
      "Lesions by zero": "warn",
      "Is there anything to find?": "good",
      "Would it come out again?": "good",
    });
    expect(titles({ scores: null, partition: { ...data.partition, quality: null } })).toEqual({
      "Is there anything to find?": "open",
      "Would it come out again?": "open",
    });
    const accuracy = { ...(scores.network.importance?.accuracy as NetworkEntry), effect: 0.98 };
    expect(titles({ scores: { ...scores, network: { importance: { accuracy } } } })).toMatchObject({
      "Mean effect not above chance": "warn",
    });
    expect(
      titles({
        scores: { ...scores, protocol: "paper", lesion: "mean" },
        graph: { ...data.graph, kind: "activations" },
      }),
    ).toMatchObject({ "Fisher's p": "warn", "Same inputs": "warn" });
  });
});

describe("figures", () => {
  it("of a scored run", () => {
    expect(describeRun(data)).toBe(
      "graph of weights of the whole network · 3 layers, 31 units · 3 clusters by spectral (k 3) · scored on 600 inputs",
    );
    expect(figuresOf(data).map(({ value }) => value)).toEqual([
      "3 of 9",
      "3 of 9",
      "3",
      "95.0 %",
      "0.340",
      "0.81",
    ]);
  });

  it("of a run without scores or quality, and of a regression", () => {
    const bare = { ...data, scores: null, partition: { ...data.partition, quality: null } };
    expect(figuresOf(bare).map(({ value }) => value)).toEqual(["–", "–"]);
    expect(describeRun(bare)).toMatch(/not scored$/);
    const regression = { ...scores, baseline: { inputs: 10, accuracy: null, classAccuracy: [], loss: 0.25 } };
    expect(figuresOf({ ...data, scores: regression })).toContainEqual({
      label: "loss, network intact",
      value: "0.25",
      note: "10 inputs",
    });
  });
});
