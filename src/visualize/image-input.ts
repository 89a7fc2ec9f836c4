import { type Normalisation, resolveChannels } from "../data/inputs.ts";
import { BrodmannError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import { DataType } from "../runtime/onnx.ts";
import { type ImageShape, imageSize } from "./image-parameter.ts";

/** How images in [0, 1] become what a network reads, and gradients come back. */
export interface ImageInput {
  readonly shape: ImageShape;
  /** Images, rows x channels x height x width, normalised and in the order of the network's input. */
  toNetwork(images: Float32Array, rows: number): Float32Array;
  /** The way back: what the network reads as images, normalisation undone. */
  toImages(inputs: Float32Array, rows: number): Float32Array;
  /** A gradient of what the network reads as one of the images. */
  fromNetwork(gradient: Float32Array, rows: number): Float32Array;
}

/** `--image-shape` in a hint. */
const FLAG = "--image-shape";

/**
 * A network's input as images: [N, channels, height, width] or [N, height, width, channels] with 1 or 3 channels. For any
 * other input `given`, (height, width) or (channels, height, width), says what its numbers are, channels first.
 *
 * Throws `E_NETWORK_IMAGE` for a network whose input is no image, `E_USAGE_IMAGE_SHAPE` for a shape that does not fit it,
 * and `E_USAGE_NORMALISATION`.
 *
 * @example
 * const { shape } = imageInputOf(network);
 */
export function imageInputOf(
  network: Network,
  given?: readonly number[],
  normalisation: Normalisation = {},
): ImageInput {
  const { name, inputShape, probe } = network;
  const words = `[N, ${inputShape.join(", ")}]`;
  if (probe.inputType !== DataType.FLOAT) {
    throw new BrodmannError(
      "E_NETWORK_IMAGE",
      `${name}: found whole numbers ${words} as input, expected images`,
      {
        hint: "Feature visualisation makes images; networks that read tokens have none.",
      },
    );
  }
  const { shape, isLast } = imageLayout(inputShape, given, name);
  const { channels, height, width } = shape;
  const area = height * width;
  const known = resolveChannels([channels, height, width], normalisation, name);
  // Most networks read images as they are.
  if (known === null && !isLast) {
    const same = (values: Float32Array): Float32Array => values;
    return { shape, toNetwork: same, toImages: same, fromNetwork: same };
  }
  const mean = Array.from({ length: channels }, (_, channel) => known?.mean[channel] ?? 0);
  const std = Array.from({ length: channels }, (_, channel) => known?.std[channel] ?? 1);
  /** Applies `change` to every value and moves it between our order and the network's. */
  const convert = (
    values: Float32Array,
    rows: number,
    isToNetwork: boolean,
    change: (value: number, channel: number) => number,
  ): Float32Array => {
    const made = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        const start = (row * channels + channel) * area;
        for (let at = 0; at < area; at++) {
          const theirs = isLast ? (row * area + at) * channels + channel : start + at;
          const [from, to] = isToNetwork ? [start + at, theirs] : [theirs, start + at];
          made[to] = change(values[from] as number, channel);
        }
      }
    }
    return made;
  };
  return {
    shape,
    toNetwork: (images, rows) =>
      convert(
        images,
        rows,
        true,
        (value, channel) => (value - (mean[channel] as number)) / (std[channel] as number),
      ),
    toImages: (inputs, rows) =>
      convert(
        inputs,
        rows,
        false,
        (value, channel) => value * (std[channel] as number) + (mean[channel] as number),
      ),
    fromNetwork: (gradient, rows) =>
      convert(gradient, rows, false, (value, channel) => value / (std[channel] as number)),
  };
}

/** The same; null for a network that reads no images. */
export function maybeImageInput(
  network: Network,
  given?: readonly number[],
  normalisation: Normalisation = {},
): ImageInput | null {
  try {
    return imageInputOf(network, given, normalisation);
  } catch (error) {
    if (error instanceof BrodmannError && error.code === "E_NETWORK_IMAGE") return null;
    throw error;
  }
}

/** How the numbers of an input are an image. */
export interface ImageLayout {
  readonly shape: ImageShape;
  /** Whether a pixel's channels lie side by side. */
  readonly isLast: boolean;
}

/**
 * The layout of inputs of the given sizes; `given` as in `imageInputOf`, whose errors it throws. `name` stands in them.
 *
 * @example
 * const { shape } = imageLayout([3, 32, 32], undefined, "cifar.onnx");
 */
export function imageLayout(
  sizes: readonly number[],
  given: readonly number[] | undefined,
  name: string,
): ImageLayout {
  return given === undefined ? toldByInput(sizes, name) : told(sizes, given, name);
}

/** One image with its channels in front. */
export function toChannelsFirst(image: Float32Array, { shape, isLast }: ImageLayout): Float32Array {
  if (!isLast) return image;
  const { channels, height, width } = shape;
  const area = height * width;
  return Float32Array.from(
    { length: image.length },
    (_, at) => image[(at % area) * channels + Math.floor(at / area)] as number,
  );
}

const isColour = (count: number | undefined): boolean => count === 1 || count === 3;

function toldByInput(sizes: readonly number[], name: string): ImageLayout {
  const [first = 0, second = 0, third = 0] = sizes;
  if (sizes.length === 3 && isColour(first)) {
    return { shape: { channels: first, height: second, width: third }, isLast: false };
  }
  if (sizes.length === 3 && isColour(third)) {
    return { shape: { channels: third, height: first, width: second }, isLast: true };
  }
  const count = sizes.reduce((product, size) => product * size, 1);
  const side = Math.round(Math.sqrt(count));
  const example = sizes.length === 2 ? sizes.join() : side * side === count ? `${side},${side}` : "28,28";
  throw new BrodmannError(
    "E_NETWORK_IMAGE",
    `${name}: found inputs of shape [N, ${sizes.join(", ")}], expected images [N, channels, height, width] with 1 or 3 channels`,
    {
      hint: `If its inputs are images in another form, tell their height and width, or channels, height and width: ${FLAG} ${example}.`,
    },
  );
}

function told(sizes: readonly number[], given: readonly number[], name: string): ImageLayout {
  const [channels = 0, height = 0, width = 0] = given.length === 2 ? [1, ...given] : given;
  const shape = { channels, height, width };
  const isShape =
    (given.length === 2 || given.length === 3) &&
    isColour(channels) &&
    given.every((size) => Number.isSafeInteger(size) && size > 0);
  const count = sizes.reduce((product, size) => product * size, 1);
  const isSame = (order: readonly number[]) => order.every((size, axis) => size === sizes[axis]);
  const isLast = sizes.length === 3 && channels > 1 && !isSame([channels, height, width]);
  const fits = isShape && imageSize(shape) === count && (!isLast || isSame([height, width, channels]));
  if (fits) return { shape, isLast };
  throw new BrodmannError(
    "E_USAGE_IMAGE_SHAPE",
    `${FLAG}: found ${given.join(",")}, expected height,width or channels,height,width (1 or 3 channels) of the ${count} numbers that ${name} reads`,
    { hint: `The network's input is [N, ${sizes.join(", ")}]; write ${FLAG} 28,28 or ${FLAG} 3,32,32.` },
  );
}
