/** Gradients of reductions, and of Softmax, which normalises by one. */
import { integerAttribute } from "../model-graph.ts";
import {
  axisFromFront,
  expandTo,
  type GradientRule,
  type GradientView,
  productOf,
  reduce,
  refuse,
  reshapeTo,
} from "./gradient-view.ts";

/** The axes that a reduction takes away; null for none (an empty list that means none). */
function reducedAxes(view: GradientView): number[] | null {
  const rank = view.shape(0).sizes.length;
  const given = view.integers("axes", 1);
  if (given === null) refuse(view.node, "axes that are computed", "constant axes");
  if (given !== undefined && given.length > 0) return given.map((axis) => axisFromFront(axis, rank));
  const isNone = integerAttribute(view.node, "noop_with_empty_axes", 0) === 1;
  return isNone ? null : Array.from({ length: rank }, (_, axis) => axis);
}

/** A value of the reduction's output with the reduced axes at size 1. */
function withAxes(view: GradientView, value: string, axes: readonly number[]): string {
  if (integerAttribute(view.node, "keepdims", 1) === 1) return value;
  const { sizes, batchAxis } = view.shape(0);
  return reshapeTo(view, value, {
    sizes: sizes.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    batchAxis: axes.includes(batchAxis) ? -1 : batchAxis,
  });
}

/** A rule from the gradient of a reduction at full rank, its output likewise, and the number of terms. */
const reduction =
  (
    gradient: (view: GradientView, upstream: string, output: () => string, axes: readonly number[]) => string,
  ): GradientRule =>
  (view) => {
    const axes = reducedAxes(view);
    if (axes === null) return [view.upstream];
    const { batchAxis } = view.shape(0);
    if (axes.includes(batchAxis))
      refuse(view.node, "a reduction over the batch", "one that keeps inputs apart");
    const output = () => withAxes(view, view.output(), axes);
    return [gradient(view, withAxes(view, view.upstream, axes), output, axes)];
  };

const sum = reduction((view, upstream) => expandTo(view, upstream, view.shape(0)));

const mean = reduction((view, upstream, _, axes) => {
  const count = productOf(axes.map((axis) => view.shape(0).sizes[axis] as number));
  return expandTo(view, view.add("Mul", [upstream, view.scalar(1 / count)]), view.shape(0));
});

/** Equal extrema share, as in PyTorch's `amax`. */
const extremum = reduction((view, upstream, output, axes) => {
  const loses = view.node.opType === "ReduceMax" ? "Less" : "Greater";
  const isLost = view.add(loses, [view.input(0), output()]);
  const marks = view.add("Where", [isLost, view.scalar(0), view.scalar(1)]);
  const share = view.add("Div", [upstream, reduce(view, "ReduceSum", marks, axes)]);
  return view.add("Mul", [marks, share]);
});

const l1 = reduction((view, upstream) => view.add("Mul", [view.add("Sign", [view.input(0)]), upstream]));

const l2 = reduction((view, upstream, output) => {
  const norm = output();
  const isSome = view.add("Greater", [norm, view.scalar(0)]);
  const share = view.add("Where", [isSome, view.add("Div", [upstream, norm]), view.scalar(0)]);
  return view.add("Mul", [view.input(0), share]);
});

const sumSquare = reduction((view, upstream) =>
  view.add("Mul", [view.add("Mul", [view.input(0), view.scalar(2)]), upstream]),
);

const logSum = reduction((view, upstream, output) =>
  expandTo(view, view.add("Div", [upstream, view.add("Exp", [output()])]), view.shape(0)),
);

const logSumExp = reduction((view, upstream, output) => {
  const share = view.add("Exp", [view.add("Sub", [view.input(0), output()])]);
  return view.add("Mul", [share, upstream]);
});

/** The axes over which Softmax normalises: from opset 13 one, before that all from `axis` on. */
function softmaxAxes(view: GradientView): number[] {
  const rank = view.shape(0).sizes.length;
  const isSingle = view.opset >= 13;
  const axis = axisFromFront(integerAttribute(view.node, "axis", isSingle ? -1 : 1), rank);
  return isSingle ? [axis] : Array.from({ length: rank - axis }, (_, i) => axis + i);
}

/** y (g - sum g y). */
const softmax: GradientRule = (view) => {
  const weighted = view.add("Mul", [view.upstream, view.output()]);
  const total = reduce(view, "ReduceSum", weighted, softmaxAxes(view));
  return [view.add("Sub", [weighted, view.add("Mul", [view.output(), total])])];
};

/** g - exp(y) sum g. */
const logSoftmax: GradientRule = (view) => {
  const total = reduce(view, "ReduceSum", view.upstream, softmaxAxes(view));
  const expected = view.add("Mul", [view.add("Exp", [view.output()]), total]);
  return [view.add("Sub", [view.upstream, expected])];
};

export const REDUCTION_RULES: readonly (readonly [string, GradientRule])[] = [
  ["ReduceSum", sum],
  ["ReduceMean", mean],
  ["ReduceMax", extremum],
  ["ReduceMin", extremum],
  ["ReduceL1", l1],
  ["ReduceL2", l2],
  ["ReduceSumSquare", sumSquare],
  ["ReduceLogSum", logSum],
  ["ReduceLogSumExp", logSumExp],
  ["Softmax", softmax],
  ["LogSoftmax", logSoftmax],
];
