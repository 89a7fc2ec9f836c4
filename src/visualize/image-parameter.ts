/**
 * Images as feature visualisation sees them: real Fourier coefficients, all frequencies equally easy to change, colours
 * decorrelated (Olah, Mordvintsev & Schubert 2017, doi:10.23915/distill.00007; method note 7.1):
 *
 *     image = sigmoid( M / |M| * irfft2( s * sqrt(w h) / max(f, 1 / max(w, h)) ) / 4 )
 *
 * with s the spectrum, f its frequencies in cycles per pixel, M the colour matrix and |M| its largest column norm. Images
 * of one channel have no colour step. The inverse transform is two matrix products, so that a batch of images takes a
 * fraction of what the network takes, wherever the network runs.
 */
import {
  buildModel,
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  makeUntypedValueInfo,
  makeValueInfo,
} from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../runtime/session.ts";
import type { Rng } from "../statistics/rng.ts";

/** Sizes of an image; `channels` is 1 (grey) or 3 (red, green, blue). */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Square root of the covariance of natural images' colours, red, green and blue. */
const COLOURS = [
  [0.26, 0.09, 0.02],
  [0.27, 0, -0.05],
  [0.27, -0.09, 0.03],
] as const;

/** Standard deviation of a first spectrum's coefficients. */
const SPREAD = 0.01;

/** Columns of a spectrum: frequencies along x from 0 to the highest. */
const columnsOf = ({ width }: ImageShape): number => Math.floor(width / 2) + 1;

/** Coefficients of one image: channels x (real, imaginary) x height x (floor(width / 2) + 1). */
export function spectrumSize(shape: ImageShape): number {
  return shape.channels * 2 * shape.height * columnsOf(shape);
}

