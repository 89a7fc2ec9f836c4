import { describe, expect, it } from "vitest";
import { patternFlow } from "../../src/patterns/pattern-flow.ts";

describe("flow", () => {
  const first = Int32Array.of(0, 0, 0, 1, 1, -1, -1, 1);
  const second = Int32Array.of(0, 0, 1, 1, 1, -1, -1, 0);
  const third = Int32Array.of(2, 2, 0, 0, 0, -1, -1, 0);
  const classes = Int32Array.of(5, 4, 4, 4, 4, 1, 2, 3);

  it("counts inputs of a pattern and a pattern of the next layer", () => {
    const { flows } = patternFlow([first, second, third], classes);
    expect(flows.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(flows[0]?.links).toEqual([
      { from: -1, to: -1, inputs: 2 },
      { from: 0, to: 0, inputs: 2 },
      { from: 0, to: 1, inputs: 1 },
      { from: 1, to: 0, inputs: 1 },
      { from: 1, to: 1, inputs: 2 },
    ]);
    for (const { links } of flows) expect(links.reduce((sum, { inputs }) => sum + inputs, 0)).toBe(8);
  });

  it("follows inputs of the same sequence, and tells how pure these are", () => {
    const { sequences, singles, paths, purity, noise } = patternFlow([first, second, third], classes);
    expect({ sequences, singles, noise }).toEqual({ sequences: 5, singles: 2, noise: 2 });
    expect(paths.map(({ patterns, inputs, classes: mix }) => [patterns, inputs, mix?.purity])).toEqual([
      [[0, 0, 2], 2, 0.5],
      [[1, 1, 0], 2, 1],
      [[-1, -1, -1], 2, 0.5],
    ]);
    expect(purity).toBe(0.75);
    expect(patternFlow([first, second], null).purity).toBe(Number.NaN);
  });
});
