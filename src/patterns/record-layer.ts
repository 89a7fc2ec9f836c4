import { BrodmannError } from "../errors.ts";
import type { Layer, Network } from "../network/network.ts";
import type { InputSource } from "../network/outcomes.ts";
import { type LayerActivations, recordActivations } from "../network/record-activations.ts";
import { DataType } from "../runtime/onnx.ts";
import type { RecordedLayer } from "./layer-patterns.ts";
import type { PatternSettings } from "./pattern-settings.ts";
import { type InputSample, inputDeviation, nestedRows, noisyInputs, pickInputs } from "./sample-inputs.ts";
import { columnScaling, scaleColumns } from "./scale-columns.ts";

/** Inputs that noise is put on at the most. */
const NOISY_INPUTS = 500;

/** Noisy forms of some of the inputs. */
export interface Noise {
  readonly source: InputSource;
  readonly rows: Int32Array;
  readonly sigma: number;
}

/** Noise for a network that reads numbers; tokens have none. */
export function noiseFor(
  network: Network,
  source: InputSource,
  sample: InputSample,
  { noise, seed }: PatternSettings,
): Noise | null {
  const { inputType } = network.probe;
  if (noise === 0 || (inputType !== DataType.FLOAT && inputType !== DataType.FLOAT16)) return null;
  const rows = nestedRows(sample, NOISY_INPUTS);
  const clean = pickInputs(source, rows);
  const sigma = noise * inputDeviation(clean);
  return { source: noisyInputs(clean, sigma, seed), rows, sigma };
}

/** A layer over all inputs and over those with noise. Errors as `scaleLayer`. */
export async function recordLayer(
  network: Network,
  layer: Layer,
  source: InputSource,
  noise: Noise | null,
  settings: PatternSettings,
  signal: AbortSignal | undefined,
): Promise<RecordedLayer> {
  const record = (data: InputSource) =>
    recordActivations(network, layer, data, settings.aggregate, { signal });
  const recorded = scaleLayer(layer.name, layer.units, await record(source), settings);
  if (noise === null) return recorded;
  const { values } = await record(noise.source);
  const scaled = scaleColumns(values, recorded.scaling);
  return { ...recorded, noisy: { scaled, rows: noise.rows, sigma: noise.sigma, share: settings.noise } };
}

/** A layer with its scaled columns. Throws `E_NETWORK_NOT_FINITE`. */
export function scaleLayer(
  name: string,
  layerUnits: number,
  activations: LayerActivations,
  { scale }: PatternSettings,
): RecordedLayer {
  const stray = activations.values.findIndex((value) => !Number.isFinite(value));
  if (stray >= 0) {
    throw new BrodmannError(
      "E_NETWORK_NOT_FINITE",
      `layer ${name}: found an activation of ${activations.values[stray]}, expected finite numbers`,
      { hint: "Check that the inputs are scaled as the network expects (--mean, --std)." },
    );
  }
  const scaling = columnScaling(activations, scale);
  return {
    name,
    layerUnits,
    activations,
    scaled: scaleColumns(activations.values, scaling),
    scaling,
    noisy: null,
  };
}
