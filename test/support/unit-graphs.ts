import type { SymmetricMatrix } from "../../src/compute/compute.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import type { Partition } from "../../src/partition/partition.ts";

/** A graph of one layer per entry of `dims`, in one part. */
export function globalGraph(
  matrix: SymmetricMatrix,
  dims: readonly number[] = [matrix.size],
  kind: UnitGraph["kind"] = "weights",
): UnitGraph {
  return {
    kind,
    scope: "global",
    layers: dims.map((units, i) => ({ name: `layer${i}`, units })),
    layer: Int32Array.from(dims.flatMap((units, i) => new Array<number>(units).fill(i))),
    unit: Int32Array.from(dims.flatMap((units) => Array.from({ length: units }, (_, i) => i))),
    matrix,
    parts: [{ nodeStart: 0, nodeCount: matrix.size, keeps: dims.map((_, i) => i) }],
    facts: {},
  };
}

/** A partition of layers named layer0, layer1, ... */
export function partitionOf(...layers: readonly (readonly number[])[]): Partition {
  return {
    layers: layers.map((labels, i) => ({ name: `layer${i}`, labels: Int32Array.from(labels) })),
    clusters: Math.max(-1, ...layers.flat()) + 1,
    method: { name: "external" },
    quality: null,
  };
}
