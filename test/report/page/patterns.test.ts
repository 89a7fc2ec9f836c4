import { describe, expect, it } from "vitest";
import { classGrid } from "../../../src/report/page/sections/patterns/class-grid.ts";
import { layOutFlow, NONE } from "../../../src/report/page/sections/patterns/flow-layout.ts";
import {
  continuumSentence,
  countSentences,
  findingSentence,
  flowSentence,
  meanPurity,
  nullSentence,
  randomSentence,
} from "../../../src/report/page/sections/patterns/sentences.ts";
import { madeLayer, madePattern } from "../../support/findings-data.ts";

const layer = (name: string, isDiscrete: boolean) =>
  madeLayer(name, [madePattern(0, [5, 0])], { continuum: isDiscrete ? [] : ["noise"] });

describe("what patterns say", () => {
  it("names the layers with discrete patterns", () => {
    expect(findingSentence([layer("a", false), layer("b", true)])).toBe(
      "Only b has discrete patterns; the other layer varies continuously.",
    );
    expect(findingSentence([layer("a", false), layer("b", false)])).toBe(
      "None of the 2 layers has discrete patterns: they vary continuously.",
    );
    expect(findingSentence([layer("a", true), layer("b", true)])).toBe(
      "All 2 layers have discrete patterns.",
    );
    expect(findingSentence([layer("a", true)])).toBe("a has discrete patterns: 1 pattern.");
    expect(findingSentence([layer("a", false)])).toBe("a has no discrete patterns: it varies continuously.");
    expect(findingSentence([])).toMatch(/only clusters of units/);
    const many = ["a", "b", "c", "d", "e"].map((name) => layer(name, name !== "e"));
    expect(findingSentence(many)).toBe(
      "4 of 5 layers have discrete patterns; the other layer varies continuously.",
    );
  });

  it("warns of a continuum with every reason, and not without one", () => {
    expect(continuumSentence(layer("a", true))).toBeNull();
    const warned = madeLayer("a", [], { noise: 0.8, continuum: ["no split", "noise", "null"] });
    expect(continuumSentence(warned)).toBe(
      "No discrete patterns: a varies continuously. The inputs never fall apart into two dense groups, and 80 % of the inputs are in no pattern, and with every unit's values permuted over the inputs there are as many patterns (0 to 2). What is shown below are the densest places of a continuum, not groups with borders.",
    );
    expect(continuumSentence({ ...warned, cluster: 3, continuum: ["noise"] })).toMatch(
      /cluster 3 in a varies/,
    );
  });

  it("tells counts at N and N/2, and that they grow", () => {
    const found = madeLayer("a", [madePattern(0, [5]), madePattern(1, [5]), madePattern(2, [5])]);
    expect(countSentences(found)[0]).toBe(
      "3 patterns at 60 inputs, 2 at half of them: the number still depends on how many inputs are looked at.",
    );
    const settled = { ...found, counts: [found.counts[0], { inputs: 30, patterns: 3, noise: 0.3 }] };
    expect(countSentences(settled as typeof found)[0]).toBe("3 patterns at 60 inputs, 3 at half of them.");
    const bare = { ...found, ami: null, permuted: null, stability: null, noiseAgreement: null };
    expect(countSentences(bare)).toHaveLength(2);
  });

  it("leaves z out where all draws are alike, and says on which side it lies", () => {
    const patterns = { observed: 3, mean: 0, sd: 0, min: 0, max: 0, z: null };
    const noise = patterns;
    expect(nullSentence({ draws: 10, patterns, noise })).toMatch(/give 0\.0 patterns on average\.$/);
    expect(nullSentence({ draws: 10, patterns: { ...patterns, z: -2 }, noise })).toMatch(
      /2\.0 standard deviations below\.$/,
    );
  });

  it("compares a cluster with random sets", () => {
    expect(randomSentence(layer("a", true))).toBeNull();
    const random = {
      draws: 19,
      inputs: 60,
      patterns: { observed: 5, mean: 3.2, p: 0.05 },
      noise: { observed: 0.5, mean: 0.7, p: 0.1 },
      ami: { observed: 0.4, mean: 0.2, p: 0.05 },
    };
    expect(randomSentence(madeLayer("a", [], { random }))).toBe(
      "Against 19 random sets of as many units of the layer: 5 patterns against 3.2 (p .050), 50 % of the inputs in none against 70 % (p .100), agreement with the classes 0.40 against 0.20 (p .050).",
    );
  });

  it("weighs purity by inputs", () => {
    const found = madeLayer("a", [madePattern(0, [30, 0]), madePattern(1, [5, 5])]);
    expect(meanPurity(found)).toBeCloseTo((30 + 5) / 40, 12);
    expect(meanPurity(madeLayer("a", [madePattern(0, [3], { classes: null })]))).toBeNull();
    expect(meanPurity(madeLayer("a", []))).toBeNull();
  });

  it("speaks of sequences, with their purity where there are labels", () => {
    const flow = {
      layers: ["a", "b"],
      links: [],
      sequences: 5,
      singles: 1,
      purity: null,
      noise: 1,
      paths: [],
    };
    expect(flowSentence(flow)).toBe(
      "Through 2 layers the inputs take 5 sequences of patterns, 1 of them by a single input; 1 input is in no pattern of any layer.",
    );
    expect(flowSentence({ ...flow, purity: 0.5 })).toMatch(/are 50 % pure/);
  });
});

