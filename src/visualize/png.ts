/**
 * Pictures as PNG files. The only file that imports `fast-png`.
 */
import { encode } from "fast-png";
import type { ImageShape } from "./image-parameter.ts";

/** Bytes of pixels, row by row, a pixel's channels side by side. */
export interface Picture extends ImageShape {
  readonly pixels: Uint8Array;
}

/**
 * An image in [0, 1], channels x height x width, in 256 steps.
 *
 * @example
 * const { pixels } = toPicture(image, { channels: 1, height: 28, width: 28 });
 */
export function toPicture(image: Float32Array, shape: ImageShape): Picture {
  const { channels, height, width } = shape;
  const area = height * width;
  const pixels = new Uint8Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0; at < area; at++) {
      const value = image[channel * area + at] as number;
      pixels[at * channels + channel] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return { channels, height, width, pixels };
}

/**
 * A picture as a PNG file's bytes. The same picture gives the same bytes.
 *
 * @example
 * await writeFile("img.png", encodePng(toPicture(image, { channels: 1, height: 28, width: 28 })));
 */
export function encodePng({ channels, height, width, pixels }: Picture): Uint8Array {
  return encode({ channels, height, width, data: pixels, depth: 8 });
}
