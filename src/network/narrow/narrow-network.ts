/**
 * A network without some units of its layers: they are taken out of the file, and what they are on average over the
 * inputs stands in their place, as the `mean` lesion has it.
 */
import {
  buildModel,
  makeBoolTensor,
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  type NodeProto,
  type TensorProto,
} from "../../runtime/onnx.ts";
import { graphOf } from "../load-model.ts";
import { indexModel, integerAttribute, type ModelGraph, partOf, readsOf } from "../model-graph.ts";
import type { Layer, Network } from "../network.ts";
import { dimsOf, isFloatTensor } from "../tensor-values.ts";
import { type Block, othersAmong, placesIn, replaceSlices, sizeOf, spansOf } from "./blocks.ts";
import { inHalfPrecision, isHalfPrecision } from "./half-floats.ts";
import { mergeBiases } from "./merge-biases.ts";
import {
  createNarrowing,
  emit,
  frameOf,
  gatherSlices,
  isStored,
  keptName,
  madeName,
  type Narrowing,
  setNarrow,
  shapeOfWhole,
  widen,
} from "./narrowing.ts";
import { makeConstant, ruleOf } from "./rules.ts";
import { cutWeights } from "./weight-rules.ts";

/** Units of a layer that stay, ascending; all others go. */
export interface KeptUnits {
  readonly layer: Layer;
  readonly units: Int32Array;
}

/**
 * What became of a layer: `whole` lost nothing; `narrowed` lost the weights of its units, and so did all that reads them;
 * `restored` lost its own weights, but some reader gets its whole width, with constants in the gaps; `masked` keeps its
 * weights, and its lost units are set to their means; `constant` has no unit left; `unused` has, but nothing depends on
 * them, since all on their way to the outputs is constant.
 */
export type LayerForm = "whole" | "narrowed" | "restored" | "masked" | "constant" | "unused";

export interface NarrowedLayer {
  readonly layer: string;
  readonly form: LayerForm;
  /** Nodes in front of which the width is restored. */
  readonly restoredAt: readonly string[];
}

export interface NarrowedNetwork {
  readonly graph: ModelGraph;
  /** In the order of the layers that were asked for. */
  readonly layers: readonly NarrowedLayer[];
}

/** The network with nothing but some units of some layers, and the `means` of their outputs (by layer name) for all others. */
export async function narrowNetwork(
  network: Network,
  kept: readonly KeptUnits[],
  means: ReadonlyMap<string, Float32Array>,
): Promise<NarrowedNetwork> {
  const cuts = new Map<number, Lesion>();
  for (const { layer, units } of kept) {
    if (units.length === layer.units) continue;
    const number = network.layers.findIndex(({ name }) => name === layer.name);
    cuts.set(number, { number, layer, units, mean: means.get(layer.name) as Float32Array });
  }
  const lesions = [...cuts.values()];
  const state = createNarrowing(network, new Set(lesions.map(({ layer }) => layer.output.value)));
  const ownCuts = new Set<number>();
  for (const [at, node] of network.graph.nodes.entries()) {
    const number = network.layers.findIndex(({ weights }) => weights.node === at);
    const lesion = cuts.get(number);
    const own = lesion?.units ?? null;
    const isCut = await addNode(state, node, number, own);
    if (isCut && own !== null) ownCuts.add(number);
    for (const other of lesions) {
      if (!node.output.includes(other.layer.output.value)) continue;
      applyLesion(state, other);
    }
  }
  for (const name of network.graph.outputs) widen(state, name, null);
  const graph = finish(state);
  const forms = kept.map(({ layer }): NarrowedLayer => {
    const number = network.layers.findIndex(({ name }) => name === layer.name);
    const restoredAt = [...(state.restored.get(number) ?? [])];
    const formOf = (): LayerForm => {
      const lesion = cuts.get(number);
      if (lesion?.units.length === 0) return "constant";
      if (!graph.producer.has(state.products.get(number) ?? madeName(state, layer.weights.output)))
        return "unused";
      if (lesion === undefined) return "whole";
      if (!ownCuts.has(number)) return "masked";
      return restoredAt.length > 0 ? "restored" : "narrowed";
    };
    return { layer: layer.name, form: formOf(), restoredAt };
  });
  return { graph, layers: forms };
}

