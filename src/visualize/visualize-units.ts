/**
 * Feature visualisation of sets of units: the image that raises
 *
 *     J(x) = sum over the set's units u of | mean over positions of z_u(x) |,   z the pre-activation,
 *
 * as far as so many steps take it (Hod, Filan, Casper et al., arXiv:2110.08058; method note 7.1; Olah, Mordvintsev &
 * Schubert 2017, doi:10.23915/distill.00007).
 */
import type { Normalisation } from "../data/inputs.ts";
import { BrodmannError } from "../errors.ts";
import { batchesOf, rowsPerRun } from "../network/batching.ts";
import { partOf } from "../network/model-graph.ts";
import { type Layer, layerNamed, type Network } from "../network/network.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { rng } from "../statistics/rng.ts";
import { imageInputOf } from "./image-input.ts";
import { drawSpectrum, type ImageShape, spectrumSize } from "./image-parameter.ts";
import { openImageRunner, type VisualizedSet } from "./image-runner.ts";
import { drawView, hasViews, type ViewOptions } from "./transforms.ts";

export interface VisualizeOptions extends RunOptions, Normalisation, ViewOptions {
  /** Seed of the first images and of random views; default 0. */
  readonly seed?: number | undefined;
  /** Updates of an image; default 65. */
  readonly steps?: number | undefined;
  /** Learning rate of Adam; default 0.05. */
  readonly learningRate?: number | undefined;
  /** (height, width) or (channels, height, width), for a network whose input does not tell. */
  readonly imageShape?: readonly number[] | undefined;
  /** Images optimised at once; default as many as fit the processor's caches. It changes the time, not the images. */
  readonly batch?: number | undefined;
}

export interface Visualization {
  readonly layer: string;
  readonly shape: ImageShape;
  readonly steps: number;
  readonly seed: number;
  /** In the order of the sets asked for. */
  readonly sets: readonly VisualizedSet[];
}

/** Updates of an image where nothing else is asked for (method note 7.1). */
export const STEPS = 65;

const DEFAULTS = { seed: 0, steps: STEPS, learningRate: 0.05 };

/**
 * Optimises an image for every set of units of one layer, many at once. A set's image depends on the set and the seed
 * alone, not on the sets beside it: the same units give the same image. Without views (`jitter`, `scale`, `rotation`) it
 * is the published procedure.
 *
 * `mean` and `std` (one number, or one per channel) are those of the inputs that the network was trained with: images are
 * in [0, 1], and the network reads (image - mean) / std.
 *
 * Throws `E_NETWORK_LAYER`, `E_NETWORK_IMAGE`, `E_NETWORK_GRADIENT`, `E_USAGE_UNITS` for units that the layer does not
 * have, and `E_USAGE_...` for options out of range.
 *
 * @example
 * const { sets } = await visualizeUnits(network, "/0/Conv", [[1, 5, 9], [2, 3]], { seed: 0 });
 * console.log(sets.map(({ score, entropy }) => ({ score, entropy })));
 */
export async function visualizeUnits(
  network: Network,
  layerName: string,
  sets: readonly ArrayLike<number>[],
  options: VisualizeOptions = {},
): Promise<Visualization> {
  const layer = layerNamed(network, layerName);
  const asked = sets.map((units) => checkUnits(layer, units));
  const { seed = DEFAULTS.seed, steps = DEFAULTS.steps, learningRate = DEFAULTS.learningRate } = options;
  checkOptions({ ...options, steps, learningRate });
  const input = imageInputOf(network, options.imageShape, options);
  const { shape } = input;
  const result: VisualizedSet[] = [];
  if (asked.length === 0) return { layer: layer.name, shape, steps, seed, sets: result };
  const counter = new StepCounter("images", asked.length * steps, options);
  const most = options.batch ?? imagesAtOnce(network, layer);
  const runner = await openImageRunner(network, layer, input);
  const viewOf = (units: readonly number[], step: number) =>
    drawView(options, rng(seed, "view", layer.name, units.join(), step));
  try {
    for (const { start, rows } of batchesOf(asked.length, most)) {
      const batch = asked.slice(start, start + rows);
      const spectra = new Float32Array(rows * spectrumSize(shape));
      for (const [row, units] of batch.entries()) {
        const random = rng(seed, "image", layer.name, units.join());
        spectra.set(drawSpectrum(shape, random), row * spectrumSize(shape));
      }
      const made = await runner.run(batch, spectra, {
        steps,
        rate: learningRate,
        viewOf: hasViews(options) ? (row, step) => viewOf(batch[row] ?? [], step) : undefined,
        onStep: () => counter.advance(rows),
      });
      result.push(...made);
    }
  } finally {
    await runner.dispose();
  }
  return { layer: layer.name, shape, steps, seed, sets: result };
}

/** As many images as keep the largest value of the layer's forward pass in cache. */
function imagesAtOnce(network: Network, layer: Layer): number {
  const { graph, probe } = network;
  return rowsPerRun(network, partOf(graph, [layer.preActivation.value], new Set([probe.input])).nodes);
}

/** Units of a set, ascending. Throws `E_USAGE_UNITS` for none, for a unit twice, and for units the layer does not have. */
export function checkUnits({ name, units: count }: Layer, given: ArrayLike<number>): readonly number[] {
  const units = Array.from(given).sort((a, b) => a - b);
  const stray = units.find((unit) => !Number.isInteger(unit) || unit < 0 || unit >= count);
  const twice = units.find((unit, at) => unit === units[at - 1]);
  if (stray === undefined && twice === undefined && units.length > 0) return units;
  const found =
    stray !== undefined ? `unit ${stray}` : twice !== undefined ? `unit ${twice} twice` : "no unit";
  throw new BrodmannError(
    "E_USAGE_UNITS",
    `units of ${name}: found ${found}, expected numbers from 0 to ${count - 1} (it has ${count} units), each once`,
    { hint: "`brodmann inspect MODEL` lists the layers and how many units they have." },
  );
}

function checkOptions({
  steps,
  learningRate,
  jitter = 0,
  scale = 0,
  rotation = 0,
  batch = 1,
}: VisualizeOptions): void {
  const rules = [
    ["steps", steps, "a whole number from 1", (value: number) => Number.isSafeInteger(value) && value >= 1],
    [
      "learningRate",
      learningRate,
      "a number above 0",
      (value: number) => value > 0 && Number.isFinite(value),
    ],
    ["batch", batch, "a whole number from 1", (value: number) => Number.isSafeInteger(value) && value >= 1],
    [
      "jitter",
      jitter,
      "a whole number of pixels from 0",
      (value: number) => Number.isSafeInteger(value) && value >= 0,
    ],
    ["scale", scale, "a share from 0 to below 1", (value: number) => value >= 0 && value < 1],
    [
      "rotation",
      rotation,
      "whole degrees from 0 to 180",
      (value: number) => Number.isInteger(value) && value >= 0 && value <= 180,
    ],
  ] as const;
  for (const [name, value, expected, isFit] of rules) {
    if (value !== undefined && isFit(value)) continue;
    throw new BrodmannError("E_USAGE_VISUALIZE", `${name}: found ${value}, expected ${expected}`, {
      hint: `Leave ${name} out for the default.`,
    });
  }
}
