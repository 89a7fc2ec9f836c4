import { describe, expect, it } from "vitest";
import type { Partition } from "../../src/partition/partition.ts";
import {
  clustersOfNodes,
  fitPartition,
  formatPartition,
  parsePartition,
} from "../../src/partition/partition-file.ts";
import { catchError } from "../support/catch-error.ts";
import { localGraph } from "../support/random-graph.ts";

const partition: Partition = {
  layers: [
    { name: "/1/Gemm", labels: Int32Array.of(0, 2, -1) },
    { name: 'a"b', labels: Int32Array.of(1) },
  ],
  clusters: 3,
  method: { name: "spectral", k: 3, seed: 0 },
  quality: { ncut: 9.87, modularity: 0.21 },
};
const file = (content: object): string => JSON.stringify({ schema: "brodmann/partition/1", ...content });

describe("formatPartition", () => {
  it("writes the contract's keys, one line per layer", () => {
    expect(formatPartition(partition, { kind: "weights" })).toBe(`{
  "schema": "brodmann/partition/1",
  "layers": [
    {"name":"/1/Gemm","labels":[0,2,-1]},
    {"name":"a\\"b","labels":[1]}
  ],
  "clusters": 3,
  "method": {"name":"spectral","k":3,"seed":0},
  "quality": {"ncut":9.87,"modularity":0.21},
  "graph": {"kind":"weights"}
}
`);
  });

  it("round-trips", () => {
    expect(parsePartition(formatPartition(partition), "p").partition).toEqual(partition);
    const empty = { layers: [], clusters: 0, method: { name: "random" }, quality: null };
    expect(parsePartition(formatPartition(empty), "p").partition).toEqual(empty);
  });
});

describe("quality", () => {
  const test = { mean: 1, sd: 0, z: Number.NaN, p: 0.25 };
  const shuffled = { ami: test, ari: test };
  const agreement = {
    units: 2,
    onlyFirst: 0,
    onlySecond: 1,
    neither: 1,
    ari: 0.5,
    ami: 0.25,
    nmi: 0.75,
    vi: 0.125,
    elementCentric: 0.5,
  };
  const assessed: Partition = {
    ...partition,
    quality: {
      ncut: 9.87,
      modularity: 0.21,
      eigenvalues: [{ part: "graph", values: [1, 0.9, 0.25] }],
      nulls: [{ null: "weights", draws: 3, ncut: test, modularity: test }],
      stability: {
        runs: 2,
        rows: [{ name: "seeds", runs: 2, ami: 1, leastAmi: 0.5, elementCentric: 1, clusters: 3 }],
        unstable: 1,
        threshold: 0.6,
        layers: [
          { name: "/1/Gemm", coAssignment: [0.5, 1, Number.NaN] },
          { name: 'a"b', coAssignment: [1] },
        ],
      },
      agreement: {
        kind: "activations",
        clusters: 2,
        ncut: 1,
        modularity: 0.5,
        shuffles: 3,
        overall: { ...agreement, withinLayers: shuffled, freely: shuffled },
        layers: [{ name: "/1/Gemm", ...agreement, ami: Number.NaN, shuffled }],
        transfer: { toOther: { nodes: 2, own: 0, other: 0.5, ratio: Number.NaN }, fromOther: null },
      },
    },
  };

  it("is kept by what reads a partition and writes it, byte by byte", () => {
    const text = formatPartition(assessed, { kind: "weights", scope: "global" });
    const read = parsePartition(text, "p");
    expect(read.partition).toEqual(assessed);
    expect(formatPartition(read.partition, read.graphFacts)).toBe(text);
  });

  it("of another make is left out, and the rest is kept", () => {
    const { quality } = assessed;
    const readQuality = (changed: object) =>
      parsePartition(
        file({ layers: [], quality: { ...JSON.parse(JSON.stringify(quality)), ...changed } }),
        "p",
      ).partition.quality;
    const left = (name: string) => {
      const { [name]: _, ...rest } = quality as unknown as Record<string, unknown>;
      return rest;
    };
    expect(readQuality({ eigenvalues: [1, 0.9] })).toEqual(left("eigenvalues"));
    expect(readQuality({ stability: 0.9 })).toEqual(left("stability"));
    expect(readQuality({ stability: { runs: 2 } })).toEqual(left("stability"));
    expect(readQuality({ nulls: [{ null: "weights" }] })).toEqual(left("nulls"));
    expect(readQuality({ agreement: { ...agreement, transfer: {} } })).toEqual(left("agreement"));
    expect(readQuality({ ncut: "low" })).toBeNull();
  });
});