interface Lesion {
  readonly number: number;
  readonly layer: Layer;
  readonly units: Int32Array;
  /** The layer's output for one input. */
  readonly mean: Float32Array;
}

/** Adds what is left of a node. True where a layer has lost `own` units, or what it read of constants. */
async function addNode(
  state: Narrowing,
  node: NodeProto,
  number: number,
  own: Int32Array | null,
): Promise<boolean> {
  const layer = state.network.layers[number];
  const reads = readsOf(node).filter((name) => !isStored(state, name));
  const isTouched = reads.some((name) => state.narrow.has(name));
  if (node.opType === "Shape" && isTouched) {
    askShape(state, node);
    return false;
  }
  const isConstant = reads.length > 0 && reads.every((name) => state.narrow.get(name)?.live.length === 0);
  if (layer !== undefined && (isTouched || own !== null)) {
    // The last layer stays as it is: a network has at least one.
    if (!(layer.isLogits && isConstant) && (await cutWeights(state, node, layer, number, own))) return true;
  } else if (isConstant) {
    if (await makeConstant(state, node)) return false;
  } else if (isTouched) {
    if (await ruleOf(node)?.(state, node)) return false;
  }
  for (const name of reads) widen(state, name, node);
  emit(state, { ...node, output: node.output.map((name) => madeName(state, name)) });
  return false;
}

/** The shape that a value had before it lost slices. */
function askShape(state: Narrowing, node: NodeProto): void {
  const [data = ""] = node.input;
  const [output = ""] = node.output;
  const rank = frameOf(state, data)?.dims.length ?? 0;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const end = integerAttribute(node, "end", rank);
  shapeOfWhole(state, data, output, axes.slice(integerAttribute(node, "start", 0), end));
}

/** The axis along which the lost units lie in a layer's output, and their positions; null where no axis parts them. */
function slicesOf(
  state: Narrowing,
  { layer, units }: Lesion,
): { readonly axis: number; readonly lost: Int32Array } | null {
  const { value, map } = layer.output;
  const frame = frameOf(state, value);
  if (frame === null) return null;
  const isKept = new Uint8Array(layer.units);
  for (const unit of units) isKept[unit] = 1;
  if (map.index.length === 1) {
    const all = Int32Array.from({ length: frame.dims[0] as number }, (_, position) => position);
    return { axis: 0, lost: all };
  }
  for (const [axis, size] of map.dims.entries()) {
    if (size === 1) continue;
    const { inner } = spansOf(map.dims, axis);
    const [hasKept, hasLost] = [new Uint8Array(size), new Uint8Array(size)];
    map.index.forEach((unit, place) => {
      // Positions without a unit are padding, whose mean is its value.
      if (unit >= 0) (isKept[unit] ? hasKept : hasLost)[Math.floor(place / inner) % size] = 1;
    });
    if (hasKept.some((flag, position) => flag && hasLost[position])) continue;
    return { axis, lost: Int32Array.from(hasLost.keys()).filter((position) => hasLost[position]) };
  }
  return null;
}

/** Puts the means in the place of a layer's lost units. */
function applyLesion(state: Narrowing, lesion: Lesion): void {
  const { layer, number, mean } = lesion;
  const { value } = layer.output;
  const slices = slicesOf(state, lesion);
  const frame = frameOf(state, value);
  if (slices === null || frame === null) {
    widen(state, value, null, madeName(state, value));
    state.narrow.delete(value);
    maskValue(state, lesion);
    return;
  }
  const { axis, lost } = slices;
  const means: Block = { dims: frame.dims, values: mean };
  const narrow = state.narrow.get(value);
  const layers = new Set([...(narrow?.layers ?? []), number]);
  const stays = othersAmong(lost, frame.dims[axis] as number);
  if (narrow === undefined || (narrow.axis !== axis && narrow.live.length > 0)) {
    widen(state, value, null, madeName(state, value));
    if (stays.length > 0)
      gatherSlices(state, madeName(state, value), axis, Array.from(stays), keptName(value));
    setNarrow(state, value, { axis, live: stays, constants: means, layers });
    return;
  }
  const live = narrow.live.filter((position) => stays.includes(position));
  if (live.length > 0 && live.length < narrow.live.length) {
    const before = `${value}/cut`;
    const maker = state.nodes.findIndex(({ output }) => output.includes(keptName(value)));
    const node = state.nodes[maker] as NodeProto;
    const output = node.output.map((name) => (name === keptName(value) ? before : name));
    state.nodes[maker] = { ...node, output };
    gatherSlices(state, before, axis, placesIn(narrow.live, live), keptName(value));
  }
  setNarrow(state, value, {
    axis,
    live,
    constants: replaceSlices(narrow.constants, means, axis, lost),
    layers,
  });
}

