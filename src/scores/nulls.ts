import { rng } from "../statistics/rng.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** `paper`: the published procedure with its meaning; `strict`: the default (method note, section 2). */
export type Protocol = "paper" | "strict";

/**
 * Random sets of a layer, `draws` x tested subclusters from draw number `first` on: entry
 * `(draw - first) * tested + i` has the size of subcluster i.
 *
 * `strict`: each draw permutes the labels of the eligible units, so its sets are disjoint, as the true ones are
 * (method note 5.2). `paper`: every set is drawn on its own. Every draw has a stream of its own.
 *
 * With several `bins` of alike units, labels are permuted within the bins: a random set then takes as many units of
 * each bin as its subcluster has there.
 */
export function drawNullSets(
  layer: LayerSubclusters,
  protocol: Protocol,
  draws: number,
  seed: number,
  { first = 0, bins = [layer.eligible] }: NullSetOptions = {},
): Int32Array[] {
  const binOf = new Map(bins.flatMap((bin, number) => Array.from(bin, (unit) => [unit, number] as const)));
  const wanted = layer.tested.map(({ units }) => {
    const counts = bins.map(() => 0);
    for (const unit of units) {
      const bin = binOf.get(unit) as number;
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  });
  const sets: Int32Array[] = [];
  for (let draw = first; draw < first + draws; draw++) {
    const shuffle = (...key: number[]) => {
      const random = rng(seed, "null", layer.name, draw, ...key);
      return bins.map((bin) => random.shuffle(bin.slice()));
    };
    const taken = bins.map(() => 0);
    let shuffled = protocol === "strict" ? shuffle() : [];
    wanted.forEach((counts, number) => {
      if (protocol === "paper") {
        taken.fill(0);
        shuffled = shuffle(number);
      }
      const units = counts.flatMap((count, bin) => {
        const from = taken[bin] as number;
        taken[bin] = from + count;
        return Array.from((shuffled[bin] as Int32Array).subarray(from, from + count));
      });
      sets.push(Int32Array.from(units).sort());
    });
  }
  return sets;
}

interface NullSetOptions {
  /** Number of the first draw; default 0. */
  readonly first?: number;
  /** The eligible units, alike ones together; default all in one. */
  readonly bins?: readonly Int32Array[];
}
