/**
 * Lesions at one reader: what a single layer reads of another one's units is silenced, while all other readers see
 * the units as they are. It acts on the reader's input channels, as if the kernel's slices that read the units were
 * zero: in a residual network whatever else was added to those channels is silenced with them.
 */
import { BrodmannError } from "../errors.ts";
import { makeNode, type NodeProto } from "../runtime/onnx.ts";
import { graphOf } from "./load-model.ts";
import { indexModel } from "./model-graph.ts";
import { type Layer, layerNamed, type Network } from "./network.ts";
import type { PositionMap } from "./position-map.ts";

/** Value that the reader reads in place of its input. */
const READ = "brodmann/read";

/**
 * The network with a value of its own for what `consumer` reads, and the layer with its output there.
 * Throws `E_NETWORK_LAYER` for unknown names and `E_NETWORK_CONSUMER` where the layer is not read by that one.
 */
export function atConsumer(
  network: Network,
  layer: Layer,
  consumer: string,
): { readonly network: Network; readonly layer: Layer } {
  const reader = layerNamed(network, consumer);
  const index = unitsRead(network, layer, reader);
  const { graph, probe } = network;
  const node = graph.nodes[reader.weights.node];
  if (index === null || node === undefined) {
    const known = network.layers.filter((other) => unitsRead(network, layer, other) !== null);
    throw new BrodmannError("E_NETWORK_CONSUMER", `${layer.name}: found no connection to ${consumer}`, {
      hint: `It is read by: ${known.map(({ name }) => name).join(", ") || "no layer"}.`,
    });
  }
  const side = graph.constants.has(node.input[0] ?? "") ? 1 : 0;
  const value = node.input[side] ?? "";
  const reading: NodeProto = { ...node, input: node.input.map((name, i) => (i === side ? READ : name)) };
  const at = reader.weights.node;
  const nodes = [
    ...graph.nodes.slice(0, at),
    makeNode("Identity", [value], [READ]),
    reading,
    ...graph.nodes.slice(at + 1),
  ];
  const { model } = graph;
  const edited = { ...model, graph: { ...graphOf(model), node: nodes } };
  const probed = probe.values.get(value);
  const shift = (moved: Layer): Layer =>
    moved.weights.node < at
      ? moved
      : { ...moved, weights: { ...moved.weights, node: moved.weights.node + 1 } };
  const rank = probed?.shape.length ?? 0;
  const axis = channelAxis(reader, rank, side);
  const map: PositionMap = {
    dims: Array.from({ length: rank }, (_, other) => (other === axis ? index.length : 1)),
    index,
    scale: null,
  };
  return {
    network: {
      ...network,
      graph: indexModel(edited),
      probe: { ...probe, values: probed ? new Map(probe.values).set(READ, probed) : probe.values },
      layers: network.layers.map(shift),
    },
    layer: { ...shift(layer), output: { value: READ, map } },
  };
}

/** The network and the layer with its output where lesions act: on the output itself, or on what `consumer` reads. */
export function lesionSite(
  network: Network,
  layer: Layer,
  consumer: string | undefined,
): { readonly network: Network; readonly layer: Layer } {
  return consumer === undefined ? { network, layer } : atConsumer(network, layer, consumer);
}

/** Whether a layer is read by another one: `connections` from the one to the other. */
export function isReadBy(network: Network, layer: Layer, consumer: string): boolean {
  return unitsRead(network, layer, layerNamed(network, consumer)) !== null;
}

/** Unit of the layer at each input channel of a reader, or null where it is not connected. */
function unitsRead({ layers, connections }: Network, layer: Layer, reader: Layer): Int32Array | null {
  const [source, target] = [layer, reader].map((one) => layers.findIndex(({ name }) => name === one.name));
  return connections.find((one) => one.source === source && one.target === target)?.index ?? null;
}

/** The axis that a layer sums over. */
function channelAxis({ operator }: Layer, rank: number, side: number): number {
  if (operator !== "MatMul") return 1;
  return side === 0 ? rank - 1 : rank - 2;
}
