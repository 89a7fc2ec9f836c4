import { BrodmannError } from "../../errors.ts";
import type { NodeProto } from "../../runtime/onnx.ts";
import type { ConstantArray } from "../constants.ts";
import type { Emitter } from "../emitter.ts";
import { nodeName, operatorName } from "../unit-flow.ts";

/** Sizes of a value for a batch of one input, and the axis that follows the batch (-1 where none does). */
export interface OpenShape {
  readonly sizes: readonly number[];
  readonly batchAxis: number;
}

/**
 * What one operator does to gradients: the names of its inputs' gradients, in the order of the inputs, null where there
 * is none. Rules add the nodes that compute them through the view, and only for the inputs that are wanted.
 */
export type GradientRule = (view: GradientView) => readonly (string | null)[];

/** A node of the forward graph as its rule sees it. */
export interface GradientView extends Emitter {
  readonly node: NodeProto;
  /** Gradient of the first output, or of output `i`; null where no gradient comes back through that one. */
  readonly upstream: string;
  upstreamOf(i: number): string | null;
  /** Names of the forward values with the batch of the gradients, for backward nodes to read. */
  input(i: number): string;
  output(i?: number): string;
  /**
   * The node with its values as the forward pass made them, for what does not depend on the gradients: `repeat` brings
   * what was computed from them (of the given shape) to the batch of the gradients, where that is several times as large.
   */
  readonly plain: Pick<GradientView, "input" | "output">;
  repeat(value: string, shape: OpenShape): string;
  shape(i: number): OpenShape;
  outputShape(i?: number): OpenShape;
  /** Whether input i needs a gradient. */
  isWanted(i: number): boolean;
  constant(i: number): ConstantArray | null;
  /** Integers from an attribute or from input `i`: undefined where it has neither, null where they are computed. */
  integers(attribute: string, i: number): readonly number[] | undefined | null;
  /** Name of a boolean that switches the redirection of blocked gradients on, or null. */
  readonly redirect: string | null;
}

/** Throws `E_NETWORK_GRADIENT` for a node that gradients cannot pass. */
export function refuse(node: NodeProto, found: string, expected: string): never {
  throw new BrodmannError(
    "E_NETWORK_GRADIENT",
    `${nodeName(node)} (${operatorName(node)}): found ${found}, expected ${expected}`,
    {
      hint: "Gradients pass standard ONNX operators; export the network with them, or choose a layer behind this node.",
    },
  );
}

/** Sizes as a Reshape takes them: the axis of the batch is left open. */
export const openDims = ({ sizes, batchAxis }: OpenShape): number[] =>
  sizes.map((size, axis) => (axis === batchAxis ? -1 : size));

export const reshapeTo = (view: Emitter, value: string, shape: OpenShape): string =>
  view.add("Reshape", [value, view.ints(openDims(shape))]);

/** Repeats a value along the axes in which it has size 1; the batch's axis is broadcast as it is. */
export const expandTo = (view: Emitter, value: string, { sizes, batchAxis }: OpenShape): string =>
  view.add("Expand", [value, view.ints(sizes.map((size, axis) => (axis === batchAxis ? 1 : size)))]);

type Reduction = "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceL1";

/** Reduces over axes and keeps them; they are an input of ReduceSum from opset 13, of the others from 18. */
export function reduce(view: Emitter, opType: Reduction, value: string, axes: readonly number[]): string {
  const isInput = view.opset >= (opType === "ReduceSum" ? 13 : 18);
  return isInput
    ? view.add(opType, [value, view.ints(axes)], { keepdims: 1n })
    : view.add(opType, [value], { keepdims: 1n, axes: axes.map(BigInt) });
}

/** Whether two values of these shapes are of one size, whatever the batch. */
const isSame = (one: OpenShape, other: OpenShape): boolean =>
  one.batchAxis === other.batchAxis &&
  one.sizes.length === other.sizes.length &&
  one.sizes.every((size, axis) => size === other.sizes[axis]);

/** The gradient of a value that was broadcast to `from`: summed over what it was repeated along. */
export function reduceTo(view: Emitter, gradient: string, from: OpenShape, to: OpenShape): string {
  if (isSame(from, to)) return gradient;
  const missing = from.sizes.length - to.sizes.length;
  const axes = from.sizes.flatMap((size, axis) => {
    const own = axis - missing;
    const isRepeated = own < 0 || (to.sizes[own] === 1 && to.batchAxis !== own);
    return isRepeated && (own < 0 || size !== 1 || from.batchAxis === axis) ? [axis] : [];
  });
  const summed = axes.length === 0 ? gradient : reduce(view, "ReduceSum", gradient, axes);
  return missing === 0 ? summed : reshapeTo(view, summed, to);
}

/** Multiplies one axis by a matrix of `from` x `to` (row-major): any linear map along that axis. */
export function alongAxis(
  view: Emitter,
  value: string,
  rank: number,
  axis: number,
  matrix: { readonly from: number; readonly to: number; readonly values: Float32Array },
): string {
  const { from, to, values } = matrix;
  if (axis === rank - 1) return view.add("MatMul", [value, view.floats([from, to], values)]);
  if (axis === rank - 2) {
    const turned = Float32Array.from(
      values,
      (_, at) => values[(at % from) * to + Math.floor(at / from)] as number,
    );
    return view.add("MatMul", [view.floats([to, from], turned), value]);
  }
  const perm = Array.from({ length: rank }, (_, i) =>
    BigInt(i === axis ? rank - 1 : i === rank - 1 ? axis : i),
  );
  const turned = view.add("Transpose", [value], { perm });
  const made = view.add("MatMul", [turned, view.floats([from, to], values)]);
  return view.add("Transpose", [made], { perm });
}

/** Zeros (or `value`) around a value; `pads` are those in front of every axis and then those behind. */
export function padBy(view: Emitter, padded: string, pads: readonly number[], value = 0): string {
  if (pads.every((size) => size === 0)) return padded;
  if (view.opset < 11) return view.add("Pad", [padded], { pads: pads.map(BigInt), mode: "constant", value });
  return view.add("Pad", [padded, view.ints(pads), view.scalar(value)]);
}

/** The positions `starts` to `ends` (excluded) of some axes. */
export function sliceOf(
  view: Emitter,
  value: string,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
): string {
  if (view.opset >= 10)
    return view.add("Slice", [value, view.ints(starts), view.ints(ends), view.ints(axes)]);
  return view.add("Slice", [value], {
    starts: starts.map(BigInt),
    ends: ends.map(BigInt),
    axes: axes.map(BigInt),
  });
}

/** Product of some sizes. */
export const productOf = (sizes: readonly number[]): number =>
  sizes.reduce((product, size) => product * size, 1);

/** An axis counted from the front. */
export const axisFromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
