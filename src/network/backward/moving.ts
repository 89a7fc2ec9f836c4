/** Gradients of operators that move, repeat, pick and join positions. */
import { attributeOf, integerAttribute, integersAttribute } from "../model-graph.ts";
import {
  alongAxis,
  axisFromFront,
  type GradientRule,
  padBy,
  reduceTo,
  refuse,
  reshapeTo,
  sliceOf,
} from "./gradient-view.ts";

/** Flatten, Reshape, Squeeze, Unsqueeze: back to the input's shape. */
const reshape: GradientRule = (view) => [reshapeTo(view, view.upstream, view.shape(0))];

const transpose: GradientRule = (view) => {
  const rank = view.shape(0).sizes.length;
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const given = integersAttribute(view.node, "perm") ?? reversed;
  const perm = given.map((_, axis) => BigInt(given.indexOf(axis)));
  return [view.add("Transpose", [view.upstream], { perm })];
};

const expand: GradientRule = (view) => [reduceTo(view, view.upstream, view.outputShape(), view.shape(0))];

const concat: GradientRule = (view) => {
  const { sizes } = view.outputShape();
  const axis = axisFromFront(integerAttribute(view.node, "axis", 1), sizes.length);
  let end = 0;
  return view.node.input.map((_, i) => {
    const start = end;
    end += view.shape(i).sizes[axis] as number;
    return view.isWanted(i) ? sliceOf(view, view.upstream, [axis], [start], [end]) : null;
  });
};

/** Parts without a gradient get zeros. */
const split: GradientRule = (view) => {
  const rank = view.shape(0).sizes.length;
  const axis = axisFromFront(integerAttribute(view.node, "axis", 0), rank);
  const widths = view.node.output.map((name, i) =>
    name === "" ? 0 : (view.outputShape(i).sizes[axis] ?? 0),
  );
  const total = view.shape(0).sizes[axis] as number;
  const parts = view.node.output.map((_, i) => view.upstreamOf(i));
  if (parts.every((part) => part !== null)) {
    return [view.add("Concat", parts as string[], { axis: BigInt(axis) })];
  }
  let start = 0;
  const placed = parts.flatMap((part, i) => {
    const before = start;
    start += widths[i] as number;
    if (part === null) return [];
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = before;
    pads[axis + rank] = total - start;
    return [padBy(view, part, pads)];
  });
  return [placed.length === 1 ? (placed[0] as string) : view.add("Sum", placed)];
};

/** For every position of the output the position of the input that it holds, -1 for none, as a matrix of gradients. */
function picked(from: readonly number[], size: number) {
  const values = new Float32Array(from.length * size);
  from.forEach((position, at) => {
    if (position >= 0) values[at * size + position] = 1;
  });
  return { from: from.length, to: size, values };
}

const gather: GradientRule = (view) => {
  const shape = view.shape(0);
  const rank = shape.sizes.length;
  const axis = axisFromFront(integerAttribute(view.node, "axis", 0), rank);
  const size = shape.sizes[axis] as number;
  const indices = view.integers("", 1);
  if (!indices) refuse(view.node, "indices that are computed", "constant ones");
  const positions = indices.map((i) => (i < 0 ? i + size : i));
  const flat = {
    sizes: shape.sizes.map((extent, other) => (other === axis ? positions.length : extent)),
    batchAxis: shape.batchAxis,
  };
  const gradient =
    view.outputShape().sizes.length === rank ? view.upstream : reshapeTo(view, view.upstream, flat);
  const [first = 0] = positions;
  if (positions.every((position, at) => position === first + at)) {
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = first;
    pads[axis + rank] = size - first - positions.length;
    return [padBy(view, gradient, pads)];
  }
  return [alongAxis(view, gradient, rank, axis, picked(positions, size))];
};

const slice: GradientRule = (view) => {
  const shape = view.shape(0);
  const rank = shape.sizes.length;
  const [starts, ends, axes, steps] = ["starts", "ends", "axes", "steps"].map((name, i) =>
    view.integers(name, i + 1),
  );
  if (!starts || !ends || axes === null || steps === null)
    refuse(view.node, "ranges that are computed", "constant ones");
  const pads = new Array<number>(2 * rank).fill(0);
  let gradient = view.upstream;
  starts.forEach((start, i) => {
    const axis = axisFromFront(axes?.[i] ?? i, rank);
    const step = steps?.[i] ?? 1;
    const size = shape.sizes[axis] as number;
    const made = view.outputShape().sizes[axis] as number;
    if (axis === shape.batchAxis && (step !== 1 || made !== size))
      refuse(view.node, "a part of the batch", "whole inputs");
    const most = step > 0 ? size : size - 1;
    const first = Math.min(most, Math.max(0, start < 0 ? start + size : start));
    if (step === 1) {
      pads[axis] = first;
      pads[axis + rank] = size - first - made;
    } else {
      const positions = Array.from({ length: made }, (_, at) => first + at * step);
      gradient = alongAxis(view, gradient, rank, axis, picked(positions, size));
    }
  });
  return [padBy(view, gradient, pads)];
};

