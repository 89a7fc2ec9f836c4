/** The table of lesions without a page: its changes, orders, scale and words. */
import { describe, expect, it } from "vitest";
import { shorten } from "../../../src/report/page/format.ts";
import {
  byLayer,
  bySimilarity,
  type LesionColumn,
  lesionColumns,
  STEPS,
  scaleOf,
  shownClasses,
  stepOf,
} from "../../../src/report/page/sections/lesions/changes.ts";
import {
  type Dissociation,
  pairMeaning,
  sortedDissociations,
} from "../../../src/report/page/sections/lesions/finding-texts.ts";
import type { ScoresDocument } from "../../../src/report/scores-document.ts";
import { reportData } from "../../support/report-data.ts";

const data = reportData();
const scores = data.scores as ScoresDocument;
const layerNumber = (name: string) => data.graph.layers.findIndex((layer) => layer.name === name);

/** A lesion with the given changes, all beyond the noise. */
const column = (layer: number, cluster: number, changes: readonly (number | null)[]): LesionColumn => ({
  entry: { layer: `layer${layer}`, cluster, units: [0, 1], layerUnits: 9 },
  layerNumber: layer,
  changes,
  isNoise: changes.map(() => false),
});
const names = (columns: readonly LesionColumn[]) =>
  columns.map(({ layerNumber: layer, entry }) => `${layer}.${entry.cluster}`);

describe("changes", () => {
  it("are those of class accuracies, with what is within the noise", () => {
    const [first] = lesionColumns(scores, layerNumber);
    expect(first?.changes.map((change) => change?.toFixed(2))).toEqual(["-0.57", "-0.23", "0.01"]);
    expect(first?.isNoise).toEqual([false, false, true]);
    const without = scores.subclusters.map(({ importance: _, ...entry }) => entry);
    expect(lesionColumns({ ...scores, subclusters: without }, layerNumber)).toEqual([]);
  });

  it("are shown for the classes that change most, in the order of their labels", () => {
    const columns = [column(0, 0, [0.1, null, -0.5, 0.2]), column(0, 1, [0, null, 0, 0.3])];
    expect(shownClasses(columns, 10)).toEqual({ labels: [0, 2, 3], left: 0 });
    expect(shownClasses(columns, 2)).toEqual({ labels: [2, 3], left: 1 });
    expect(shownClasses([column(0, 0, [])], 2)).toEqual({ labels: [], left: 0 });
    expect(shownClasses([column(0, 0, [null, null])], 2)).toEqual({ labels: [], left: 0 });
  });
});

describe("orders", () => {
  it("go by layer, then cluster", () => {
    const columns = [column(1, 0, [0]), column(0, 10, [0]), column(0, 9, [0])];
    expect(names(byLayer(columns))).toEqual(["0.9", "0.10", "1.0"]);
  });

  it("put alike lesions side by side and those without effect last", () => {
    const columns = [
      column(0, 0, [-0.5, 0, 0]),
      column(0, 1, [0, -0.4, 0]),
      column(0, 2, [0, 0, 0]),
      column(1, 0, [-0.45, -0.02, 0]),
      column(1, 1, [0, -0.5, -0.1]),
      { ...column(1, 2, [-0.03, 0, 0]), isNoise: [true, false, false] },
    ];
    const found = names(bySimilarity(columns));
    expect(found.slice(-2)).toEqual(["0.2", "1.2"]);
    const beside = (one: string, other: string) => Math.abs(found.indexOf(one) - found.indexOf(other));
    expect(beside("0.0", "1.0")).toBe(1);
    expect(beside("0.1", "1.1")).toBe(1);
    expect([...found].sort()).toEqual(names(byLayer(columns)));
    expect(names(bySimilarity([...columns].reverse()))).toEqual(found);
  });
});

describe("the scale", () => {
  it("reaches as far as nearly all cells, and counts those beyond", () => {
    const small = Array.from({ length: 400 }, (_, at) => column(0, at, [0.04 * Math.sin(at)]));
    const columns = [...small, column(0, 400, [-0.9])];
    expect(scaleOf(columns, [0])).toEqual({ limit: 0.05, beyond: 1 });
    expect(scaleOf([column(0, 0, [-0.9])], [0])).toEqual({ limit: 1, beyond: 0 });
    expect(scaleOf([], [])).toEqual({ limit: 0.02, beyond: 0 });
  });

  it("has 0 in the middle and ends at its limit", () => {
    expect([0, 0.1, -0.1, 5, -5].map((change) => stepOf(change, 0.1))).toEqual([
      0,
      STEPS,
      -STEPS,
      STEPS,
      -STEPS,
    ]);
    expect(Object.is(stepOf(-1e-9, 0.1), 0)).toBe(true);
  });
});

describe("words", () => {
  it("say what a pair's interval means", () => {
    const pair = { subclusters: [], lossIncrease: 1, synergy: 0.1, lostOnlyTogether: 0 };
    expect(pairMeaning({ ...pair, interval: [0.1, 0.2] })).toBe("back each other up");
    expect(pairMeaning({ ...pair, interval: [-0.2, -0.1] })).toBe("share a path");
    expect(pairMeaning({ ...pair, interval: [-0.1, 0.1] })).toBe("no more than the sum");
    expect(pairMeaning({ ...pair, interval: [null, null] })).toBe("unknown");
  });

  it("put significant dissociations first, then strong ones", () => {
    const of = (strength: number, q: number | null): Dissociation => ({
      layer: "a",
      clusters: [0, 1],
      classes: [0, 1],
      strength,
      p: q,
      q,
    });
    const sorted = sortedDissociations([of(0.5, 0.9), of(0.1, 0.05), of(0.9, null), of(0.2, 0.01)]);
    expect(sorted.map(({ strength }) => strength)).toEqual([0.2, 0.1, 0.9, 0.5]);
  });

  it("keep both ends of long names", () => {
    expect(shorten("hidden1", 7)).toBe("hidden1");
    expect(shorten("/model/layers.12/mlp/fc2", 11)).toBe("/mode…p/fc2");
    expect(shorten("abcdef", 3)).toBe("ab…");
  });
});
