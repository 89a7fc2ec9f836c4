/** Gradients of convolutions and products with respect to what flows through them. */
import { attributeOf, integerAttribute, integersAttribute } from "../model-graph.ts";
import {
  type GradientRule,
  type GradientView,
  productOf,
  reduceTo,
  refuse,
  reshapeTo,
  sliceOf,
} from "./gradient-view.ts";
import { groupsOf, type WindowAxis, windowsOf } from "./windows.ts";

/** Kernels and biases are constants in a trained network; a gradient with respect to them is not built. */
function refuseWeights(view: GradientView): void {
  if (view.isWanted(1) || view.isWanted(2))
    refuse(view.node, "weights that depend on the input", "constant weights");
}

/**
 * With stride 1 a convolution with the rotated kernel, its inputs and outputs exchanged, which is twice as fast as
 * ONNX's transposed convolution on a CPU; that one for larger strides.
 */
const conv: GradientRule = (view) => {
  refuseWeights(view);
  const kernel = view.constant(1);
  const dims = view.shape(1).sizes;
  const windows = windowsOf(view, dims.slice(2));
  const groups = groupsOf(view);
  const dilations = windows.map(({ dilation }) => BigInt(dilation));
  const reach = ({ taps, dilation }: WindowAxis) => dilation * (taps - 1);
  const isPlain = windows.every(
    (axis) => axis.stride === 1 && reach(axis) >= axis.before && reach(axis) >= axis.after,
  );
  if (kernel !== null && isPlain) {
    const turned = rotate(kernel.values, dims, groups);
    const pads = [
      ...windows.map((axis) => reach(axis) - axis.before),
      ...windows.map((axis) => reach(axis) - axis.after),
    ];
    const [outputs = 0, inputs = 0, ...taps] = dims;
    const name = view.floats([inputs * groups, outputs / groups, ...taps], turned);
    return [
      view.add("Conv", [view.upstream, name], {
        kernel_shape: taps.map(BigInt),
        pads: pads.map(BigInt),
        dilations,
        group: BigInt(groups),
      }),
    ];
  }
  // Without padding the transposed convolution covers all that the windows reach; the input is a part of that, and
  // what no window reached behind it gets zeros.
  const unread = windows.map(({ after }) => Math.max(0, -after));
  const spread = view.add("ConvTranspose", [view.upstream, view.input(1)], {
    kernel_shape: dims.slice(2).map(BigInt),
    strides: windows.map(({ stride }) => BigInt(stride)),
    dilations,
    group: BigInt(groups),
    pads: [...windows.map(({ before }) => before), ...windows.map(({ after }) => Math.max(0, after))].map(
      BigInt,
    ),
    output_padding: unread.map(BigInt),
  });
  return [spread];
};

/** The kernel [outputs, inputs of a group, ...taps] with taps reversed, and inputs and outputs exchanged in each group. */
function rotate(values: Float32Array, dims: readonly number[], groups: number): Float32Array {
  const [outputs = 0, inputs = 0] = dims;
  const taps = productOf(dims.slice(2));
  const perGroup = outputs / groups;
  const turned = new Float32Array(values.length);
  for (let group = 0; group < groups; group++) {
    for (let output = 0; output < perGroup; output++) {
      for (let input = 0; input < inputs; input++) {
        const from = ((group * perGroup + output) * inputs + input) * taps;
        const to = ((group * inputs + input) * perGroup + output) * taps;
        for (let tap = 0; tap < taps; tap++) turned[to + tap] = values[from + taps - 1 - tap] as number;
      }
    }
  }
  return turned;
}

