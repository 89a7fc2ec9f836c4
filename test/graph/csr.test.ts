import { describe, expect, it } from "vitest";
import type { SymmetricBlock } from "../../src/compute/compute.ts";
import { type Csr, toCsr } from "../../src/graph/csr.ts";
import { entriesToCsr, rowsToCsr } from "../../src/graph/csr-entries.ts";
import { heaviestEdges } from "../../src/graph/heaviest-edges.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { denseOf, layeredGraph, randomValues } from "../support/random-graph.ts";

/** CSR of a dense matrix by definition. */
function csrOf(dense: ArrayLike<number>, size: number): Csr {
  const rowStart = [0];
  const column: number[] = [];
  const weight: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let to = 0; to < size; to++) {
      const value = dense[row * size + to] as number;
      if (value === 0) continue;
      column.push(to);
      weight.push(value);
    }
    rowStart.push(column.length);
  }
  return {
    rowStart: Int32Array.from(rowStart),
    column: Int32Array.from(column),
    weight: Float32Array.from(weight),
  };
}

describe("toCsr", () => {
  it("equals the dense matrix, for blocks of every shape", () => {
    const sparse: SymmetricBlock = {
      shape: "sparse",
      start: 150,
      count: 3,
      rowStart: Int32Array.of(0, 2, 3, 4),
      column: Int32Array.of(1, 2, 0, 0),
      weight: Float32Array.of(0.5, 0, 0.5, 0),
    };
    // Widths on both sides of the tile; the blocks come in no order, and the second lies left of its rows.
    const blocks: SymmetricBlock[] = [
      sparse,
      {
        shape: "between",
        rowStart: 70,
        rowCount: 31,
        columnStart: 0,
        columnCount: 33,
        values: randomValues(31 * 33, 1),
      },
      {
        shape: "between",
        rowStart: 0,
        rowCount: 33,
        columnStart: 110,
        columnCount: 40,
        values: randomValues(33 * 40, 2),
      },
      {
        shape: "between",
        rowStart: 33,
        rowCount: 37,
        columnStart: 70,
        columnCount: 31,
        values: randomValues(37 * 31, 3, 1),
      },
      {
        shape: "between",
        rowStart: 110,
        rowCount: 40,
        columnStart: 33,
        columnCount: 37,
        values: randomValues(37 * 40, 4, 0),
      },
      { shape: "within", start: 153, count: 3, values: Float32Array.of(0, 0.5, 0, 0.5, 0, 2, 0, 2, 0) },
    ];
    expect(toCsr({ size: 160, blocks })).toEqual(csrOf(denseOf(160, blocks), 160));
  });

  it("leaves the diagonal of a dense block out", () => {
    const values = Float32Array.of(9, 1, 1, 9);
    const csr = toCsr({ size: 2, blocks: [{ shape: "within", start: 0, count: 2, values }] });
    expect(Array.from(csr.weight)).toEqual([1, 1]);
  });

  it("handles matrices without blocks and without units", () => {
    expect(toCsr({ size: 0, blocks: [] }).rowStart).toEqual(Int32Array.of(0));
    expect(toCsr({ size: 3, blocks: [] }).rowStart).toEqual(new Int32Array(4));
  });

  it("refuses blocks that overlap", async () => {
    const block = {
      shape: "between",
      rowStart: 0,
      rowCount: 1,
      columnStart: 1,
      columnCount: 2,
      values: Float32Array.of(1, 2),
    } as const;
    expect((await catchError(() => toCsr({ size: 3, blocks: [block, block] }))).code).toBe(
      "E_INTERNAL_BLOCKS",
    );
  });
});

