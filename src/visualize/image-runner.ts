import { openGradients } from "../network/gradients.ts";
import type { Layer, Network } from "../network/network.ts";
import type { ImageInput } from "./image-input.ts";
import { imageSize, openImageParameter } from "./image-parameter.ts";
import { openJudge } from "./judge-images.ts";
import { type ImageObjective, type OptimiseOptions, optimiseImages } from "./optimise-images.ts";

/** The image of one set of units, and what the network makes of it. */
export interface VisualizedSet {
  /** Ascending. */
  readonly units: readonly number[];
  /** J in front of the last update. */
  readonly score: number;
  /** Entropy of the network's softmax on the image, in nats; NaN for a network without classes. */
  readonly entropy: number;
  /** Standard deviation over the units of their positive pre-activations, summed over positions, on the image. */
  readonly dispersion: number;
  /** Channels x height x width, in [0, 1], behind the last update. */
  readonly image: Float32Array;
  /** J in front of every update. */
  readonly trajectory: Float32Array;
}

/** A layer whose sets of units get images; `dispose()` ends its sessions. */
export interface ImageRunner {
  /** Images of sets of units, from first spectra, sets x `spectrumSize`, which change in place. */
  run(
    sets: readonly (readonly number[])[],
    spectra: Float32Array,
    options: OptimiseOptions,
  ): Promise<VisualizedSet[]>;
  dispose(): Promise<void>;
}

/** Opens all that images of a layer's units need. Throws `E_NETWORK_GRADIENT` where no gradient comes back to the input. */
export async function openImageRunner(
  network: Network,
  layer: Layer,
  input: ImageInput,
): Promise<ImageRunner> {
  const { shape } = input;
  const size = imageSize(shape);
  const gradients = await openGradients(network, layer);
  // Redirection takes half as long again, and only the first steps want it.
  const redirected = await openGradients(network, layer, { hasRedirection: true });
  const parameter = await openImageParameter(shape);
  const judge = await openJudge(network, layer);
  return {
    async run(sets, spectra, options) {
      const rows = sets.length;
      const weights = new Float32Array(rows * layer.units);
      for (const [row, units] of sets.entries()) {
        for (const unit of units) weights[row * layer.units + unit] = 1;
      }
      const objective: ImageObjective = async (images, count, redirect) => {
        const runner = redirect ? redirected : gradients;
        const made = await runner.run(input.toNetwork(images, count), weights, count, { redirect });
        return { values: made.objective, gradient: input.fromNetwork(made.gradient, count) };
      };
      const { images, trajectory } = await optimiseImages(
        parameter,
        shape,
        objective,
        spectra,
        rows,
        options,
      );
      const { entropy, drive } = await judge.answer(input.toNetwork(images, rows), rows);
      return sets.map((units, row): VisualizedSet => {
        const own = trajectory.slice(row * options.steps, (row + 1) * options.steps);
        return {
          units,
          score: own.at(-1) as number,
          entropy: entropy[row] as number,
          dispersion: standardDeviation(units.map((unit) => drive[row * layer.units + unit] as number)),
          image: images.slice(row * size, (row + 1) * size),
          trajectory: own,
        };
      });
    },
    async dispose() {
      await gradients.dispose();
      await redirected.dispose();
      await parameter.dispose();
      await judge.dispose();
    },
  };
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
