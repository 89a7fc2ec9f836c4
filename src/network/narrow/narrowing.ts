/**
 * A network in the making in which values lose slices: along one axis of a value only the `live` positions are still
 * computed, at all others stand numbers that no longer depend on the input. Operators hand both on (`rules.ts`); what
 * cannot be handed on is put together again in front of whoever needs the whole value, which is always right.
 *
 * Names: the whole value keeps its name, what is left of it is `NAME/kept`, and `NAME/raw` is a whole value in front of
 * the lesion that acts on it.
 */
import {
  DataType,
  makeBoolTensor,
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  type NodeProto,
  type TensorProto,
} from "../../runtime/onnx.ts";
import type { Network } from "../network.ts";
import { nodeName } from "../unit-flow.ts";
import { type Block, clearSlices, foldAxes, placesIn, takeSlices, unite } from "./blocks.ts";

/** A value of which only some slices are still computed. */
export interface Narrow {
  readonly axis: number;
  /** Positions along the axis that are computed, ascending; none of a value that is constant. */
  readonly live: Int32Array;
  /** The whole value for one input, right at all other positions and 0 at these. */
  readonly constants: Block;
  /** Numbers of the layers whose lesions made it so. */
  readonly layers: ReadonlySet<number>;
}

/** Shape of a value for one input, and where the batch lies in it. */
export interface Frame {
  readonly dims: readonly number[];
  readonly batchAxis: number;
}

export interface Narrowing {
  readonly network: Network;
  /** What is left of every value that lost slices. */
  readonly narrow: Map<string, Narrow>;
  readonly nodes: NodeProto[];
  /** New and changed initializers, by name. */
  readonly initializers: Map<string, TensorProto>;
  /** For layers whose slices were put together again the nodes that this was for. */
  readonly restored: Map<number, Set<string>>;
  /** For layers that were cut the value that their new node makes. */
  readonly products: Map<number, string>;
  /** Sums of layers to which what they read of constants is added behind. */
  readonly sums: Set<string>;
  /** Values that a lesion acts on. */
  readonly sites: ReadonlySet<string>;
}

export function createNarrowing(network: Network, sites: ReadonlySet<string>): Narrowing {
  return {
    network,
    narrow: new Map(),
    nodes: [],
    initializers: new Map(),
    restored: new Map(),
    products: new Map(),
    sums: new Set(),
    sites,
  };
}

/** What remains of a value is called so. */
export const keptName = (value: string): string => `${value}/kept`;

/** What a whole value is called by the node that makes it. */
export function madeName({ sites }: Narrowing, value: string): string {
  return sites.has(value) ? `${value}/raw` : value;
}

/** A value's frame; null for values that cannot lose slices: integers, no batch, or several rows for an input. */
export function frameOf({ network: { probe } }: Narrowing, value: string): Frame | null {
  const { shape, batchAxis = -1, rowsPerInput, elementType } = probe.values.get(value) ?? {};
  if (shape === undefined || batchAxis < 0 || rowsPerInput !== 1 || elementType !== DataType.FLOAT)
    return null;
  return { dims: shape.map((size, axis) => (axis === batchAxis ? 1 : size)), batchAxis };
}

/** Whether a value is the same whatever the input, in the network as it was. */
export function isStored({ network: { graph, probe } }: Narrowing, value: string): boolean {
  return graph.constants.has(value) || probe.constants.has(value);
}

/** Whether anybody reads an output of a node beyond its first. */
export function usesMoreOutputs({ network: { graph } }: Narrowing, node: NodeProto): boolean {
  return node.output
    .slice(1)
    .some((name) => name !== "" && (graph.consumers.has(name) || graph.outputs.includes(name)));
}

/** The layers whose lesions the narrow ones of some values come from. */
export function layersOf({ narrow }: Narrowing, values: readonly string[]): Set<number> {
  return new Set(values.flatMap((value) => [...(narrow.get(value)?.layers ?? [])]));
}