describe("entriesToCsr", () => {
  const graph = layeredGraph();
  const dense = denseOf(11, graph.matrix.blocks);
  const entries: [number, number, number][] = [];
  dense.forEach((value, at) => {
    // Halves sum to the whole exactly; zeros are left out of the result.
    entries.push([Math.floor(at / 11), at % 11, value / 2], [Math.floor(at / 11), at % 11, value / 2]);
  });
  rng(4).shuffle(entries);
  const column = (of: number): number[] => entries.map((entry) => entry[of] as number);

  it("sorts, sums and drops, whatever the order", () => {
    expect(entriesToCsr(11, column(0), column(1), column(2), "a")).toEqual(csrOf(dense, 11));
  });

  it("works in place on a CSR of its own types, with zeros", () => {
    const offsets = Int32Array.of(0, 2, 4, 5);
    const columns = Int32Array.of(0, 1, 0, 1, 0);
    const weights = Float32Array.of(0, 3, 3, 0, 0);
    const csr = rowsToCsr(3, offsets, columns, weights, "a");
    expect(csr).toEqual({
      rowStart: Int32Array.of(0, 1, 2, 2),
      column: Int32Array.of(1, 0),
      weight: Float32Array.of(3, 3),
    });
    expect(csr.weight.buffer).toBe(weights.buffer);
  });

  it("makes weights equal that differ by rounding, and refuses others", async () => {
    const pair = (a: number, b: number): Csr => entriesToCsr(2, [0, 1], [1, 0], [a, b], "a");
    expect(Array.from(pair(1, 1 + 5e-7).weight)).toEqual([1, 1]);
    expect((await catchError(() => pair(1, 1 + 3e-6))).code).toBe("E_GRAPH_ASYMMETRIC");
  });

  it.each([
    ["E_GRAPH_ASYMMETRIC", [0], [1], [1]],
    ["E_GRAPH_ASYMMETRIC", [1], [0], [1]],
    ["E_GRAPH_ASYMMETRIC", [0, 1, 1, 2], [1, 0, 2, 0], [1, 1, 1, 1]],
    ["E_GRAPH_SELF_LOOP", [1], [1], [1]],
    ["E_GRAPH_NEGATIVE", [0, 1], [1, 0], [-1, -1]],
    ["E_GRAPH_VALUE", [0, 1], [1, 0], [Number.NaN, Number.NaN]],
    ["E_GRAPH_VALUE", [0, 1], [1, 0], [1e39, 1e39]],
    ["E_GRAPH_FORMAT", [0, 3], [3, 0], [1, 1]],
    ["E_GRAPH_FORMAT", [0, 1], [-1, 0], [1, 1]],
  ])("answers %s to rows %j, columns %j, weights %j", async (code, rows, columns, weights) => {
    const error = await catchError(() => entriesToCsr(3, rows, columns, weights, "g.npz"));
    expect(error.code).toBe(code);
    expect(error.message).toContain("g.npz: found ");
  });

  it("refuses offsets that do not fit", async () => {
    for (const offsets of [
      [0, 1],
      [0, 2, 1, 2],
      [1, 1, 1, 2],
      [0, 1, 1, 3],
    ]) {
      const error = await catchError(() => rowsToCsr(3, offsets, [1, 0], [1, 1], "a"));
      expect(error.code).toBe("E_GRAPH_FORMAT");
    }
  });
});

describe("heaviestEdges", () => {
  const values = randomValues(400, 9, 0.2).map((value) => Math.round(value * 20) / 20);
  const csr = toCsr({
    size: 40,
    blocks: [{ shape: "between", rowStart: 0, rowCount: 20, columnStart: 20, columnCount: 20, values }],
  });
  const all = heaviestEdges(csr, Number.POSITIVE_INFINITY);

  it("gives every edge once, in order", () => {
    expect(all.dropped).toBe(0);
    expect(all.source.length).toBe(values.filter((value) => value > 0).length);
    expect(Array.from(all.weight)).toEqual(Array.from(values.filter((value) => value > 0)));
  });

  it.each([0, 1, 7, 50, 123, 200])("keeps the %i heaviest, the first of ties", (limit) => {
    const kept = heaviestEdges(csr, limit);
    const order = Array.from(all.weight.keys())
      .sort((a, b) => (all.weight[b] as number) - (all.weight[a] as number) || a - b)
      .slice(0, limit)
      .sort((a, b) => a - b);
    expect(Array.from(kept.weight)).toEqual(order.map((edge) => all.weight[edge]));
    expect(Array.from(kept.source)).toEqual(order.map((edge) => all.source[edge]));
    expect(Array.from(kept.target)).toEqual(order.map((edge) => all.target[edge]));
    expect(kept.dropped).toBe(all.source.length - limit);
  });
});
