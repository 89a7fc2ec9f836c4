/**
 * Graphs without the structure that a partition claims to have found (method note 4.2; measures note P1): the same weights
 * in other places, or activations that no longer belong to the same inputs.
 */
import type { SymmetricBlock } from "../compute/compute.ts";
import { sliceMatrix } from "../compute/submatrix.ts";
import type { ActivationGraphOptions } from "../graph/activation-graph.ts";
import { toCsr } from "../graph/csr.ts";
import { entriesToCsr } from "../graph/csr-entries.ts";
import type { GraphLayer, GraphPart, UnitGraph } from "../graph/unit-graph.ts";
import type { RunOptions } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";

/** Below this share of cells with a weight, cells are drawn; from it on the whole table is shuffled. */
const SPARSE = 0.25;

/** Makes graphs of activations, as an `Engine` does; `values` is scratch space. */
export interface Correlator {
  correlate(
    layers: readonly GraphLayer[],
    values: Float32Array,
    samples: number,
    facts: Readonly<Record<string, unknown>>,
    options?: ActivationGraphOptions,
  ): Promise<UnitGraph>;
}

/** Recorded activations of a graph's units, units x samples, the units of all layers one after another. */
export interface RecordedUnits {
  readonly values: Float32Array;
  readonly samples: number;
}

/**
 * The graph with its weights in other places. Weight graphs: all entries between two layers change places, zeros
 * included, isolated units left out. Activation graphs: the edges of each part among each other.
 *
 * @example
 * const chance = shuffleWeights(graph, rng(0, "null graph", draw));
 */
export function shuffleWeights(graph: UnitGraph, random: Rng): UnitGraph {
  const blocks = graph.parts.map((part) => shufflePart(graph, part, random));
  return { ...graph, matrix: { size: graph.matrix.size, blocks } };
}

interface Entries {
  readonly row: number[];
  readonly column: number[];
  readonly weight: number[];
}

function shufflePart(graph: UnitGraph, part: GraphPart, random: Rng): SymmetricBlock {
  const { nodeStart, nodeCount } = part;
  const csr = toCsr(sliceMatrix(graph.matrix, nodeStart, nodeCount));
  const groupOf = (node: number) =>
    graph.kind === "weights" ? (graph.layer[nodeStart + node] as number) : 0;
  const members = new Map<number, number[]>();
  const weights = new Map<string, { a: number; b: number; weight: number[] }>();
  for (let node = 0; node < nodeCount; node++) {
    const first = csr.rowStart[node] as number;
    const end = csr.rowStart[node + 1] as number;
    if (first === end) continue;
    const group = groupOf(node);
    const known = members.get(group);
    if (known) known.push(node);
    else members.set(group, [node]);
    for (let at = first; at < end; at++) {
      const other = csr.column[at] as number;
      if (other < node) continue;
      const [a, b] = [group, groupOf(other)].sort((x, y) => x - y) as [number, number];
      const key = `${a} ${b}`;
      const entry = weights.get(key) ?? { a, b, weight: [] };
      weights.set(key, entry);
      entry.weight.push(csr.weight[at] as number);
    }
  }
  const entries: Entries = { row: [], column: [], weight: [] };
  for (const { a, b, weight } of weights.values()) {
    place(members.get(a) ?? [], members.get(b) ?? [], a === b, weight, random, entries);
  }
  const { rowStart, column, weight } = entriesToCsr(
    nodeCount,
    entries.row,
    entries.column,
    entries.weight,
    "null graph",
  );
  return { shape: "sparse", start: nodeStart, count: nodeCount, rowStart, column, weight };
}

/** Adds the weights at random cells of rows x columns, or of the upper triangle, both directions of each. */
function place(
  rows: readonly number[],
  columns: readonly number[],
  isTriangle: boolean,
  weight: readonly number[],
  random: Rng,
  entries: Entries,
): void {
  const cells = isTriangle ? (rows.length * (rows.length - 1)) / 2 : rows.length * columns.length;
  const put = (cell: number, value: number): void => {
    const [i, j] = isTriangle ? pairOf(cell) : [Math.floor(cell / columns.length), cell % columns.length];
    const [from, to] = [rows[i] as number, columns[j] as number];
    entries.row.push(from, to);
    entries.column.push(to, from);
    entries.weight.push(value, value);
  };
  if (weight.length >= SPARSE * cells) {
    const table = new Float32Array(cells);
    table.set(weight);
    random.shuffle(table).forEach((value, cell) => {
      if (value > 0) put(cell, value);
    });
    return;
  }
  const taken = new Set<number>();
  for (const value of weight) {
    let cell = random.integer(cells);
    while (taken.has(cell)) cell = random.integer(cells);
    taken.add(cell);
    put(cell, value);
  }
}

/** The pair i > j >= 0 with number i (i - 1) / 2 + j. */
function pairOf(cell: number): [number, number] {
  let i = Math.floor((1 + Math.sqrt(1 + 8 * cell)) / 2);
  // The root may be off by its last bit.
  while ((i * (i - 1)) / 2 > cell) i--;
  while ((i * (i + 1)) / 2 <= cell) i++;
  return [i, cell - (i * (i - 1)) / 2];
}

/** The activation graph of the same values, with every unit's values dealt anew to the inputs. */
export function permuteInputs(
  engine: Correlator,
  graph: UnitGraph,
  recorded: RecordedUnits,
  random: Rng,
  options: RunOptions = {},
): Promise<UnitGraph> {
  const { values, samples } = recorded;
  const permuted = values.slice();
  for (let first = 0; first < permuted.length; first += samples) {
    random.shuffle(permuted.subarray(first, first + samples));
  }
  return correlateAgain(engine, graph, permuted, samples, options);
}

/** The activation graph of as many inputs, drawn from the recorded ones with replacement (bootstrap). */
export function resampleInputs(
  engine: Correlator,
  graph: UnitGraph,
  recorded: RecordedUnits,
  random: Rng,
  options: RunOptions = {},
): Promise<UnitGraph> {
  const { values, samples } = recorded;
  const drawn = Int32Array.from({ length: samples }, () => random.integer(samples));
  const resampled = new Float32Array(values.length);
  for (let first = 0; first < values.length; first += samples) {
    for (let at = 0; at < samples; at++) {
      resampled[first + at] = values[first + (drawn[at] as number)] as number;
    }
  }
  return correlateAgain(engine, graph, resampled, samples, options);
}

function correlateAgain(
  engine: Correlator,
  graph: UnitGraph,
  values: Float32Array,
  samples: number,
  { signal }: RunOptions,
): Promise<UnitGraph> {
  const { layers, scope, facts } = graph;
  const correlation = facts.correlation === "pearson" ? "pearson" : "spearman";
  const topK = typeof facts.topK === "number" ? facts.topK : undefined;
  return engine.correlate(layers, values, samples, facts, { scope, correlation, topK, signal });
}
