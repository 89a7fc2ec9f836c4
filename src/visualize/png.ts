/**
 * Pictures as PNG files. The only file that imports `fast-png`.
 */
import { decode, encode } from "fast-png";
import { BrodmannError, messageOf } from "../errors.ts";
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
 * A picture as a PNG file's bytes. The same picture gives the same bytes. `text` goes into the file as well, under its
 * keywords (ASCII): what is told there of a picture cannot part from it.
 *
 * @example
 * await writeFile("img.png", encodePng(toPicture(image, { channels: 1, height: 28, width: 28 })));
 */
export function encodePng(
  { channels, height, width, pixels }: Picture,
  text: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encode({ channels, height, width, data: pixels, depth: 8, text });
}

/** What `encodePng` was given. Throws `E_INPUT_FORMAT` for bytes that are no PNG file of 8 bits a channel. */
export function decodePng(
  bytes: Uint8Array,
  where: string,
): { readonly picture: Picture; readonly text: Readonly<Record<string, string>> } {
  let found: ReturnType<typeof decode>;
  try {
    found = decode(bytes);
  } catch (cause) {
    throw pngError(where, `no PNG file (${messageOf(cause)})`, cause);
  }
  const { channels, height, width, data, text } = found;
  if (!(data instanceof Uint8Array) || data.length !== channels * height * width) {
    throw pngError(where, `${found.depth} bits a channel`);
  }
  return { picture: { channels, height, width, pixels: data }, text };
}

function pngError(where: string, what: string, cause?: unknown): BrodmannError {
  return new BrodmannError("E_INPUT_FORMAT", `${where}: found ${what}, expected a picture of an analysis`, {
    hint: "Remove it, or write it again by `brodmann analyze`.",
    cause,
  });
}

/** The picture with no side above `longest`: means of whole squares of pixels. A smaller one stays as it is. */
export function shrinkPicture(picture: Picture, longest: number): Picture {
  const { channels, height, width, pixels } = picture;
  const step = Math.ceil(Math.max(height, width) / longest);
  if (step <= 1) return picture;
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const small = new Uint8Array(channels * rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [bottom, right] = [Math.min(height, (row + 1) * step), Math.min(width, (column + 1) * step)];
      for (let channel = 0; channel < channels; channel++) {
        let [sum, count] = [0, 0];
        for (let y = row * step; y < bottom; y++) {
          for (let x = column * step; x < right; x++) {
            sum += pixels[(y * width + x) * channels + channel] as number;
            count++;
          }
        }
        small[(row * columns + column) * channels + channel] = Math.round(sum / count);
      }
    }
  }
  return { channels, height: rows, width: columns, pixels: small };
}
