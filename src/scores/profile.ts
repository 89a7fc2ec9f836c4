/**
 * Which classes a subcluster serves, and pairs of subclusters that serve different ones (measures note, I7).
 */
import { portableLog } from "../statistics/portable.ts";
import type { Baseline, Damage } from "./damage.ts";

/** What a lesion takes from every class. */
export interface ClassProfile {
  /** Fall of each class's accuracy, negative where it improves; 0 within the noise, NaN without inputs. */
  readonly drops: Float64Array;
  /** 1 - H(share of the falls) / ln C: 0 = all classes alike, 1 = one class; NaN where none falls. */
  readonly specialisation: number;
  /** Gini coefficient of the falls; NaN where none falls. */
  readonly gini: number;
}

/** A change within twice the standard error of the intact accuracy is noise. */
export function profileOf(damage: Damage, baseline: Baseline): ClassProfile {
  const drops = baseline.classAccuracy.map((intact, c) => {
    const drop = intact - (damage.classAccuracy[c] as number);
    const tau = 2 * Math.sqrt((intact * (1 - intact)) / (baseline.classCounts[c] as number));
    return Math.abs(drop) < tau ? 0 : drop;
  });
  return { drops, ...concentrationOf(drops) };
}

/** How unevenly the falls among `drops` are spread over the classes. */
export function concentrationOf(drops: Float64Array): { specialisation: number; gini: number } {
  const falls = Array.from(drops)
    .filter((drop) => !Number.isNaN(drop))
    .map((drop) => Math.max(0, drop))
    .sort((a, b) => a - b);
  const total = falls.reduce((sum, fall) => sum + fall, 0);
  if (total === 0) return { specialisation: Number.NaN, gini: Number.NaN };
  const entropy = falls.reduce(
    (sum, fall) => (fall > 0 ? sum - (fall / total) * portableLog(fall / total) : sum),
    0,
  );
  const weighted = falls.reduce((sum, fall, i) => sum + (2 * (i + 1) - falls.length - 1) * fall, 0);
  return { specialisation: 1 - entropy / portableLog(falls.length), gini: weighted / (falls.length * total) };
}

/** Two lesions that each hit a class which the other spares. */
export interface Dissociation {
  /** The class that the first lesion hits more than `classes[1]`, and the other way round for the second. */
  readonly classes: readonly [number, number];
  /** The smaller of the two differences between falls of class accuracy; above 0. */
  readonly strength: number;
}

/** The strongest double dissociation of two profiles; null where there is none. */
export function dissociate(one: Float64Array, other: Float64Array): Dissociation | null {
  let best: Dissociation | null = null;
  for (let a = 0; a < one.length; a++) {
    for (let b = 0; b < one.length; b++) {
      const first = (one[a] as number) - (one[b] as number);
      const second = (other[b] as number) - (other[a] as number);
      const strength = Math.min(first, second);
      // NaN, of classes without inputs, is not larger.
      if (strength > (best?.strength ?? 0)) best = { classes: [a, b], strength };
    }
  }
  return best;
}