/** Notes what is left of a value. */
export function setNarrow(state: Narrowing, value: string, given: Narrow): void {
  const constants = clearSlices(given.constants, given.axis, given.live);
  state.narrow.set(value, { ...given, constants });
}

/** Adds a node; returns the name of its first output. */
export function emit(state: Narrowing, node: NodeProto): string {
  state.nodes.push(node);
  return node.output[0] ?? "";
}

/** A name that neither the network nor what was made of it has. */
export function freshName(state: Narrowing, wanted: string): string {
  const { graph } = state.network;
  const made = new Set(state.nodes.flatMap(({ output }) => output));
  const isTaken = (name: string) =>
    graph.initializers.has(name) ||
    graph.producer.has(name) ||
    state.initializers.has(name) ||
    made.has(name);
  let name = wanted;
  for (let copy = 2; isTaken(name); copy++) name = `${wanted}#${copy}`;
  return name;
}

/** A float constant under a fresh name. */
export function addFloats(state: Narrowing, wanted: string, { dims, values }: Block): string {
  const name = freshName(state, wanted);
  state.initializers.set(name, makeFloatTensor(name, dims, values));
  return name;
}

/** A constant in place of another one: under its name where nobody else reads that. */
export function replaceFloats(state: Narrowing, old: string, { dims, values }: Block): string {
  const { graph } = state.network;
  const isOwn =
    graph.initializers.has(old) && graph.consumers.get(old)?.length === 1 && !state.initializers.has(old);
  if (!isOwn) return addFloats(state, keptName(old), { dims, values });
  state.initializers.set(old, makeFloatTensor(old, dims, values));
  return old;
}

export function addInts(
  state: Narrowing,
  wanted: string,
  values: readonly number[],
  dims?: readonly number[],
): string {
  const name = freshName(state, wanted);
  state.initializers.set(name, makeIntTensor(name, values, dims));
  return name;
}

/** The constants of a value as an initializer, axes along which they do not change at size 1. */
export function addConstants(state: Narrowing, value: string): string {
  const { axis, constants } = state.narrow.get(value) as Narrow;
  return addFloats(state, `${value}/constants`, foldAxes(constants, axis));
}

/** Gathers positions of an axis of a value that is there. */
export function gatherSlices(
  state: Narrowing,
  from: string,
  axis: number,
  positions: readonly number[],
  to: string,
): string {
  const indices = addInts(state, `${to}/indices`, positions);
  return emit(state, makeNode("Gather", [from, indices], [to], { axis: BigInt(axis) }));
}

/**
 * The number of inputs in a batch, as an int64 tensor of one number; asked of the input also where it is fixed, since a
 * network that reads nothing of its input is refused in places.
 */
function batchSize(state: Narrowing): string {
  const name = "brodmann/batch";
  if (state.initializers.has(`${name}/axis`)) return name;
  const shape = emit(state, makeNode("Shape", [state.network.probe.input], [`${name}/shape`]));
  state.initializers.set(`${name}/axis`, makeIntTensor(`${name}/axis`, [0]));
  return emit(state, makeNode("Gather", [shape, `${name}/axis`], [name], { axis: 0n }));
}

/** Makes an int64 value of the shape that a value has for the batch at hand, whatever is left of the value. */
export function shapeOfWhole(state: Narrowing, value: string, to: string, axes?: readonly number[]): string {
  const { dims, batchAxis } = frameOf(state, value) as Frame;
  const asked = axes ?? dims.map((_, axis) => axis);
  const sizes = addInts(
    state,
    `${to}/sizes`,
    asked.map((axis) => dims[axis] as number),
  );
  const isBatch = freshName(state, `${to}/is-batch`);
  const flags = asked.map((axis) => axis === batchAxis);
  state.initializers.set(isBatch, makeBoolTensor(isBatch, [asked.length], flags));
  return emit(state, makeNode("Where", [isBatch, batchSize(state), sizes], [to]));
}

