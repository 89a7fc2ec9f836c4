/** Gradients of pooling: windows of any stride, dilation and padding, overlapping or not. */
import { integerAttribute } from "../model-graph.ts";
import {
  alongAxis,
  expandTo,
  type GradientRule,
  type GradientView,
  padBy,
  productOf,
  reshapeTo,
  sliceOf,
} from "./gradient-view.ts";
import { type WindowAxis, windowsOf } from "./windows.ts";

/** Below every number that a network makes. */
const LOWEST = -3.4028234e38;

/** All combinations of 0 ... count - 1 along several axes, the last axis fastest. */
function combinations(counts: readonly number[]): number[][] {
  return counts.reduce<number[][]>(
    (made, count) => made.flatMap((head) => Array.from({ length: count }, (_, i) => [...head, i])),
    [[]],
  );
}

/**
 * Gradients by grids: of every stride-th position of the spatial axes there is one grid for each offset below the
 * stride, and what one tap of all windows reads is a contiguous part of one grid. They cover `cells` positions each.
 */
interface Grids {
  readonly cells: readonly number[];
  readonly offsets: readonly (readonly number[])[];
}

function gridsOf(windows: readonly WindowAxis[]): Grids {
  return {
    cells: windows.map(
      ({ outputs, taps, dilation, stride }) => outputs + Math.floor((dilation * (taps - 1)) / stride),
    ),
    offsets: combinations(windows.map(({ stride }) => stride)),
  };
}

/** What one tap of all windows reads of a padded value: every stride-th position from `starts` on. */
function readTap(
  view: GradientView,
  padded: string,
  windows: readonly WindowAxis[],
  starts: readonly number[],
): string {
  const axes = windows.map((_, axis) => axis + 2);
  const ends = windows.map(
    ({ outputs, stride }, axis) => (starts[axis] as number) + (outputs - 1) * stride + 1,
  );
  const strides = windows.map(({ stride }) => stride);
  if (view.opset >= 10) {
    const [from, to, along, steps] = [starts, ends, axes, strides].map((list) => view.ints(list));
    return view.add("Slice", [padded, from, to, along, steps] as string[]);
  }
  // Slices of old operator sets have no steps; pooling of single positions has.
  const part = sliceOf(view, padded, axes, starts, ends);
  return view.add("MaxPool", [part], {
    kernel_shape: strides.map(() => 1n),
    strides: strides.map(BigInt),
  });
}

/** The grids put together again, and the padding cut off. */
function joinGrids(
  view: GradientView,
  parts: readonly string[],
  windows: readonly WindowAxis[],
  grids: Grids,
): string {
  const rank = windows.length;
  const { sizes, batchAxis } = view.shape(0);
  const [rows, channels] = sizes as [number, number];
  const strides = windows.map(({ stride }) => stride);
  const [block = 1] = strides;
  let whole = parts[0] ?? "";
  if (parts.length > 1) {
    // Concatenated along the channels: the batch stays in front.
    const joined = view.add("Concat", parts, { axis: 1n });
    if (rank === 2 && strides.every((stride) => stride === block)) {
      whole = view.add("DepthToSpace", [joined], { blocksize: BigInt(block) });
    } else {
      const shape = { sizes: [rows, ...strides, channels, ...grids.cells], batchAxis };
      const perm = [0, rank + 1, ...windows.flatMap((_, axis) => [rank + 2 + axis, 1 + axis])].map(BigInt);
      const dealt = view.add("Transpose", [reshapeTo(view, joined, shape)], { perm });
      const full = grids.cells.map((cells, axis) => cells * (strides[axis] as number));
      whole = reshapeTo(view, dealt, { sizes: [rows, channels, ...full], batchAxis });
    }
  }
  const bounds = windows.map(({ before, inputs, stride }, axis) => {
    const size = (grids.cells[axis] as number) * stride;
    return { axis: axis + 2, before, size, end: before + inputs };
  });
  const cut = bounds.filter(({ before, size, end }) => before > 0 || size > end);
  if (cut.length > 0) {
    whole = sliceOf(
      view,
      whole,
      cut.map(({ axis }) => axis),
      cut.map(({ before }) => before),
      cut.map(({ size, end }) => Math.min(size, end)),
    );
  }
  // What no window reached behind the last one.
  const behind = bounds.map(({ end, size }) => Math.max(0, end - size));
  return padBy(view, whole, [0, 0, ...behind.map(() => 0), 0, 0, ...behind]);
}

/**
 * All of a window's gradient goes to its first maximum in row-major order, as in PyTorch. Tap by tap: where the tap
 * holds the maximum it takes what earlier taps have left, and the last tap takes the rest. No operator with indices is
 * needed, which some devices lack.
 */
const maxPool: GradientRule = (view) => {
  const windows = windowsOf(view);
  const grids = gridsOf(windows);
  const zero = view.scalar(0);
  const outer = [
    ...windows.map(({ before }) => before),
    0,
    0,
    ...windows.map(({ after }) => Math.max(0, after)),
  ];
  const padded = padBy(view, view.plain.input(0), [0, 0, ...outer], LOWEST);
  const taken = grids.offsets.map((): string[] => []);
  let left = view.upstream;
  const taps = combinations(windows.map((axis) => axis.taps));
  taps.forEach((tap, number) => {
    const starts = tap.map((t, axis) => t * (windows[axis] as WindowAxis).dilation);
    const strideOf = (axis: number) => (windows[axis] as WindowAxis).stride;
    let part = left;
    if (number < taps.length - 1) {
      const tapLess = view.add("Less", [readTap(view, padded, windows, starts), view.plain.output()]);
      const isLess = view.repeat(tapLess, view.outputShape());
      part = view.add("Where", [isLess, zero, left]);
      left = view.add("Where", [isLess, left, zero]);
    }
    const grid = grids.offsets.findIndex((offset) =>
      offset.every((residue, axis) => residue === (starts[axis] as number) % strideOf(axis)),
    );
    const first = starts.map((start, axis) => Math.floor(start / strideOf(axis)));
    const behind = first.map(
      (start, axis) => (grids.cells[axis] as number) - start - (windows[axis] as WindowAxis).outputs,
    );
    taken[grid]?.push(padBy(view, part, [0, 0, ...first, 0, 0, ...behind]));
  });
  const empty = taken.some((found) => found.length === 0)
    ? padBy(view, view.add("Mul", [view.upstream, zero]), emptyPads(windows, grids))
    : "";
  const parts = taken.map((found) => (found.length > 1 ? view.add("Sum", found) : (found[0] ?? empty)));
  return [joinGrids(view, parts, windows, grids)];
};

