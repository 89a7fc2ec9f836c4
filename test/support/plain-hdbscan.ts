/**
 * HDBSCAN straight from its definitions (method note 6), for small n: parts of a cluster are the connected components of
 * its points below each distance that occurs, found by flooding.
 */
import type { PatternRules } from "../../src/patterns/hdbscan.ts";

interface PlainCluster {
  readonly parent: number;
  readonly birth: number;
  readonly members: readonly number[];
  readonly rows: { readonly lambda: number; readonly size: number }[];
  readonly children: number[];
}

export interface PlainPatterns {
  readonly labels: number[];
  readonly probabilities: number[];
  readonly outlierScores: number[];
  readonly persistence: number[];
  readonly stability: number[];
}

/** Components of `points` where pairs with `isEdge` are connected. */
export function componentsOf(
  points: readonly number[],
  isEdge: (a: number, b: number) => boolean,
): readonly number[][] {
  const left = new Set(points);
  const components: number[][] = [];
  for (const start of points) {
    if (!left.delete(start)) continue;
    const component = [start];
    for (const point of component) {
      for (const other of left) {
        if (!isEdge(point, other)) continue;
        left.delete(other);
        component.push(other);
      }
    }
    components.push(component.sort((a, b) => a - b));
  }
  return components;
}

/** max(core, core, distance) of two points. */
export function mutualReachability(
  count: number,
  distance: (a: number, b: number) => number,
  minSamples: number,
): (a: number, b: number) => number {
  const all = Array.from({ length: count }, (_, point) => point);
  const core = all.map((point) => {
    const others = all.filter((other) => other !== point).map((other) => distance(point, other));
    return others.sort((a, b) => a - b)[Math.min(minSamples, count - 1) - 1] as number;
  });
  return (a, b) => Math.max(core[a] as number, core[b] as number, distance(a, b));
}

export function plainHdbscan(
  count: number,
  distance: (a: number, b: number) => number,
  { minClusterSize, minSamples, selection, epsilon }: PatternRules,
): PlainPatterns {
  const all = Array.from({ length: count }, (_, point) => point);
  const reach = mutualReachability(count, distance, minSamples);
  const clusters: PlainCluster[] = [];
  const last: number[] = [];
  const lambdaOf: number[] = [];
  const grow = (members: readonly number[], parent: number, birth: number): number => {
    const own: PlainCluster = { parent, birth, members, rows: [], children: [] };
    const number = clusters.push(own) - 1;
    let rest = members;
    for (;;) {
      const values = [...new Set(rest.flatMap((a) => rest.filter((b) => b !== a).map((b) => reach(a, b))))];
      values.sort((a, b) => b - a);
      const part = rest;
      // From the largest distance down to the one without which the part falls apart.
      const apart = values.find(
        (value) => componentsOf(part, (a, b) => reach(a, b) < value).length > 1,
      ) as number;
      const parts = componentsOf(part, (a, b) => reach(a, b) < apart);
      const lambda = 1 / apart;
      for (const small of parts.filter(({ length }) => length < minClusterSize)) {
        own.rows.push({ lambda, size: small.length });
        for (const point of small) {
          last[point] = number;
          lambdaOf[point] = lambda;
        }
      }
      const large = parts.filter(({ length }) => length >= minClusterSize);
      if (large.length === 1) {
        rest = large[0] as number[];
        continue;
      }
      for (const child of large) {
        own.rows.push({ lambda, size: child.length });
        own.children.push(grow(child, number, apart));
      }
      return number;
    }
  };
  grow(all, -1, Number.POSITIVE_INFINITY);

  const stability = clusters.map(({ rows, birth }) =>
    rows.reduce((sum, { lambda, size }) => sum + (lambda - 1 / birth) * size, 0),
  );
  const largest = clusters.map(({ rows }) => Math.max(...rows.map(({ lambda }) => lambda)));
  const deepest = (cluster: number): number =>
    Math.max(largest[cluster] as number, ...(clusters[cluster] as PlainCluster).children.map(deepest));
  const best = (cluster: number): { readonly score: number; readonly chosen: readonly number[] } => {
    const { children } = clusters[cluster] as PlainCluster;
    const own = stability[cluster] as number;
    const below = children.map(best);
    const score = below.reduce((sum, child) => sum + child.score, 0);
    const takesOwn = children.length === 0 || (selection === "eom" && own >= score * (1 - 1e-9));
    if (cluster > 0 && takesOwn) return { score: own, chosen: [cluster] };
    return { score, chosen: below.flatMap(({ chosen }) => chosen) };
  };
  const widen = (cluster: number): number => {
    if (!((clusters[cluster] as PlainCluster).birth < epsilon)) return cluster;
    let wider = cluster;
    for (
      let above = clusters[wider]?.parent as number;
      above > 0;
      above = clusters[wider]?.parent as number
    ) {
      wider = above;
      if ((clusters[wider] as PlainCluster).birth > epsilon) break;
    }
    return wider;
  };
  const persistenceOf = (cluster: number) =>
    (stability[cluster] as number) /
    ((clusters[cluster] as PlainCluster).members.length * Math.max(...largest));
  const first = (cluster: number) => clusters[cluster]?.members[0] as number;
  const chosen = [...new Set(best(0).chosen.map(widen))].sort((a, b) => {
    const difference = persistenceOf(b) - persistenceOf(a);
    return Math.abs(difference) > 1e-9 ? difference : first(a) - first(b);
  });
  const labels = all.map((point) => chosen.findIndex((c) => clusters[c]?.members.includes(point)));
  return {
    labels,
    probabilities: all.map((point) => {
      const pattern = chosen[labels[point] as number];
      if (pattern === undefined) return 0;
      return Math.min(lambdaOf[point] as number, largest[pattern] as number) / (largest[pattern] as number);
    }),
    outlierScores: all.map((point) => 1 - (lambdaOf[point] as number) / deepest(last[point] as number)),
    persistence: chosen.map(persistenceOf),
    stability: chosen.map((cluster) => stability[cluster] as number),
  };
}
