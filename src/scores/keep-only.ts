/**
 * Sufficiency (measures note, I4): what the network keeps when only a subcluster's units of the layer are left and all
 * others take their mean. A lesion alone misses units whose work others can do as well.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { RunOptions } from "../progress.ts";
import { type Baseline, type Damage, damageOf } from "./damage.ts";
import { effectsOf, type Measure, type Verdict } from "./measures.ts";
import { kindsOf, poolOf, rankOf, siblingsOf } from "./null-damages.ts";
import { drawNullSets } from "./nulls.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** Label permutations of the layer that kept subclusters are compared with. */
export const KEPT_DRAWS = 39;

export interface KeepOnly {
  /** The network with nothing else of the layer. */
  readonly damage: Damage;
  /** How rarely random sets keep as much accuracy, and as low a loss. */
  readonly verdicts: { readonly accuracy: Verdict; readonly loss: Verdict };
}

const ACCURACY: Measure<Damage> = {
  name: "kept accuracy",
  tail: "upper",
  isAlwaysDefined: true,
  statistic: ({ meanClassAccuracy }) => meanClassAccuracy,
  amount: ({ meanClassAccuracy }) => meanClassAccuracy,
};
const LOSS: Measure<Damage> = {
  name: "kept loss",
  tail: "lower",
  isAlwaysDefined: true,
  statistic: ({ loss }) => loss,
  // No effect: of two losses the ratio says nothing.
  amount: ({ loss }) => -loss,
};

/** The lesions that keep each tested subcluster alone, and then each of its random sets. */
export function keptLesions(
  layer: LayerSubclusters,
  seed: number,
  bins: readonly Int32Array[],
): Int32Array[] {
  const kept = [
    ...layer.tested.map(({ units }) => units),
    ...drawNullSets(layer, "strict", KEPT_DRAWS, seed, { bins }),
  ];
  return kept.map((units) => othersOf(units, layer.layerUnits));
}

/** Keeps every tested subcluster of a layer alone; `lesions` are by the mean. */
export async function keepOnly(
  lesions: Pick<LayerLesions, "run">,
  layer: LayerSubclusters,
  baseline: Baseline,
  seed: number,
  bins: readonly Int32Array[],
  options: RunOptions,
): Promise<KeepOnly[]> {
  const count = layer.tested.length;
  const outcomes = await lesions.run(keptLesions(layer, seed, bins), options);
  const damages = outcomes.map((outcome) => damageOf(outcome, baseline));
  const nulls = {
    bySubcluster: layer.tested.map((_, number) =>
      damages.slice(count).filter((_, draw) => draw % count === number),
    ),
    kinds: kindsOf(layer, bins),
  };
  const plan = { protocol: "strict", shuffles: KEPT_DRAWS, base: KEPT_DRAWS, tests: count } as const;
  return layer.tested.map((_, number) => {
    const damage = damages[number] as Damage;
    const pool = poolOf(number, nulls, "strict");
    const siblings = siblingsOf(number, nulls, damages.slice(0, count), "strict");
    const verdict = (measure: Measure<Damage>): Verdict => {
      const { p, valid } = rankOf(measure, measure.statistic(damage), siblings, pool, KEPT_DRAWS, plan);
      return { p, valid, ...effectsOf(measure.amount(damage), pool.map(measure.amount)) };
    };
    return { damage, verdicts: { accuracy: verdict(ACCURACY), loss: verdict(LOSS) } };
  });
}

function othersOf(units: Int32Array, count: number): Int32Array {
  const isKept = new Uint8Array(count);
  for (const unit of units) isKept[unit] = 1;
  return Int32Array.from({ length: count }, (_, unit) => unit).filter((unit) => !isKept[unit]);
}
