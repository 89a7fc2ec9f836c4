import type { Importance } from "../scores/importance.ts";

/** The scores with clusters under the labels that they have in their file, by number. */
export function withLabels(scores: Importance, labels: readonly number[] | null): Importance {
  const nameOf = (cluster: number) => labels?.[cluster] ?? cluster;
  const inFile = <T extends { readonly cluster: number }>(named: T): T => ({
    ...named,
    cluster: nameOf(named.cluster),
  });
  return {
    ...scores,
    subclusters: scores.subclusters.map(inFile),
    dissociations: scores.dissociations.map((found) => ({
      ...found,
      clusters: [nameOf(found.clusters[0]), nameOf(found.clusters[1])],
    })),
    pairs: scores.pairs.map((pair) => ({
      ...pair,
      subclusters: [inFile(pair.subclusters[0]), inFile(pair.subclusters[1])],
    })),
  };
}
