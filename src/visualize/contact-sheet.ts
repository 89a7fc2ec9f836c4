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

/** Where the images of a sheet lie. */
export interface SheetLayout {
  /** Pixels of the sheet along a side of a pixel of an image. */
  readonly factor: number;
  readonly height: number;
  readonly width: number;
  /** First pixel of an image: of row `line`, the `place`-th from the left. */
  corner(line: number, place: number): { readonly top: number; readonly left: number };
}

/** The layout of `rows` rows with up to `random` images behind a broad gap. */
export function sheetLayout({ height, width }: ImageShape, rows: number, random: number): SheetLayout {
  const factor = Math.max(1, Math.ceil(LEAST_SIDE / Math.min(height, width)));
  const gap = Math.max(2, Math.round((factor * Math.min(height, width)) / 16));
  const [tileHeight, tileWidth] = [factor * height + gap, factor * width + gap];
  const broad = random > 0 ? 2 * gap : 0;
  return {
    factor,
    height: rows * tileHeight + gap,
    width: (random + 1) * tileWidth + gap + broad,
    corner: (line, place) => ({
      top: gap + line * tileHeight,
      left: gap + place * tileWidth + (place > 0 ? broad : 0),
    }),
  };
}

/**
 * Images in rows: on the left that of the set, behind a broad gap those of random sets of the same layer and size.
 *
 * @example
 * const picture = contactSheet([{ image, random: [other] }], { channels: 1, height: 28, width: 28 });
 */
export function contactSheet(rows: readonly SheetRow[], shape: ImageShape): Picture {
  const { channels, height, width } = shape;
  const most = Math.max(0, ...rows.map(({ random }) => random.length));
  const layout = sheetLayout(shape, rows.length, most);
  const { factor } = layout;
  const pixels = new Uint8Array(channels * layout.height * layout.width).fill(WHITE);
  for (const [line, { image, random }] of rows.entries()) {
    for (const [place, source] of [image, ...random].entries()) {
      const { top, left } = layout.corner(line, place);
      const tile = toPicture(source, shape);
      for (let y = 0; y < factor * height; y++) {
        for (let x = 0; x < factor * width; x++) {
          const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * channels;
          const to = ((top + y) * layout.width + left + x) * channels;
          for (let channel = 0; channel < channels; channel++) {
            pixels[to + channel] = tile.pixels[from + channel] as number;
          }
        }
      }
    }
  }
  return { channels, height: layout.height, width: layout.width, pixels };
}

/** An image of a sheet, in its own pixels. */
export function cropSheet(
  sheet: Picture,
  { factor, corner }: SheetLayout,
  { channels, height, width }: ImageShape,
  line: number,
  place: number,
): Picture {
  const { top, left } = corner(line, place);
  const pixels = new Uint8Array(channels * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((top + y * factor) * sheet.width + left + x * factor) * channels;
      pixels.set(sheet.pixels.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return { channels, height, width, pixels };
}
