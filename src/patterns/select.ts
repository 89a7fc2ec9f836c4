/** Which clusters of a condensed tree are the result (method note 6). The root is never one of them. */
import type { CondensedTree } from "./condense.ts";

/** Stabilities and persistences that differ by less than this share are equal but for rounding. */
export const SAME_STABILITY: number = 2 ** -16;

/** The leaves, or the clusters whose stability is not below that of what they contain ("excess of mass"). */
export type Selection = "leaf" | "eom";

/**
 * 1 for each selected cluster; none of them contains another. Clusters born at a distance below `epsilon` give way to the
 * nearest cluster around them that is born beyond it.
 */
export function selectClusters(tree: CondensedTree, selection: Selection, epsilon: number): Uint8Array {
  const chosen = selection === "leaf" ? leaves(tree) : outermost(tree, mostStable(tree));
  if (epsilon === 0) return chosen;
  widen(tree, chosen, epsilon);
  return outermost(tree, chosen);
}

function leaves({ clusters, children }: CondensedTree): Uint8Array {
  return Uint8Array.from({ length: clusters }, (_, cluster) =>
    cluster > 0 && children[cluster] === 0 ? 1 : 0,
  );
}

/** Every cluster that is at least as stable as the best choice below it; `outermost` drops those inside of others. */
function mostStable({ clusters, parent, children, stability }: CondensedTree): Uint8Array {
  const chosen = new Uint8Array(clusters);
  const below = new Float64Array(clusters);
  for (let cluster = clusters - 1; cluster > 0; cluster--) {
    const own = stability[cluster] as number;
    const best = below[cluster] as number;
    const isChosen = children[cluster] === 0 || own >= best * (1 - SAME_STABILITY);
    chosen[cluster] = isChosen ? 1 : 0;
    const above = parent[cluster] as number;
    below[above] = (below[above] as number) + (isChosen ? own : best);
  }
  return chosen;
}

function widen(
  { clusters, parent, birthDistance }: CondensedTree,
  chosen: Uint8Array,
  epsilon: number,
): void {
  for (let cluster = clusters - 1; cluster > 0; cluster--) {
    if (chosen[cluster] === 0 || (birthDistance[cluster] as number) >= epsilon) continue;
    let wider = cluster;
    while ((parent[wider] as number) > 0) {
      wider = parent[wider] as number;
      if ((birthDistance[wider] as number) > epsilon) break;
    }
    chosen[cluster] = 0;
    chosen[wider] = 1;
  }
}

function outermost({ clusters, parent }: CondensedTree, chosen: Uint8Array): Uint8Array {
  const isInside = new Uint8Array(clusters);
  const kept = new Uint8Array(clusters);
  for (let cluster = 1; cluster < clusters; cluster++) {
    const above = parent[cluster] as number;
    isInside[cluster] = isInside[above] === 1 || chosen[above] === 1 ? 1 : 0;
    kept[cluster] = chosen[cluster] === 1 && isInside[cluster] === 0 ? 1 : 0;
  }
  return kept;
}
