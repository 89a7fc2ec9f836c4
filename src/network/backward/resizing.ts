/** Gradients of Resize and Upsample: along every axis a resized value is a matrix times the value. */
import { attributeOf, integerAttribute } from "../model-graph.ts";
import { alongAxis, type GradientRule, type GradientView, refuse } from "./gradient-view.ts";

/** How positions of the output lie in the input (ONNX's attributes, and what older operator sets meant). */
interface Resizing {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
}

/** One resized axis; `scale` is the one that the node was given, or what the sizes amount to. */
interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

const resize: GradientRule = (view) => {
  const { node, opset } = view;
  const from = view.shape(0).sizes;
  const to = view.outputShape().sizes;
  const isOld = node.opType === "Upsample" || opset < 11;
  const text = (name: string, otherwise: string) => {
    const given = attributeOf(node, name)?.s;
    return given === undefined ? otherwise : new TextDecoder().decode(given);
  };
  const resizing: Resizing = {
    mode: text("mode", "nearest"),
    coordinates: isOld ? "asymmetric" : text("coordinate_transformation_mode", "half_pixel"),
    nearest: isOld ? "simple" : text("nearest_mode", "round_prefer_floor"),
    cubic: attributeOf(node, "cubic_coeff_a")?.f ?? -0.75,
    excludesOutside: integerAttribute(node, "exclude_outside", 0) === 1,
  };
  if (resizing.coordinates === "tf_crop_and_resize")
    refuse(node, "a crop of regions", "a resize of the whole value");
  if (integerAttribute(node, "antialias", 0) === 1 && from.some((size, axis) => (to[axis] as number) < size))
    refuse(node, "antialias", "a resize without it");
  const given = scalesOf(view, isOld);
  const gradient = from.reduce((value, size, axis) => {
    const made = to[axis] as number;
    if (axis === view.shape(0).batchAxis || (made === size && (given[axis] ?? 1) === 1)) return value;
    const resized = { from: size, to: made, scale: given[axis] ?? made / size };
    return alongAxis(view, value, from.length, axis, resizeMatrix(resized, resizing));
  }, view.upstream);
  return [gradient];
};

/** Scale of every axis that the node gives one; where it gives sizes their ratio holds. */
function scalesOf(view: GradientView, isOld: boolean): (number | undefined)[] {
  const rank = view.shape(0).sizes.length;
  const input = view.constant(isOld ? 1 : 2)?.values;
  const scales = input && input.length > 0 ? Array.from(input) : attributeOf(view.node, "scales")?.floats;
  const axes = attributeOf(view.node, "axes")?.ints.map(Number) ?? Array.from({ length: rank }, (_, i) => i);
  const found = new Array<number | undefined>(rank).fill(undefined);
  axes.forEach((axis, i) => {
    found[axis < 0 ? axis + rank : axis] = scales?.[i];
  });
  return found;
}

/** The weights that every output has on the inputs, outputs x inputs. */
function resizeMatrix(axis: ResizedAxis, resizing: Resizing) {
  const { from, to } = axis;
  const values = new Float32Array(to * from);
  for (let output = 0; output < to; output++) {
    for (const [input, weight] of weightsAt(positionOf(output, axis, resizing), axis, resizing)) {
      const at = output * from + Math.min(from - 1, Math.max(0, input));
      values[at] = (values[at] as number) + weight;
    }
  }
  return { from: to, to: from, values };
}

/** Where an output lies in the input. */
function positionOf(output: number, { from, to, scale }: ResizedAxis, { coordinates }: Resizing): number {
  const s = Math.fround(scale);
  switch (coordinates) {
    case "asymmetric":
      return Math.fround(output / s);
    case "align_corners":
      return to === 1 ? 0 : Math.fround((output * (from - 1)) / (to - 1));
    case "pytorch_half_pixel":
      return to === 1 ? 0 : Math.fround((output + 0.5) / s - 0.5);
    case "half_pixel_symmetric": {
      const centre = from / 2;
      const offset = centre * (1 - to / (s * from));
      return offset + (output + 0.5) / s - 0.5;
    }
    default:
      return Math.fround((output + 0.5) / s - 0.5);
  }
}

function weightsAt(
  position: number,
  { from, scale }: ResizedAxis,
  resizing: Resizing,
): readonly (readonly [number, number])[] {
  if (resizing.mode === "nearest") return [[nearestTo(position, scale, resizing.nearest), 1]];
  if (resizing.mode === "linear") {
    const inside = Math.min(from - 1, Math.max(0, position));
    const first = Math.floor(inside);
    return [
      [first, 1 - (inside - first)],
      [first + 1, inside - first],
    ];
  }
  const first = Math.floor(position);
  const rest = position - first;
  const taps = [-1, 0, 1, 2].map((tap) => [first + tap, cubicWeight(tap - rest, resizing.cubic)] as const);
  if (!resizing.excludesOutside) return taps;
  const kept = taps.filter(([input]) => input >= 0 && input < from);
  const total = kept.reduce((sum, [, weight]) => sum + weight, 0);
  return kept.map(([input, weight]) => [input, weight / total] as const);
}

function nearestTo(position: number, scale: number, rule: string): number {
  switch (rule) {
    case "simple":
      return scale < 1 ? Math.ceil(position) : Math.floor(position);
    case "floor":
      return Math.floor(position);
    case "ceil":
      return Math.ceil(position);
    case "round_prefer_ceil":
      return Math.floor(position + 0.5);
    default:
      return Math.ceil(position - 0.5);
  }
}

/** Keys' cubic convolution kernel (1981, doi:10.1109/TASSP.1981.1163711). */
function cubicWeight(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

export const RESIZING_RULES: readonly (readonly [string, GradientRule])[] = [
  ["Resize", resize],
  ["Upsample", resize],
];
