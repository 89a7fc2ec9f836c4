/**
 * What every ONNX operator does to the units in its inputs: the table of rules and the rules that only move units.
 */
import type { NodeProto } from "../runtime/onnx.ts";
import { constantFloats, constantIntegers } from "./constants.ts";
import { integerAttribute, integersAttribute } from "./model-graph.ts";
import { gatherMap, type PositionMap, reduceMap, reshapeMap, transposeMap } from "./position-map.ts";
import { add, batchNorm, instanceNorm, joinTerms, layerNorm, multiply } from "./scaling.ts";
import {
  type Flow,
  type FlowState,
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
  const carriesUnits = node.input.some((_, i) => view.flow(i).length > 0);
  const rule = node.domain === "" || node.domain === "ai.onnx" ? RULES.get(node.opType) : undefined;
  let result: RuleResult;
  if (rule) result = rule(view);
  else if (node.attribute.some(({ g }) => g)) result = { problem: "control flow is not followed" };
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
  const shapeOf = (name: string) =>
    probe.values.get(name)?.shape ??
    constantFloats(state, name)?.dims ??
    probe.constants.get(name)?.dims ??
    [];
  return {
    state,
    node,
    number,
    flow(i) {
      const name = node.input[i] ?? "";
      const isShared = (graph.consumers.get(name)?.length ?? 0) > 1 || graph.outputs.includes(name);
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

const activation: Rule = (view) => {
  if (view.node.input.some((_, i) => i > 0 && view.isComputed(i)))
    return { problem: "its parameters are computed" };
  return { flows: [view.flow(0).map((term) => ({ ...term, isActivated: true }))], role: "activation" };
};

/** Maps every term's positions; a null says that units would be mixed. */
function mapTerms(
  flow: Flow,
  change: (map: PositionMap) => PositionMap | null,
  role: NodeRole,
  problem: string,
): RuleResult {
  const terms: UnitTerm[] = [];
  for (const term of flow) {
    const map = change(term.map);
    if (map === null) return { problem };
    terms.push({ ...term, map });
  }
  return { flows: [terms], role };
}

/** Pooling and the like: the spatial axes (2 and up) change size, each unit stays for itself. */
const spatial: Rule = (view) =>
  mapTerms(
    view.flow(0),
    (map) => (map.dims.slice(2).every((size) => size === 1) ? map : null),
    "spatial",
    "units lie along the pooled axes",
  );

const reshape: Rule = (view) =>
  mapTerms(
    view.flow(0),
    (map) => reshapeMap(map, view.shape(0), view.outputShape(), view.batchAxis(0)),
    "shape",
    "the reshape folds units into the batch axis",
  );

const transpose: Rule = (view) => {
  const rank = view.shape(0).length;
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const permutation = integersAttribute(view.node, "perm") ?? reversed;
  return mapTerms(view.flow(0), (map) => transposeMap(map, permutation), "shape", "");
};

const reduce: Rule = (view) => {
  const rank = view.shape(0).length;
  const listed =
    integersAttribute(view.node, "axes") ??
    (view.node.input[1] ? constantIntegers(view.state, view.node.input[1]) : null);
  if (listed === null && view.isComputed(1)) return { problem: "the reduced axes are computed" };
  const axes = (listed ?? view.shape(0).map((_, axis) => axis)).map((axis) =>
    axis < 0 ? axis + rank : axis,
  );
  if (axes.includes(view.batchAxis(0))) return { problem: "it reduces over the batch" };
  const keepsAxes = integerAttribute(view.node, "keepdims", 1) === 1;
  return mapTerms(view.flow(0), (map) => reduceMap(map, axes, keepsAxes), "spatial", "it sums over units");
};

const concat: Rule = (view) => {
  const shape = view.outputShape();
  const given = integerAttribute(view.node, "axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  const terms: UnitTerm[] = [];
  let offset = 0;
  view.node.input.forEach((_, i) => {
    const size = view.shape(i)[axis] as number;
    const from = Array.from({ length: shape[axis] as number }, (_, position) =>
      position >= offset && position < offset + size ? position - offset : -1,
    );
    for (const term of view.flow(i)) {
      terms.push({ ...term, map: gatherMap(term.map, axis, size, from), isOwn: false });
    }
    offset += size;
  });
  return { flows: [joinTerms(terms)], role: "mixing" };
};

const split: Rule = (view) => {
  const shape = view.shape(0);
  const given = integerAttribute(view.node, "axis", 0);
  const axis = given < 0 ? given + shape.length : given;
  let offset = 0;
  const flows = view.node.output.map((_, i) => {
    const size = view.outputShape(i)[axis] ?? 0;
    const from = Array.from({ length: size }, (_, position) => position + offset);
    offset += size;
    return view
      .flow(0)
      .map((term) => ({ ...term, map: gatherMap(term.map, axis, shape[axis] as number, from) }));
  });
  return { flows, role: "mixing" };
};

const gather: Rule = (view) => {
  const shape = view.shape(0);
  const given = integerAttribute(view.node, "axis", 0);
  const axis = given < 0 ? given + shape.length : given;
  const indices = constantIntegers(view.state, view.node.input[1] ?? "");
  if (indices === null) return { problem: "its indices are computed" };
  const size = shape[axis] as number;
  const picked = indices.map((i) => (i < 0 ? i + size : i));
  const isScalar = view.outputShape().length < shape.length;
  return mapTerms(
    view.flow(0),
    (map) => {
      const taken = gatherMap(map, axis, size, picked);
      return isScalar ? { ...taken, dims: taken.dims.filter((_, other) => other !== axis) } : taken;
    },
    "mixing",
    "",
  );
};

const pad: Rule = (view) => {
  const pads =
    integersAttribute(view.node, "pads") ??
    (view.node.input[1] ? constantIntegers(view.state, view.node.input[1]) : null);
  if (pads === null) return { problem: "its pads are computed" };
  const shape = view.shape(0);
  return mapTerms(
    view.flow(0),
    (map) =>
      shape.reduce<PositionMap>((padded, size, axis) => {
        const before = pads[axis] ?? 0;
        const after = pads[axis + shape.length] ?? 0;
        if (map.dims[axis] === 1 || before + after === 0) return padded;
        const from = Array.from({ length: before + size + after }, (_, position) =>
          position >= before && position < before + size ? position - before : -1,
        );
        return gatherMap(padded, axis, size, from);
      }, map),
    "spatial",
    "",
  );
};

/** Nodes that only tell sizes or types. */
const sizes: Rule = () => ({ flows: [], role: "mixing" });

const softmax: Rule = () => ({ problem: "it mixes units" });

const ACTIVATIONS = [
  ..."Relu LeakyRelu PRelu ThresholdedRelu Elu Selu Celu Gelu Mish Swish Sigmoid HardSigmoid HardSwish".split(
    " ",
  ),
  ..."Softplus Softsign Tanh Clip Erf Exp Log Sqrt Abs Pow Reciprocal Sin Cos Sign Floor Ceil Round Min Max".split(
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
  ["BatchNormalization", batchNorm],
  ["InstanceNormalization", instanceNorm],
  ["LayerNormalization", layerNorm],
  ["LRN", passes("mixing")],
  ["Add", add],
  ["Sub", add],
  ["Mul", multiply],
  ["Div", multiply],
  ["Concat", concat],
  ["Split", split],
  ["Gather", gather],
  ["Pad", pad],
  ["Shape", sizes],
  ["Size", sizes],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["Conv", addWeightNode],
  ["Gemm", addWeightNode],
  ["MatMul", addWeightNode],
]);
