/**
 * Rules of the weight-bearing operators: Conv, Gemm and MatMul with a constant side make a layer, and connect it
 * to every layer whose units they read (method note 3.1, 3.2, 3.4).
 */

import { constantFloats } from "./constants.ts";
import { attributeOf, integerAttribute } from "./model-graph.ts";
import { expandTo, unitsAlong } from "./position-map.ts";
import { INPUT_LAYER, type NodeView, type RuleResult, type UnitTerm, type WeightNode } from "./unit-flow.ts";

/** How a weight-bearing node reads its input and lays out its kernel. */
interface Reading {
  /** Which input holds the data, and the axis of it that is summed over. */
  readonly data: number;
  readonly axis: number;
  readonly size: number;
  readonly unitAxis: number;
  readonly units: number;
  readonly kernel: WeightNode["kernel"];
}

/** Makes a layer of a weight-bearing node, or says why it cannot be one. */
export function addWeightNode(view: NodeView): RuleResult {
  const reading = readNode(view);
  if ("problem" in reading) return reading;
  const { state, node, number } = view;
  const layer: WeightNode = {
    node: number,
    operator: node.opType as WeightNode["operator"],
    output: node.output[0] ?? "",
    unitAxis: reading.unitAxis,
    units: reading.units,
    kernel: reading.kernel,
    incomingScale: null,
  };
  const target = state.layers.push(layer) - 1;
  const flow = view.flow(reading.data);
  for (const term of flow) {
    const units = unitsAtAxis(term, reading.axis, reading.size);
    if (term.isPooled) state.skip(node, "it reads a sum over units, which is not followed");
    else if (units === null) {
      if (term.source !== INPUT_LAYER) state.skip(node, "it sums over positions, not over units");
    } else if (units.index.some((unit) => unit >= 0)) {
      state.connections.push({ source: term.source, target, ...units });
    }
  }
  if (flow.length === 0) state.skip(node, "its input could not be followed");
  if (node.opType === "Gemm" && view.isComputed(2))
    state.skip(node, "it adds a computed value, which is not followed");
  const map = unitsAlong(reading.unitAxis, reading.units, view.outputShape().length);
  const term = { source: target, map, isOwn: true, isActivated: false, isPooled: false, limit: null };
  return { flows: [[term]], role: "mixing" };
}

/**
 * The term's unit at every position of `axis`, the same wherever one stands on the other axes (positions without
 * any unit aside: padding, a class token); null where units lie along the other axes.
 */
function unitsAtAxis(
  term: UnitTerm,
  axis: number,
  size: number,
): { readonly index: Int32Array; readonly scale: Float64Array | null } | null {
  const { dims } = term.map;
  const map = expandTo(
    term.map,
    dims.map((extent, other) => (other === axis ? size : extent)),
  );
  const stride = dims.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const index = new Int32Array(size).fill(-1);
  const scale = map.scale === null ? null : new Float64Array(size).fill(1);
  for (let position = 0; position < map.index.length; position++) {
    const unit = map.index[position] as number;
    if (unit < 0) continue;
    const at = Math.floor(position / stride) % size;
    if (index[at] !== -1 && index[at] !== unit) return null;
    // Where the factor differs along the other axes, the strongest path counts.
    const factor = map.scale?.[position] ?? 1;
    if (scale) scale[at] = index[at] === -1 ? factor : Math.max(factor, scale[at] as number);
    index[at] = unit;
  }
  return { index, scale };
}

function readNode(view: NodeView): Reading | { readonly problem: string } {
  if (view.node.opType === "Conv") return readConvolution(view);
  return view.node.opType === "Gemm" ? readGemm(view) : readMatMul(view);
}

function readConvolution(view: NodeView): Reading | { readonly problem: string } {
  const name = view.node.input[1] ?? "";
  const kernel = constantFloats(view.state, name);
  if (!kernel) return { problem: "its kernel is computed" };
  const [units = 0, inputs = 0, ...space] = kernel.dims;
  const groups = integerAttribute(view.node, "group", 1);
  const taps = space.reduce((total, size) => total * size, 1);
  return {
    data: 0,
    axis: 1,
    size: inputs * groups,
    unitAxis: 1,
    units,
    kernel: { name, layout: "outputs-first", inputs, taps, groups, factor: 1 },
  };
}

function readGemm(view: NodeView): Reading | { readonly problem: string } {
  const name = view.node.input[1] ?? "";
  const kernel = constantFloats(view.state, name);
  if (!kernel) return { problem: "its kernel is computed" };
  if (!view.isComputed(0)) return { problem: "its data side is constant" };
  if (integerAttribute(view.node, "transA", 0) === 1) return { problem: "its data side is transposed" };
  const isTransposed = integerAttribute(view.node, "transB", 0) === 1;
  const [rows = 0, columns = 0] = kernel.dims;
  const [units, inputs] = isTransposed ? [rows, columns] : [columns, rows];
  const layout = isTransposed ? "outputs-first" : "inputs-first";
  const factor = attributeOf(view.node, "alpha")?.f ?? 1;
  return {
    data: 0,
    axis: 1,
    size: inputs,
    unitAxis: 1,
    units,
    kernel: { name, layout, inputs, taps: 1, groups: 1, factor },
  };
}

function readMatMul(view: NodeView): Reading | { readonly problem: string } {
  const data = view.isComputed(0) ? 0 : 1;
  const name = view.node.input[1 - data] ?? "";
  const kernel = constantFloats(view.state, name);
  if (!kernel) return { problem: "both sides are computed" };
  if (kernel.dims.length !== 2) return { problem: `its constant side has ${kernel.dims.length} axes` };
  const [rows = 0, columns = 0] = kernel.dims;
  const rank = view.shape(data).length;
  const axis = data === 0 ? rank - 1 : rank - 2;
  const [units, inputs] = data === 0 ? [columns, rows] : [rows, columns];
  const layout = data === 0 ? "inputs-first" : "outputs-first";
  return {
    data,
    axis,
    size: inputs,
    unitAxis: data === 0 ? view.outputShape().length - 1 : view.outputShape().length - 2,
    units,
    kernel: { name, layout, inputs, taps: 1, groups: 1, factor: 1 },
  };
}
