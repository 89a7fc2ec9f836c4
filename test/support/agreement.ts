/** What the contract says of graphs and partitions from different devices. */
import { expect } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { partitionGraph } from "../../src/partition/partition-graph.ts";

/** Of weights the largest relative error, of squared correlations the largest absolute one. */
const TOLERANCE = { weights: 1e-5, activations: 2e-4 } as const;
/** Largest relative difference of n-cuts and of modularities. */
const QUALITY_TOLERANCE = 0.01;

/** The same units, and every entry within the tolerance of the graph's kind. */
export function expectSameWeights(found: UnitGraph, expected: UnitGraph): void {
  expect(found.kind).toBe(expected.kind);
  expect(found.layer).toEqual(expected.layer);
  expect(found.unit).toEqual(expected.unit);
  expect(found.matrix.blocks.length).toBe(expected.matrix.blocks.length);
  let largest = 0;
  for (const [number, block] of found.matrix.blocks.entries()) {
    const twin = expected.matrix.blocks[number];
    if (block.shape === "sparse" || twin === undefined || twin.shape === "sparse") {
      expect(block).toEqual(twin);
      continue;
    }
    expect({ ...block, values: null }).toEqual({ ...twin, values: null });
    for (let at = 0; at < twin.values.length; at++) {
      const [got, want] = [block.values[at] as number, twin.values[at] as number];
      const difference = Math.abs(got - want);
      // Written so that NaN fails.
      if (difference === 0) continue;
      const error = found.kind === "weights" ? difference / want : difference;
      largest = error <= largest ? largest : error;
    }
  }
  expect(largest).toBeLessThan(TOLERANCE[found.kind]);
}

/** Spectral partitions of the graph of each device by that device: n-cut and modularity within 1 %. */
export async function expectSameQuality(
  cpu: Compute,
  webgpu: Compute,
  graph: UnitGraph,
  gpuGraph: UnitGraph,
  k: number,
): Promise<void> {
  const settings = { method: "spectral", k, seed: 0 } as const;
  const expected = (await partitionGraph(cpu, graph, settings)).quality;
  const found = (await partitionGraph(webgpu, gpuGraph, settings)).quality;
  for (const measure of ["ncut", "modularity"] as const) {
    const [want, got] = [expected?.[measure] as number, found?.[measure] as number];
    const difference = Math.abs(got / want - 1);
    expect(difference, `${measure}: found ${got}, expected ${want}`).toBeLessThan(QUALITY_TOLERANCE);
  }
}
