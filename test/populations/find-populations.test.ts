import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import { membersOf, partitionLayers } from "../../src/populations/find-populations.ts";
import {
  compareProfiles,
  correlateRows,
  likestPairs,
  similarityGraph,
} from "../../src/populations/unit-similarity.ts";
import { rng } from "../../src/statistics/rng.ts";
import { spearman } from "../../src/statistics/spearman.ts";
import { expectRefusal } from "../support/models.ts";

let engine: Engine;
beforeAll(async () => {
  engine = localEngine(await createCpuCompute());
});
afterAll(() => engine.dispose());

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
const centred = (a: readonly number[]) =>
  a.map(
    (x) =>
      x -
      dot(
        a,
        a.map(() => 1),
      ) /
        a.length,
  );
const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

describe("likeness of units", () => {
  const random = rng(2, "rows");
  const rows = Array.from({ length: 4 }, () =>
    Array.from({ length: 30 }, () => Math.round(3 * random.normal())),
  );
  const flat = [...rows.flat(), ...new Array<number>(30).fill(2)];
  const recorded = { units: 5, inputs: 30, values: Float32Array.from(flat) };

  it.each([
    ["pearson", (a: number[], b: number[]) => cosine(centred(a), centred(b))],
    ["spearman", (a: number[], b: number[]) => spearman(a, b)],
  ] as const)(
    "is %s's correlation, signed, and none of what does not vary or is left out",
    async (method, by) => {
      const isLeftOut = Uint8Array.of(0, 0, 0, 1, 0);
      const { values, isNode } = await correlateRows(recorded, isLeftOut, method);
      expect(Array.from(isNode)).toEqual([1, 1, 1, 0, 0]);
      for (let u = 0; u < 5; u++) {
        for (let v = 0; v < 5; v++) {
          const expected = u === v || u > 2 || v > 2 ? 0 : by(rows[u] as number[], rows[v] as number[]);
          expect(values[u * 5 + v]).toBeCloseTo(expected, 5);
        }
      }
      expect(Array.from(recorded.values)).toEqual(flat);
    },
  );

  it("of profiles is their cosine, however small they are", async () => {
    const profiles = Float64Array.of(3, 4, 0, 3e-200, 4e-200, 0, 0, 0, 0, -4, 3, 0, Number.NaN, 1, 1);
    const { values, isNode } = await compareProfiles(profiles, 5);
    expect(Array.from(isNode)).toEqual([1, 1, 0, 1, 0]);
    expect(values[1]).toBeCloseTo(1, 6);
    expect(values[3]).toBeCloseTo(0, 6);
  });

  it("lists the likest pairs first, whatever their sign", async () => {
    const similarity = { units: 3, isNode: new Uint8Array(3).fill(1), values: new Float32Array(9) };
    for (const [u, v, value] of [
      [0, 1, 0.5],
      [0, 2, -0.9],
      [1, 2, 0],
    ] as const) {
      similarity.values[3 * u + v] = value;
      similarity.values[3 * v + u] = value;
    }
    expect(likestPairs(similarity, 5)).toEqual([
      [0, 2],
      [0, 1],
    ]);
    expect(likestPairs(similarity, 1)).toEqual([[0, 2]]);
  });
});

describe("populations of layers", () => {
  it("of two heaps are the two, and layers without likeness have none", async () => {
    const blocks = { units: 6, isNode: new Uint8Array(6).fill(1), values: new Float32Array(36) };
    for (let u = 0; u < 6; u++)
      for (let v = 0; v < 6; v++) if (u !== v) blocks.values[6 * u + v] = u % 2 === v % 2 ? 0.8 : -0.1;
    const none = { units: 4, isNode: new Uint8Array(4), values: new Float32Array(16) };
    const layers = [
      { name: "none", units: 4 },
      { name: "heaps", units: 6 },
      { name: "apart", units: 4 },
    ];
    const apart = { ...none, isNode: new Uint8Array(4).fill(1) };
    const graph = similarityGraph(layers, [none, blocks, apart], "positive", {});
    for (const settings of [
      { method: "leiden" as const },
      { method: "louvain" as const },
      { method: "spectral" as const },
      { method: "spectral" as const, k: 2 },
    ]) {
      const { layers: found, clusters } = await partitionLayers(engine, graph, settings);
      expect(clusters).toBe(2);
      expect(Array.from(found[0]?.labels ?? [])).toEqual([-1, -1, -1, -1]);
      expect(Array.from(found[2]?.labels ?? [])).toEqual([-1, -1, -1, -1]);
      expect([...membersOf(found[1]?.labels ?? new Int32Array()).values()]).toEqual([
        [0, 2, 4],
        [1, 3, 5],
      ]);
    }
    await expectRefusal(
      () =>
        engine.partition(similarityGraph(layers.slice(0, 1), [none], "absolute", {}), { method: "leiden" }),
      "E_GRAPH_EMPTY",
    );
  });

  it("have edges of the kind that was asked for", () => {
    const pair = { units: 2, isNode: Uint8Array.of(1, 1), values: Float32Array.of(0, -0.5, -0.5, 0) };
    const edge = (edges: "absolute" | "square" | "positive") => {
      const [block] = similarityGraph([{ name: "a", units: 2 }], [pair], edges, {}).matrix.blocks;
      return block?.shape === "within" ? block.values[1] : undefined;
    };
    expect([edge("absolute"), edge("square"), edge("positive")]).toEqual([0.5, 0.25, 0]);
  });
});
