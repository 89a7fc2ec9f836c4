import { describe, expect, it } from "vitest";
import { bundlesOf, curvesOf } from "../../../../../src/report/page/sections/map/bundles.ts";
import { type Area, layOutMap } from "../../../../../src/report/page/sections/map/layout.ts";
import { reportData } from "../../../../support/report-data.ts";

const { map, graph } = reportData();
const layout = layOutMap(map.units, graph.layers.length, { width: 1000, height: 500 });

/** One bundle for each row: from layer, from cluster, to layer, to cluster, weight. */
const listed = (rows: readonly (readonly number[])[]) => {
  const column = (at: number): number[] => rows.map((row) => row[at] ?? 0);
  return {
    fromLayer: column(0),
    fromCluster: column(1),
    toLayer: column(2),
    toCluster: column(3),
    weight: column(4),
    total: rows.length,
  };
};

/** The two ends of a ribbon: upper and lower edge at its start, and at its end. */
function edges(path: string): { start: [number, number]; end: [number, number] } {
  const found =
    /^M\S+ (\S+)C\S+ \S+ \S+ \S+ \S+ (\S+)V(\S+)C\S+ \S+ \S+ (\S+) \S+ \S+Z$/
      .exec(path)
      ?.slice(1)
      .map(Number) ?? [];
  const [top1 = 0, top2 = 0, low2 = 0, low1 = 0] = found;
  return { start: [top1, low1], end: [top2, low2] };
}

describe("bundlesOf", () => {
  it("says how far bundles reach, and gives shares of the weight between their layers", () => {
    const found = bundlesOf(
      layout,
      listed([
        [0, 0, 1, 0, 300],
        [0, 1, 1, 1, 100],
        [1, 0, 2, 1, 3],
        [0, 0, 2, 0, 8],
        [1, 0, 1, 1, 5],
      ]),
    );
    expect(found.map(({ index, span, share }) => [index, span, share])).toEqual([
      [2, "next", 1],
      [3, "far", 1],
      [4, "within", 1],
      [0, "next", 0.75],
      [1, "next", 0.25],
    ]);
  });

  it("takes the layers in turns, so that none goes without", () => {
    const found = bundlesOf(
      layout,
      listed([
        [0, 0, 1, 0, 50],
        [0, 1, 1, 1, 50],
        [1, 0, 2, 0, 4],
        [1, 1, 2, 1, 3],
        [1, 2, 2, 2, 3],
      ]),
    );
    expect(found.map(({ index }) => index)).toEqual([0, 2, 1, 3, 4]);
  });

  it("leaves out bundles of areas that are not on the map", () => {
    expect(bundlesOf(layout, listed([[0, 7, 1, 0, 1]]))).toEqual([]);
  });
});

describe("curvesOf", () => {
  const curves = curvesOf(layout, bundlesOf(layout, map.bundles));

  it("ends ribbons at the sides of their areas, one beside the other", () => {
    const sides = new Map<Area, [number, number][]>();
    for (const { from, path } of curves) sides.set(from, [...(sides.get(from) ?? []), edges(path).start]);
    expect(sides.size).toBe(6);
    for (const [{ y, height }, ends] of sides) {
      const sorted = ends.toSorted(([one], [other]) => one - other);
      expect(sorted[0]?.[0]).toBeGreaterThanOrEqual(y);
      expect(sorted.at(-1)?.[1]).toBeLessThanOrEqual(y + height);
      sorted.slice(1).forEach(([top], at) => {
        // Written with two decimals.
        expect(top).toBeGreaterThanOrEqual((sorted[at]?.[1] ?? 0) - 0.011);
      });
    }
  });

  it("makes ribbons as wide as their shares where there is room", () => {
    const both = curvesOf(
      layout,
      bundlesOf(
        layout,
        listed([
          [0, 0, 1, 0, 0.03],
          [0, 0, 1, 1, 0.01],
          [0, 1, 1, 1, 0.96],
        ]),
      ),
    );
    const [, wide, narrow] = both.map(({ path }) => {
      const [top, low] = edges(path).start;
      return low - top;
    });
    expect((wide ?? 0) / (narrow ?? 1)).toBeCloseTo(3, 1);
  });

  it("keeps lines within a layer on the map", () => {
    const [curve] = curvesOf(layout, bundlesOf(layout, listed([[2, 0, 2, 2, 1]])));
    const bend = Number(/C(\S+)/.exec(curve?.path ?? "")?.[1]);
    const side = (curve?.from.x ?? 0) + (curve?.from.width ?? 0);
    expect(bend).toBeGreaterThan(side);
    expect(side + 0.75 * (bend - side)).toBeLessThanOrEqual(layout.width);
  });
});
