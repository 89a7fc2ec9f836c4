import { describe, expect, it } from "vitest";
import {
  type Area,
  dotAt,
  findAt,
  layOutMap,
  type MapLayout,
} from "../../../../../src/report/page/sections/map/layout.ts";
import type { UnitMap } from "../../../../../src/report/unit-map.ts";
import { rng } from "../../../../../src/statistics/rng.ts";

/** Layers of so many units, in clusters drawn at random (-1 among them). */
function made(layers: readonly number[], clusters: number): UnitMap["units"] {
  const random = rng(3, "layout");
  const units = layers.flatMap((size, layer) =>
    Array.from({ length: size }, (_, unit) => ({ layer, unit, cluster: random.integer(clusters + 1) - 1 })),
  );
  const zeros = units.map(() => 0);
  return {
    layer: units.map(({ layer }) => layer),
    unit: units.map(({ unit }) => unit),
    cluster: units.map(({ cluster }) => cluster),
    degree: zeros,
    x: zeros,
    y: zeros,
    total: units.length,
  };
}

const doOverlap = (one: Area, other: Area): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const CASES = [
  ["an ordinary network", [784, 256, 256, 10], 16, { width: 1190, height: 595 }],
  ["a narrow view", [784, 256, 256, 10], 16, { width: 358, height: 400 }],
  ["many layers", Array.from({ length: 40 }, () => 125), 10, { width: 1190, height: 595 }],
  ["wide layers of many clusters", [784, 4096, 4096, 1000], 100, { width: 1190, height: 595 }],
  ["one unit", [1], 1, { width: 358, height: 400 }],
  ["a layer without units", [5, 0, 5], 2, { width: 800, height: 400 }],
] as const;

describe.each(CASES)("a map of %s", (_, sizes, clusters, view) => {
  const units = made(sizes, clusters);
  const layout = layOutMap(units, sizes.length, view);

  it("holds every unit once, in an area of its layer and cluster", () => {
    const placed = layout.areas.flatMap(({ units: members }) => members);
    expect(placed.toSorted((a, b) => a - b)).toEqual(units.layer.map((_, place) => place));
    for (const { layer, cluster, units: members } of layout.areas) {
      expect(members.every((at) => units.layer[at] === layer && units.cluster[at] === cluster)).toBe(true);
    }
    expect(layout.columns.map((column) => column.units)).toEqual(sizes);
  });

  it("has areas that do not overlap, within its bounds", () => {
    const overlaps = layout.areas.flatMap((one, at) =>
      layout.areas.slice(at + 1).filter((other) => doOverlap(one, other)),
    );
    expect(overlaps).toEqual([]);
    for (const { x, y, width, height } of layout.areas) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(layout.width);
      expect(y + height).toBeLessThanOrEqual(layout.height);
    }
    expect(layout.height).toBeLessThanOrEqual(view.height);
  });

  it("has its dots within their areas, and finds them again", () => {
    for (const area of layout.areas) {
      for (const place of [0, Math.floor(area.units.length / 2), area.units.length - 1]) {
        const { x, y } = dotAt(layout, area, place);
        expect(findAt(layout, x, y)).toEqual({ area, place });
      }
    }
  });

  it("is the same again", () => {
    expect(layOutMap(units, sizes.length, view)).toEqual(layout);
  });
});

describe("layOutMap", () => {
  const rows = ({ areas }: MapLayout, layer: number): number[] =>
    areas.filter((area) => area.layer === layer).map(({ cluster }) => cluster);

  it("puts clusters in their order and units in none at the end", () => {
    const layout = layOutMap(made([200, 100], 12), 2, { width: 1190, height: 595 });
    expect(rows(layout, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1]);
  });

  it("leaves half of the width to what joins the layers", () => {
    const { columns, width } = layOutMap(made([784, 4096, 4096], 30), 3, { width: 1190, height: 595 });
    expect(columns.reduce((sum, column) => sum + column.width, 0)).toBeLessThan(0.56 * width);
  });

  it("is wider than its view where there are too many layers, and finds nothing between them", () => {
    const layout = layOutMap(
      made(
        Array.from({ length: 60 }, () => 3),
        2,
      ),
      60,
      { width: 358, height: 400 },
    );
    expect(layout.width).toBeGreaterThan(60 * 27);
    const [first] = layout.columns;
    expect(findAt(layout, (first?.x ?? 0) - 2, layout.height / 2)).toBeNull();
  });
});
