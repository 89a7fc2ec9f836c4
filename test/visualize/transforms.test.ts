import { describe, expect, test } from "vitest";
import { rng } from "../../src/statistics/rng.ts";
import { drawView, hasViews, returnView, takeView } from "../../src/visualize/transforms.ts";
import { waves } from "./cases.ts";

const SHAPE = { channels: 3, height: 7, width: 10 };
const AREA = 70;
const IDENTITY = { matrix: [1, 0, 0, 1], shift: [0, 0] } as const;

const viewOf = (image: Float32Array, view: Parameters<typeof takeView>[2]): Float32Array => {
  const target = new Float32Array(image.length);
  takeView(image, SHAPE, view, target);
  return target;
};

describe("views of an image", () => {
  const image = waves(3 * AREA, 0, 1);

  test("without shift, scale and turn are the image", () => {
    expect(viewOf(image, IDENTITY)).toEqual(image);
    expect(hasViews({})).toBe(false);
    expect(drawView({}, rng(0))).toEqual({ matrix: [1, 0, -0, 1], shift: [0, 0] });
  });

  test("shift by whole pixels, with grey beyond the edge", () => {
    const view = viewOf(image, { ...IDENTITY, shift: [2, -3] });
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 10; x++) {
        const isInside = y + 2 < 7 && x - 3 >= 0;
        expect(view[AREA + y * 10 + x]).toBe(isInside ? image[AREA + (y + 2) * 10 + x - 3] : 0.5);
      }
    }
  });

  test("turn by a quarter about the centre", () => {
    const square = { channels: 1, height: 5, width: 5 };
    const source = waves(25, 1, 1);
    const target = new Float32Array(25);
    takeView(source, square, { matrix: [0, 1, -1, 0], shift: [0, 0] }, target);
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 5; x++) expect(target[y * 5 + x]).toBe(source[x * 5 + (4 - y)]);
    }
  });

  test("scale a ramp about its centre", () => {
    const ramp = Float32Array.from({ length: 3 * AREA }, (_, at) => (at % 10) / 10);
    const view = viewOf(ramp, { matrix: [0.5, 0, 0, 0.5], shift: [0, 0] });
    // Twice as large: half the slope, the same middle.
    for (let x = 0; x < 10; x++) expect(view[30 + x]).toBeCloseTo((4.5 + (x - 4.5) / 2) / 10, 6);
  });

  test.each([1, 2, 3, 4])("have an adjoint: <view x, g> = <x, return g> (%i)", (draw) => {
    const view = drawView({ jitter: 3, scale: 0.3, rotation: 40 }, rng(draw, "view"));
    const gradient = waves(3 * AREA, draw, 1);
    const dot = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
    const grey = viewOf(new Float32Array(3 * AREA), view);
    const linear = viewOf(image, view).map((value, at) => value - (grey[at] as number));
    const back = new Float32Array(3 * AREA);
    returnView(gradient, SHAPE, view, back);
    expect(dot(linear, gradient)).toBeCloseTo(dot(image, back), 3);
    expect(Math.abs(dot(image, back))).toBeGreaterThan(0.01);
  });

  test("are drawn within the limits, and reach them", () => {
    const random = rng(0, "views");
    const views = Array.from({ length: 500 }, () =>
      drawView({ jitter: 2, scale: 0.1, rotation: 10 }, random),
    );
    const sizes = views.map(({ matrix: [a, b] }) => 1 / Math.hypot(a, b));
    const angles = views.map(({ matrix: [a, b] }) => (Math.atan2(b, a) * 180) / Math.PI);
    const shifts = views.flatMap(({ shift }) => shift);
    for (const [values, least, most] of [
      [sizes, 0.9, 1.1],
      [angles, -10, 10],
      [shifts, -2, 2],
    ] as const) {
      expect(Math.min(...values)).toBeCloseTo(least, 6);
      expect(Math.max(...values)).toBeCloseTo(most, 6);
    }
    expect(new Set(sizes.map((size) => size.toFixed(6))).size).toBe(11);
  });
});