describe("parsePartition", () => {
  it("needs schema and layers only, and renumbers labels in ascending order", () => {
    const layers = [
      { name: "a", labels: [700, -5, -1] },
      { name: "b", labels: [9007199254740991, 700] },
    ];
    const read = parsePartition(`\ufeff${file({ layers })}`, "p.json");
    expect(read.fileLabels).toEqual([-5, 700, 9007199254740991]);
    expect(read.partition).toEqual({
      layers: [
        { name: "a", labels: Int32Array.of(1, 0, -1) },
        { name: "b", labels: Int32Array.of(2, 1) },
      ],
      clusters: 3,
      method: { name: "external" },
      quality: null,
    });
  });

  it.each([
    ["no JSON", "{", "not JSON"],
    ["a list", "[]", "no JSON object"],
    ["no schema", '{"layers":[]}', "found schema (none)"],
    ["another schema", '{"schema":"brodmann/graph/1","layers":[]}', 'found schema "brodmann/graph/1"'],
    ["no layers", file({}), "no list of layers"],
    ["a layer without labels", file({ layers: [{ name: "a" }] }), "layers[0]"],
    ["a layer without a name", file({ layers: [{ labels: [] }] }), "layers[0]"],
    ["a fractional label", file({ layers: [{ name: "a", labels: [0, 1.5] }] }), "found label 1.5 at unit 1"],
    ["a text label", file({ layers: [{ name: "a", labels: ["0"] }] }), 'found label "0" at unit 0'],
    ["a missing label", file({ layers: [{ name: "a", labels: [null] }] }), "found label null at unit 0"],
    [
      "a layer twice",
      file({
        layers: [
          { name: "a", labels: [] },
          { name: "a", labels: [] },
        ],
      }),
      "found layer a twice",
    ],
  ])("refuses %s", async (_, text, message) => {
    const error = await catchError(() => parsePartition(text, "p.json"));
    expect(error.code).toBe("E_PARTITION_FORMAT");
    expect(error.message).toContain("p.json");
    expect(error.message).toContain(message);
  });
});

describe("fitPartition", () => {
  it("follows the order of the layers and leaves the others out", () => {
    const fitted = fitPartition(partition, [
      { name: "new", units: 2 },
      { name: 'a"b', units: 1 },
      { name: "/1/Gemm", units: 3 },
    ]);
    expect(fitted).toEqual({
      ...partition,
      layers: [{ name: "new", labels: Int32Array.of(-1, -1) }, partition.layers[1], partition.layers[0]],
    });
  });

  it("names what does not fit", async () => {
    const layers = [{ name: "/1/Gemm", units: 4 }];
    const length = await catchError(() =>
      fitPartition({ ...partition, layers: partition.layers.slice(0, 1) }, layers),
    );
    expect(length.code).toBe("E_PARTITION_FIT");
    expect(length.message).toBe("partition: found 3 labels for layer /1/Gemm, expected 4, one per unit");
    const name = await catchError(() =>
      fitPartition({ ...partition, layers: partition.layers.slice(1) }, layers),
    );
    expect(name.message).toBe('partition: found layer a"b, expected layers named /1/Gemm');
  });
});

describe("clustersOfNodes", () => {
  it("labels a unit only in the part that keeps its layer", () => {
    const labels = { a: Int32Array.of(4, 5, 6), b: Int32Array.of(7, 8, 9) };
    const layers = Object.entries(labels).map(([name, values]) => ({ name, labels: values }));
    const clusters = clustersOfNodes({ ...partition, layers }, localGraph());
    expect(Array.from(clusters)).toEqual([4, 6, -1, -1, 7, 8, 9]);
  });
});
