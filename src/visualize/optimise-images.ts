import { BrodmannError } from "../errors.ts";
import { startAdam, stepAdam } from "./adam.ts";
import { type ImageParameter, type ImageShape, imageSize } from "./image-parameter.ts";
import { returnView, takeView, type View } from "./transforms.ts";

/** What is raised: a number for every image, and its gradient by the image. */
export type ImageObjective = (
  images: Float32Array,
  rows: number,
  /** Whether gradients that a ReLU blocks for a whole example are redirected. */
  isRedirected: boolean,
) => Promise<{ readonly values: Float32Array; readonly gradient: Float32Array }>;

export interface OptimiseOptions {
  /** Updates. */
  readonly steps: number;
  /** Adam's learning rate. */
  readonly rate: number;
  /** The view of an image that the objective gets at a step; default the image itself. */
  readonly viewOf?: ((row: number, step: number) => View) | undefined;
  /** Called behind each step of all images; what it throws ends the work. */
  readonly onStep?: (() => void) | undefined;
}

export interface OptimisedImages {
  /** Rows x channels x height x width, behind the last update. */
  readonly images: Float32Array;
  /** Rows x steps: the objective in front of each update. */
  readonly trajectory: Float32Array;
}

/** Steps 0 ... 16 redirect gradients (method note 7.1). */
const REDIRECTED_STEPS = 17;

/**
 * Raises an objective over images by Adam on their spectra (rows x `spectrumSize`), which change in place; every image for
 * itself. Throws `E_NETWORK_NOT_FINITE` where the objective is no number.
 *
 * @example
 * const { images, trajectory } = await optimiseImages(parameter, shape, objective, spectra, 1, { steps: 65, rate: 0.05 });
 */
export async function optimiseImages(
  parameter: ImageParameter,
  shape: ImageShape,
  objective: ImageObjective,
  spectra: Float32Array,
  rows: number,
  { steps, rate, viewOf, onStep }: OptimiseOptions,
): Promise<OptimisedImages> {
  const size = imageSize(shape);
  const trajectory = new Float32Array(rows * steps);
  const adam = startAdam(spectra.length);
  const seen = viewOf === undefined ? null : new Float32Array(rows * size);
  const back = viewOf === undefined ? null : new Float32Array(rows * size);
  const rowOf = (values: Float32Array, row: number) => values.subarray(row * size, (row + 1) * size);
  for (let step = 0; step < steps; step++) {
    const images = await parameter.images(spectra, rows);
    const views = viewOf === undefined ? [] : Array.from({ length: rows }, (_, row) => viewOf(row, step));
    if (seen)
      for (const [row, view] of views.entries()) takeView(rowOf(images, row), shape, view, rowOf(seen, row));
    const { values, gradient } = await objective(seen ?? images, rows, step < REDIRECTED_STEPS);
    for (let row = 0; row < rows; row++) trajectory[row * steps + step] = numberOf(values[row]);
    if (back)
      for (const [row, view] of views.entries())
        returnView(rowOf(gradient, row), shape, view, rowOf(back, row));
    const slopes = await parameter.pullBack(images, back ?? gradient, rows);
    stepAdam(spectra, slopes, adam, step + 1, rate);
    onStep?.();
  }
  return { images: await parameter.images(spectra, rows), trajectory };
}

function numberOf(value: number | undefined): number {
  if (value !== undefined && Number.isFinite(value)) return value;
  throw new BrodmannError(
    "E_NETWORK_NOT_FINITE",
    `images: found an objective of ${value}, expected finite numbers`,
    {
      hint: "Check --mean and --std, or choose a layer whose values stay in range.",
    },
  );
}
