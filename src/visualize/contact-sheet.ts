import type { ImageShape } from "./image-parameter.ts";
import { type Picture, toPicture } from "./png.ts";

/** One row of a sheet: the image of a set, and those of random sets beside it. */
export interface SheetRow {
  readonly image: Float32Array;
  readonly random: readonly Float32Array[];
}

/** Shorter side of an image on the sheet, at the least; small images are enlarged by a whole factor. */
const LEAST_SIDE = 96;
const WHITE = 255;

/**
 * Images in rows: on the left that of the set, behind a broad gap those of random sets of the same layer and size.
 *
 * @example
 * const picture = contactSheet([{ image, random: [other] }], { channels: 1, height: 28, width: 28 });
 */
export function contactSheet(rows: readonly SheetRow[], shape: ImageShape): Picture {
  const { channels, height, width } = shape;
  const factor = Math.max(1, Math.ceil(LEAST_SIDE / Math.min(height, width)));
  const gap = Math.max(2, Math.round((factor * Math.min(height, width)) / 16));
  const [tileHeight, tileWidth] = [factor * height + gap, factor * width + gap];
  const most = Math.max(0, ...rows.map(({ random }) => random.length));
  const broad = most > 0 ? 2 * gap : 0;
  const sheet = {
    channels,
    height: rows.length * tileHeight + gap,
    width: (most + 1) * tileWidth + gap + broad,
  };
  const pixels = new Uint8Array(channels * sheet.height * sheet.width).fill(WHITE);
  for (const [line, { image, random }] of rows.entries()) {
    for (const [place, source] of [image, ...random].entries()) {
      const top = gap + line * tileHeight;
      const left = gap + place * tileWidth + (place > 0 ? broad : 0);
      const tile = toPicture(source, shape);
      for (let y = 0; y < factor * height; y++) {
        for (let x = 0; x < factor * width; x++) {
          const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * channels;
          const to = ((top + y) * sheet.width + left + x) * channels;
          for (let channel = 0; channel < channels; channel++) {
            pixels[to + channel] = tile.pixels[from + channel] as number;
          }
        }
      }
    }
  }
  return { ...sheet, pixels };
}
