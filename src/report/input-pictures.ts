/** Small pictures of the inputs that drive subclusters most: what a report shows without the data. */
import type { LabelledInputs } from "../network/outcomes.ts";
import type { Patterns } from "../patterns/find-patterns.ts";
import type { Coherence } from "../scores/coherence.ts";
import type { ImageInput } from "../visualize/image-input.ts";
import { imageSize } from "../visualize/image-parameter.ts";
import { type Picture, shrinkPicture, toPicture } from "../visualize/png.ts";

/** Of each subcluster; and of each pattern of a whole layer, typical ones and those on its border. */
const SHOWN = 8;
const SHOWN_OF_PATTERN = 4;
/** Patterns of a layer, the most persistent. */
const PATTERNS = 12;
/** Of all of them together. */
const MOST = 1024;
const LONGEST = 64;

/** Numbers of the inputs to show, in order: the first of every subcluster, then the second, until they are too many. */
export function drivingInputs({ subclusters }: Pick<Coherence, "subclusters">): number[] {
  const found = new Set<number>();
  for (let rank = 0; rank < SHOWN; rank++) {
    for (const { examples } of subclusters) {
      const input = examples[rank]?.input;
      if (input !== undefined && found.size < MOST) found.add(input);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Numbers of the inputs that stand for the patterns of whole layers, and of those that fit least. */
export function patternInputs({ inputs, layers }: Pick<Patterns, "inputs" | "layers">): number[] {
  const rows = layers
    .filter(({ cluster }) => cluster === null)
    .flatMap(({ patterns, outliers }) => [
      ...patterns
        .slice(0, PATTERNS)
        .flatMap(({ exemplars, boundary }) => [
          ...exemplars.subarray(0, SHOWN_OF_PATTERN),
          ...boundary.subarray(0, SHOWN_OF_PATTERN),
        ]),
      ...outliers.rows.subarray(0, 2 * SHOWN),
    ]);
  return rows.map((row) => inputs[row] as number);
}

/** Several lists as one in order, without the last ones where they are too many for a report. */
export const joinInputs = (...lists: readonly (readonly number[])[]): number[] =>
  [...new Set(lists.flat())].slice(0, MOST).sort((a, b) => a - b);

/**
 * Pictures of inputs, by number: normalisation undone, no side above 64 pixels. Inputs that do not keep to 0 ... 1 are
 * brought there together.
 *
 * @example
 * const pictures = inputPictures(drivingInputs(coherence), digits, imageInputOf(network));
 */
export function inputPictures(
  numbers: readonly number[],
  data: Pick<LabelledInputs, "batch">,
  { shape, toImages }: ImageInput,
): Map<number, Picture> {
  const size = imageSize(shape);
  const values = new Float32Array(numbers.length * size);
  numbers.forEach((input, at) => {
    values.set(toImages(data.batch(input, 1), 1), at * size);
  });
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const high = values.reduce((most, value) => Math.max(most, value), 1);
  return new Map(
    numbers.map((input, at) => {
      const image = values.subarray(at * size, (at + 1) * size).map((value) => (value - low) / (high - low));
      return [input, shrinkPicture(toPicture(image, shape), LONGEST)];
    }),
  );
}
