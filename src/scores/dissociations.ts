import { byAdjust } from "../statistics/multiplicity.ts";
import { rankP } from "../statistics/rank-p.ts";
import type { Baseline, Damage } from "./damage.ts";
import type { NullValues } from "./null-values.ts";
import { type Dissociation, dissociate, profileOf } from "./profile.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** Classes up to which pairs are compared: every two classes are, for every pair and arrangement. */
const MOST_CLASSES = 100;

/** Two subclusters of a layer, each of which hurts a class that the other spares. */
export interface SubclusterDissociation extends Dissociation {
  readonly layer: string;
  readonly clusters: readonly [number, number];
  /** How rarely the same two subclusters dissociate as strongly when the layer's labels are permuted. */
  readonly p: number;
  /** Benjamini-Yekutieli over all pairs of the layer. */
  readonly q: number;
}

/**
 * Double dissociations between the subclusters of a layer (measures note, I7), against the first `draws` permutations
 * of its labels, which all subclusters have. Pairs that do not dissociate count as tests with p = 1.
 */
export function dissociationsOf(
  layer: LayerSubclusters,
  damages: readonly Damage[],
  { bySubcluster }: NullValues<Damage>,
  baseline: Baseline,
  draws: number,
): SubclusterDissociation[] {
  if (baseline.classAccuracy.length > MOST_CLASSES) return [];
  const arrangements = [
    damages,
    ...Array.from({ length: draws }, (_, b) => bySubcluster.map((nulls) => nulls[b] as Damage)),
  ].map((row) => row.map((damage) => profileOf(damage, baseline).drops));
  const pairs = layer.tested.flatMap((_, i) =>
    layer.tested.slice(i + 1).map((_, j) => [i, i + 1 + j] as const),
  );
  const found = pairs.map(([i, j]) => {
    const [own, ...others] = arrangements.map((drops) =>
      dissociate(drops[i] as Float64Array, drops[j] as Float64Array),
    );
    const strengths = Float64Array.from(others, (other) => other?.strength ?? 0);
    return { i, j, own: own ?? null, p: rankP(own?.strength ?? 0, strengths, "upper", "aware").p };
  });
  const q = byAdjust(found.map(({ p }) => p));
  return found.flatMap(({ i, j, own, p }, pair) => {
    if (own === null) return [];
    const clusters = [layer.tested[i]?.cluster ?? -1, layer.tested[j]?.cluster ?? -1] as const;
    return [{ layer: layer.name, clusters, ...own, p, q: q[pair] as number }];
  });
}
