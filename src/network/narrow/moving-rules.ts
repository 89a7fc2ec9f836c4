/** Operators that move, pick and join positions, on values that lost slices (`rules.ts`). */
import { makeNode, type NodeProto } from "../../runtime/onnx.ts";
import { constantIntegers } from "../constants.ts";
import { integerAttribute, integersAttribute } from "../model-graph.ts";
import { slicedPositions } from "../rearranging.ts";
import { type Block, placesIn, sizeOf, spansOf, unite } from "./blocks.ts";
import { carry } from "./carry.ts";
import { evaluateNode } from "./evaluate-node.ts";
import {
  addInts,
  emit,
  frameOf,
  gatherSlices,
  isStored,
  keptName,
  layersOf,
  madeName,
  type Narrow,
  type Narrowing,
  setNarrow,
  widenTo,
} from "./narrowing.ts";

const countFrom = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Keeps the order of the numbers: possible where an axis of the new shape tells the slices that are left apart. */
export async function reshape(state: Narrowing, node: NodeProto): Promise<boolean> {
  const [data = ""] = node.input;
  const [output = ""] = node.output;
  const { axis, live, constants, layers } = state.narrow.get(data) as Narrow;
  const [from, to] = [frameOf(state, data), frameOf(state, output)];
  if (from === null || to === null || from.batchAxis !== to.batchAxis) return false;
  const isInFront = (size: number, other: number) => other >= from.batchAxis || size === to.dims[other];
  if (!from.dims.every(isInFront)) return false;
  const { size, inner } = spansOf(from.dims, axis);
  const isLive = new Uint8Array(size);
  for (const position of live) isLive[position] = 1;
  const liveAt = (place: number) => isLive[Math.floor(place / inner) % size] as number;
  const count = sizeOf(to.dims);
  for (let target = 0; target < to.dims.length; target++) {
    const spans = spansOf(to.dims, target);
    if (spans.size === 1) continue;
    const found = Int8Array.from({ length: spans.size }, () => -1);
    let isClear = true;
    for (let place = 0; place < count && isClear; place++) {
      const position = Math.floor(place / spans.inner) % spans.size;
      if (found[position] === -1) found[position] = liveAt(place);
      else isClear = found[position] === liveAt(place);
    }
    if (!isClear) continue;
    const left = Int32Array.from(found.keys()).filter((position) => found[position] === 1);
    const shape = to.dims.map((extent, other) => {
      if (other === to.batchAxis) return -1;
      return other === target ? left.length : extent;
    });
    const sizes = addInts(state, `${keptName(output)}/shape`, shape);
    const { name } = node;
    emit(state, { ...makeNode("Reshape", [keptName(data), sizes], [keptName(output)]), name });
    const moved: Block = { dims: to.dims, values: constants.values };
    setNarrow(state, output, { axis: target, live: left, constants: moved, layers });
    return true;
  }
  return false;
}

export async function transpose(state: Narrowing, node: NodeProto): Promise<boolean> {
  const { axis, constants } = state.narrow.get(node.input[0] ?? "") as Narrow;
  const rank = constants.dims.length;
  const permutation = integersAttribute(node, "perm") ?? constants.dims.map((_, other) => rank - 1 - other);
  return carry(state, node, permutation.indexOf(axis));
}

/** Along the axis of the slices their lists come one after another; across it all inputs get the slices of any. */
export async function concat(state: Narrowing, node: NodeProto): Promise<boolean> {
  const [output = ""] = node.output;
  const frame = frameOf(state, output);
  if (frame === null || node.input.some((name) => frameOf(state, name) === null)) return false;
  const along = countFrom(integerAttribute(node, "axis", 1), frame.dims.length);
  const cut = node.input.flatMap((name) => {
    const narrow = state.narrow.get(name);
    return narrow && narrow.live.length > 0 ? [narrow] : [];
  });
  const [axis = along, ...others] = cut.map((narrow) => narrow.axis);
  if (others.some((other) => other !== axis)) return false;
  const parts: string[] = [];
  let live: Int32Array;
  if (axis === along) {
    const positions: number[] = [];
    let offset = 0;
    for (const name of node.input) {
      const size = frameOf(state, name)?.dims[along] ?? 0;
      const narrow = state.narrow.get(name);
      const own = narrow?.live ?? Int32Array.from({ length: size }, (_, i) => i);
      for (const position of own) positions.push(offset + position);
      if (own.length > 0) parts.push(narrow === undefined ? name : keptName(name));
      offset += size;
    }
    live = Int32Array.from(positions);
  } else {
    if (node.input.some((name) => (state.narrow.get(name)?.live.length ?? 0) === 0)) return false;
    live = unite(cut.map((narrow) => narrow.live));
    if (live.length === frame.dims[axis]) return false;
    for (const name of node.input) parts.push(widenTo(state, name, live, node));
  }
  const constants = (await evaluateNode(state, node))?.get(output);
  if (constants === undefined) return false;
  emit(state, { ...node, input: parts, output: [keptName(output)] });
  setNarrow(state, output, { axis, live, constants, layers: layersOf(state, node.input) });
  return true;
}

