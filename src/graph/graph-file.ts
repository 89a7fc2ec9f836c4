/** Graph files: .npz, .gexf and .graphml. */
import { open } from "node:fs/promises";
import { extname } from "node:path";
import { readBytes } from "../data/read-bytes.ts";
import { isZip } from "../data/zip.ts";
import { BrodmannError, messageOf } from "../errors.ts";
import { toCsr } from "./csr.ts";
import { formatGexf, type GraphTextOptions, parseGexf } from "./graph-gexf.ts";
import { formatGraphml, parseGraphml } from "./graph-graphml.ts";
import { failGraph } from "./graph-meta.ts";
import { formatGraphNpz, parseGraphNpz } from "./graph-npz.ts";
import type { UnitGraph } from "./unit-graph.ts";

/** Longest text that the engine can hold, in bytes of ASCII. */
const MAX_TEXT_BYTES = 0x1fffffe8;

/** What was written: undirected edges, and how many were left out because of `maxEdges`. */
export interface WrittenGraph {
  readonly edges: number;
  readonly droppedEdges: number;
}

/**
 * Writes a graph in the format that the extension of `path` names. `clusters` colours GEXF and is an attribute in
 * GEXF and GraphML; `maxEdges` (default 200,000 for GEXF, all for GraphML) keeps the heaviest. graph.npz has it all.
 * Throws `E_USAGE_GRAPH_FORMAT` for other extensions and `E_OUTPUT_FILE` when the file cannot be written.
 *
 * @example
 * const { droppedEdges } = await writeGraph("graph.gexf", graph);
 */
export async function writeGraph(
  path: string,
  graph: UnitGraph,
  options: GraphTextOptions = {},
): Promise<WrittenGraph> {
  assertGraphPath(path);
  const csr = options.csr ?? toCsr(graph.matrix);
  switch (extname(path).toLowerCase()) {
    case ".gexf": {
      const { text, ...written } = formatGexf(graph, { ...options, csr });
      await writePieces(path, [text]);
      return written;
    }
    case ".graphml": {
      const { pieces, ...written } = formatGraphml(graph, { ...options, csr });
      await writePieces(path, pieces);
      return written;
    }
    default:
      await writePieces(path, formatGraphNpz(graph, csr));
      return { edges: csr.weight.length / 2, droppedEdges: 0 };
  }
}

/** Throws `E_USAGE_GRAPH_FORMAT` when `writeGraph` has no format for the path; to be called before long work. */
export function assertGraphPath(path: string): void {
  const extension = extname(path).toLowerCase();
  if ([".npz", ".gexf", ".graphml"].includes(extension)) return;
  throw new BrodmannError(
    "E_USAGE_GRAPH_FORMAT",
    `${path}: found extension ${extension || "(none)"}, expected .npz, .gexf or .graphml`,
    { hint: "Write --out graph.npz." },
  );
}

/**
 * Reads a graph from any of the three formats, told by its content.
 * Throws `E_INPUT_...` for a damaged file and `E_GRAPH_...` for what a unit graph cannot hold.
 *
 * @example
 * const graph = await readGraph("graph.npz");
 */
export async function readGraph(path: string): Promise<UnitGraph> {
  const bytes = await readBytes(path);
  if (isZip(bytes)) return parseGraphNpz(bytes, path);
  const start = new TextDecoder().decode(bytes.subarray(0, 4096));
  const root = /<(?:\w+:)?(gexf|graphml)[\s>]/.exec(start)?.[1];
  if (root === undefined) return failGraph(path, "no graph file", ".npz, .gexf or .graphml");
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new BrodmannError(
      "E_GRAPH_SIZE",
      `${path}: found ${bytes.length} bytes of text, expected below 512 MiB`,
      {
        hint: "Pass the graph as .npz.",
      },
    );
  }
  const text = new TextDecoder().decode(bytes);
  return root === "gexf" ? parseGexf(text, path) : parseGraphml(text, path);
}

async function writePieces(path: string, pieces: Iterable<string | Uint8Array>): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      // `writeFile` on an open file goes on where it is, and writes all of a piece.
      for (const piece of pieces) await file.writeFile(piece);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof BrodmannError) throw error;
    throw new BrodmannError("E_OUTPUT_FILE", `${path}: cannot be written (${messageOf(error)})`, {
      hint: "Choose a place that exists and that you may write to.",
      cause: error,
    });
  }
}
