/**
 * Sufficiency (measures note, I4): what the network keeps when only a subcluster's units of the layer are left and all
 * others take their mean. A lesion alone misses units whose work others can do as well.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { RunOptions } from "../progress.ts";
import { type Baseline, type Damage, damagesBy } from "./damage.ts";
import type { Measure, Verdict } from "./measures.ts";
import { type DrawPlan, drawNulls, verdictsAmong } from "./null-values.ts";
import { drawNullSets } from "./nulls.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** Label permutations of the layer that kept subclusters are compared with. */
export const KEPT_DRAWS = 39;

/** Permutations that all have where the others come one after another: a p above 5 % then mostly shows at once. */
const KEPT_BASE = 9;

export interface KeepOnly {
  /** The network with nothing else of the layer. */
  readonly damage: Damage;
  /** How rarely random sets keep as much accuracy, and as low a loss. */
  readonly verdicts: { readonly accuracy: Verdict; readonly loss: Verdict };
}

const ACCURACY: Measure<Damage> = {
  name: "kept accuracy",
  tail: "upper",
  statistic: ({ meanClassAccuracy }) => meanClassAccuracy,
  amount: ({ meanClassAccuracy }) => meanClassAccuracy,
};
const LOSS: Measure<Damage> = {
  name: "kept loss",
  tail: "lower",
  statistic: ({ loss }) => loss,
  // No effect: of two losses the ratio says nothing.
  amount: ({ loss }) => -loss,
};

/** The sets that are kept: each tested subcluster, and where nothing depends on outcomes all random sets. */
export function keptSets(
  layer: LayerSubclusters,
  seed: number,
  bins: readonly Int32Array[],
): [own: Int32Array[], random: Int32Array[]] {
  return [layer.tested.map(({ units }) => units), drawNullSets(layer, "strict", KEPT_DRAWS, seed, { bins })];
}

/** Keeps every tested subcluster of a layer alone; `keeping` runs the network with nothing but a set's units. */
export async function keepOnly(
  keeping: Pick<LayerLesions, "run">,
  layer: LayerSubclusters,
  baseline: Baseline,
  { seed, isSequential }: { readonly seed: number; readonly isSequential: boolean },
  bins: readonly Int32Array[],
  nextOptions: () => RunOptions,
): Promise<KeepOnly[]> {
  const plan: DrawPlan = {
    protocol: "strict",
    shuffles: KEPT_DRAWS,
    seed,
    base: isSequential ? KEPT_BASE : KEPT_DRAWS,
  };
  const own = layer.tested.map(({ units }) => units);
  const evaluate = damagesBy(keeping, baseline);
  const damages = await evaluate(own, nextOptions());
  const measures = { accuracy: ACCURACY, loss: LOSS };
  const nulls = await drawNulls(evaluate, layer, damages, [ACCURACY, LOSS], plan, bins, nextOptions);
  return damages.map((damage, number) => ({
    damage,
    verdicts: verdictsAmong(measures, damages, number, nulls, plan),
  }));
}

/** All units of a layer but those of a set. */
export function othersOf(units: Int32Array, count: number): Int32Array {
  const isKept = new Uint8Array(count);
  for (const unit of units) isKept[unit] = 1;
  return Int32Array.from({ length: count }, (_, unit) => unit).filter((unit) => !isKept[unit]);
}
