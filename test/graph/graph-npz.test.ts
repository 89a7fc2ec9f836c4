import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { NpyArray } from "../../src/data/npy.ts";
import { joinNpz, openNpz } from "../../src/data/npz.ts";
import { toCsr } from "../../src/graph/csr.ts";
import { formatGraphNpz, parseGraphNpz } from "../../src/graph/graph-npz.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { catchError } from "../support/catch-error.ts";
import { formatNpy } from "../support/npy.ts";
import { denseOf, layeredGraph, localGraph } from "../support/random-graph.ts";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const expected: { dense: number[][]; int: number[][] } = JSON.parse(
  Buffer.from(fixture("graphs.json")).toString(),
);
const format = (graph: UnitGraph): Uint8Array => Buffer.concat([...formatGraphNpz(graph)]);

describe("formatGraphNpz", () => {
  it.each([
    ["global", layeredGraph()],
    ["local", localGraph()],
  ])("round-trips a %s graph", (_, graph) => {
    const again = parseGraphNpz(format(graph), "g.npz");
    expect({ ...again, matrix: null }).toEqual({ ...graph, matrix: null });
    expect(again.matrix.blocks.map((block) => block.shape)).toEqual(graph.parts.map(() => "sparse"));
    const { size } = graph.matrix;
    expect(denseOf(size, again.matrix.blocks)).toEqual(denseOf(size, graph.matrix.blocks));
  });

  it("gives the same bytes twice, and again after reading", () => {
    const bytes = format(layeredGraph());
    expect(Buffer.compare(format(layeredGraph()), bytes)).toBe(0);
    expect(Buffer.compare(format(parseGraphNpz(bytes, "g.npz")), bytes)).toBe(0);
  });

  it("writes the arrays that scipy.sparse.save_npz writes", () => {
    const scipy = openNpz(fixture("graphs/csr.npz"), "csr.npz");
    const ours = openNpz(format(parseGraphNpz(fixture("graphs/csr.npz"), "csr.npz")), "ours.npz");
    for (const name of scipy.names) expect(ours.read(name)).toEqual(scipy.read(name));
    expect(ours.names.slice(0, 5)).toEqual(scipy.names);
    expect(Buffer.from(formatNpy(ours.read("format"))).toString("latin1")).toContain("'|S3'");
  });

  it("keeps names that JSON must escape", () => {
    const graph = layeredGraph(['a"b\n', "ü\u0000", "<&>"]);
    expect(parseGraphNpz(format(graph), "g").layers).toEqual(graph.layers);
  });
});

describe("parseGraphNpz", () => {
  it.each(["csr", "csr-float64", "csc", "coo", "unsorted", "int64-indices", "int"])(
    "reads scipy's %s",
    (name) => {
      const graph = parseGraphNpz(fixture(`graphs/${name}.npz`), name);
      const dense = Float64Array.from((name === "int" ? expected.int : expected.dense).flat());
      expect(denseOf(9, graph.matrix.blocks)).toEqual(dense);
      expect(graph.layers).toEqual([{ name: "graph", units: 9 }]);
      expect(graph.parts).toEqual([{ nodeStart: 0, nodeCount: 9, keeps: [0] }]);
      expect(Array.from(graph.unit)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    },
  );

  it.each([
    ["negative", "E_GRAPH_NEGATIVE"],
    ["self-loop", "E_GRAPH_SELF_LOOP"],
    ["nan", "E_GRAPH_VALUE"],
    ["asymmetric", "E_GRAPH_ASYMMETRIC"],
    ["one-sided", "E_GRAPH_ASYMMETRIC"],
    ["oblong", "E_GRAPH_FORMAT"],
    ["bsr", "E_GRAPH_FORMAT"],
  ])("refuses scipy's %s with %s", async (name, code) => {
    const error = await catchError(() => parseGraphNpz(fixture(`graphs/${name}.npz`), `${name}.npz`));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`${name}.npz`);
    expect(error.hint).not.toBe("");
  });

  /** Our file with entries replaced. */
  function spoil(graph: UnitGraph, changes: Record<string, NpyArray>): Uint8Array {
    const npz = openNpz(format(graph), "g");
    return joinNpz({ ...Object.fromEntries(npz.names.map((name) => [name, npz.read(name)])), ...changes });
  }
  const meta = (graph: UnitGraph, change: Record<string, unknown>): NpyArray => {
    const { layers, kind, scope, parts, facts } = graph;
    const text = JSON.stringify({ schema: "brodmann/graph/1", layers, kind, scope, parts, facts, ...change });
    const values = new TextEncoder().encode(text);
    return { shape: [values.length], dtype: "uint8", values };
  };
  const ints = (...values: number[]): NpyArray => ({
    shape: [values.length],
    dtype: "int32",
    values: Int32Array.from(values),
  });
  const graph = localGraph();

  it("reads a file that it spoilt in nothing", () => {
    expect(parseGraphNpz(spoil(graph, { meta: meta(graph, {}) }), "g").parts).toEqual(graph.parts);
  });

  it.each([
    ["another schema", { meta: meta(graph, { schema: "brodmann/graph/9" }) }],
    ["an unknown kind", { meta: meta(graph, { kind: "guesses" }) }],
    ["an unknown scope", { meta: meta(graph, { scope: 3 }) }],
    ["layers without units", { meta: meta(graph, { layers: [{ name: "a" }] }) }],
    ["two layers of one name", { meta: meta(graph, { layers: [graph.layers[0], graph.layers[0]] }) }],
    ["parts beyond the nodes", { meta: meta(graph, { parts: [{ nodeStart: 4, nodeCount: 4, keeps: [] }] }) }],
    [
      "parts that overlap",
      { meta: meta(graph, { parts: [graph.parts[0], { nodeStart: 3, nodeCount: 4, keeps: [] }] }) },
    ],
    [
      "parts that cut edges",
      {
        meta: meta(graph, {
          parts: [
            { nodeStart: 0, nodeCount: 5, keeps: [] },
            { nodeStart: 5, nodeCount: 2, keeps: [] },
          ],
        }),
      },
    ],
    ["edges in no part", { meta: meta(graph, { parts: [graph.parts[0]] }) }],
    [
      "labels for a layer that is not there",
      { meta: meta(graph, { parts: [{ ...graph.parts[0], keeps: [2] }, graph.parts[1]] }) },
    ],
    ["text that is no JSON", { meta: { shape: [3], dtype: "uint8", values: Uint8Array.of(1, 2, 3) } }],
    ["too few nodes", { layer: ints(0, 0, 1) }],
    ["a unit beyond its layer", { unit: ints(0, 3, 0, 1, 0, 1, 2) }],
    ["a layer that is not there", { layer: ints(0, 0, 1, 1, 1, 2, 1) }],
    ["a unit twice in a part", { unit: ints(0, 2, 0, 1, 0, 1, 1) }],
  ] as [string, Record<string, NpyArray>][])("refuses %s", async (_, changes) => {
    expect((await catchError(() => parseGraphNpz(spoil(graph, changes), "g"))).code).toBe("E_GRAPH_FORMAT");
  });

  it("refuses an .npz of something else", async () => {
    const error = await catchError(() => parseGraphNpz(joinNpz({ x: ints(1) }), "data.npz"));
    expect(error.code).toBe("E_GRAPH_FORMAT");
    expect(error.message).toContain("found arrays x");
  });

  it("takes toCsr's own output at hand", () => {
    const pieces = [...formatGraphNpz(graph, toCsr(graph.matrix))];
    expect(Buffer.compare(Buffer.concat(pieces), format(graph))).toBe(0);
  });
});
