/** The matrices of the benches: dense, between layers, sparse, from small to large. */
import type { SymmetricMatrix } from "../src/compute/compute.ts";
import { denseMatrix, layeredMatrix, sparseMatrix } from "./inputs.ts";
import type { Problem } from "./kernel-bench.ts";

export interface MatrixSize {
  readonly size: string;
  readonly ladder: Problem["ladder"];
  readonly nodes: number;
  /** Weights stored, and multiplications with one vector. */
  readonly entries: number;
  readonly products: number;
  /** Bytes of a weight, with its column number where it has one. */
  readonly entryBytes: 4 | 8;
  make(): SymmetricMatrix;
}

function dense(nodes: number, ladder: Problem["ladder"]): MatrixSize {
  const entries = nodes * nodes;
  return {
    size: `dense ${nodes}`,
    ladder,
    nodes,
    entries,
    products: entries,
    entryBytes: 4,
    make: () => denseMatrix(nodes),
  };
}

function layered(units: number, layers: number, ladder: Problem["ladder"]): MatrixSize {
  const entries = units * units * (layers - 1);
  return {
    size: `between ${units} x ${layers} layers`,
    ladder,
    nodes: units * layers,
    entries,
    products: 2 * entries,
    entryBytes: 4,
    make: () => layeredMatrix(units, layers),
  };
}

function sparse(nodes: number, reach: number, ladder: Problem["ladder"]): MatrixSize {
  const entries = nodes * 2 * reach;
  return {
    size: `sparse ${nodes} x ${2 * reach}`,
    ladder,
    nodes,
    entries,
    products: entries,
    entryBytes: 8,
    make: () => sparseMatrix(nodes, reach),
  };
}

export const MATRICES: readonly MatrixSize[] = [
  dense(256, "small"),
  dense(2048, "small"),
  layered(1024, 3, "small"),
  sparse(16384, 16, "small"),
  dense(8192, "full"),
  dense(16384, "full"),
  layered(4096, 4, "full"),
  sparse(100_000, 32, "full"),
];