export async function split(state: Narrowing, node: NodeProto): Promise<boolean> {
  const [data = "", ...others] = node.input;
  const { axis, live, constants, layers } = state.narrow.get(data) as Narrow;
  const outputs = node.output.filter((name) => name !== "");
  const frames = outputs.map((name) => frameOf(state, name));
  if (outputs.length < node.output.length || frames.includes(null)) return false;
  if (others.some((name) => name !== "" && !isStored(state, name))) return false;
  const made = await evaluateNode(state, node);
  if (made === null || outputs.some((name) => !made.has(name))) return false;
  const along = countFrom(integerAttribute(node, "axis", 0), constants.dims.length);
  if (along !== axis) {
    emit(state, { ...node, input: [keptName(data), ...others], output: outputs.map(keptName) });
    for (const name of outputs)
      setNarrow(state, name, { axis, live, constants: made.get(name) as Block, layers });
    return true;
  }
  let offset = 0;
  outputs.forEach((name, i) => {
    const size = frames[i]?.dims[along] as number;
    const own = live.filter((position) => position >= offset && position < offset + size);
    const isWhole = own.length === size;
    if (own.length > 0) {
      const to = isWhole ? madeName(state, name) : keptName(name);
      gatherSlices(state, keptName(data), axis, placesIn(live, own), to);
    }
    if (!isWhole) {
      const left = own.map((position) => position - offset);
      setNarrow(state, name, { axis, live: left, constants: made.get(name) as Block, layers });
    }
    offset += size;
  });
  return true;
}

/** Positions picked along the axis of the slices; -1 picks none. */
async function pick(state: Narrowing, node: NodeProto, picked: readonly number[]): Promise<boolean> {
  const [data = ""] = node.input;
  const [output = ""] = node.output;
  const { axis, live, layers } = state.narrow.get(data) as Narrow;
  const constants = (await evaluateNode(state, node))?.get(output);
  if (constants === undefined) return false;
  const places = placesIn(live, picked);
  const left = Int32Array.from(picked.keys()).filter((i) => (places[i] as number) >= 0);
  const isWhole = left.length === picked.length;
  if (left.length > 0) {
    const to = isWhole ? madeName(state, output) : keptName(output);
    const taken = Array.from(left, (i) => places[i] as number);
    gatherSlices(state, keptName(data), axis, taken, to);
  }
  if (!isWhole) setNarrow(state, output, { axis, live: left, constants, layers });
  return true;
}

export async function gather(state: Narrowing, node: NodeProto): Promise<boolean> {
  const [data = "", indices = ""] = node.input;
  const [output = ""] = node.output;
  const narrow = state.narrow.get(data);
  const given = constantIntegers(state.network, indices);
  const rank = frameOf(state, output)?.dims.length;
  if (narrow === undefined || given === null || rank === undefined) return false;
  const { dims } = narrow.constants;
  const along = countFrom(integerAttribute(node, "axis", 0), dims.length);
  const isScalar = rank < dims.length;
  if (rank > dims.length) return false;
  if (along !== narrow.axis)
    return carry(state, node, narrow.axis - (isScalar && along < narrow.axis ? 1 : 0));
  return (
    !isScalar &&
    pick(
      state,
      node,
      given.map((i) => countFrom(i, dims[along] as number)),
    )
  );
}

export async function slice(state: Narrowing, node: NodeProto): Promise<boolean> {
  const [data = ""] = node.input;
  const { axis, constants } = state.narrow.get(data) as Narrow;
  const { dims } = constants;
  const read = (name: string, i: number) =>
    integersAttribute(node, name) ??
    (node.input[i] ? constantIntegers(state.network, node.input[i]) : undefined);
  const [starts, ends, given, steps] = ["starts", "ends", "axes", "steps"].map((name, i) =>
    read(name, i + 1),
  );
  if (!starts || !ends || given === null || steps === null) return false;
  const axes = starts.map((_, i) => countFrom(given?.[i] ?? i, dims.length));
  const at = axes.indexOf(axis);
  if (at < 0) return carry(state, node, axis);
  // With other axes at once the slices would have to be picked first.
  if (axes.length > 1) return false;
  const size = dims[axis] as number;
  return pick(state, node, slicedPositions(starts[at] as number, ends[at] as number, steps?.[at] ?? 1, size));
}

/** Padding along other axes than that of the slices. */
export async function pad(state: Narrowing, node: NodeProto): Promise<boolean> {
  const { axis, constants } = state.narrow.get(node.input[0] ?? "") as Narrow;
  const rank = constants.dims.length;
  const pads = integersAttribute(node, "pads") ?? constantIntegers(state.network, node.input[1] ?? "");
  if (pads === null || (node.input[3] ?? "") !== "") return false;
  return pads[axis] === 0 && pads[axis + rank] === 0 && carry(state, node, axis);
}
