import type { SymmetricMatrix } from "../compute/compute.ts";

/** A layer as graphs and partitions know it: its name and its number of units. */
export interface GraphLayer {
  readonly name: string;
  readonly units: number;
}

/**
 * One separately clustered piece of a graph: the whole graph (scope `global`), or the graph around one layer
 * (scope `local`), whose clustering gives labels to `keeps` only.
 */
export interface GraphPart {
  readonly nodeStart: number;
  readonly nodeCount: number;
  /** Layers (numbers in `UnitGraph.layers`) that take their labels from this part. */
  readonly keeps: readonly number[];
}

/**
 * A unit graph: nodes are units, edges undirected with weights >= 0, no self-loops. The matrix stays in the
 * blocks it was made of (dense between layers, dense, or CSR); files hold CSR.
 * In a local weight graph one unit is a node of several parts.
 */
export interface UnitGraph {
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly layers: readonly GraphLayer[];
  /** Layer number of every node. */
  readonly layer: Int32Array;
  /** Number of the unit in its layer, for every node. */
  readonly unit: Int32Array;
  readonly matrix: SymmetricMatrix;
  /** Disjoint node ranges; blocks never cross from one part to another. */
  readonly parts: readonly GraphPart[];
  /** Further facts written into the file's `meta` (norm, samples, model name, ...). */
  readonly facts: Readonly<Record<string, unknown>>;
}
