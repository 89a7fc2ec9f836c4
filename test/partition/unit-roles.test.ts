import { describe, expect, test } from "vitest";
import { toDense } from "../../src/compute/dense-embedding.ts";
import { unitRoles } from "../../src/partition/unit-roles.ts";
import { chain, fromEdges } from "../support/reference-graphs.ts";
import { globalGraph, partitionOf } from "../support/unit-graphs.ts";

describe("unitRoles", () => {
  test("by hand: a unit between two clusters, one inside, one in none", () => {
    const graph = globalGraph(
      fromEdges(6, [
        [0, 1, 3],
        [0, 2, 1],
        [2, 3, 1],
        [3, 4, 2],
        [4, 5, 7],
      ]),
      [3, 3],
    );
    const [first, second] = unitRoles(partitionOf([0, 0, 1], [1, 1, -1]), graph);
    expect([...(first?.participation ?? [])]).toEqual([1 - 9 / 16 - 1 / 16, 0, 0.5]);
    // Weight inside the cluster: 3 and 3; 1, 3 and 2.
    expect([...(first?.withinDegree ?? [])]).toEqual([
      Number.NaN,
      Number.NaN,
      expect.closeTo(-Math.sqrt(1.5), 9),
    ]);
    expect(second?.withinDegree[0]).toBeCloseTo(Math.sqrt(1.5), 9);
    expect(second?.participation[1]).toBe(0);
    expect(second?.participation[2]).toBeNaN();
    expect(second?.withinDegree[2]).toBeNaN();
  });

  test("against the formulas on a dense matrix", () => {
    const dims = [9, 7, 5];
    const graph = globalGraph(chain(dims, 3, 4, 2), dims);
    const labels = Array.from({ length: 21 }, (_, u) => ((u * 5) % 4) - (u === 8 ? 4 : 0)).map((l) =>
      Math.max(-1, l),
    );
    const partition = partitionOf(labels.slice(0, 9), labels.slice(9, 16), labels.slice(16));
    const A = toDense(graph.matrix);
    const toCluster = (u: number, m: number) =>
      labels.reduce((sum, label, v) => sum + (label === m ? (A[u * 21 + v] as number) : 0), 0);
    const roles = unitRoles(partition, graph);
    const participation = roles.flatMap((layer) => [...layer.participation]);
    const withinDegree = roles.flatMap((layer) => [...layer.withinDegree]);
    labels.forEach((label, u) => {
      if (label < 0) return;
      const weights = [0, 1, 2, 3].map((m) => toCluster(u, m));
      const total = weights.reduce((a, b) => a + b, 0);
      expect(participation[u]).toBeCloseTo(1 - weights.reduce((sum, k) => sum + (k / total) ** 2, 0), 9);
      const inside = labels.flatMap((other, v) => (other === label ? [toCluster(v, label)] : []));
      const mean = inside.reduce((a, b) => a + b, 0) / inside.length;
      const sd = Math.sqrt(inside.reduce((sum, k) => sum + (k - mean) ** 2, 0) / inside.length);
      expect(withinDegree[u]).toBeCloseTo((toCluster(u, label) - mean) / sd, 6);
    });
  });
});
