import { type LayerLesions, openLesions } from "./lesions.ts";
import type { Layer, Network } from "./network.ts";
import type { LabelledInputs } from "./outcomes.ts";
import { hasInputAxis, type LesionKind, meanOutputs } from "./replacement.ts";

/** Layers of a network that stay open for lesions of the same inputs, since these come in several rounds. */
export interface OpenLayers {
  /** The lesions of a layer, open until the next layer is asked for at least. Errors as `runLesions`. */
  lesionsOf(layer: Layer): Promise<LayerLesions>;
  dispose(): Promise<void>;
}

/** What all of the layers' lesions have in common. */
export interface OpenLayersOptions {
  readonly lesion: LesionKind;
  readonly seed: number;
  readonly consumer?: string | undefined;
}

/** Memory beyond which layers are closed, to be opened anew when their turn comes again. */
const OPEN_BYTES = 2 ** 29;

/**
 * Opens each of the `layers` when it is asked for first. Where means are wanted, they are taken for all layers in one pass
 * over the inputs.
 *
 * @example
 * const opened = openLayers(mlp, digits, mlp.layers, { lesion: "mean", seed: 0 });
 * const [outcome] = await (await opened.lesionsOf(layer)).run([Int32Array.of(1, 5, 9)]);
 */
export function openLayers(
  network: Network,
  data: LabelledInputs,
  layers: readonly Layer[],
  { lesion, seed, consumer }: OpenLayersOptions,
): OpenLayers {
  const opened = new Map<Layer, LayerLesions>();
  const dispose = async () => {
    const all = [...opened.values()];
    opened.clear();
    for (const lesions of all) await lesions.dispose();
  };
  let found: Promise<ReadonlyMap<Layer, Float32Array>> | null = null;
  const findMeans = async () => {
    const some = [...new Set(layers)].filter((layer) => hasInputAxis(network, layer));
    const values = await meanOutputs(network, some, data);
    return new Map(some.map((layer, i) => [layer, values[i] as Float32Array]));
  };
  const meansOf = async (layer: Layer) => {
    found ??= findMeans();
    return (await found).get(layer) as Float32Array;
  };
  return {
    async lesionsOf(layer) {
      const known = opened.get(layer);
      if (known !== undefined) return known;
      if ([...opened.values()].reduce((total, lesions) => total + lesions.bytes(), 0) > OPEN_BYTES) {
        await dispose();
      }
      // One consumer may read the layer by another value, and a layer without means has words of its own for it.
      const hasMeans = consumer === undefined && layers.includes(layer) && hasInputAxis(network, layer);
      const means = hasMeans ? () => meansOf(layer) : undefined;
      const lesions = await openLesions(network, layer, data, { lesion, seed, consumer, means });
      opened.set(layer, lesions);
      return lesions;
    },
    dispose,
  };
}
