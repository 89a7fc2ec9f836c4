import { BrodmannError } from "../errors.ts";
import type { Coherence } from "../scores/coherence.ts";
import type { Importance } from "../scores/importance.ts";
import type { Scores } from "../scores/scores.ts";

/** The scores with clusters under the labels that they have in their file, by number. */
export function withLabels({ importance, coherence }: Scores, labels: readonly number[] | null): Scores {
  return {
    importance: importance && importanceWithLabels(importance, labels),
    coherence: coherence && coherenceWithLabels(coherence, labels),
  };
}

function coherenceWithLabels(scores: Coherence, labels: readonly number[] | null): Coherence {
  const subclusters = scores.subclusters.map((subcluster) => ({
    ...subcluster,
    cluster: labels?.[subcluster.cluster] ?? subcluster.cluster,
  }));
  return { ...scores, subclusters };
}

function importanceWithLabels(scores: Importance, labels: readonly number[] | null): Importance {
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

/** The number of a cluster by its label in the partition's file. */
export function clusterOf(text: string, labels: readonly number[], path: string): number {
  const cluster = /^-?\d+$/.test(text.trim()) ? labels.indexOf(Number(text)) : -1;
  if (cluster >= 0) return cluster;
  throw new BrodmannError(
    "E_USAGE_CLUSTER",
    `--cluster: found "${text}", expected a cluster of ${path}: ${labels.join(", ") || "it has none"}`,
    { hint: "Name a cluster by its label in the partition; -1 is none." },
  );
}
