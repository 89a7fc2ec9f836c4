/** Gradients of normalisations, in the form that a trained network runs. */
import { attributeOf, integerAttribute } from "../model-graph.ts";
import {
  alongAxis,
  axisFromFront,
  type GradientRule,
  type GradientView,
  type OpenShape,
  productOf,
  reduce,
  refuse,
  reshapeTo,
} from "./gradient-view.ts";

const epsilonOf = ({ node }: GradientView): number => attributeOf(node, "epsilon")?.f ?? 1e-5;

/** Batch norm with running statistics is a factor for each channel. */
const batchNorm: GradientRule = (view) => {
  const [gamma, variance] = [view.constant(1), view.constant(4)];
  if (gamma === null || variance === null)
    refuse(view.node, "computed parameters", "constant scale and variance");
  if (integerAttribute(view.node, "training_mode", 0) === 1)
    refuse(view.node, "training mode", "running statistics");
  const factors = gamma.values.map(
    (scale, c) => scale / Math.sqrt((variance.values[c] as number) + epsilonOf(view)),
  );
  const spatial = view.shape(0).sizes.slice(2);
  const dims = [factors.length, ...spatial.map(() => 1)];
  return [view.add("Mul", [view.upstream, view.floats(dims, factors)])];
};

/**
 * x' = (x - mean) / sd over some axes: (g - mean g - x' mean(g x')) / sd; without centring the middle term is gone.
 */
function standardised(
  view: GradientView,
  x: string,
  gradient: string,
  axes: readonly number[],
  isCentred: boolean,
): string {
  const centred = isCentred ? view.add("Sub", [x, reduce(view, "ReduceMean", x, axes)]) : x;
  const variance = reduce(view, "ReduceMean", view.add("Mul", [centred, centred]), axes);
  const spread = view.add("Sqrt", [view.add("Add", [variance, view.scalar(epsilonOf(view))])]);
  const normed = view.add("Div", [centred, spread]);
  const shared = reduce(view, "ReduceMean", view.add("Mul", [gradient, normed]), axes);
  const bent = view.add("Sub", [gradient, view.add("Mul", [normed, shared])]);
  const centredBack = isCentred ? view.add("Sub", [bent, reduce(view, "ReduceMean", gradient, axes)]) : bent;
  return view.add("Div", [centredBack, spread]);
}

function refuseParameters(view: GradientView): void {
  if (view.isWanted(1) || view.isWanted(2))
    refuse(view.node, "parameters that depend on the input", "constant scale and shift");
}

/** Over all axes from `axis` on; the scale is broadcast to them. */
const layerNorm =
  (isCentred: boolean): GradientRule =>
  (view) => {
    refuseParameters(view);
    const rank = view.shape(0).sizes.length;
    const first = axisFromFront(integerAttribute(view.node, "axis", -1), rank);
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    const scaled = view.add("Mul", [view.upstream, view.input(1)]);
    return [standardised(view, view.input(0), scaled, axes, isCentred)];
  };

/** Channels in groups, each normalised over its channels and all positions. */
function inGroups(view: GradientView, groups: number, gradient: string): string {
  const shape = view.shape(0);
  const [rows = 1, ...rest] = shape.sizes;
  const grouped: OpenShape = {
    sizes: [rows, groups, productOf(rest) / groups],
    batchAxis: shape.batchAxis,
  };
  const [x, g] = [view.input(0), gradient].map((value) => reshapeTo(view, value, grouped)) as [
    string,
    string,
  ];
  return reshapeTo(view, standardised(view, x, g, [2], true), shape);
}

/** A parameter of each channel (or group of channels) against the positions behind. */
function scaledByChannel(view: GradientView): string {
  const [, channels = 1, ...spatial] = view.shape(0).sizes;
  const scale = view.constant(1);
  if (scale === null) refuse(view.node, "a computed scale", "a constant one");
  const perScale = channels / scale.values.length;
  const factors = Float32Array.from(
    { length: channels },
    (_, c) => scale.values[Math.floor(c / perScale)] as number,
  );
  const dims = [channels, ...spatial.map(() => 1)];
  return view.add("Mul", [view.upstream, view.floats(dims, factors)]);
}

const instanceNorm: GradientRule = (view) => {
  refuseParameters(view);
  return [inGroups(view, view.shape(0).sizes[1] as number, scaledByChannel(view))];
};

/** The scale is one for each group in opset 18 and one for each channel from 21 on. */
const groupNorm: GradientRule = (view) => {
  refuseParameters(view);
  return [inGroups(view, integerAttribute(view.node, "num_groups", 1), scaledByChannel(view))];
};

/** y = x s^-beta with s = bias + alpha / size * sum of x^2 over neighbouring channels. */
const lrn: GradientRule = (view) => {
  const { node } = view;
  const floatOf = (name: string, otherwise: number) => attributeOf(node, name)?.f ?? otherwise;
  const [alpha, beta, bias] = [floatOf("alpha", 1e-4), floatOf("beta", 0.75), floatOf("bias", 1)];
  const size = integerAttribute(node, "size", 1);
  const { sizes } = view.shape(0);
  const channels = sizes[1] as number;
  const reach = Math.floor(size / 2);
  // The sums over neighbours are symmetric, so gradients take them too.
  const window = Float32Array.from({ length: channels * channels }, (_, at) =>
    Math.abs(Math.floor(at / channels) - (at % channels)) <= reach ? 1 : 0,
  );
  const around = (value: string) =>
    alongAxis(view, value, sizes.length, 1, { from: channels, to: channels, values: window });
  const x = view.input(0);
  const energy = around(view.add("Mul", [x, x]));
  const share = view.add("Mul", [energy, view.scalar(alpha / size)]);
  const base = view.add("Add", [share, view.scalar(bias)]);
  const direct = view.add("Mul", [view.upstream, view.add("Pow", [base, view.scalar(-beta)])]);
  const weighted = view.add("Mul", [view.add("Mul", [direct, x]), view.add("Reciprocal", [base])]);
  const factor = view.add("Mul", [x, view.scalar((2 * alpha * beta) / size)]);
  return [view.add("Sub", [direct, view.add("Mul", [factor, around(weighted)])])];
};

export const NORMALISATION_RULES: readonly (readonly [string, GradientRule])[] = [
  ["BatchNormalization", batchNorm],
  ["LayerNormalization", layerNorm(true)],
  ["RMSNormalization", layerNorm(false)],
  ["InstanceNormalization", instanceNorm],
  ["GroupNormalization", groupNorm],
  ["LRN", lrn],
];