/** Chooses between a whole value and its means; rows that share the batch's axis with it get axes of their own. */
function maskValue(state: Narrowing, { layer, units, mean }: Lesion): void {
  const { value, map } = layer.output;
  const {
    shape = [],
    batchAxis = 0,
    rowsPerInput = 1,
    rowsBefore,
  } = state.network.probe.values.get(value) ?? {};
  const before = rowsBefore ?? 1;
  const isFolded = rowsPerInput > 1;
  const unfold = (sizes: readonly number[], middle: readonly number[]) => [
    ...sizes.slice(0, batchAxis),
    ...(isFolded ? middle : [1]),
    ...sizes.slice(batchAxis + 1),
  ];
  const after = rowsPerInput / before;
  const isKept = new Set(units);
  const flags = Array.from(map.index, (unit) => unit < 0 || isKept.has(unit));
  const add = (tensor: TensorProto) => {
    state.initializers.set(tensor.name, tensor);
    return tensor.name;
  };
  const raw = madeName(state, value);
  const reshaped = (from: string, to: string, sizes: readonly number[]) =>
    isFolded
      ? emit(state, makeNode("Reshape", [from, add(makeIntTensor(`${to}/shape`, sizes))], [to]))
      : from;
  const own = reshaped(raw, `${value}/unfolded`, unfold(shape, [before, -1, after]));
  const mask = add(makeBoolTensor(`${value}/is-kept`, unfold(map.dims, [1, 1, 1]), flags));
  const means = add(makeFloatTensor(`${value}/constants`, unfold(shape, [before, 1, after]), mean));
  const chosen = isFolded ? `${value}/masked` : value;
  emit(state, makeNode("Where", [mask, own, means], [chosen]));
  reshaped(
    chosen,
    value,
    shape.map((size, axis) => (axis === batchAxis ? -1 : size)),
  );
}

/** What the outputs depend on, indexed. */
function finish(state: Narrowing): ModelGraph {
  const { graph } = state.network;
  const old = graphOf(graph.model);
  const initializers = new Map(old.initializer.map((tensor) => [tensor.name, tensor]));
  for (const [name, tensor] of state.initializers) initializers.set(name, tensor);
  const made = (node: readonly NodeProto[], initializer: readonly TensorProto[]) =>
    indexModel({
      ...graph.model,
      graph: {
        ...old,
        node: [...node],
        initializer: [...initializer],
        input: [...graph.inputs],
        valueInfo: [],
      },
    });
  const whole = made(state.nodes, [...initializers.values()]);
  const part = partOf(whole, graph.outputs, new Set([state.network.probe.input]));
  const { nodes, initializers: left } = mergeBiases(part, state.sums, graph.outputs);
  return made(nodes, left);
}

/** The program that writes a file, and what the file says of its origin. */
export interface FileNotes {
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: ReadonlyMap<string, string>;
}

/** A narrowed network as an ONNX file; in half precision where the network was stored so. */
export function encodeNarrowed(network: Network, { graph }: NarrowedNetwork, notes: FileNotes): Uint8Array {
  const part = { nodes: graph.nodes, initializers: [...graph.initializers.values()] };
  const { model } = graph;
  return buildModel({
    ...(isHalfPrecision(network) ? inHalfPrecision(part) : part),
    inputs: graph.inputs,
    outputs: graphOf(model).output,
    opsets: new Map(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
    // Below version 4 initializers had to be inputs as well.
    irVersion: Math.max(4, Number(model.irVersion)),
    functions: model.functions,
    ...notes,
  });
}

/** Numbers that the floats of a network's file hold, those that nothing depends on aside. */
export function countParameters(graph: ModelGraph): number {
  const part = partOf(graph, graph.outputs, new Set(graph.inputs.map(({ name }) => name)));
  return part.initializers.filter(isFloatTensor).reduce((total, tensor) => total + sizeOf(dimsOf(tensor)), 0);
}
