/**
 * What every ONNX operator does to the units in its inputs: the table of rules and the rules that only move units.
 */
import type { NodeProto } from "../runtime/onnx.ts";
import { constantFloats } from "./constants.ts";
import { attributeOf, integerAttribute, readersOf, readsOf } from "./model-graph.ts";
import { alignRank, noUnits, reduceMap } from "./position-map.ts";
import { attention, matMul } from "./products.ts";
import {
  concat,
  gather,
  integersGiven,
  mapTerms,
  pad,
  reshape,
  slice,
  split,
  transpose,
} from "./rearranging.ts";
import { add, batchNorm, extremum, groupNorm, instanceNorm, layerNorm, multiply } from "./scaling.ts";
import { dimsOf } from "./tensor-values.ts";
import {
  type FlowState,
  holdsUnits,
  type NodeRole,
  type NodeView,
  operatorName,
  type Rule,
  type RuleResult,
  type UnitTerm,
} from "./unit-flow.ts";
import { addWeightNode } from "./weight-nodes.ts";

/** Applies the rule of a node: sets its outputs' flows and its role, or notes why it is not followed. */
export function applyOperator(state: FlowState, node: NodeProto, number: number): void {
  const view = viewOf(state, node, number);
  const carriesUnits = readsOf(node).some((name) =>
    state.flows.get(name)?.some((term) => term.isPooled || holdsUnits(term)),
  );
  const rule = node.domain === "" || node.domain === "ai.onnx" ? RULES.get(node.opType) : undefined;
  let result: RuleResult;
  if (rule) result = rule(view);
  else if (node.attribute.some(({ g, graphs }) => g || graphs.length > 0))
    result = { problem: "control flow is not followed" };
  else result = { problem: `no rule for operator ${operatorName(node)}` };
  if ("problem" in result) {
    // What only handles the network's input or sizes carries no units: nothing is lost there.
    if (carriesUnits) state.skip(node, result.problem);
    return;
  }
  state.roles.set(number, result.role);
  node.output.forEach((name, i) => {
    const flow = result.flows[i];
    if (name !== "" && flow && flow.length > 0) state.flows.set(name, flow);
  });
}

function viewOf(state: FlowState, node: NodeProto, number: number): NodeView {
  const { graph, probe, flows } = state;
  const shapeOf = (name: string) => {
    const stored = graph.initializers.get(name);
    if (stored) return dimsOf(stored);
    return probe.values.get(name)?.shape ?? probe.constants.get(name)?.dims ?? [];
  };
  return {
    state,
    node,
    number,
    flow(i) {
      const name = node.input[i] ?? "";
      const isShared = readersOf(graph, name).length > 1 || graph.outputs.includes(name);
      const flow = flows.get(name) ?? [];
      return isShared ? flow.map((term) => ({ ...term, isOwn: false })) : flow;
    },
    isComputed: (i) => (node.input[i] ?? "") !== "" && !graph.constants.has(node.input[i] ?? ""),
    shape: (i) => shapeOf(node.input[i] ?? ""),
    batchAxis: (i) => probe.values.get(node.input[i] ?? "")?.batchAxis ?? -1,
    outputShape: (i = 0) => probe.values.get(node.output[i] ?? "")?.shape ?? [],
  };
}

const passes =
  (role: NodeRole): Rule =>
  (view) => ({ flows: [view.flow(0)], role });

/** Limits at large sums of the activation functions that have one (Clip brings its own). */
const LIMITS: ReadonlyMap<string, number> = new Map(
  "Sigmoid HardSigmoid Tanh Erf Softsign".split(" ").map((name) => [name, 1]),
);

const activation: Rule = (view) => {
  const { node, state } = view;
  if (node.input.some((_, i) => i > 0 && view.isComputed(i)))
    return { problem: "its parameters are computed" };
  const most =
    node.opType === "Clip"
      ? (attributeOf(node, "max")?.f ?? constantFloats(state, node.input[2] ?? "")?.values[0])
      : LIMITS.get(node.opType);
  const limit = most ?? null;
  return { flows: [view.flow(0).map((term) => ({ ...term, isActivated: true, limit }))], role: "activation" };
};