/** Constant padding is cut off; other modes copy positions, whose gradients come back to where they were copied from. */
const pad: GradientRule = (view) => {
  const { sizes } = view.shape(0);
  const rank = sizes.length;
  const pads = view.integers("pads", 1);
  const given = view.integers("axes", 3);
  if (!pads || given === null) refuse(view.node, "pads that are computed", "constant ones");
  if (view.isWanted(2)) refuse(view.node, "a padding value that depends on the input", "a constant one");
  const axes = given?.map((axis) => axisFromFront(axis, rank)) ?? sizes.map((_, axis) => axis);
  const style = attributeOf(view.node, "mode")?.s;
  const mode = style === undefined ? "constant" : new TextDecoder().decode(style);
  const changed = axes.flatMap((axis, i) => {
    const [before = 0, after = 0] = [pads[i], pads[i + axes.length]];
    return before === 0 && after === 0 ? [] : [{ axis, before, after, size: sizes[axis] as number }];
  });
  if (changed.length === 0) return [view.upstream];
  if (mode === "constant") {
    const kept = sliceOf(
      view,
      view.upstream,
      changed.map(({ axis }) => axis),
      changed.map(({ before }) => Math.max(0, before)),
      changed.map(({ before, size, after }) => before + size + Math.min(0, after)),
    );
    // Negative padding has cut positions off.
    const back = new Array<number>(2 * rank).fill(0);
    for (const { axis, before, after } of changed) {
      back[axis] = Math.max(0, -before);
      back[axis + rank] = Math.max(0, -after);
    }
    return [padBy(view, kept, back)];
  }
  const sourceOf = (position: number, size: number): number => {
    if (mode === "edge") return Math.min(size - 1, Math.max(0, position));
    if (mode === "wrap") return ((position % size) + size) % size;
    const period = Math.max(1, 2 * size - 2);
    const at = ((position % period) + period) % period;
    return at < size ? at : period - at;
  };
  return [
    changed.reduce((gradient, { axis, before, after, size }) => {
      const positions = Array.from({ length: before + size + after }, (_, at) => sourceOf(at - before, size));
      return alongAxis(view, gradient, rank, axis, picked(positions, size));
    }, view.upstream),
  ];
};

/** What a mask of lower or upper triangles lets through. */
const trilu: GradientRule = (view) => {
  const [, diagonal] = view.node.input;
  const upper = BigInt(integerAttribute(view.node, "upper", 1));
  return [view.add("Trilu", diagonal ? [view.upstream, diagonal] : [view.upstream], { upper })];
};

/** Blocks of channels laid out in space: reshape, transpose and reshape, taken back. */
const depthToSpace: GradientRule = (view) => {
  const isDepth = view.node.opType === "DepthToSpace";
  const { sizes, batchAxis } = isDepth ? view.shape(0) : view.outputShape();
  const [rows, channels, height, width] = sizes as [number, number, number, number];
  const block = integerAttribute(view.node, "blocksize", 1);
  const style = attributeOf(view.node, "mode")?.s;
  const isDeep = !isDepth || style === undefined || new TextDecoder().decode(style) === "DCR";
  const inner = channels / (block * block);
  if (isDepth) {
    const spread = { sizes: [rows, inner, height, block, width, block], batchAxis };
    const perm = isDeep ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
    const apart = reshapeTo(view, view.upstream, spread);
    const turned = view.add("Transpose", [apart], { perm: perm.map(BigInt) });
    return [reshapeTo(view, turned, view.shape(0))];
  }
  const apart = reshapeTo(view, view.upstream, {
    sizes: [rows, block, block, inner, height, width],
    batchAxis,
  });
  const turned = view.add("Transpose", [apart], { perm: [0n, 3n, 4n, 1n, 5n, 2n] });
  return [reshapeTo(view, turned, view.shape(0))];
};

/** Copies along axes: the copies' gradients are summed. */
const tile: GradientRule = (view) => {
  const { sizes, batchAxis } = view.shape(0);
  const repeats = view.integers("", 1);
  if (!repeats) refuse(view.node, "repeats that are computed", "constant ones");
  if (batchAxis >= 0 && repeats[batchAxis] !== 1) refuse(view.node, "a repeated batch", "one that is kept");
  return [
    repeats.reduce((gradient, times, axis) => {
      const size = sizes[axis] as number;
      if (times === 1) return gradient;
      const positions = Array.from({ length: size * times }, (_, at) => at % size);
      return alongAxis(view, gradient, sizes.length, axis, picked(positions, size));
    }, view.upstream),
  ];
};

/** Running sums are a triangular matrix. */
const cumulative: GradientRule = (view) => {
  const { sizes } = view.shape(0);
  const [given] = view.integers("", 1) ?? [];
  if (given === undefined) refuse(view.node, "an axis that is computed", "a constant one");
  const axis = axisFromFront(given, sizes.length);
  const size = sizes[axis] as number;
  const [isExclusive, isReversed] = ["exclusive", "reverse"].map(
    (name) => integerAttribute(view.node, name, 0) === 1,
  );
  const values = Float32Array.from({ length: size * size }, (_, at) => {
    const [output, input] = [Math.floor(at / size), at % size];
    const distance = isReversed ? input - output : output - input;
    return distance > 0 || (distance === 0 && !isExclusive) ? 1 : 0;
  });
  return [alongAxis(view, view.upstream, sizes.length, axis, { from: size, to: size, values })];
};

export const MOVING_RULES: readonly (readonly [string, GradientRule])[] = [
  ...["Flatten", "Reshape", "Squeeze", "Unsqueeze"].map((name) => [name, reshape] as const),
  ["Transpose", transpose],
  ["Expand", expand],
  ["Concat", concat],
  ["Split", split],
  ["Gather", gather],
  ["Slice", slice],
  ["Pad", pad],
  ["Trilu", trilu],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", depthToSpace],
  ["Tile", tile],
  ["CumSum", cumulative],
];
