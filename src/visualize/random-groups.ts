import { rng } from "../statistics/rng.ts";

/**
 * Random sets of as many units as `set` has, among the `eligible` units of its layer, for pictures beside the set's own;
 * ascending. Every set has a stream of its own.
 *
 * @example
 * const groups = randomGroups("/0/Conv", [0, 1, 2, 3, 4, 5], [1, 5], 7, 0);
 */
export function randomGroups(
  layer: string,
  eligible: ArrayLike<number>,
  set: readonly number[],
  count: number,
  seed: number,
): number[][] {
  return Array.from({ length: count }, (_, draw) => {
    const random = rng(seed, "random group", layer, set.join(), draw);
    const shuffled = random.shuffle(Array.from(eligible));
    return shuffled.slice(0, set.length).sort((a, b) => a - b);
  });
}