/** Pooling and the like: the spatial axes (2 and up) change size, each unit stays for itself. */
const spatial: Rule = (view) =>
  mapTerms(
    view,
    (map) => (map.dims.slice(2).every((size) => size === 1) ? map : null),
    "spatial",
    "units lie along the pooled axes",
  );

const reduce: Rule = (view) => {
  const rank = view.shape(0).length;
  const given = integersGiven(view, "axes", 1);
  if (given === null) return { problem: "the reduced axes are computed" };
  // An empty list means all axes, unless the node says that it means none.
  const isEmpty = given === undefined || given.length === 0;
  if (isEmpty && integerAttribute(view.node, "noop_with_empty_axes", 0) === 1) {
    return { flows: [view.flow(0)], role: "affine" };
  }
  const axes = isEmpty
    ? view.shape(0).map((_, axis) => axis)
    : given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.includes(view.batchAxis(0))) return { problem: "it reduces over the batch" };
  const keepsAxes = integerAttribute(view.node, "keepdims", 1) === 1;
  const terms = view.flow(0).map((term): UnitTerm => {
    const map = reduceMap(term.map, axes, keepsAxes);
    if (map !== null) return { ...term, map };
    return { ...term, map: noUnits(view.outputShape().length), isOwn: false, isPooled: true };
  });
  return { flows: [terms], role: terms.some(({ isPooled }) => isPooled) ? "mixing" : "spatial" };
};

/** Repeats a value along axes where it has size 1. */
const expand: Rule = (view) =>
  mapTerms(view, (map) => alignRank(map, view.outputShape().length), "shape", "");

/** Nodes that only tell sizes or types. */
const sizes: Rule = () => ({ flows: [], role: "mixing" });

const softmax: Rule = () => ({ problem: "it mixes units" });

const ACTIVATIONS = [
  ..."Relu LeakyRelu PRelu ThresholdedRelu Elu Selu Celu Gelu Mish Swish Sigmoid HardSigmoid HardSwish".split(
    " ",
  ),
  ..."Softplus Softsign Tanh Clip Erf Exp Log Sqrt Abs Pow Reciprocal Sin Cos Sign Floor Ceil Round".split(
    " ",
  ),
];

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...ACTIVATIONS.map((name): [string, Rule] => [name, activation]),
  ..."Identity Cast Dropout Neg".split(" ").map((name): [string, Rule] => [name, passes("affine")]),
  ..."MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool Resize Upsample"
    .split(" ")
    .map((name): [string, Rule] => [name, spatial]),
  ..."Flatten Reshape Squeeze Unsqueeze".split(" ").map((name): [string, Rule] => [name, reshape]),
  ..."ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2"
    .split(" ")
    .map((name): [string, Rule] => [name, reduce]),
  ["Transpose", transpose],
  ["Expand", expand],
  ["BatchNormalization", batchNorm],
  ["InstanceNormalization", instanceNorm],
  ["GroupNormalization", groupNorm],
  ["LayerNormalization", layerNorm],
  ["RMSNormalization", layerNorm],
  ["LRN", passes("mixing")],
  ["Add", add],
  ["Sub", add],
  ["Sum", add],
  ["Max", extremum],
  ["Min", extremum],
  ["Mul", multiply],
  ["Div", multiply],
  ["Concat", concat],
  ["Split", split],
  ["Gather", gather],
  ["Slice", slice],
  ["Pad", pad],
  ["Shape", sizes],
  ["Size", sizes],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["Conv", addWeightNode],
  ["Gemm", addWeightNode],
  ["MatMul", matMul],
  ["Attention", attention],
]);

/** Operators whose units are followed. */
export const FOLLOWED_OPERATORS: readonly string[] = [...RULES.keys()];