/** Puts a whole value together, once; `reader` is the node that needs it (null: an output of the network). */
export function widen(state: Narrowing, value: string, reader: NodeProto | null, to: string = value): void {
  const narrow = state.narrow.get(value);
  if (narrow === undefined) return;
  const { axis, live, constants } = narrow;
  if (live.length > 0 && to === value) noteRestored(state, value, reader);
  if (state.nodes.some(({ output }) => output.includes(to))) return;
  if (live.length === 0) {
    const shape = shapeOfWhole(state, value, freshName(state, `${value}/shape`));
    emit(state, makeNode("Expand", [addConstants(state, value), shape], [to]));
    return;
  }
  const all = Array.from({ length: constants.dims[axis] as number }, (_, position) => position);
  spread(state, value, narrow, all, to);
}

/** The value at more positions than are live: `positions` holds all that are. */
export function widenTo(state: Narrowing, value: string, positions: Int32Array, reader: NodeProto): string {
  const narrow = state.narrow.get(value) as Narrow;
  if (positions.length === narrow.live.length) return keptName(value);
  noteRestored(state, value, reader);
  return spread(state, value, narrow, Array.from(positions), freshName(state, `${value}/partly`));
}

function noteRestored(state: Narrowing, value: string, reader: NodeProto | null): void {
  for (const layer of state.narrow.get(value)?.layers ?? []) {
    const nodes = state.restored.get(layer) ?? new Set();
    state.restored.set(layer, nodes.add(reader === null ? `output ${value}` : nodeName(reader)));
  }
}

/** Exactly the given positions of an axis of a value, whatever is left of it. */
export function positionsOf(
  state: Narrowing,
  value: string,
  axis: number,
  positions: Int32Array,
  size: number,
  reader: NodeProto,
): string {
  const narrow = state.narrow.get(value);
  if (narrow === undefined) {
    if (positions.length === size) return value;
    return gatherSlices(state, value, axis, Array.from(positions), freshName(state, `${value}/taken`));
  }
  const all = unite([narrow.live, positions]);
  const from = widenTo(state, value, all, reader);
  if (all.length === positions.length) return from;
  return gatherSlices(state, from, axis, placesIn(all, positions), freshName(state, `${value}/taken`));
}

/**
 * Live slices to their places among `positions`, constants to all others. By a slice of zeros behind the live ones, which
 * all others take before the constants are added: exact, and the units can be followed through it.
 */
function spread(
  state: Narrowing,
  value: string,
  { axis, live, constants }: Narrow,
  positions: readonly number[],
  to: string,
): string {
  const isLive = new Set(live);
  const rest = positions.filter((position) => !isLive.has(position));
  const numbers = foldAxes(takeSlices(constants, axis, rest), axis);
  const isZero = numbers.values.every((number) => number === 0);
  const apart = isZero ? to : freshName(state, `${to}/spread`);
  spreadSlices(state, keptName(value), constants.dims.length, axis, live, positions, apart);
  if (isZero) return to;
  const own = addFloats(state, `${to}/constants`, numbers);
  const filled = freshName(state, `${own}/spread`);
  spreadSlices(state, own, constants.dims.length, axis, rest, positions, filled);
  return emit(state, makeNode("Add", [apart, filled], [to]));
}

/** Slices that stand for `some` of the positions in their places, zeros in all others. */
function spreadSlices(
  state: Narrowing,
  from: string,
  rank: number,
  axis: number,
  some: ArrayLike<number>,
  positions: readonly number[],
  to: string,
): void {
  const { opset } = state.network.graph;
  const pads = Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis ? 1 : 0));
  const padded = freshName(state, `${to}/padded`);
  const given = opset < 11 ? [] : [addInts(state, `${padded}/pads`, pads)];
  emit(state, makeNode("Pad", [from, ...given], [padded], opset < 11 ? { pads: pads.map(BigInt) } : {}));
  const places = placesIn(some, positions).map((place) => (place < 0 ? some.length : place));
  gatherSlices(state, padded, axis, places, to);
}
