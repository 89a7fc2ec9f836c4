/**
 * Visual coherence of sets of units: how far an image can drive them together, and how sure the network is of a class on
 * that image (Hod et al. 2022, arXiv 2110.08058; method note, section 7). Images are dear, so subclusters have fewer random
 * sets here than elsewhere; all images of a layer are made in one go, each set's once.
 */
import type { Normalisation } from "../data/inputs.ts";
import { BrodmannError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import type { RunOptions } from "../progress.ts";
import { imageInputOf } from "../visualize/image-input.ts";
import type { ImageShape } from "../visualize/image-parameter.ts";
import type { VisualizedSet } from "../visualize/image-runner.ts";
import { STEPS, visualizeUnits } from "../visualize/visualize-units.ts";
import type { MeasureFamily } from "./coherence-measures.ts";
import { drawNullSets, type Protocol } from "./nulls.ts";
import type { SurveyedLayer } from "./study.ts";

/** How images are made; `mean` and `std` are those that the network's inputs are normalised with. */
export interface VisualOptions extends Normalisation {
  /** Random sets of each subcluster; default 19. With 0 there is no visual coherence. */
  readonly shuffles?: number | undefined;
  /** Updates of an image; default 65. */
  readonly steps?: number | undefined;
  /** (height, width) or (channels, height, width), for a network whose input does not tell. */
  readonly imageShape?: readonly number[] | undefined;
}

/** What is settled about images before any is made. */
export interface VisualSettings {
  readonly shuffles: number;
  readonly steps: number;
  readonly shape: ImageShape | null;
  /** Why there are no images; null where there are. */
  readonly reason: string | null;
}

const SHUFFLES = 19;
const LEFT_OUT = `left out; --visual-shuffles ${SHUFFLES} measures them`;

/** Sizes of subclusters that get images: from 3 units to less than 99 % of their layer (method note, 2). */
const LEAST_UNITS = 3;
const LARGEST_SHARE = 0.99;

export function isVisualized({ length }: ArrayLike<number>, layerUnits: number): boolean {
  return length >= LEAST_UNITS && length < LARGEST_SHARE * layerUnits;
}

/**
 * The settings that options stand for. A network that reads no images has a reason in place of a shape. Throws
 * `E_USAGE_SHUFFLES`, and `E_USAGE_...` for a shape or a normalisation that does not fit the network.
 */
export function visualSettings(network: Network, options: VisualOptions = {}): VisualSettings {
  const { shuffles = SHUFFLES, steps = STEPS, imageShape } = options;
  checkVisualShuffles(shuffles);
  if (shuffles === 0) return { shuffles, steps, shape: null, reason: LEFT_OUT };
  try {
    return { shuffles, steps, shape: imageInputOf(network, imageShape, options).shape, reason: null };
  } catch (error) {
    if (!(error instanceof BrodmannError) || error.code !== "E_NETWORK_IMAGE") throw error;
    return { shuffles, steps, shape: null, reason: `${error.message}. ${error.hint}` };
  }
}

/** Throws `E_USAGE_SHUFFLES` for what is no number of random sets. */
export function checkVisualShuffles(shuffles: number = SHUFFLES): void {
  if (Number.isSafeInteger(shuffles) && shuffles >= 0) return;
  throw new BrodmannError(
    "E_USAGE_SHUFFLES",
    `--visual-shuffles: found ${shuffles}, expected a whole number from 0`,
    { hint: `Leave it out for ${SHUFFLES} random sets, or write 0 to leave out visual coherence.` },
  );
}

/** How random sets of a layer are drawn. */
export interface VisualPlan {
  readonly protocol: Protocol;
  readonly seed: number;
  readonly shuffles: number;
}

/** The sets of a layer that get an image: its subclusters and their random sets, each once. */
export function visualSets(layer: SurveyedLayer, { protocol, seed, shuffles }: VisualPlan): Int32Array[] {
  const own = layer.tested.map(({ units }) => units);
  const sets = [...own, ...drawNullSets(layer, protocol, shuffles, seed, { bins: layer.bins })];
  const shown = sets.filter((units) => isVisualized(units, layer.layerUnits));
  return [...new Map(shown.map((units) => [units.join(), units])).values()];
}

/** Images of a layer's sets. */
export interface LayerVisuals {
  /** What was found for a set; undefined for one that is too small or too large, or where there are no images. */
  of(units: Int32Array): VisualizedSet | undefined;
  /** Why there are no images of this layer; null where there are. */
  readonly reason: string | null;
}

/** Makes the images of a layer. What stands between its units and the input may have no gradient: that is the reason then. */
export async function visualizeLayer(
  network: Network,
  layer: SurveyedLayer,
  plan: VisualPlan,
  settings: VisualSettings,
  options: VisualOptions & RunOptions,
): Promise<LayerVisuals> {
  const { steps, reason } = settings;
  if (reason !== null) return { of: () => undefined, reason };
  const { mean, std, imageShape, signal, onProgress } = options;
  const wanted = { mean, std, imageShape, signal, onProgress, steps, seed: plan.seed };
  try {
    const { sets } = await visualizeUnits(network, layer.name, visualSets(layer, plan), wanted);
    const known = new Map(sets.map((set) => [set.units.join(), set]));
    return { of: (units) => known.get(units.join()), reason: null };
  } catch (error) {
    if (!(error instanceof BrodmannError) || !REASONS.includes(error.code)) throw error;
    return { of: () => undefined, reason: error.message };
  }
}

/** What keeps a layer from having gradients; other errors end the run. */
export const REASONS: readonly string[] = ["E_NETWORK_GRADIENT", "E_NETWORK_NOT_FINITE"];

/** The family of what was found for images. */
export function visualFamily(visuals: LayerVisuals, shuffles: number): MeasureFamily {
  const evaluate = (set: Int32Array) => {
    const { score = Number.NaN, entropy = Number.NaN } = visuals.of(set) ?? {};
    return { score, entropy };
  };
  return {
    names: ["score", "entropy"],
    shuffles,
    evaluate: async (sets) => sets.map(evaluate),
  };
}

/** A layer's subclusters with their images, by cluster id, each beside those of some of its random sets. */
export interface LayerImages {
  readonly layer: string;
  /** Number of the layer in the network. */
  readonly number: number;
  readonly shape: ImageShape;
  readonly rows: readonly {
    readonly cluster: number;
    readonly image: Float32Array;
    readonly random: readonly Float32Array[];
  }[];
}

/** Random images beside a subcluster's own. */
const SHOWN = 7;

export function imagesOf(
  layer: SurveyedLayer,
  visuals: LayerVisuals,
  shape: ImageShape,
  { protocol, seed, shuffles }: VisualPlan,
): LayerImages {
  const draws = Math.min(SHOWN, shuffles);
  const sets = drawNullSets(layer, protocol, draws, seed, { bins: layer.bins });
  const count = layer.tested.length;
  const rows = layer.tested.flatMap(({ cluster, units }, number) => {
    const own = visuals.of(units);
    if (own === undefined) return [];
    const random = sets.flatMap((set, i) => (i % count === number ? (visuals.of(set)?.image ?? []) : []));
    return [{ cluster, image: own.image, random }];
  });
  return { layer: layer.name, number: layer.layer, shape, rows: rows.sort((a, b) => a.cluster - b.cluster) };
}
