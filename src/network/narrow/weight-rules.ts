/**
 * Layers that lose units or what they read: their kernels lose rows, columns or filters. What the constant part of the
 * input adds to their sums goes into the bias; where it depends on the position (zero padding, means that differ from
 * place to place), into a constant map that is added behind.
 */
import { makeNode, type NodeProto } from "../../runtime/onnx.ts";
import { constantFloats } from "../constants.ts";
import { attributeOf, integerAttribute } from "../model-graph.ts";
import type { Layer } from "../network.ts";
import { type Block, clearSlices, foldAxes, placesIn, sizeOf, takeSlices } from "./blocks.ts";
import { evaluateNode } from "./evaluate-node.ts";
import {
  addFloats,
  emit,
  frameOf,
  freshName,
  gatherSlices,
  isStored,
  keptName,
  layersOf,
  madeName,
  type Narrowing,
  positionsOf,
  replaceFloats,
  setNarrow,
} from "./narrowing.ts";

/** What of a weight-bearing node stays. */
interface Cut {
  /** Input and output positions that are still computed, ascending. */
  readonly inputs: Int32Array;
  readonly units: Int32Array;
  /** Units that the new node makes, ascending: more than these where groups have to be of one size. */
  readonly made: Int32Array;
  readonly groups: number;
}

/**
 * Makes a layer without all but its `kept` units (null: all stay) and without what it reads of constants. False where
 * that cannot be done.
 */
export async function cutWeights(
  state: Narrowing,
  node: NodeProto,
  layer: Layer,
  number: number,
  kept: Int32Array | null,
): Promise<boolean> {
  const [output = ""] = node.output;
  const side = layer.operator === "MatMul" && isStored(state, node.input[0] ?? "") ? 1 : 0;
  const data = node.input[side] ?? "";
  const [frameIn, frameOut] = [frameOf(state, data), frameOf(state, output)];
  const kernel = constantFloats(state.network, layer.weights.kernel.name);
  const bias = layer.operator === "MatMul" ? "" : (node.input[2] ?? "");
  if (frameIn === null || frameOut === null || kernel === null) return false;
  if (bias !== "" && !isStored(state, bias)) return false;
  const rank = frameIn.dims.length;
  const axis = layer.operator !== "MatMul" ? 1 : side === 0 ? rank - 1 : rank - 2;
  const narrow = state.narrow.get(data);
  if (narrow !== undefined && narrow.live.length > 0 && narrow.axis !== axis) return false;
  const size = frameIn.dims[axis] as number;
  const all = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
  const cut = chooseCut(layer, size, narrow?.live ?? all(size), kept ?? all(layer.units));
  const { unitAxis } = layer.weights;
  const constants = narrow?.constants ?? {
    dims: frameIn.dims,
    values: new Float32Array(sizeOf(frameIn.dims)),
  };
  const read = clearSlices(constants, axis, cut.inputs);
  const sums = (await evaluateNode(state, node, new Map([[data, read]])))?.get(output);
  if (sums === undefined) return false;
  const isOwn = kept !== null && cut.units.length === kept.length;
  const layers = isOwn ? new Set<number>() : layersOf(state, [data]);
  if (kept !== null) layers.add(number);
  const isWhole = cut.units.length === layer.units;
  if (cut.units.length > 0) {
    const from = positionsOf(state, data, axis, cut.inputs, size, node);
    const weights = cutKernel(layer, kernel, cut);
    const base = foldAxes(takeSlices(sums, unitAxis, cut.made), unitAxis);
    const isCutAgain = cut.made.length > cut.units.length;
    const to = isWhole ? madeName(state, output) : keptName(output);
    const made = isCutAgain ? freshName(state, `${output}/groups`) : to;
    const parts = { from, side, weights, base, groups: cut.groups, to: made };
    state.products.set(number, emitWeights(state, node, layer, parts));
    if (isCutAgain) gatherSlices(state, made, unitAxis, placesIn(cut.made, cut.units), to);
  }
  if (!isWhole) {
    // A layer's own lesion is undone here: what stands for its units comes where the lesion acts.
    setNarrow(state, output, { axis: unitAxis, live: cut.units, constants: sums, layers });
  }
  return true;
}

/**
 * Units that are computed still: the kept ones that read anything live. Groups of a convolution that lose all go as a
 * whole; what goes inside of groups goes only where all that stay remain of one size.
 */