describe("classes in patterns", () => {
  it("keeps classes that occur, in the order of their numbers", () => {
    const grid = classGrid({ patterns: [madePattern(0, [0, 4, 0, 1]), madePattern(1, [0, 0, 0, 6])] });
    expect(grid?.labels).toEqual([1, 3]);
    expect(grid?.columns.map(({ counts }) => counts)).toEqual([
      [4, 1],
      [0, 6],
    ]);
    expect(classGrid({ patterns: [madePattern(0, [1], { classes: null })] })).toBeNull();
  });

  it("counts what is left out of many", () => {
    const patterns = Array.from({ length: 70 }, (_, at) =>
      madePattern(
        at,
        Array.from({ length: 70 }, (_, label) => (label === at ? 5 + at : 0)),
      ),
    );
    const grid = classGrid({ patterns });
    expect([grid?.hiddenClasses, grid?.hiddenPatterns]).toEqual([30, 10]);
    // The classes of most inputs are those of the highest numbers here.
    expect(grid?.labels[0]).toBe(30);
  });
});

describe("layout of the flow", () => {
  const links = [
    [
      [NONE, NONE, 100],
      [NONE, 1, 4],
      [0, 0, 10],
      [1, 1, 6],
      [1, NONE, 2],
    ],
  ] as const;
  const found = layOutFlow({ layers: ["a", "b"], links }, { height: 200, gap: 10 });

  it("leaves out what is in no pattern on both sides, and keeps every other input", () => {
    expect(found.ribbons.map(({ inputs }) => inputs).sort((a, b) => a - b)).toEqual([2, 4, 6, 10]);
    expect([found.total, found.drawnInputs, found.hiddenInputs]).toEqual([4, 22, 0]);
    const first = found.nodes.filter(({ layer }) => layer === 0);
    expect(first.map(({ pattern, inputs }) => [pattern, inputs])).toEqual([
      [0, 10],
      [1, 8],
      [NONE, 4],
    ]);
  });

  it("gives heights in proportion, within the room, and none on top of another", () => {
    const scale = (found.nodes[0]?.height ?? 0) / (found.nodes[0]?.inputs ?? 1);
    for (const layer of [0, 1]) {
      const own = found.nodes.filter((node) => node.layer === layer);
      own.forEach((node, at) => {
        expect(node.height).toBeCloseTo(node.inputs * scale, 9);
        const next = own[at + 1];
        if (next) expect(next.y).toBeCloseTo(node.y + node.height + 10, 9);
      });
      expect(own[0]?.y).toBeGreaterThanOrEqual(-1e-9);
      const last = own.at(-1);
      expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(200 + 1e-9);
    }
    for (const { from, to, fromY, toY, height } of found.ribbons) {
      for (const [number, y] of [
        [from, fromY],
        [to, toY],
      ] as const) {
        const node = found.nodes[number];
        expect(y).toBeGreaterThanOrEqual((node?.y ?? 0) - 1e-9);
        expect(y + height).toBeLessThanOrEqual((node?.y ?? 0) + (node?.height ?? 0) + 1e-9);
      }
    }
  });

  it("puts joined patterns side by side", () => {
    const crossed = [
      [
        [0, 2, 10],
        [1, 1, 10],
        [2, 0, 10],
      ],
    ] as const;
    const { nodes, ribbons } = layOutFlow({ layers: ["a", "b"], links: crossed }, { height: 200, gap: 10 });
    for (const { from, to } of ribbons) expect(nodes[from]?.y).toBeCloseTo(nodes[to]?.y ?? Number.NaN, 9);
  });

  it("keeps the strongest of many ribbons and counts the others", () => {
    const many = [Array.from({ length: 50 }, (_, at) => [at, at, 1 + at] as const)];
    const { ribbons, nodes, total, drawnInputs, hiddenInputs } = layOutFlow(
      { layers: ["a", "b"], links: many },
      { height: 400, gap: 4 },
    );
    expect(ribbons).toHaveLength(24);
    expect(nodes).toHaveLength(48);
    expect(Math.min(...ribbons.map(({ inputs }) => inputs))).toBe(27);
    expect([total, drawnInputs + hiddenInputs]).toEqual([50, (50 * 51) / 2]);
  });

  it("draws nothing of nothing", () => {
    const nothing = layOutFlow({ layers: ["a", "b"], links: [[[NONE, NONE, 9]]] }, { height: 200, gap: 10 });
    expect([nothing.nodes, nothing.ribbons]).toEqual([[], []]);
  });
});
