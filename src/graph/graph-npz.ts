/**
 * `graph.npz`: the arrays of `scipy.sparse.save_npz` in CSR, with `layer`, `unit` and `meta` beside them.
 * Source: contract.md "Files"; `scipy.sparse._matrix_io`.
 */
import { type NpyArray, npyText } from "../data/npy.ts";
import { formatNpz, type Npz, openNpz } from "../data/npz.ts";
import { BrodmannError } from "../errors.ts";
import { type Csr, toCsr } from "./csr.ts";
import { entriesToCsr, rowsToCsr } from "./csr-entries.ts";
import { assembleGraph, failGraph, foreignMeta, formatMeta, parseMeta } from "./graph-meta.ts";
import type { UnitGraph } from "./unit-graph.ts";

/**
 * The bytes of `graph.npz`, in pieces. Equal graphs give equal bytes. `csr` saves making it again where it is at hand.
 *
 * @example
 * for (const piece of formatGraphNpz(graph)) await file.write(piece);
 */
export function* formatGraphNpz(graph: UnitGraph, csr: Csr = toCsr(graph.matrix)): Generator<Uint8Array> {
  const size = BigInt(graph.matrix.size);
  const meta = new TextEncoder().encode(formatMeta(graph));
  yield* formatNpz({
    indices: { shape: [csr.column.length], dtype: "int32", values: csr.column },
    indptr: { shape: [csr.rowStart.length], dtype: "int32", values: csr.rowStart },
    format: { shape: [3], dtype: "bytes", values: new TextEncoder().encode("csr") },
    shape: { shape: [2], dtype: "int64", values: BigInt64Array.of(size, size) },
    data: { shape: [csr.weight.length], dtype: "float32", values: csr.weight },
    layer: { shape: [graph.layer.length], dtype: "int32", values: graph.layer },
    unit: { shape: [graph.unit.length], dtype: "int32", values: graph.unit },
    meta: { shape: [meta.length], dtype: "uint8", values: meta },
  });
}

/**
 * Reads `graph.npz`, or any CSR, CSC or COO file of `scipy.sparse.save_npz` that holds a symmetric matrix of
 * weights from 0 without a diagonal; such a file becomes one layer named `graph`.
 * Throws `E_GRAPH_...` naming what a unit graph cannot hold, `E_INPUT_...` for a damaged file.
 */
export function parseGraphNpz(bytes: Uint8Array, where: string): UnitGraph {
  const npz = openNpz(bytes, where);
  const size = readSize(npz, where);
  const csr = readMatrix(npz, size, where);
  if (!npz.names.includes("meta")) {
    const meta = foreignMeta([{ name: "graph", units: size }], size, "scipy");
    return assembleGraph(
      meta,
      new Int32Array(size),
      Int32Array.from({ length: size }, (_, at) => at),
      csr,
      where,
    );
  }
  const meta = npz.read("meta");
  if (!(meta.values instanceof Uint8Array)) return failGraph(`${where}[meta]`, meta.dtype, "uint8");
  const nodes = (name: string): Int32Array => {
    const array = npz.read(name);
    if (array.values instanceof Int32Array && array.values.length === size) return array.values;
    return failGraph(
      `${where}[${name}]`,
      `${array.dtype} of shape (${array.shape.join(", ")})`,
      `int32 of shape (${size})`,
    );
  };
  const facts = parseMeta(new TextDecoder().decode(meta.values), size, where);
  return assembleGraph(facts, nodes("layer"), nodes("unit"), csr, where);
}

function readSize(npz: Npz, where: string): number {
  if (!npz.names.includes("format") || !npz.names.includes("shape")) {
    throw new BrodmannError(
      "E_GRAPH_FORMAT",
      `${where}: found arrays ${npz.names.join(", ") || "(none)"}, expected those of scipy.sparse.save_npz`,
      { hint: "Write the matrix with scipy.sparse.save_npz(path, A)." },
    );
  }
  const shape = Array.from(npz.read("shape").values, Number);
  const [rows, columns] = shape;
  if (shape.length === 2 && rows !== undefined && rows === columns && rows >= 0 && rows < 0x7fffffff)
    return rows;
  return failGraph(where, `a matrix of shape (${shape.join(", ")})`, "a square one, units x units");
}

function readMatrix(npz: Npz, size: number, where: string): Csr {
  const format = npyText(npz.read("format"))?.[0];
  const numbers = (name: string): Exclude<NpyArray["values"], BigInt64Array | BigUint64Array> => {
    const { values } = npz.read(name);
    // float64 holds every index of an array that fits in memory.
    return values instanceof BigInt64Array || values instanceof BigUint64Array
      ? Float64Array.from(values, Number)
      : values;
  };
  // A symmetric matrix has the same rows and columns, so compressed columns are read as rows.
  if (format === "csr" || format === "csc") {
    return rowsToCsr(size, numbers("indptr"), numbers("indices"), numbers("data"), where);
  }
  if (format === "coo") return entriesToCsr(size, numbers("row"), numbers("col"), numbers("data"), where);
  return failGraph(where, `sparse format ${format}`, "csr, csc or coo");
}
