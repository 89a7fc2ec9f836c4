import { contactSheet } from "../visualize/contact-sheet.ts";
import { imageSize } from "../visualize/image-parameter.ts";
import type { Picture } from "../visualize/png.ts";
import { averageImage, type InputImages } from "./input-images.ts";
import type { LayerPatterns } from "./layer-patterns.ts";
import { EXAMPLES } from "./pattern-table.ts";

/** Patterns that a sheet shows at the most. */
export const MOST_ROWS = 100;

/**
 * The patterns of a layer in pictures, a row for each by descending persistence: the average image on the left, then the
 * most typical inputs, a gap, and the least typical ones. Null where there is no pattern.
 *
 * @example
 * const sheet = patternSheet(layers[0], inputs, inputImages(digits, layout, {}, inputs));
 */
export function patternSheet(
  { patterns }: Pick<LayerPatterns, "patterns">,
  inputs: Int32Array,
  images: InputImages,
): Picture | null {
  if (patterns.length === 0) return null;
  const white = new Float32Array(imageSize(images.shape)).fill(1);
  const read = (row: number) => images.read(inputs[row] as number);
  // The least typical inputs of small patterns stand where those of the others do.
  const padded = (own: Float32Array[]) => [
    ...own,
    ...new Array<Float32Array>(Math.max(0, EXAMPLES - own.length)).fill(white),
  ];
  const rows = patterns.slice(0, MOST_ROWS).map(({ members, exemplars, boundary }) => ({
    image: averageImage(
      images,
      members.map((row) => inputs[row] as number),
    ),
    random: [...padded(Array.from(exemplars, read)), white, ...Array.from(boundary, read)],
  }));
  return contactSheet(rows, images.shape);
}
