/**
 * The two halves of a network around a layer's output: what runs once per input (prefix) and what runs again for
 * every lesion (suffix), with a choice between the layer's units and what replaces them in between.
 */
import {
  DataType,
  makeIntTensor,
  makeNode,
  makeUntypedValueInfo,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../runtime/onnx.ts";
import { encodePart, type ModelGraph, partOf, readsOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputInfo } from "./network-input.ts";
import { LOG_PROBABILITIES, logProbabilityNode } from "./outcomes.ts";
import { withWinograd } from "./winograd.ts";

/** Names of the suffix's inputs. */
export const CUT = "brodmann/cut";
/** True where units keep their value. */
export const MASK = "brodmann/mask";
/** What lesioned units become, in the rank of the value that the mask acts on. */
export const REPLACEMENT = "brodmann/replacement";
/** Input of bypass number i, and the input that says how often it is repeated ([L, 1, ...]; tiled form only). */
export const bypassInput = (number: number): string => `brodmann/bypass${number}`;
export const tilesInput = (number: number): string => `brodmann/tiles${number}`;

/** A network cut at a layer's output. */
export interface LesionModel {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
  /** The layer's output, and further values that the suffix reads past it; made by the prefix. */
  readonly cut: string;
  readonly bypasses: readonly string[];
  /** Whether one run takes many lesions: rows are then lesions x inputs. */
  readonly isTiled: boolean;
  readonly prefixNodes: readonly NodeProto[];
  readonly suffixNodes: readonly NodeProto[];
}

/** Cuts a network at a layer's output. */
export function cutAtLayer(network: Network, layer: Layer): LesionModel {
  const { graph, probe } = network;
  const cut = layer.output.value;
  const bypasses = bypassesOf(network, cut);
  const isTiled =
    probe.fixedBatch === null &&
    [cut, ...bypasses].every((name) => {
      const { batchAxis, rowsBefore, elementType } = probe.values.get(name) ?? {};
      const isBatchFirst = batchAxis === 0 && rowsBefore === 1;
      return isBatchFirst && (elementType === DataType.FLOAT || elementType === DataType.INT64);
    });
  const suffixNodes = partOf(graph, [network.logits], new Set([cut, ...bypasses])).nodes;
  return {
    prefix: encodePrefix(network, [cut, ...bypasses]),
    suffix: encodeSuffix(network, layer, bypasses, isTiled),
    cut,
    bypasses,
    isTiled,
    prefixNodes: partOf(graph, [cut, ...bypasses], new Set([probe.input])).nodes,
    suffixNodes,
  };
}

/** Values not computed from `cut` that the nodes behind it read on the way to the logits. */
export function bypassesOf(network: Network, cut: string): string[] {
  const { graph, probe } = network;
  const behind = descendantsOf(graph, cut);
  const whole = partOf(graph, [network.logits], new Set([probe.input]));
  const nodes = whole.nodes.filter((node) => node.output.some((name) => behind.has(name)));
  const reads = new Set(nodes.flatMap(readsOf));
  return [...reads].filter((name) => name !== cut && !behind.has(name) && !graph.constants.has(name));
}

/** Whether the logits depend on a value at all; a head that the network does not use has no effect. */
export function reachesLogits(network: Network, value: string): boolean {
  const { nodes } = partOf(network.graph, [network.logits], new Set([network.probe.input]));
  return value === network.logits || nodes.some((node) => readsOf(node).includes(value));
}

/** ONNX element type of a value. */
export function elementTypeOf(network: Network, name: string): number {
  return network.probe.values.get(name)?.elementType ?? DataType.FLOAT;
}

/** Values computed from `value`. */
function descendantsOf(graph: ModelGraph, value: string): Set<string> {
  const found = new Set<string>();
  const open = [value];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const reader of graph.consumers.get(name) ?? []) {
      for (const made of graph.nodes[reader]?.output ?? []) {
        if (made === "" || found.has(made)) continue;
        found.add(made);
        open.push(made);
      }
    }
  }
  return found;
}

function encodePrefix(network: Network, values: readonly string[]): Uint8Array {
  const { graph, probe } = network;
  const part = partOf(graph, values, new Set([probe.input]));
  return encodePart(graph, {
    ...part,
    inputs: [inputInfo(probe)],
    outputs: values.filter((name) => name !== probe.input).map(makeUntypedValueInfo),
  });
}

