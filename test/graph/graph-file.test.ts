import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readGraph, writeGraph } from "../../src/graph/graph-file.ts";
import { parseGexf } from "../../src/graph/graph-gexf.ts";
import { parseGraphml } from "../../src/graph/graph-graphml.ts";
import { catchError } from "../support/catch-error.ts";
import { denseOf, layeredGraph, localGraph } from "../support/random-graph.ts";

const folder = mkdtempSync(join(tmpdir(), "brodmann-graph-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const hostile = ["</node>\"'&<x>", "a\u0001\u{1f9e0}\n\tb", "]]>\r"];

describe("writeGraph and readGraph", () => {
  it.each(["npz", "gexf", "graphml"])("round-trip .%s, exactly", async (extension) => {
    for (const graph of [layeredGraph(), localGraph(), layeredGraph(hostile)]) {
      const path = at(`g.${extension}`);
      const { edges, droppedEdges } = await writeGraph(path, graph, { clusters: graph.layer });
      const { size, blocks } = graph.matrix;
      const dense = denseOf(size, blocks);
      expect(edges).toBe(dense.filter((value) => value > 0).length / 2);
      expect(droppedEdges).toBe(0);
      const again = await readGraph(path);
      expect({ ...again, layers: null, matrix: null }).toEqual({ ...graph, layers: null, matrix: null });
      // XML cannot hold control characters, not even escaped.
      const names = graph.layers.map(({ name }) =>
        extension === "npz"
          ? name
          : again.layers[graph.layers.findIndex((layer) => layer.name === name)]?.name,
      );
      expect(again.layers.map((layer) => layer.name)).toEqual(names);
      expect(denseOf(size, again.matrix.blocks)).toEqual(dense);
      const bytes = readFileSync(path);
      await writeGraph(path, graph, { clusters: graph.layer });
      expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    }
  });

  it("keeps names apart from markup", async () => {
    for (const extension of ["gexf", "graphml"]) {
      await writeGraph(at(`h.${extension}`), layeredGraph(hostile));
      const again = await readGraph(at(`h.${extension}`));
      expect(again.layers[0]).toEqual({ name: hostile[0], units: 5 });
      expect(again.layers[2]?.units).toBe(3);
    }
  });

  it("reads by content, not by extension", async () => {
    await writeGraph(at("a.graphml"), localGraph());
    writeFileSync(at("a.npz"), readFileSync(at("a.graphml")));
    expect((await readGraph(at("a.npz"))).scope).toBe("local");
  });

  it.each(["gexf", "graphml"])(
    "keeps the heaviest edges of a .%s and says how many it dropped",
    async (extension) => {
      const path = at(`few.${extension}`);
      const graph = layeredGraph();
      const weights = denseOf(11, graph.matrix.blocks)
        .filter((value) => value > 0)
        .sort()
        .reverse();
      const total = weights.length / 2;
      expect(await writeGraph(path, graph, { maxEdges: 5 })).toEqual({ edges: 5, droppedEdges: total - 5 });
      const kept = denseOf(11, (await readGraph(path)).matrix.blocks)
        .filter((value) => value > 0)
        .sort()
        .reverse();
      expect(kept).toEqual(weights.slice(0, 10));
      if (extension === "gexf")
        expect(readFileSync(path, "utf8")).toContain(
          `the 5 heaviest of ${total} edges, ${total - 5} left out`,
        );
    },
  );

  it("lays GEXF out: layers as columns, rgb without alpha, cluster as a number", async () => {
    const clusters = Int32Array.of(0, 0, 1, -1, 0, 1, 1, 1, 2, 2, 2);
    await writeGraph(at("v.gexf"), layeredGraph(), { clusters });
    const text = readFileSync(at("v.gexf"), "utf8");
    expect(text).toContain('<attribute id="cluster" title="cluster" type="integer"/>');
    expect(text).toContain('<attvalue for="cluster" value="-1"/>');
    const colours = [...text.matchAll(/<viz:color ([^>]*)\/>/g)].map((match) => match[1]);
    expect(colours.length).toBe(11);
    expect(colours.every((colour) => /^r="\d+" g="\d+" b="\d+"$/.test(colour ?? ""))).toBe(true);
    const alike = (a: number, b: number): boolean => colours[a] === colours[b];
    clusters.forEach((cluster, node) => {
      clusters.forEach((other, second) => {
        expect(alike(node, second)).toBe(cluster === other);
      });
    });
    const xs = [...text.matchAll(/<viz:position x="([^"]*)"/g)].map((match) => Number(match[1]));
    expect(new Set(xs.slice(0, 4)).size).toBe(1);
    expect(xs[4]).toBeGreaterThan(xs[0] as number);
    expect(xs[8]).toBeGreaterThan(xs[4] as number);
    const places = [...text.matchAll(/<viz:position x="([^"]*)" y="([^"]*)"/g)].map((match) => match[0]);
    expect(new Set(places).size).toBe(11);
    expect(text).not.toContain("lastmodified");
    expect(text).toContain('xmlns:viz="http://www.gexf.net/1.2draft/viz"');
  });

  it("refuses other extensions, other content and places it cannot write to", async () => {
    expect((await catchError(() => writeGraph(at("g.csv"), localGraph()))).code).toBe("E_USAGE_GRAPH_FORMAT");
    expect((await catchError(() => writeGraph(at("no/g.npz"), localGraph()))).code).toBe("E_OUTPUT_FILE");
    writeFileSync(at("g.txt"), "hello");
    expect((await catchError(() => readGraph(at("g.txt")))).code).toBe("E_GRAPH_FORMAT");
    expect((await catchError(() => readGraph(at("nowhere.npz")))).code).toBe("E_INPUT_FILE");
  });
});

describe("files from elsewhere", () => {
  const gexf = (nodes: string, edges: string, type = "undirected"): string =>
    `<?xml version="1.0"?><gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph defaultedgetype="${type}">
     <attributes class="node"><attribute id="0" title="layer" type="string"/><attribute id="1" title="unit" type="integer"/></attributes>
     <nodes>${nodes}</nodes><edges>${edges}</edges></graph></gexf>`;
  const node = (id: string, layer?: string, unit?: number): string =>
    `<node id="${id}">${layer === undefined ? "" : `<attvalues><attvalue for="0" value="${layer}"/><attvalue for="1" value="${unit}"/></attvalues>`}</node>`;

  it("restores layers and units where every node has them", () => {
    const text = gexf(
      node("p", "in", 3) + node("q", "in", 0) + node("r", "out", 1),
      '<edge source="p" target="r" weight="2.5"/>',
    );
    const graph = parseGexf(text, "a.gexf");
    expect(graph.layers).toEqual([
      { name: "in", units: 4 },
      { name: "out", units: 2 },
    ]);
    expect(Array.from(graph.unit)).toEqual([3, 0, 1]);
    expect(Array.from(denseOf(3, graph.matrix.blocks))).toEqual([0, 0, 2.5, 0, 0, 0, 2.5, 0, 0]);
  });

  it("takes all nodes as one layer otherwise; weight 1 by default, parallel edges add up", () => {
    const edges = '<edge source="p" target="q"/><edge source="q" target="p" weight="3"/>';
    const graph = parseGexf(gexf(node("p", "in", 3) + node("q"), edges), "a.gexf");
    expect(graph.layers).toEqual([{ name: "graph", units: 2 }]);
    expect(Array.from(denseOf(2, graph.matrix.blocks))).toEqual([0, 4, 4, 0]);
  });

  it("reads GraphML written elsewhere", () => {
    const text = `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="edge" attr.name="weight" attr.type="double"/>
<graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/>
<edge source="a" target="b"><data key="d0">0.5</data></edge><edge source="c" target="b"/></graph></graphml>`;
    const graph = parseGraphml(text, "a.graphml");
    expect(Array.from(denseOf(3, graph.matrix.blocks))).toEqual([0, 0.5, 0, 0.5, 0, 1, 0, 1, 0]);
  });

  it.each([
    [
      "a directed edge",
      gexf(node("p") + node("q"), '<edge source="p" target="q"/>', "directed"),
      "E_GRAPH_ASYMMETRIC",
    ],
    ["a self-loop", gexf(node("p"), '<edge source="p" target="p"/>'), "E_GRAPH_SELF_LOOP"],
    [
      "a negative weight",
      gexf(node("p") + node("q"), '<edge source="p" target="q" weight="-1"/>'),
      "E_GRAPH_NEGATIVE",
    ],
    [
      "a weight that is no number",
      gexf(node("p") + node("q"), '<edge source="p" target="q" weight="x"/>'),
      "E_GRAPH_VALUE",
    ],
    ["an edge to nowhere", gexf(node("p"), '<edge source="p" target="z"/>'), "E_GRAPH_FORMAT"],
    ["no graph", "<gexf></gexf>", "E_GRAPH_FORMAT"],
    [
      "a truncated file",
      gexf(node("p") + node("q"), '<edge source="p" target="q"/>').slice(0, -40),
      "E_GRAPH_FORMAT",
    ],
  ])("refuses %s", async (_, text, code) => {
    expect((await catchError(() => parseGexf(text, "a.gexf"))).code).toBe(code);
  });
});
