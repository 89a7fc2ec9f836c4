/**
 * Unit graphs from weights (Hod et al. 2022, arXiv 2110.08058; method note sections 3.1 to 3.5).
 */
import type { Compute, SymmetricBlock } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import { isGraphLayer, kernelOf, type Layer, type Network } from "../network/network.ts";
import { type FlowConnection, INPUT_LAYER } from "../network/unit-flow.ts";
import { type LayerEdges, localParts } from "./local-parts.ts";
import type { GraphLayer, UnitGraph } from "./unit-graph.ts";

export interface WeightGraphOptions {
  readonly scope?: "global" | "local" | undefined;
  /** Entrywise norm of a kernel slice; default `l1`. */
  readonly norm?: "l1" | "l2" | undefined;
}

/**
 * The graph of a network's weights: |w| between dense units, the norm of the kernel slice between channels, times
 * |gamma| / sqrt(var + eps) of batch norms at their place. A dense network's inputs and logits are nodes; in a
 * network with convolutions the nodes are their channels and other units with positions (tokens). Blocks stay dense, one per pair of connected layers.
 *
 * Throws `E_GRAPH_EMPTY` when no two layers are connected.
 *
 * @example
 * const graph = await buildWeightGraph(network, compute, { scope: "global" });
 */
export async function buildWeightGraph(
  network: Network,
  compute: Compute,
  options: WeightGraphOptions = {},
): Promise<UnitGraph> {
  const { scope = "global", norm = "l1" } = options;
  const nodes = nodeLayers(network);
  const numberOf = new Map(nodes.map(({ source }, number) => [source, number]));
  const edges = new Map<string, LayerEdges>();
  for (const [source, layer] of network.layers.entries()) {
    const incoming = network.connections.filter(({ target }) => target === source);
    const to = numberOf.get(source);
    const wanted = incoming.filter((connection) => numberOf.has(connection.source));
    if (to === undefined || wanted.length === 0) continue;
    const norms = await compute.kernelNorms(kernelOf(network, layer), norm);
    for (const connection of wanted) {
      const from = numberOf.get(connection.source) as number;
      const fromUnits = nodes[from]?.units ?? 0;
      const known = edges.get(`${from} ${to}`)?.values;
      const values = known ?? new Float32Array(fromUnits * layer.units);
      addEdges(values, norms, layer, connection, norm);
      edges.set(`${from} ${to}`, { from, to, values });
    }
  }
  if (edges.size === 0) {
    const reasons = network.skipped.map(({ node, reason }) => `${node}: ${reason}`).join("; ");
    throw new BrodmannError(
      "E_GRAPH_EMPTY",
      `${network.name}: found no connection between layers${reasons ? ` (${reasons})` : ""}`,
      {
        hint: "Try --graph activations, which needs no connections; `brodmann inspect` lists what was skipped.",
      },
    );
  }
  const layers = nodes.map(({ name, units }): GraphLayer => ({ name, units }));
  return assemble(layers, [...edges.values()], scope, { model: network.name, norm });
}

/** Layers that are nodes: inputs, hidden units and logits of dense networks, else all layers with positions. */
function nodeLayers(network: Network): { source: number; name: string; units: number }[] {
  const hasConvolutions = network.layers.some(({ operator }) => operator === "Conv");
  const layers = network.layers.flatMap((layer, source) =>
    isGraphLayer(network, layer) ? [{ source, name: layer.name, units: layer.units }] : [],
  );
  const readsInput = network.connections.some(({ source }) => source === INPUT_LAYER);
  if (hasConvolutions || !readsInput) return layers;
  const units = network.inputShape.reduce((total, size) => total * size, 1);
  return [{ source: INPUT_LAYER, name: network.probe.input, units }, ...layers];
}

/**
 * Adds one connection's edges to the block. L2 norms of several kernel slices between the same two units (a channel
 * that is flattened into many features) add as squares, L1 norms as they are.
 */
function addEdges(
  values: Float32Array,
  norms: Float32Array,
  layer: Layer,
  connection: FlowConnection,
  norm: "l1" | "l2",
): void {
  const { inputs, groups } = layer.weights.kernel;
  const outputs = layer.units;
  const outputsPerGroup = outputs / groups;
  const { incomingScale } = layer.weights;
  for (let output = 0; output < outputs; output++) {
    const firstInput = Math.floor(output / outputsPerGroup) * inputs;
    const factor = incomingScale?.[output] ?? 1;
    for (let input = 0; input < inputs; input++) {
      const unit = connection.index[firstInput + input] as number;
      if (unit < 0) continue;
      const scale = connection.scale?.[firstInput + input] ?? 1;
      const edge = (norms[output * inputs + input] as number) * scale * factor;
      const cell = unit * outputs + output;
      const sum = values[cell] as number;
      values[cell] = norm === "l2" ? Math.hypot(sum, edge) : sum + edge;
    }
  }
}

/** Lays the layers' nodes out and places the blocks; a local graph repeats nodes and shares the blocks' values. */
function assemble(
  layers: readonly GraphLayer[],
  edges: readonly LayerEdges[],
  scope: "global" | "local",
  facts: Record<string, unknown>,
): UnitGraph {
  const pieces =
    scope === "global"
      ? [{ layers: layers.map((_, number) => number), edges, keeps: layers.map((_, number) => number) }]
      : localParts(layers.length, edges);
  const blocks: SymmetricBlock[] = [];
  const layer: number[] = [];
  const unit: number[] = [];
  const parts = pieces.map((piece) => {
    const nodeStart = layer.length;
    const startOf = new Map<number, number>();
    for (const number of piece.layers) {
      startOf.set(number, layer.length);
      for (let i = 0; i < (layers[number]?.units ?? 0); i++) {
        layer.push(number);
        unit.push(i);
      }
    }
    for (const { from, to, values } of piece.edges) {
      blocks.push({
        shape: "between",
        rowStart: startOf.get(from) ?? 0,
        rowCount: layers[from]?.units ?? 0,
        columnStart: startOf.get(to) ?? 0,
        columnCount: layers[to]?.units ?? 0,
        values,
      });
    }
    return { nodeStart, nodeCount: layer.length - nodeStart, keeps: piece.keeps };
  });
  return {
    kind: "weights",
    scope,
    layers,
    layer: Int32Array.from(layer),
    unit: Int32Array.from(unit),
    matrix: { size: layer.length, blocks },
    parts,
    facts,
  };
}
