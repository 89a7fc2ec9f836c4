import { describe, expect, it } from "vitest";
import { localParts } from "../../src/graph/local-parts.ts";

const edges = (pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([from, to]) => ({ from, to, values: new Float32Array(0) }));

const partsOf = (layerCount: number, pairs: readonly (readonly [number, number])[]) =>
  localParts(layerCount, edges(pairs)).map((part) => ({
    layers: part.layers,
    keeps: part.keeps,
    edges: part.edges.map(({ from, to }) => `${from}-${to}`),
  }));

describe("localParts", () => {
  it("makes one part of two layers, which keeps both", () => {
    expect(partsOf(2, [[0, 1]])).toEqual([{ layers: [0, 1], keeps: [0, 1], edges: ["0-1"] }]);
  });

  it("makes one part of three layers, which keeps all", () => {
    const chain = [
      [0, 1],
      [1, 2],
    ] as const;
    expect(partsOf(3, chain)).toEqual([{ layers: [0, 1, 2], keeps: [0, 1, 2], edges: ["0-1", "1-2"] }]);
  });

  it("makes a triple around every interior layer of a chain", () => {
    const chain = [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ] as const;
    expect(partsOf(5, chain)).toEqual([
      { layers: [0, 1, 2], keeps: [0, 1], edges: ["0-1", "1-2"] },
      { layers: [1, 2, 3], keeps: [2], edges: ["1-2", "2-3"] },
      { layers: [2, 3, 4], keeps: [3, 4], edges: ["2-3", "3-4"] },
    ]);
  });

  it("makes a star around every layer of any other network", () => {
    const skip = [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const;
    expect(partsOf(3, skip)).toEqual([
      { layers: [0, 1, 2], keeps: [0], edges: ["0-1", "0-2"] },
      { layers: [0, 1, 2], keeps: [1], edges: ["0-1", "1-2"] },
      { layers: [0, 1, 2], keeps: [2], edges: ["1-2", "0-2"] },
    ]);
  });

  it("keeps every layer once, also layers without edges", () => {
    const parts = partsOf(4, [[0, 1]]);
    expect(parts.flatMap(({ keeps }) => keeps).sort()).toEqual([0, 1, 2, 3]);
    expect(parts[2]).toEqual({ layers: [2], keeps: [2], edges: [] });
  });
});
