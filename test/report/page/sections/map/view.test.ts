import { describe, expect, it } from "vitest";
import {
  boundedFactor,
  held,
  revealing,
  START,
  type View,
  zoomAt,
} from "../../../../../src/report/page/sections/map/view.ts";

const seen = { width: 400, height: 300 };
const map = { width: 1000, height: 300, pitch: 10 };
const onScreen = ({ zoom, left, top }: View, x: number, y: number) => [x * zoom + left, y * zoom + top];

describe("the view of a map", () => {
  it("keeps the point that it zooms at", () => {
    const before = { zoom: 2, left: -30, top: -70 };
    const after = zoomAt(before, 1.5, 120, 90);
    expect(after.zoom).toBe(3);
    expect(onScreen(after, 75, 80)).toEqual(onScreen(before, 75, 80));
  });

  it("zooms out to the whole map and in to large dots, no further", () => {
    expect(boundedFactor(START, 0.01, map, seen)).toBeCloseTo(0.4);
    expect(boundedFactor(START, 100, map, seen)).toBeCloseTo(4.8);
    expect(boundedFactor(START, 1.4, map, seen)).toBeCloseTo(1.4);
  });

  it("shows no more emptiness than it must", () => {
    expect(held({ zoom: 1, left: 50, top: 20 }, map, seen)).toEqual({ zoom: 1, left: 0, top: 0 });
    expect(held({ zoom: 1, left: -5000, top: 0 }, map, seen)).toEqual({ zoom: 1, left: -600, top: 0 });
    expect(held({ zoom: 0.4, left: 7, top: 7 }, map, seen)).toEqual({ zoom: 0.4, left: 0, top: 90 });
  });

  it("moves to what is out of sight, and stays for what is seen", () => {
    const area = { x: 700, y: 100, width: 50, height: 40 };
    const moved = revealing(START, area, seen);
    const [x = 0] = onScreen(moved, area.x, area.y);
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + area.width).toBeLessThanOrEqual(seen.width);
    expect(revealing(START, { ...area, x: 100 }, seen)).toEqual(START);
  });
});
