import type { Normalisation } from "../data/inputs.ts";
import type { InputSource } from "../network/outcomes.ts";
import { type ImageLayout, toChannelsFirst } from "../visualize/image-input.ts";
import type { ImageShape } from "../visualize/image-parameter.ts";

/** Inputs as pictures. */
export interface InputImages {
  readonly shape: ImageShape;
  /** Image of an input in [0, 1], channels x height x width. */
  read(input: number): Float32Array;
}

/**
 * Inputs of a layout as images. The normalisation that they were read with is undone; where they lie outside of [0, 1] even
 * then (they may have been stored so), all are brought there by the range of those in `used`.
 *
 * @example
 * const { read } = inputImages(digits, imageLayout([1, 28, 28], undefined, "digits"), {}, inputs);
 */
export function inputImages(
  data: InputSource,
  layout: ImageLayout,
  { mean, std }: Normalisation,
  used: ArrayLike<number>,
): InputImages {
  const { shape } = layout;
  const area = shape.height * shape.width;
  const original = (input: number): Float32Array => {
    const image = toChannelsFirst(data.batch(input, 1), layout);
    if (mean === undefined && std === undefined) return image;
    return image.map((value, at) => {
      const channel = Math.floor(at / area);
      return value * (std?.[channel] ?? std?.[0] ?? 1) + (mean?.[channel] ?? mean?.[0] ?? 0);
    });
  };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < used.length; row++) {
    for (const value of original(used[row] as number)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  // Undoing a normalisation leaves float32's rounding.
  const isPicture = low >= -1e-3 && high <= 1 + 1e-3;
  const span = high > low ? high - low : 1;
  const read = (input: number) =>
    isPicture ? original(input) : original(input).map((value) => (value - low) / span);
  return { shape, read };
}

/** Mean of the images of some inputs. */
export function averageImage(images: InputImages, inputs: ArrayLike<number>): Float32Array {
  const { channels, height, width } = images.shape;
  const sum = new Float64Array(channels * height * width);
  for (let row = 0; row < inputs.length; row++) {
    const image = images.read(inputs[row] as number);
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (image[at] as number);
  }
  return Float32Array.from(sum, (value) => value / inputs.length);
}
