import { describe, expect, test } from "vitest";
import { rng } from "../../src/statistics/rng.ts";
import {
  drawSpectrum,
  type ImageShape,
  imageSize,
  openImageParameter,
  spectrumSize,
} from "../../src/visualize/image-parameter.ts";
import { REFERENCE, waves } from "./cases.ts";

const shapeOf = ([channels, height, width]: readonly [number, number, number]): ImageShape => ({
  channels,
  height,
  width,
});

const largestGap = (one: ArrayLike<number>, other: ArrayLike<number>): number =>
  Array.from(one).reduce((gap, value, at) => Math.max(gap, Math.abs(value - (other[at] as number))), 0);

describe("images of spectra", () => {
  test.each(REFERENCE.parameters)(
    "are those of NumPy and PyTorch: $shape",
    async ({ shape: sizes, images, gradient }) => {
      const shape = shapeOf(sizes);
      const rows = 2;
      const parameter = await openImageParameter(shape);
      const spectra = waves(rows * spectrumSize(shape), 1, 0.2);
      const made = await parameter.images(spectra, rows);
      expect(made).toHaveLength(rows * imageSize(shape));
      expect(largestGap(made, images)).toBeLessThan(2e-6);
      const back = await parameter.pullBack(made, waves(made.length, 2, 1), rows);
      expect(back).toHaveLength(spectra.length);
      const most = Math.max(...gradient.map(Math.abs));
      expect(largestGap(back, gradient)).toBeLessThan(2e-6 * Math.max(1, most));
      await parameter.dispose();
    },
  );

  test("do not depend on the images beside them", async () => {
    const shape = { channels: 3, height: 6, width: 9 };
    const parameter = await openImageParameter(shape);
    const spectra = waves(5 * spectrumSize(shape), 4, 0.1);
    const together = await parameter.images(spectra, 5);
    const alone = await parameter.images(spectra.slice(3 * spectrumSize(shape), 4 * spectrumSize(shape)), 1);
    expect(together.slice(3 * imageSize(shape), 4 * imageSize(shape))).toEqual(alone);
    await parameter.dispose();
  });

  test("begin nearly grey, each in its own way", async () => {
    const shape = { channels: 1, height: 28, width: 28 };
    const parameter = await openImageParameter(shape);
    const spectrum = drawSpectrum(shape, rng(0, "a"));
    expect(drawSpectrum(shape, rng(0, "a"))).toEqual(spectrum);
    expect(drawSpectrum(shape, rng(0, "b"))).not.toEqual(spectrum);
    const spread = Math.sqrt(spectrum.reduce((sum, value) => sum + value * value, 0) / spectrum.length);
    expect(spread).toBeCloseTo(0.01, 3);
    const image = await parameter.images(spectrum, 1);
    expect(Math.max(...image.map((value) => Math.abs(value - 0.5)))).toBeLessThan(0.1);
    expect(Math.max(...image)).toBeGreaterThan(Math.min(...image));
    await parameter.dispose();
  });
});
