import { describe, expect, test } from "vitest";
import { reorderNodes } from "../../src/partition/aggregate.ts";
import { type LevelGraph, type QualityScale, qualityGraph } from "../../src/partition/level-graph.ts";
import { moveNodes, moveScratch, queueInOrder, settleNodes } from "../../src/partition/move-nodes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { fromEdges } from "../support/reference-graphs.ts";

type Edge = [number, number, number];

/** A graph of CPM at resolution 1: joining a cluster of n nodes by edges of weight w gains w - n. */
function cpmGraph(size: number, edges: readonly Edge[]): { graph: LevelGraph; scale: QualityScale } {
  const { csr, mass, strength, scale } = qualityGraph(fromEdges(size, [...edges]), "cpm", 1);
  const order = Int32Array.from({ length: size }, (_, node) => node);
  return { graph: reorderNodes(csr, mass, strength, order), scale };
}

function sparseEdges(size: number, seed: number): Edge[] {
  const stream = rng(seed, "sparse graph");
  const edges = new Map<number, Edge>();
  for (let i = 0; i < size; i++) {
    for (let draw = 0; draw < 4; draw++) {
      const j = stream.integer(size);
      const [a, b] = [Math.min(i, j), Math.max(i, j)];
      if (a !== b) edges.set(a * size + b, [a, b, 0.5 + 2 * stream.uniform()]);
    }
  }
  return [...edges.values()];
}

describe("a pass over all nodes", () => {
  test("moves every node to where it gains most at its turn, whatever the numbers of the clusters", () => {
    // Far more clusters than a visit has slots, in random order: many share a slot.
    const size = 3000;
    const { graph, scale } = cpmGraph(size, sparseEdges(size, 1));
    const start = rng(2).shuffle(Int32Array.from({ length: size }, (_, node) => (node >> 1) << 1));
    const labels = start.slice();
    const scratch = moveScratch(size);
    queueInOrder(scratch, size);
    const moves = moveNodes(graph, labels, scale, scratch, size, size);

    const expected = start.slice();
    let expectedMoves = 0;
    for (let node = 0; node < size; node++) {
      const own = expected[node] as number;
      const gains = new Map<number, number>();
      for (let at = graph.rowStart[node] as number; at < (graph.rowStart[node + 1] as number); at++) {
        const cluster = expected[graph.column[at] as number] as number;
        gains.set(cluster, (gains.get(cluster) ?? 0) + (graph.weight[at] as number));
      }
      const sizeOf = (cluster: number) =>
        expected.reduce((sum, label, other) => sum + Number(label === cluster && other !== node), 0);
      const staying = (gains.get(own) ?? 0) - sizeOf(own);
      gains.delete(own);
      const [best, gain] = [...gains].reduce(
        (most, [cluster, weight]) =>
          weight - sizeOf(cluster) > most[1] ? [cluster, weight - sizeOf(cluster)] : most,
        [own, staying] as [number, number],
      );
      if (gain < 0 && sizeOf(own) > 0) expected[node] = -1 - node;
      else expected[node] = best;
      expectedMoves += Number(expected[node] !== own);
    }
    expect(moves).toBe(expectedMoves);
    expect(moves).toBeGreaterThan(size / 2);
    // Ids of new clusters are free to choose: the same nodes have to lie together.
    const pairs = (found: Int32Array) => {
      const first = new Map<number, number>();
      return Array.from(found, (label, node) => {
        if (!first.has(label)) first.set(label, node);
        return first.get(label);
      });
    };
    expect(pairs(labels)).toEqual(pairs(expected));
  });
});

describe("settling", () => {
  /** Labels after one pass, in which every node is asked once, and after settling. */
  function passAndSettle(
    edges: readonly Edge[],
    start: readonly number[],
  ): [pass: number[], settled: number[]] {
    const { graph, scale } = cpmGraph(start.length, edges);
    const labels = Int32Array.from(start);
    const scratch = moveScratch(start.length);
    queueInOrder(scratch, start.length);
    moveNodes(graph, labels, scale, scratch);
    const pass = [...labels];
    settleNodes(graph, labels, scale, scratch);
    return [pass, [...labels]];
  }

  test("asks the neighbours of a cluster that has lost a node", () => {
    // Node 0 would join {1, 2} by 2.5 - 2, but not {1, 2, 3}; node 3 leaves later, and is no neighbour of it.
    const [pass, settled] = passAndSettle(
      [
        [0, 1, 2.5],
        [1, 2, 5],
        [1, 3, 0.2],
      ],
      [0, 1, 1, 1],
    );
    expect(pass[0]).not.toBe(pass[1]);
    expect(settled[0]).toBe(settled[1]);
    expect(settled[3]).not.toBe(settled[1]);
  });

  test("asks the nodes of a cluster that has won a node", () => {
    // Node 0 stays with 2 by 1.5 - 1, until 1 joins them for the sake of 2.
    const [pass, settled] = passAndSettle(
      [
        [0, 2, 1.5],
        [1, 2, 3],
      ],
      [0, 1, 0],
    );
    expect(pass).toEqual([0, 0, 0]);
    expect(settled[0]).not.toBe(settled[1]);
    expect(settled[2]).toBe(settled[1]);
  });
});

test("a reordered graph has the same edges between the same nodes", () => {
  const size = 200;
  const { graph } = cpmGraph(size, sparseEdges(size, 3));
  const mass = Float64Array.from({ length: size }, (_, node) => node);
  const order = rng(4).shuffle(Int32Array.from({ length: size }, (_, node) => node));
  const reordered = reorderNodes(graph, mass, graph.strength, order);
  const edgesOf = ({ rowStart, column, weight }: LevelGraph, name: (node: number) => number) =>
    Array.from({ length: size }, (_, node) =>
      Array.from(column.subarray(rowStart[node], rowStart[node + 1]), (other, i) =>
        [name(node), name(other), weight[(rowStart[node] as number) + i]].join(" "),
      ),
    )
      .flat()
      .sort();
  expect(edgesOf(reordered, (node) => order[node] as number)).toEqual(edgesOf(graph, (node) => node));
  expect([...reordered.mass]).toEqual([...order]);
  expect([...reordered.strength]).toEqual(Array.from(order, (node) => graph.strength[node]));
});
