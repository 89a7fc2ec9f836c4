import { describe, expect, test } from "vitest";
import { imageSize, openImageParameter, spectrumSize } from "../../src/visualize/image-parameter.ts";
import { type ImageObjective, optimiseImages } from "../../src/visualize/optimise-images.ts";
import { returnView, takeView, type View } from "../../src/visualize/transforms.ts";
import { catchError } from "../support/catch-error.ts";
import { waves } from "./cases.ts";

const SHAPE = { channels: 1, height: 6, width: 5 };
const SIZE = imageSize(SHAPE);
const AIM = waves(SIZE, 1, 1);

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);

/** The product of each image with a pattern. */
const likeness: ImageObjective = async (images, rows) => ({
  values: Float32Array.from({ length: rows }, (_, row) =>
    dot(images.subarray(row * SIZE, (row + 1) * SIZE), AIM),
  ),
  gradient: Float32Array.from({ length: rows * SIZE }, (_, at) => AIM[at % SIZE] as number),
});

describe("the optimisation", () => {
  test("redirects in steps 0 to 16, scores in front of the last update and shows the image behind it", async () => {
    const parameter = await openImageParameter(SHAPE);
    const flags: boolean[] = [];
    const seen: Float32Array[] = [];
    const objective: ImageObjective = (images, rows, isRedirected) => {
      flags.push(isRedirected);
      seen.push(images.slice());
      return likeness(images, rows, isRedirected);
    };
    const spectra = waves(2 * spectrumSize(SHAPE), 2, 0.01);
    const { images, trajectory } = await optimiseImages(parameter, SHAPE, objective, spectra, 2, {
      steps: 20,
      rate: 0.05,
    });
    expect(flags).toEqual(Array.from({ length: 20 }, (_, step) => step <= 16));
    expect(seen[19]).not.toEqual(images);
    expect(trajectory[39]).toBeCloseTo(dot(seen[19]?.subarray(SIZE) ?? AIM, AIM), 5);
    expect(await parameter.images(spectra, 2)).toEqual(images);
    expect(dot(images.subarray(SIZE), AIM)).toBeGreaterThan(trajectory[39] as number);
    await parameter.dispose();
  });

  test("climbs through views as the objective of the viewed image would", async () => {
    // Views of one kind in every step are a linear map, which can as well be a part of the objective.
    const parameter = await openImageParameter(SHAPE);
    const view: View = { matrix: [0.9, 0.3, -0.3, 0.9], shift: [1, 0] };
    const inside: ImageObjective = async (images, rows, isRedirected) => {
      const target = new Float32Array(SIZE);
      takeView(images, SHAPE, view, target);
      const { values, gradient } = await likeness(target, rows, isRedirected);
      const back = new Float32Array(SIZE);
      returnView(gradient, SHAPE, view, back);
      return { values, gradient: back };
    };
    const start = () => waves(spectrumSize(SHAPE), 2, 0.01);
    const options = { steps: 15, rate: 0.05 };
    const expected = await optimiseImages(parameter, SHAPE, inside, start(), 1, options);
    const found = await optimiseImages(parameter, SHAPE, likeness, start(), 1, {
      ...options,
      viewOf: () => view,
    });
    expect(found).toEqual(expected);
    expect(found.trajectory[14]).toBeGreaterThan((found.trajectory[0] as number) + 0.1);
    await parameter.dispose();
  });

  test("refuses an objective that is no number", async () => {
    const parameter = await openImageParameter(SHAPE);
    const nothing: ImageObjective = async (images, rows) => ({
      values: new Float32Array(rows).fill(Number.NaN),
      gradient: images,
    });
    const spectra = waves(spectrumSize(SHAPE), 2, 0.01);
    const run = () => optimiseImages(parameter, SHAPE, nothing, spectra, 1, { steps: 2, rate: 0.05 });
    expect((await catchError(run)).code).toBe("E_NETWORK_NOT_FINITE");
    await parameter.dispose();
  });
});