/** Values of one image. */
export function imageSize({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/** Where an optimisation begins: a nearly grey image of its own for every stream. */
export function drawSpectrum(shape: ImageShape, random: Rng): Float32Array {
  return Float32Array.from({ length: spectrumSize(shape) }, () => SPREAD * random.normal());
}

/** The map from spectra to images, ready to run; `dispose()` ends its sessions. */
export interface ImageParameter {
  /** Images in [0, 1], rows x channels x height x width, of spectra, rows x `spectrumSize`. */
  images(spectra: Float32Array, rows: number): Promise<Float32Array>;
  /** The gradient in terms of the spectra, from the images that they gave and the gradient in terms of these. */
  pullBack(images: Float32Array, gradient: Float32Array, rows: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Opens the map from spectra to images of one shape, and its adjoint.
 *
 * @example
 * const parameter = await openImageParameter({ channels: 1, height: 28, width: 28 });
 * const images = await parameter.images(drawSpectrum(shape, rng(0, "image")), 1);
 */
export async function openImageParameter(shape: ImageShape): Promise<ImageParameter> {
  const { channels, height, width } = shape;
  const size = spectrumSize(shape);
  // One thread: the products are small, and waiting threads would keep cores from the network.
  const settings = { label: "images", threads: 1 };
  const forward = await Session.create(forwardModel(shape), settings);
  const adjoint = await Session.create(adjointModel(shape), settings);
  return {
    async images(spectra, rows) {
      const { image } = await forward.run({ spectrum: floatTensor(spectra, [rows, size]) });
      return floatValues(image, "image");
    },
    async pullBack(images, gradient, rows) {
      const dims = [rows, channels, height, width];
      const feeds = { image: floatTensor(images, dims), gradient: floatTensor(gradient, dims) };
      const { spectrum } = await adjoint.run(feeds);
      return floatValues(spectrum, "spectrum");
    },
    async dispose() {
      await forward.dispose();
      await adjoint.dispose();
    },
  };
}

/** Spectrum to image. Rows of the intermediate values are (y, real or imaginary part). */
function forwardModel(shape: ImageShape): Uint8Array {
  const { channels, height, width } = shape;
  const columns = columnsOf(shape);
  const decorrelated = channels === 3 ? "decorrelated" : "pixels";
  return buildModel({
    inputs: [makeValueInfo("spectrum", ["n", spectrumSize(shape)])],
    outputs: [makeUntypedValueInfo("image")],
    initializers: [
      makeIntTensor("planes", [-1, 2 * height, columns]),
      makeIntTensor("lines", [-1, 2 * columns]),
      makeIntTensor("flat", [-1, channels, height * width]),
      makeIntTensor("square", [-1, channels, height, width]),
      makeFloatTensor("scale", [2 * height, columns], scales(shape)),
      makeFloatTensor("vertical", [2 * height, 2 * height], verticalMatrix(height)),
      makeFloatTensor("horizontal", [2 * columns, width], horizontalMatrix(width)),
      makeFloatTensor("colours", [3, 3], colourMatrix()),
    ],
    nodes: [
      makeNode("Reshape", ["spectrum", "planes"], ["unscaled"]),
      makeNode("Mul", ["unscaled", "scale"], ["scaled"]),
      makeNode("MatMul", ["vertical", "scaled"], ["mixed"]),
      makeNode("Reshape", ["mixed", "lines"], ["parts"]),
      makeNode("MatMul", ["parts", "horizontal"], ["real"]),
      makeNode("Reshape", ["real", "flat"], ["pixels"]),
      ...(channels === 3 ? [makeNode("MatMul", ["colours", "pixels"], ["decorrelated"])] : []),
      makeNode("Sigmoid", [decorrelated], ["bounded"]),
      makeNode("Reshape", ["bounded", "square"], ["image"]),
    ],
  });
}

/** The adjoint of `forwardModel` at an image: its linear steps transposed, in reverse order. */
function adjointModel(shape: ImageShape): Uint8Array {
  const { channels, height, width } = shape;
  const columns = columnsOf(shape);
  const pixels = channels === 3 ? "pixels" : "correlated";
  return buildModel({
    inputs: ["image", "gradient"].map((name) => makeValueInfo(name, ["n", channels, height, width])),
    outputs: [makeUntypedValueInfo("spectrum")],
    initializers: [
      makeFloatTensor("one", [], Float32Array.of(1)),
      makeIntTensor("flat", [-1, channels, height * width]),
      makeIntTensor("rows", [-1, width]),
      makeIntTensor("planes", [-1, 2 * height, columns]),
      makeIntTensor("whole", [-1, spectrumSize(shape)]),
      makeFloatTensor("scale", [2 * height, columns], scales(shape)),
      makeFloatTensor(
        "vertical",
        [2 * height, 2 * height],
        transpose(verticalMatrix(height), 2 * height, 2 * height),
      ),
      makeFloatTensor(
        "horizontal",
        [width, 2 * columns],
        transpose(horizontalMatrix(width), 2 * columns, width),
      ),
      makeFloatTensor("colours", [3, 3], transpose(colourMatrix(), 3, 3)),
    ],
    nodes: [
      makeNode("Sub", ["one", "image"], ["rest"]),
      makeNode("Mul", ["image", "rest"], ["slope"]),
      makeNode("Mul", ["gradient", "slope"], ["bounded"]),
      makeNode("Reshape", ["bounded", "flat"], ["correlated"]),
      ...(channels === 3 ? [makeNode("MatMul", ["colours", "correlated"], ["pixels"])] : []),
      makeNode("Reshape", [pixels, "rows"], ["real"]),
      makeNode("MatMul", ["real", "horizontal"], ["parts"]),
      makeNode("Reshape", ["parts", "planes"], ["mixed"]),
      makeNode("MatMul", ["vertical", "mixed"], ["scaled"]),
      makeNode("Mul", ["scaled", "scale"], ["unscaled"]),
      makeNode("Reshape", ["unscaled", "whole"], ["spectrum"]),
    ],
  });
}

/** What multiplies each coefficient of a channel, real parts first; the division by 4 is in it. */
function scales(shape: ImageShape): Float32Array {
  const { height, width } = shape;
  const columns = columnsOf(shape);
  const values = new Float32Array(2 * height * columns);
  for (let y = 0; y < height; y++) {
    const vertical = (y < height / 2 ? y : y - height) / height;
    for (let x = 0; x < columns; x++) {
      const frequency = Math.max(Math.hypot(vertical, x / width), 1 / Math.max(width, height));
      const scale = Math.sqrt(width * height) / frequency / 4;
      values[y * columns + x] = scale;
      values[(height + y) * columns + x] = scale;
    }
  }
  return values;
}

/** Complex inverse transform along y: rows (y, part), columns (part, frequency). */
function verticalMatrix(height: number): Float32Array {
  const side = 2 * height;
  const values = new Float32Array(side * side);
  for (let y = 0; y < height; y++) {
    for (let m = 0; m < height; m++) {
      // The product modulo the period keeps the angle small, and so exact.
      const angle = (2 * Math.PI * ((y * m) % height)) / height;
      const [cosine, sine] = [Math.cos(angle) / height, Math.sin(angle) / height];
      values[2 * y * side + m] = cosine;
      values[2 * y * side + height + m] = -sine;
      values[(2 * y + 1) * side + m] = sine;
      values[(2 * y + 1) * side + height + m] = cosine;
    }
  }
  return values;
}

/** Inverse transform along x to real numbers: rows (part, frequency), columns x. */
function horizontalMatrix(width: number): Float32Array {
  const columns = Math.floor(width / 2) + 1;
  const values = new Float32Array(2 * columns * width);
  for (let k = 0; k < columns; k++) {
    // Frequencies that are not their own mirror image stand for two.
    const weight = (k === 0 || 2 * k === width ? 1 : 2) / width;
    for (let x = 0; x < width; x++) {
      const angle = (2 * Math.PI * ((k * x) % width)) / width;
      values[k * width + x] = weight * Math.cos(angle);
      values[(columns + k) * width + x] = -weight * Math.sin(angle);
    }
  }
  return values;
}

function colourMatrix(): Float32Array {
  const norms = [0, 1, 2].map((column) => Math.hypot(...COLOURS.map((row) => row[column] as number)));
  const largest = Math.max(...norms);
  return Float32Array.from(COLOURS.flat(), (value) => value / largest);
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] as number);
}
