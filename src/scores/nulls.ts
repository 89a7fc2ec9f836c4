import { rng } from "../statistics/rng.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** `paper`: the published procedure with its meaning; `strict`: the default (method note, section 2). */
export type Protocol = "paper" | "strict";

/**
 * Random sets of a layer, shuffles x tested subclusters: entry `draw * tested + i` has the size of subcluster i.
 *
 * `strict`: each draw permutes the labels of the eligible units, so its sets are disjoint, as the true ones are
 * (method note 5.2). `paper`: every set is drawn on its own. Every draw has a stream of its own.
 */
export function drawNullSets(
  layer: LayerSubclusters,
  protocol: Protocol,
  shuffles: number,
  seed: number,
): Int32Array[] {
  const sets: Int32Array[] = [];
  for (let draw = 0; draw < shuffles; draw++) {
    let first = 0;
    let units = layer.eligible;
    if (protocol === "strict") units = rng(seed, "null", layer.name, draw).shuffle(layer.eligible.slice());
    layer.tested.forEach((subcluster, number) => {
      if (protocol === "paper") {
        first = 0;
        units = rng(seed, "null", layer.name, draw, number).shuffle(layer.eligible.slice());
      }
      sets.push(units.slice(first, first + subcluster.units.length).sort());
      first += subcluster.units.length;
    });
  }
  return sets;
}