/**
 * Tiled form: cut [B, ...], mask [L, 1, ...] and replacement [1, B or 1, ...] give the lesioned values [L * B, ...],
 * so that one run takes L lesions of B inputs; values that bypass the cut are repeated L times. Plain form: one
 * lesion a run. A choice rather than a product with the mask, since infinite values times zero are no number.
 */
function encodeSuffix(
  network: Network,
  layer: Layer,
  bypasses: readonly string[],
  isTiled: boolean,
): Uint8Array {
  const cut = layer.output.value;
  const part = withWinograd(network, partOf(network.graph, [network.logits], new Set([cut, ...bypasses])));
  const joint = isTiled ? tiledJoint(network, layer, bypasses) : plainJoint(network, layer, bypasses);
  return encodePart(network.graph, {
    nodes: [...joint.nodes, ...part.nodes, logProbabilityNode(network)],
    initializers: [...part.initializers, ...joint.initializers],
    inputs: joint.inputs,
    outputs: [makeUntypedValueInfo(LOG_PROBABILITIES)],
  });
}

/** Inputs of the suffix and the nodes that make the lesioned values of them. */
interface Joint {
  readonly inputs: ValueInfoProto[];
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
}

/** Symbolic sizes of a value's axes. */
const openDims = (name: string, rank: number): string[] =>
  Array.from({ length: rank }, (_, axis) => `${name}/${axis}`);

function tiledJoint(network: Network, layer: Layer, bypasses: readonly string[]): Joint {
  const joint: Joint = { inputs: [], nodes: [], initializers: [] };
  const reshape = (from: string, to: string, shape: readonly number[]) => {
    const name = `brodmann/shape${joint.initializers.length}`;
    joint.initializers.push(makeIntTensor(name, shape));
    joint.nodes.push(makeNode("Reshape", [from, name], [to]));
  };
  /** Feeds `name` as `given` and brings it to [1, B, ...]; returns the shape behind the batch. */
  const feed = (name: string, given: string): readonly number[] => {
    const { shape = [], elementType } = network.probe.values.get(name) ?? {};
    const rest = shape.slice(1);
    joint.inputs.push(makeValueInfo(given, ["batch", ...rest], elementType));
    reshape(given, `${given}/tiles`, [1, -1, ...rest]);
    return rest;
  };
  const cut = layer.output.value;
  const rest = feed(cut, CUT);
  joint.inputs.push(makeValueInfo(MASK, ["lesions", ...layer.output.map.dims], DataType.BOOL));
  joint.inputs.push(makeValueInfo(REPLACEMENT, openDims(REPLACEMENT, rest.length + 2)));
  joint.nodes.push(makeNode("Where", [MASK, `${CUT}/tiles`, REPLACEMENT], [`${CUT}/masked`]));
  reshape(`${CUT}/masked`, cut, [-1, ...rest]);
  bypasses.forEach((name, number) => {
    const given = bypassInput(number);
    const shape = feed(name, given);
    joint.inputs.push(makeValueInfo(tilesInput(number), [shape.length + 2], DataType.INT64));
    joint.nodes.push(makeNode("Expand", [`${given}/tiles`, tilesInput(number)], [`${given}/tiled`]));
    reshape(`${given}/tiled`, name, [-1, ...shape]);
  });
  return joint;
}

function plainJoint(network: Network, layer: Layer, bypasses: readonly string[]): Joint {
  const cut = layer.output.value;
  const { dims } = layer.output.map;
  const rankOf = (name: string) => network.probe.values.get(name)?.shape.length ?? 0;
  const inputs = [
    makeValueInfo(CUT, openDims(CUT, dims.length)),
    makeValueInfo(MASK, dims, DataType.BOOL),
    makeValueInfo(REPLACEMENT, openDims(REPLACEMENT, dims.length)),
  ];
  const nodes = [makeNode("Where", [MASK, CUT, REPLACEMENT], [cut])];
  bypasses.forEach((name, number) => {
    const given = bypassInput(number);
    inputs.push(makeValueInfo(given, openDims(given, rankOf(name)), elementTypeOf(network, name)));
    nodes.push(makeNode("Identity", [bypassInput(number)], [name]));
  });
  return { inputs, nodes, initializers: [] };
}