/** From the windows' outputs to a whole grid, for grids that no tap reads. */
const emptyPads = (windows: readonly WindowAxis[], { cells }: Grids): number[] => [
  ...windows.map(() => 0),
  ...[0, 0, 0, 0],
  ...windows.map(({ outputs }, axis) => (cells[axis] as number) - outputs),
];

/** For every output the inputs that it reads, as a matrix of outputs x inputs with `weight(output)` in it. */
function readMatrix(
  { inputs, outputs, taps, stride, dilation, before }: WindowAxis,
  weight: (output: number) => number,
) {
  const values = new Float32Array(outputs * inputs);
  for (let output = 0; output < outputs; output++) {
    for (let tap = 0; tap < taps; tap++) {
      const input = output * stride - before + tap * dilation;
      if (input < 0 || input >= inputs) continue;
      values[output * inputs + input] = (values[output * inputs + input] as number) + weight(output);
    }
  }
  return { from: outputs, to: inputs, values };
}

/** Brings gradients from the windows back to what they read; windows are products of one range for each axis. */
function spread(
  view: GradientView,
  gradient: string,
  windows: readonly WindowAxis[],
  weight: (axis: WindowAxis, output: number) => number,
): string {
  const rank = windows.length + 2;
  return windows.reduce(
    (value, axis, number) =>
      alongAxis(
        view,
        value,
        rank,
        number + 2,
        readMatrix(axis, (output) => weight(axis, output)),
      ),
    gradient,
  );
}

/** One over the positions that a window counts: those inside, or with count_include_pad those inside the padding too. */
const averagePool: GradientRule = (view) => {
  const countsPads = integerAttribute(view.node, "count_include_pad", 0) === 1;
  const weight = (axis: WindowAxis, output: number) => {
    const [low, high] = countsPads ? [-axis.before, axis.inputs + axis.declaredAfter] : [0, axis.inputs];
    let count = 0;
    for (let tap = 0; tap < axis.taps; tap++) {
      const at = output * axis.stride - axis.before + tap * axis.dilation;
      if (at >= low && at < high) count++;
    }
    return 1 / Math.max(1, count);
  };
  return [spread(view, view.upstream, windowsOf(view), weight)];
};

/** y = (sum |x|^p)^(1/p): each x gets sign(x) |x|^(p-1) y^(1-p) of its window's gradient. */
function powerGradient(view: GradientView, spreadBack: (gradient: string) => string): string {
  const p = integerAttribute(view.node, "p", 2);
  const zero = view.scalar(0);
  if (p === 1) {
    return view.add("Mul", [view.add("Sign", [view.input(0)]), spreadBack(view.upstream)]);
  }
  const lowered = view.add("Pow", [view.output(), view.scalar(1 - p)]);
  const isSome = view.add("Greater", [view.output(), zero]);
  const each = view.add("Where", [isSome, view.add("Mul", [view.upstream, lowered]), zero]);
  const size = view.add("Pow", [view.add("Abs", [view.input(0)]), view.scalar(p - 1)]);
  const signed = view.add("Mul", [view.add("Sign", [view.input(0)]), size]);
  return view.add("Mul", [signed, spreadBack(each)]);
}

const lpPool: GradientRule = (view) => [
  powerGradient(view, (gradient) => spread(view, gradient, windowsOf(view), () => 1)),
];

const globalLpPool: GradientRule = (view) => [
  powerGradient(view, (gradient) => expandTo(view, gradient, view.shape(0))),
];

const globalAveragePool: GradientRule = (view) => {
  const count = productOf(view.shape(0).sizes.slice(2));
  const share = view.add("Mul", [view.upstream, view.scalar(1 / count)]);
  return [expandTo(view, share, view.shape(0))];
};

/** The first maximum takes all, as in `maxPool`. */
const globalMaxPool: GradientRule = (view) => {
  const shape = view.shape(0);
  const [rows, channels, ...spatial] = shape.sizes as [number, number, ...number[]];
  const count = productOf(spatial);
  const flat = { sizes: [rows, channels, count], batchAxis: shape.batchAxis };
  const values = reshapeTo(view, view.input(0), flat);
  const first = view.add("ArgMax", [values], { axis: 2n, keepdims: 1n });
  const isFirst = view.add("Equal", [first, view.ints(Array.from({ length: count }, (_, i) => i))]);
  const gradient = reshapeTo(view, view.upstream, { ...flat, sizes: [rows, channels, 1] });
  return [reshapeTo(view, view.add("Where", [isFirst, gradient, view.scalar(0)]), shape)];
};

export const POOLING_RULES: readonly (readonly [string, GradientRule])[] = [
  ["MaxPool", maxPool],
  ["AveragePool", averagePool],
  ["LpPool", lpPool],
  ["GlobalMaxPool", globalMaxPool],
  ["GlobalAveragePool", globalAveragePool],
  ["GlobalLpPool", globalLpPool],
];
