/**
 * How operators hand on values that lost slices: `true` where a rule has made what is left of the node's outputs, `false`
 * where the whole inputs are needed. Every slice that stays constant depends on constant slices alone, so what it becomes
 * is found by running the operator itself on them.
 */
import type { NodeProto } from "../../runtime/onnx.ts";
import { constantFloats, constantIntegers } from "../constants.ts";
import { integerAttribute, integersAttribute } from "../model-graph.ts";
import { type Block, takeSlices, unite } from "./blocks.ts";
import { carry } from "./carry.ts";
import { evaluateNode } from "./evaluate-node.ts";
import { concat, gather, pad, reshape, slice, split, transpose } from "./moving-rules.ts";
import {
  addConstants,
  addFloats,
  emit,
  frameOf,
  isStored,
  keptName,
  layersOf,
  madeName,
  type Narrowing,
  replaceFloats,
  setNarrow,
  usesMoreOutputs,
  widenTo,
} from "./narrowing.ts";

export type NarrowRule = (state: Narrowing, node: NodeProto) => Promise<boolean>;

/** The rule of a node; null for operators that need whole inputs. */
export function ruleOf(node: NodeProto): NarrowRule | null {
  return node.domain === "" || node.domain === "ai.onnx" ? (RULES.get(node.opType) ?? null) : null;
}

/** All outputs of a node that reads nothing but constants; false where some cannot be told. */
export async function makeConstant(state: Narrowing, node: NodeProto): Promise<boolean> {
  const outputs = node.output.filter((name) => name !== "");
  if (outputs.some((name) => frameOf(state, name) === null)) return false;
  const made = await evaluateNode(state, node);
  if (made === null || outputs.some((name) => !made.has(name))) return false;
  for (const name of outputs) {
    const constants = made.get(name) as Block;
    const layers = layersOf(state, node.input);
    setNarrow(state, name, { axis: 0, live: new Int32Array(), constants, layers });
  }
  return true;
}

/**
 * Operators that broadcast and join position by position: what is constant in all inputs is constant in the output,
 * and inputs that lost more than others get those slices back.
 */
const elementwise: NarrowRule = async (state, node) => {
  const [output = ""] = node.output;
  const frame = frameOf(state, output);
  const reads = [...new Set(node.input.filter((name) => name !== ""))];
  const narrowed = reads.flatMap((name) => {
    const narrow = state.narrow.get(name);
    return narrow ? [{ name, narrow, shift: (frame?.dims.length ?? 0) - narrow.constants.dims.length }] : [];
  });
  const cut = narrowed.filter(({ narrow }) => narrow.live.length > 0);
  const wholes = reads.filter((name) => !isStored(state, name) && !state.narrow.has(name));
  if (frame === null || usesMoreOutputs(state, node)) return false;
  const replaced = new Map<string, string>();
  if (cut.length === 0) {
    // Constants beside a whole value, which brings the batch.
    if (!wholes.some((name) => frameOf(state, name) !== null)) return false;
    for (const { name } of narrowed) replaced.set(name, addConstants(state, name));
    const input = node.input.map((name) => replaced.get(name) ?? name);
    emit(state, { ...node, input, output: [madeName(state, output)] });
    return true;
  }
  if (wholes.length > 0) return false;
  const [axis = 0, ...otherAxes] = cut.map(({ narrow, shift }) => narrow.axis + shift);
  if (otherAxes.some((other) => other !== axis)) return false;
  const live = unite(cut.map(({ narrow }) => narrow.live));
  if (live.length === frame.dims[axis]) return false;
  const constants = (await evaluateNode(state, node))?.get(output);
  if (constants === undefined) return false;
  for (const name of reads) {
    const narrow = state.narrow.get(name);
    if (narrow !== undefined && narrow.live.length > 0) {
      replaced.set(name, widenTo(state, name, live, node));
      continue;
    }
    const stored = narrow?.constants ?? constantFloats(state.network, name);
    const own = axis - frame.dims.length + (stored?.dims.length ?? 0);
    if (stored === null || own < 0 || stored.dims[own] === 1) {
      if (narrow !== undefined) replaced.set(name, addConstants(state, name));
      continue;
    }
    const taken = takeSlices(stored, own, live);
    replaced.set(
      name,
      narrow === undefined ? replaceFloats(state, name, taken) : addFloats(state, `${name}/constants`, taken),
    );
  }
  const input = node.input.map((name) => replaced.get(name) ?? name);
  emit(state, { ...node, input, output: [keptName(output)] });
  setNarrow(state, output, { axis, live, constants, layers: layersOf(state, reads) });
  return true;
};

/** Normalisations of every channel by itself: their parameters lose the channels' entries. */
const perChannel: NarrowRule = async (state, node) => {
  const [data = "", ...parameters] = node.input;
  const { axis, live } = state.narrow.get(data) ?? {};
  if (axis !== 1 || live === undefined) return false;
  const arrays = parameters.map((name) => constantFloats(state.network, name));
  if (parameters.some((name) => !isStored(state, name)) || arrays.includes(null)) return false;
  const taken = parameters.map((name, i) =>
    replaceFloats(state, name, takeSlices(arrays[i] as Block, 0, live)),
  );
  return carry(state, node, 1, { input: [keptName(data), ...taken] });
};

/** Pooling: every channel by itself. */
const spatial: NarrowRule = async (state, node) => {
  const axis = state.narrow.get(node.input[0] ?? "")?.axis;
  return axis === 1 && carry(state, node, 1);
};

/** Resize by factors: sizes would name the channels. */
const resize: NarrowRule = async (state, node) =>
  (node.input[3] ?? "") === "" && integersAttribute(node, "axes") === null && spatial(state, node);

const reduce: NarrowRule = async (state, node) => {
  const [data = "", given = ""] = node.input;
  const narrow = state.narrow.get(data);
  const axes =
    integersAttribute(node, "axes") ?? (given === "" ? null : constantIntegers(state.network, given));
  if (narrow === undefined || axes === null || axes.length === 0) return false;
  const rank = narrow.constants.dims.length;
  const reduced = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (reduced.includes(narrow.axis)) return false;
  const keepsAxes = integerAttribute(node, "keepdims", 1) === 1;
  const gone = keepsAxes ? 0 : reduced.filter((axis) => axis < narrow.axis).length;
  return carry(state, node, narrow.axis - gone);
};

const ELEMENTWISE =
  "Relu LeakyRelu PRelu ThresholdedRelu Elu Selu Celu Gelu Mish Swish Sigmoid HardSigmoid HardSwish Softplus Softsign Tanh Clip Erf Exp Log Sqrt Abs Pow Reciprocal Sin Cos Sign Floor Ceil Round Identity Cast Dropout Neg Add Sub Sum Mul Div Max Min Mean";

const RULES: ReadonlyMap<string, NarrowRule> = new Map<string, NarrowRule>([
  ...ELEMENTWISE.split(" ").map((name): [string, NarrowRule] => [name, elementwise]),
  ["BatchNormalization", perChannel],
  ["InstanceNormalization", perChannel],
  ..."MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool"
    .split(" ")
    .map((name): [string, NarrowRule] => [name, spatial]),
  ["Resize", resize],
  ["Upsample", spatial],
  ..."ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2"
    .split(" ")
    .map((name): [string, NarrowRule] => [name, reduce]),
  ..."Flatten Reshape Squeeze Unsqueeze".split(" ").map((name): [string, NarrowRule] => [name, reshape]),
  ["Transpose", transpose],
  ["Concat", concat],
  ["Split", split],
  ["Gather", gather],
  ["Slice", slice],
  ["Pad", pad],
]);
