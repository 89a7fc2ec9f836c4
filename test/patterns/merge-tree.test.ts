import { describe, expect, test } from "vitest";
import { equalRuns, type MergeTree, mergeTree } from "../../src/patterns/merge-tree.ts";
import { findNeighbours, spanningTree, treeSteps } from "../../src/patterns/spanning-tree.ts";
import { StepCounter } from "../../src/progress.ts";
import { rng } from "../../src/statistics/rng.ts";
import { componentsOf, mutualReachability } from "../support/plain-hdbscan.ts";

/** Distances on the line between whole numbers, or random ones that obey no triangle inequality. */
function randomDistances(seed: number, count: number, isTied: boolean): Float32Array {
  const stream = rng(seed, "merge tree");
  const distances = new Float32Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      const distance = isTied ? 1 + stream.integer(6) : 1 + stream.uniform();
      distances[a * count + b] = distances[b * count + a] = distance;
    }
  }
  return distances;
}

async function treeOf(distances: Float32Array, count: number, minSamples: number): Promise<MergeTree> {
  const counter = new StepCounter("test", treeSteps(count));
  const { neighbour } = await findNeighbours(distances, count, minSamples, counter);
  const core = Float64Array.from(neighbour, (other, point) => distances[point * count + other] as number);
  const { from, to } = await spanningTree(distances, count, core, counter);
  const weight = Float64Array.from(from, (a, edge) => {
    const b = to[edge] as number;
    return Math.max(core[a] as number, core[b] as number, distances[a * count + b] as number);
  });
  return mergeTree(count, from, to, weight, 0);
}

/** Points below each node that meets at a distance up to `most` and is in no other such node. */
function componentsAt(
  { count, nodes, distance, firstChild, nextSibling }: MergeTree,
  most: number,
): number[][] {
  const components: number[][] = [];
  const collect = (node: number): number[] => {
    if (node < count) return [node];
    const points: number[] = [];
    for (let child = firstChild[node] as number; child >= 0; child = nextSibling[child] as number) {
      points.push(...collect(child));
    }
    return points;
  };
  const walk = (node: number): void => {
    if ((distance[node] as number) <= most) components.push(collect(node).sort((a, b) => a - b));
    else
      for (let child = firstChild[node] as number; child >= 0; child = nextSibling[child] as number)
        walk(child);
  };
  walk(nodes - 1);
  return components.sort((a, b) => (a[0] as number) - (b[0] as number));
}

describe.each([
  ["ties", true],
  ["no ties", false],
] as const)("%s: the components of mutual reachability at every threshold", (_, isTied) => {
  test.each([1, 2, 3, 9])("min_samples %i", async (minSamples) => {
    for (let seed = 0; seed < 25; seed++) {
      const count = 2 + (seed % 14);
      const distances = randomDistances(seed, count, isTied);
      const tree = await treeOf(distances, count, minSamples);
      const reach = mutualReachability(count, (a, b) => distances[a * count + b] as number, minSamples);
      const points = Array.from({ length: count }, (_unused, point) => point);
      for (const threshold of [0, ...new Set(distances)]) {
        const expected = componentsOf(points, (a, b) => reach(a, b) <= threshold);
        expect(componentsAt(tree, threshold)).toEqual(expected);
      }
      // A node's parts met at its distance, none earlier: parents are farther than their children.
      for (let node = count; node < tree.nodes; node++) {
        let size = 0;
        for (
          let child = tree.firstChild[node] as number;
          child >= 0;
          child = tree.nextSibling[child] as number
        ) {
          expect(tree.distance[child]).toBeLessThan(tree.distance[node] as number);
          size += tree.size[child] as number;
        }
        expect(tree.size[node]).toBe(size);
      }
    }
  });
});

test("one point is a tree", () => {
  const none = new Int32Array(0);
  expect(mergeTree(1, none, none, new Float64Array(0), 0)).toMatchObject({ nodes: 1, count: 1 });
});

test("runs of equal values are counted from their smallest", () => {
  expect([...equalRuns([], 1)]).toEqual([]);
  expect([...equalRuns([1, 1, 1.5, 2, 2.5, 4], 1)]).toEqual([
    [0, 4],
    [4, 5],
    [5, 6],
  ]);
  const ulp = 2 ** -23;
  expect([...equalRuns([1, 1 + ulp, 1 + 3 * ulp], 0)]).toEqual([
    [0, 2],
    [2, 3],
  ]);
});