function chooseCut(layer: Layer, size: number, live: Int32Array, kept: Int32Array): Cut {
  const { groups } = layer.weights.kernel;
  const [inputsEach, unitsEach] = [size / groups, layer.units / groups];
  const groupsOf = (positions: Int32Array, each: number) => {
    const members = Array.from({ length: groups }, (): number[] => []);
    for (const position of positions) members[Math.floor(position / each)]?.push(position);
    return members;
  };
  const [inputs, units] = [groupsOf(live, inputsEach), groupsOf(kept, unitsEach)];
  const stay = inputs.flatMap((some, g) => (some.length > 0 && (units[g]?.length ?? 0) > 0 ? [g] : []));
  const computed = Int32Array.from(stay.flatMap((g) => units[g] ?? []));
  const isEven = [inputs, units].every((members) => new Set(stay.map((g) => members[g]?.length)).size <= 1);
  const whole = (each: number) =>
    Int32Array.from(stay.flatMap((g) => Array.from({ length: each }, (_, i) => g * each + i)));
  return {
    inputs: isEven ? Int32Array.from(stay.flatMap((g) => inputs[g] ?? [])) : whole(inputsEach),
    units: computed,
    made: isEven ? computed : whole(unitsEach),
    groups: stay.length,
  };
}

function cutKernel(layer: Layer, kernel: Block, { inputs, made }: Cut): Block {
  const { groups, layout } = layer.weights.kernel;
  const [unitAxis, inputAxis] = layout === "outputs-first" ? [0, 1] : [1, 0];
  const rows = takeSlices(kernel, unitAxis, made);
  if (groups === 1) return takeSlices(rows, inputAxis, inputs);
  const [inputsEach, unitsEach] = [layer.weights.kernel.inputs, layer.units / groups];
  // Every unit reads the inputs of its own group, numbered from the group's first.
  const units = Array.from(made, (unit, row) => {
    const group = Math.floor(unit / unitsEach);
    const own = Array.from(inputs).filter((input) => Math.floor(input / inputsEach) === group);
    const local = own.map((input) => input % inputsEach);
    return takeSlices(takeSlices(rows, 0, [row]), 1, local);
  });
  const [first] = units;
  const values = new Float32Array(units.reduce((total, unit) => total + unit.values.length, 0));
  let offset = 0;
  for (const unit of units) {
    values.set(unit.values, offset);
    offset += unit.values.length;
  }
  return { dims: [units.length, ...(first?.dims.slice(1) ?? [])], values };
}

/** Adds the node with what is left of its kernel; returns the name of its product. */
function emitWeights(
  state: Narrowing,
  node: NodeProto,
  layer: Layer,
  parts: {
    readonly from: string;
    readonly side: number;
    readonly weights: Block;
    readonly base: Block;
    readonly groups: number;
    readonly to: string;
  },
): string {
  const { from, side, weights, base, groups, to } = parts;
  const { unitAxis } = layer.weights;
  const kernel = replaceFloats(state, layer.weights.kernel.name, weights);
  const count = base.dims[unitAxis] as number;
  const isVector = base.values.length === count;
  const isZero = base.values.every((value) => value === 0);
  const hasBias = layer.operator !== "MatMul";
  const old = node.input[2] ?? "";
  const takesBias = hasBias && isVector && (!isZero || old !== "");
  const inputs = side === 0 ? [from, kernel] : [kernel, from];
  if (takesBias) {
    const vector: Block = { dims: [count], values: base.values };
    inputs.push(old === "" ? addFloats(state, `${to}/bias`, vector) : replaceFloats(state, old, vector));
  }
  const addsMap = !isZero && !takesBias;
  // Below operator set 11 a Gemm must have a third input.
  if (layer.operator === "Gemm" && !takesBias && state.network.graph.opset < 11)
    inputs.push(addFloats(state, `${to}/bias`, { dims: [count], values: new Float32Array(count) }));
  const dropped = ["beta", ...(attributeOf(node, "group") ? ["group"] : [])];
  const grouping = integerAttribute(node, "group", 1) > 1 ? { group: BigInt(groups) } : {};
  const attribute = [
    ...node.attribute.filter(({ name }) => !dropped.includes(name)),
    ...makeNode("Conv", [], [], grouping).attribute,
  ];
  const sum = addsMap ? freshName(state, `${to}/sums`) : to;
  emit(state, { ...node, input: inputs, output: [sum], attribute });
  if (addsMap) {
    emit(state, makeNode("Add", [sum, addFloats(state, `${to}/constants`, base)], [to]));
    state.sums.add(to);
  }
  return sum;
}
