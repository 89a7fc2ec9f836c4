/**
 * Unit graphs from activations: squared Spearman correlation over inputs (method note section 3.6).
 */
import type {
  Compute,
  CorrelationMethod,
  Correlations,
  SymmetricBlock,
  UnitRecorder,
} from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import { isGraphLayer, type Layer, type Network } from "../network/network.ts";
import type { InputSource } from "../network/outcomes.ts";
import { type Recording, recordInto, recordUnits } from "../network/record.ts";
import type { RunOptions } from "../progress.ts";
import { rng } from "../statistics/rng.ts";
import { aliveUnits, joinLists } from "./top-edges.ts";
import type { GraphLayer, GraphPart, UnitGraph } from "./unit-graph.ts";

export interface ActivationGraphOptions extends RunOptions {
  readonly scope?: "global" | "local" | undefined;
  /** Default `spearman`. */
  readonly correlation?: CorrelationMethod | undefined;
  /** Inputs used at the most; a random subset is drawn where there are more. Default 5000. */
  readonly samples?: number | undefined;
  readonly seed?: number | undefined;
  /**
   * Edges that each unit keeps, its strongest; an edge stays where either end keeps it. Default: all edges, which needs
   * memory for units x units.
   */
  readonly topK?: number | undefined;
}

/**
 * The graph of squared rank correlations between hidden units over inputs. Units are read in front of their
 * activation function; a convolution's map counts as the sum of its absolute values. Inputs and logits are no nodes;
 * units that do not vary (dead ones) are left out. Networks with convolutions: only units with positions.
 *
 * Throws `E_GRAPH_EMPTY` for a network without hidden layers, and what `correlateUnits` throws.
 *
 * @example
 * const graph = await buildActivationGraph(network, digits, compute, { scope: "local" });
 */
export async function buildActivationGraph(
  network: Network,
  data: InputSource,
  compute: Compute,
  options: ActivationGraphOptions = {},
): Promise<UnitGraph> {
  const { layers, source } = recordedBy(network, data, options);
  const pieces = piecesOf(layers, options.scope);
  const recorders = pieces.map(({ count }) => compute.recorder(count, source.count));
  try {
    const places = pieces.flatMap(({ first, keeps }, piece) =>
      keeps.map((layer) => ({
        recorder: recorders[piece] as UnitRecorder,
        firstUnit: firstUnitOf(layers, layer) - first,
      })),
    );
    await recordInto(network, layers, source, "preActivation", places, options);
    const facts = { model: network.name };
    return await correlatePieces(layers, pieces, recorders, source.count, compute, facts, options);
  } finally {
    for (const recorder of recorders) recorder.dispose();
  }
}

/**
 * The activations that `buildActivationGraph` correlates with the same options, for graphs of permuted or resampled inputs.
 *
 * @example
 * const recorded = await recordGraphUnits(network, digits, { seed: 0 });
 */
export function recordGraphUnits(
  network: Network,
  data: InputSource,
  options: ActivationGraphOptions = {},
): Promise<Recording> {
  const { layers, source } = recordedBy(network, data, options);
  return recordUnits(network, layers, source, "preActivation", options);
}

/** The layers and the inputs of an activation graph. */
function recordedBy(
  network: Network,
  data: InputSource,
  { samples = 5000, seed = 0 }: ActivationGraphOptions,
): { readonly layers: Layer[]; readonly source: InputSource } {
  const hasConvolutions = network.layers.some(({ operator }) => operator === "Conv");
  const layers = network.layers.filter(
    (layer) => isGraphLayer(network, layer) && (hasConvolutions || !layer.isLogits),
  );
  if (layers.length === 0) {
    throw new BrodmannError(
      "E_GRAPH_EMPTY",
      `${network.name}: found no hidden layer, expected at least one`,
      {
        hint: "Only a network with hidden units has functional areas; `brodmann inspect` lists its layers.",
      },
    );
  }
  return { layers, source: subset(data, samples, seed) };
}

/**
 * The same graph from activations recorded elsewhere: `values` is units x samples, row-major, the units of all
 * layers one after another. It is scratch space: what it holds afterwards is undefined.
 *
 * Throws `E_GRAPH_SAMPLES` for fewer than two samples, `E_GRAPH_DEAD` when fewer than two units vary and `E_GRAPH_SIZE`
 * when all correlations would not fit the memory; `topK` then does.
 */
export async function correlateUnits(
  layers: readonly GraphLayer[],
  values: Float32Array,
  samples: number,
  compute: Compute,
  facts: Readonly<Record<string, unknown>>,
  options: ActivationGraphOptions = {},
): Promise<UnitGraph> {
  const pieces = piecesOf(layers, options.scope);
  const rows = pieces.map(({ first, count }) => values.subarray(first * samples, (first + count) * samples));
  return correlatePieces(layers, pieces, rows, samples, compute, facts, options);
}

/** Units that become one part of the graph: `count` of them from the `first` on, of the layers it keeps. */
interface Piece {
  readonly first: number;
  readonly count: number;
  readonly keeps: readonly number[];
}

function piecesOf(layers: readonly GraphLayer[], scope: "global" | "local" = "global"): Piece[] {
  if (scope === "local") {
    return layers.map(({ units }, layer) => ({
      first: firstUnitOf(layers, layer),
      count: units,
      keeps: [layer],
    }));
  }
  return [{ first: 0, count: firstUnitOf(layers, layers.length), keeps: [...layers.keys()] }];
}