/** The convolution that it is the transpose of; its kernel [inputs, outputs of a group, ...taps] fits as it is. */
const convTranspose: GradientRule = (view) => {
  refuseWeights(view);
  const { node } = view;
  const taps = view.shape(1).sizes.slice(2);
  const rank = taps.length;
  const strides = integersAttribute(node, "strides") ?? taps.map(() => 1);
  const dilations = integersAttribute(node, "dilations") ?? taps.map(() => 1);
  const extra = integersAttribute(node, "output_padding") ?? taps.map(() => 0);
  const pads = integersAttribute(node, "pads");
  const auto = attributeOf(node, "auto_pad")?.s ?? new Uint8Array();
  const mode = new TextDecoder().decode(auto);
  const isGiven = (mode === "" || mode === "NOTSET") && integersAttribute(node, "output_shape") === null;
  const inputs = view.shape(0).sizes.slice(2);
  const outputs = view.outputShape().sizes.slice(2);
  const before = taps.map((size, axis) => {
    if (isGiven) return pads?.[axis] ?? 0;
    const [stride, dilation] = [strides[axis] as number, dilations[axis] as number];
    const full =
      stride * ((inputs[axis] as number) - 1) + (extra[axis] as number) + dilation * (size - 1) + 1;
    const total = Math.max(0, full - (outputs[axis] as number));
    return mode === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
  const after = taps.map((size, axis) => {
    const [stride, dilation] = [strides[axis] as number, dilations[axis] as number];
    const span = stride * ((inputs[axis] as number) - 1) + dilation * (size - 1) + 1;
    return span - (outputs[axis] as number) - (before[axis] as number);
  });
  // Outputs that no input reached (output padding) are cut off in front of the convolution.
  const cut = outputs.map((size, axis) => size + Math.min(0, after[axis] as number));
  const axes = Array.from({ length: rank }, (_, axis) => axis + 2).filter(
    (axis) => (after[axis - 2] as number) < 0,
  );
  const read =
    axes.length === 0
      ? view.upstream
      : sliceOf(
          view,
          view.upstream,
          axes,
          axes.map(() => 0),
          axes.map((axis) => cut[axis - 2] as number),
        );
  return [
    view.add("Conv", [read, view.input(1)], {
      kernel_shape: taps.map(BigInt),
      strides: strides.map(BigInt),
      dilations: dilations.map(BigInt),
      group: BigInt(groupsOf(view)),
      pads: [...before, ...after.map((size) => Math.max(0, size))].map(BigInt),
    }),
  ];
};

const gemm: GradientRule = (view) => {
  const { node, upstream } = view;
  const [alpha, beta] = ["alpha", "beta"].map((name) => attributeOf(node, name)?.f ?? 1) as [number, number];
  const isTurned = ["transA", "transB"].map((name) => integerAttribute(node, name, 0) === 1);
  const [turnsA, turnsB] = isTurned as [boolean, boolean];
  const product = (one: string, turnsOne: boolean, other: string, turnsOther: boolean) =>
    view.add("Gemm", [one, other], {
      alpha,
      transA: turnsOne ? 1n : 0n,
      transB: turnsOther ? 1n : 0n,
    });
  const left = () =>
    turnsA
      ? product(view.input(1), turnsB, upstream, true)
      : product(upstream, false, view.input(1), !turnsB);
  const right = () =>
    turnsB
      ? product(upstream, true, view.input(0), turnsA)
      : product(view.input(0), !turnsA, upstream, false);
  const added = () => {
    const part = beta === 1 ? upstream : view.add("Mul", [upstream, view.scalar(beta)]);
    return reduceTo(view, part, view.outputShape(), view.shape(2));
  };
  return [
    view.isWanted(0) ? left() : null,
    view.isWanted(1) ? right() : null,
    view.isWanted(2) ? added() : null,
  ];
};

/** Products of any rank: what an operand was repeated along is summed, and vectors are matrices of one row or column. */
const matMul: GradientRule = (view) => {
  const [one, other] = [view.shape(0), view.shape(1)];
  const made = view.outputShape();
  const [isRow, isColumn] = [one.sizes.length === 1, other.sizes.length === 1];
  const withAxis = (shape: typeof one, at: number): typeof one => ({
    sizes: [...shape.sizes.slice(0, at), 1, ...shape.sizes.slice(at)],
    batchAxis: shape.batchAxis >= at ? shape.batchAxis + 1 : shape.batchAxis,
  });
  const left = isRow ? withAxis(one, 0) : one;
  const right = isColumn ? withAxis(other, 1) : other;
  let whole = made;
  if (isColumn) whole = withAxis(whole, whole.sizes.length);
  if (isRow) whole = withAxis(whole, whole.sizes.length - 1);
  const upstream = isRow || isColumn ? reshapeTo(view, view.upstream, whole) : view.upstream;
  const turned = (i: number) => turnedOperand(view, i, i === 0 ? left : right, i === 0 ? isRow : isColumn);
  /** Shape of a product, whose leading axes are those of the result. */
  const shapeOf = (operand: typeof one) => {
    const rank = whole.sizes.length;
    const sizes = [...whole.sizes.slice(0, -2), ...operand.sizes.slice(-2)];
    const own = operand.batchAxis - operand.sizes.length + rank;
    const batchAxis =
      whole.batchAxis >= 0 && whole.batchAxis < rank - 2
        ? whole.batchAxis
        : operand.batchAxis >= 0 && own >= rank - 2
          ? own
          : -1;
    return { sizes, batchAxis };
  };
  const gradientOf = (i: number) => {
    const operand = i === 0 ? left : right;
    const product = view.add("MatMul", i === 0 ? [upstream, turned(1)] : [turned(0), upstream]);
    const summed = reduceTo(view, product, shapeOf(operand), operand);
    return (i === 0 ? isRow : isColumn) ? reshapeTo(view, summed, i === 0 ? one : other) : summed;
  };
  return [view.isWanted(0) ? gradientOf(0) : null, view.isWanted(1) ? gradientOf(1) : null];
};

/** The transpose of an operand; that of stored weights is made here, once. */
function turnedOperand(
  view: GradientView,
  i: number,
  shape: { readonly sizes: readonly number[]; readonly batchAxis: number },
  isVector: boolean,
): string {
  const rank = shape.sizes.length;
  const constant = view.constant(i);
  const [rows, columns] = shape.sizes.slice(-2) as [number, number];
  if (constant !== null && rank === 2) {
    const values = Float32Array.from(
      constant.values,
      (_, at) => constant.values[(at % rows) * columns + Math.floor(at / rows)] as number,
    );
    return view.floats([columns, rows], values);
  }
  const matrix = isVector ? reshapeTo(view, view.input(i), shape) : view.input(i);
  const perm = Array.from({ length: rank }, (_, axis) =>
    BigInt(axis < rank - 2 ? axis : axis === rank - 1 ? rank - 2 : rank - 1),
  );
  return view.add("Transpose", [matrix], { perm });
}

export const LINEAR_RULES: readonly (readonly [string, GradientRule])[] = [
  ["Conv", conv],
  ["ConvTranspose", convTranspose],
  ["Gemm", gemm],
  ["MatMul", matMul],
];