/** Number of a layer's unit 0 among the units of all layers. */
function firstUnitOf(layers: readonly GraphLayer[], layer: number): number {
  return layers.slice(0, layer).reduce((sum, { units }) => sum + units, 0);
}

/** The graph of pieces whose units are recorded in `rows`, one entry for each piece. */
async function correlatePieces(
  layers: readonly GraphLayer[],
  pieces: readonly Piece[],
  rows: readonly (Float32Array | UnitRecorder)[],
  samples: number,
  compute: Compute,
  facts: Readonly<Record<string, unknown>>,
  options: ActivationGraphOptions,
): Promise<UnitGraph> {
  const { scope = "global", correlation = "spearman", topK } = options;
  if (samples < 2) {
    throw new BrodmannError(
      "E_GRAPH_SAMPLES",
      `activation graph: found ${samples} inputs, expected at least 2`,
      {
        hint: "Pass more inputs; 1,000 to 5,000 give stable correlations.",
      },
    );
  }
  const total = layers.reduce((sum, { units }) => sum + units, 0);
  const unitLayer = Int32Array.from(
    layers.flatMap(({ units }, number) => new Array<number>(units).fill(number)),
  );
  const unitNumber = Int32Array.from(
    layers.flatMap(({ units }) => Array.from({ length: units }, (_, i) => i)),
  );
  const nodes: number[] = [];
  const blocks: SymmetricBlock[] = [];
  const parts: GraphPart[] = [];
  let droppedEdges = 0;
  for (const [piece, { first, count, keeps }] of pieces.entries()) {
    const values = rows[piece] as Float32Array | UnitRecorder;
    const nodeStart = nodes.length;
    let isDead: Uint8Array;
    if (topK === undefined) {
      const correlations = await allCorrelations(compute, values, count, samples, correlation, options);
      isDead = correlations.isDead;
      blocks.push(denseBlock(correlations, nodeStart));
    } else {
      const top = await compute.topCorrelations(values, count, samples, correlation, topK, options);
      isDead = top.isDead;
      const { block, dropped } = joinLists(top, nodeStart);
      blocks.push(block);
      droppedEdges += dropped;
    }
    for (let unit = 0; unit < count; unit++) if (!isDead[unit]) nodes.push(first + unit);
    parts.push({ nodeStart, nodeCount: nodes.length - nodeStart, keeps });
  }
  if (nodes.length < 2) {
    throw new BrodmannError(
      "E_GRAPH_DEAD",
      `activation graph: found ${nodes.length} of ${total} units that vary over the inputs, expected at least 2`,
      {
        hint: "Check that the inputs differ and are scaled as the network expects (--mean, --std).",
      },
    );
  }
  return {
    kind: "activations",
    scope,
    layers: layers.map(({ name, units }) => ({ name, units })),
    layer: Int32Array.from(nodes, (node) => unitLayer[node] as number),
    unit: Int32Array.from(nodes, (node) => unitNumber[node] as number),
    matrix: { size: nodes.length, blocks },
    parts,
    facts: {
      ...facts,
      correlation,
      samples,
      deadUnits: total - nodes.length,
      ...(topK === undefined ? {} : { topK, droppedEdges }),
    },
  };
}

/** A random subset of at most `size` inputs, in their own order. */
function subset(data: InputSource, size: number, seed: number): InputSource {
  if (data.count <= size) return data;
  const order = Int32Array.from({ length: data.count }, (_, input) => input);
  const chosen = rng(seed, "activation graph inputs").shuffle(order).slice(0, size).sort();
  return {
    count: size,
    batch(start, count) {
      const rows = Array.from(chosen.subarray(start, start + count), (input) => data.batch(input, 1));
      const width = rows[0]?.length ?? 0;
      const values = new Float32Array(count * width);
      rows.forEach((row, i) => {
        values.set(row, i * width);
      });
      return values;
    },
  };
}

/** Squared correlations of the units that vary, as the block of nodes from `start` on. */
function denseBlock({ units, values, isDead }: Correlations, start: number): SymmetricBlock {
  const alive = aliveUnits(isDead);
  if (alive.length === units) return { shape: "within", start, count: units, values };
  const kept = new Float32Array(alive.length ** 2);
  let cell = 0;
  for (const row of alive) {
    for (const column of alive) kept[cell++] = values[row * units + column] as number;
  }
  return { shape: "within", start, count: alive.length, values: kept };
}

/** All squared correlations; throws `E_GRAPH_SIZE` when they take more than the memory that is free. */
async function allCorrelations(
  compute: Compute,
  rows: Float32Array | UnitRecorder,
  units: number,
  samples: number,
  correlation: CorrelationMethod,
  options: RunOptions,
): Promise<Correlations> {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const needed = 4 * units * units;
  const refuse = (expected: string, cause?: unknown) =>
    new BrodmannError(
      "E_GRAPH_SIZE",
      `activation graph: found ${units} units, whose correlations take ${gigabytes(needed)}, expected ${expected}`,
      { hint: "Keep the strongest edges of each unit only: --top-k 32 (option topK).", cause },
    );
  // A browser does not tell how much there is.
  const available = globalThis.process?.availableMemory?.() ?? Number.POSITIVE_INFINITY;
  if (needed > available) throw refuse(`at most the ${gigabytes(available)} of memory that are free`);
  try {
    return await compute.correlations(rows, units, samples, correlation, options);
  } catch (cause) {
    // What the engine throws for an array that it cannot make.
    if (cause instanceof RangeError) throw refuse("what one array can hold", cause);
    throw cause;
  }
}
