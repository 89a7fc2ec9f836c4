/**
 * Gradients of functions of single numbers. At the kinks they follow PyTorch: 0 for ReLU at 0, and Clip lets the
 * gradient through at its limits.
 */
import { DataType } from "../../runtime/onnx.ts";
import { attributeOf, integerAttribute } from "../model-graph.ts";
import { type GradientRule, type GradientView, reduce, reduceTo, refuse } from "./gradient-view.ts";

/** A rule that multiplies what comes in by the derivative, which is computed once whatever the number of gradients. */
const times =
  (derivative: (view: GradientView) => string): GradientRule =>
  (view) => {
    const made = derivative({ ...view, ...view.plain });
    return [view.add("Mul", [view.upstream, view.repeat(made, view.outputShape())])];
  };

const floatOf = ({ node }: GradientView, name: string, otherwise: number): number =>
  attributeOf(node, name)?.f ?? otherwise;

/** What comes in where `condition` holds, else `otherwise`. */
const where = (view: GradientView, condition: string, value: string, otherwise: string): string =>
  view.add("Where", [condition, value, otherwise]);

const isPositive = (view: GradientView, value: string): string =>
  view.add("Greater", [value, view.scalar(0)]);

/** 1 - value. */
const complement = (view: GradientView, value: string): string => view.add("Sub", [view.scalar(1), value]);

const square = (view: GradientView, value: string): string => view.add("Mul", [value, value]);

const scaled = (view: GradientView, factor: number, value: string): string =>
  factor === 1 ? value : view.add("Mul", [value, view.scalar(factor)]);

/** Read from the output, so that a convolution and its ReLU can still be fused: it is above 0 where the input is. */
const relu: GradientRule = (view) => {
  const isOpen = view.repeat(isPositive(view, view.plain.output()), view.outputShape());
  const passed = where(view, isOpen, view.upstream, view.scalar(0));
  if (view.redirect === null) return [passed];
  const { sizes, batchAxis } = view.outputShape();
  const axes = sizes.flatMap((_, axis) => (axis === batchAxis ? [] : [axis]));
  const size = view.add("Abs", [passed]);
  const most = axes.length === 0 ? size : reduce(view, "ReduceMax", size, axes);
  const isBlocked = view.add("Not", [isPositive(view, most)]);
  const isNegative = view.add("Less", [view.input(0), view.scalar(0)]);
  const raising = where(view, isNegative, view.add("Relu", [view.upstream]), view.upstream);
  return [where(view, view.add("And", [isBlocked, view.redirect]), raising, passed)];
};

/** gradient where x > 0, gradient * slope(y) elsewhere. */
const sloped =
  (right: (view: GradientView) => number, left: (view: GradientView) => string): GradientRule =>
  (view) => {
    const kept = scaled(view, right(view), view.upstream);
    const bent = view.add("Mul", [view.upstream, left(view)]);
    return [where(view, isPositive(view, view.input(0)), kept, bent)];
  };

const one = (): number => 1;
/** ONNX's defaults, as float32. */
const [SELU_ALPHA, SELU_GAMMA] = [1.6732631921768188, 1.0507010221481323];

const leakyRelu = sloped(one, (view) => view.scalar(floatOf(view, "alpha", 0.01)));

const elu = sloped(one, (view) => view.add("Add", [view.output(), view.scalar(floatOf(view, "alpha", 1))]));

const selu = sloped(
  (view) => floatOf(view, "gamma", SELU_GAMMA),
  (view) => {
    const limit = floatOf(view, "gamma", SELU_GAMMA) * floatOf(view, "alpha", SELU_ALPHA);
    return view.add("Add", [view.output(), view.scalar(limit)]);
  },
);

const celu = sloped(one, (view) => {
  const alpha = floatOf(view, "alpha", 1);
  return view.add("Add", [scaled(view, 1 / alpha, view.output()), view.scalar(1)]);
});

const pRelu: GradientRule = (view) => {
  const isRight = isPositive(view, view.input(0));
  const bent = view.add("Mul", [view.upstream, view.input(1)]);
  const slopes = () => {
    const whole = view.add("Mul", [view.upstream, view.input(0)]);
    return reduceTo(view, where(view, isRight, view.scalar(0), whole), view.outputShape(), view.shape(1));
  };
  return [where(view, isRight, view.upstream, bent), view.isWanted(1) ? slopes() : null];
};

const thresholdedRelu: GradientRule = (view) => {
  const isOpen = view.add("Greater", [view.input(0), view.scalar(floatOf(view, "alpha", 1))]);
  return [where(view, isOpen, view.upstream, view.scalar(0))];
};

/** What comes in where low < value < high. */
const inside = (view: GradientView, value: string, low: number, high: number, gradient: string): string => {
  const isAbove = view.add("Greater", [value, view.scalar(low)]);
  const isBelow = view.add("Less", [value, view.scalar(high)]);
  return where(view, view.add("And", [isAbove, isBelow]), gradient, view.scalar(0));
};

const hardSigmoid: GradientRule = (view) => [
  inside(view, view.output(), 0, 1, scaled(view, floatOf(view, "alpha", 0.2), view.upstream)),
];

const hardSwish: GradientRule = (view) => {
  const slope = view.add("Add", [scaled(view, 1 / 3, view.input(0)), view.scalar(0.5)]);
  const bent = inside(view, view.input(0), -3, 3, view.add("Mul", [view.upstream, slope]));
  const isLinear = view.add("Less", [view.input(0), view.scalar(3)]);
  return [where(view, isLinear, bent, view.upstream)];
};

const sigmoid = times((view) => view.add("Mul", [view.output(), complement(view, view.output())]));

const tanh = times((view) => complement(view, square(view, view.output())));

/** s + alpha x s (1 - s) with s = sigmoid(alpha x). */
const swish = times((view) => {
  const scaledInput = scaled(view, floatOf(view, "alpha", 1), view.input(0));
  const gate = view.add("Sigmoid", [scaledInput]);
  const bend = view.add("Mul", [view.add("Mul", [scaledInput, gate]), complement(view, gate)]);
  return view.add("Add", [gate, bend]);
});

/** t + x sigmoid(x) (1 - t^2) with t = tanh(softplus(x)). */
const mish = times((view) => {
  const gate = view.add("Tanh", [view.add("Softplus", [view.input(0)])]);
  const bend = view.add("Mul", [view.input(0), view.add("Sigmoid", [view.input(0)])]);
  return view.add("Add", [gate, view.add("Mul", [bend, complement(view, square(view, gate))])]);
});

const softsign = times((view) => {
  const size = view.add("Add", [view.add("Abs", [view.input(0)]), view.scalar(1)]);
  return view.add("Reciprocal", [square(view, size)]);
});

/** exp(-x^2 / width). */
const bell = (view: GradientView, width: number): string =>
  view.add("Exp", [scaled(view, -1 / width, square(view, view.input(0)))]);

const erf = times((view) => scaled(view, 2 / Math.sqrt(Math.PI), bell(view, 1)));

const gelu = times((view) => {
  const x = view.input(0);
  const style = attributeOf(view.node, "approximate")?.s;
  if (style !== undefined && new TextDecoder().decode(style) === "tanh") {
    // y = x (1 + t) / 2 with t = tanh(r (x + c x^3)).
    const [r, c] = [Math.sqrt(2 / Math.PI), 0.044715];
    const squared = square(view, x);
    const inner = view.add("Add", [scaled(view, r * c, squared), view.scalar(r)]);
    const gate = view.add("Tanh", [view.add("Mul", [x, inner])]);
    const slope = view.add("Add", [scaled(view, 3 * r * c, squared), view.scalar(r)]);
    const bend = view.add("Mul", [view.add("Mul", [x, slope]), complement(view, square(view, gate))]);
    const half = view.add("Add", [view.add("Add", [gate, bend]), view.scalar(1)]);
    return scaled(view, 0.5, half);
  }
  const share = view.add("Erf", [scaled(view, Math.SQRT1_2, x)]);
  const normal = scaled(view, 0.5, view.add("Add", [share, view.scalar(1)]));
  const density = scaled(view, 1 / Math.sqrt(2 * Math.PI), bell(view, 2));
  return view.add("Add", [normal, view.add("Mul", [x, density])]);
});

/** Limits of Clip: attributes below opset 11, inputs from there on. */
const clip: GradientRule = (view) => {
  const limit = (name: string, input: number): string | null => {
    const given = attributeOf(view.node, name)?.f;
    if (given !== undefined) return view.scalar(given);
    if (view.isWanted(input)) refuse(view.node, "limits that depend on the input", "constant limits");
    return (view.node.input[input] ?? "") === "" ? null : (view.node.input[input] ?? null);
  };
  const [least, most] = [limit("min", 1), limit("max", 2)];
  let passed = view.upstream;
  if (least !== null) passed = where(view, view.add("Less", [view.input(0), least]), view.scalar(0), passed);
  if (most !== null) passed = where(view, view.add("Greater", [view.input(0), most]), view.scalar(0), passed);
  return [passed];
};

const passes: GradientRule = (view) => [view.upstream];
/** Steps: their gradient is 0 wherever they have one. */
const blocks: GradientRule = () => [null];

const cast: GradientRule = (view) => {
  const { FLOAT } = DataType;
  if (integerAttribute(view.node, "to", FLOAT) !== FLOAT)
    refuse(view.node, "numbers that are not float32", "float32");
  return [view.upstream];
};

export const ACTIVATION_RULES: readonly (readonly [string, GradientRule])[] = [
  ["Relu", relu],
  ["LeakyRelu", leakyRelu],
  ["PRelu", pRelu],
  ["ThresholdedRelu", thresholdedRelu],
  ["Elu", elu],
  ["Selu", selu],
  ["Celu", celu],
  ["Gelu", gelu],
  ["Mish", mish],
  ["Swish", swish],
  ["Sigmoid", sigmoid],
  ["HardSigmoid", hardSigmoid],
  ["HardSwish", hardSwish],
  ["Softplus", times((view) => view.add("Sigmoid", [view.input(0)]))],
  ["Softsign", softsign],
  ["Tanh", tanh],
  ["Clip", clip],
  ["Erf", erf],
  ["Exp", times((view) => view.output())],
  ["Log", (view) => [view.add("Div", [view.upstream, view.input(0)])]],
  ["Sqrt", (view) => [view.add("Div", [scaled(view, 0.5, view.upstream), view.output()])]],
  ["Abs", times((view) => view.add("Sign", [view.input(0)]))],
  ["Reciprocal", times((view) => view.add("Neg", [square(view, view.output())]))],
  ["Sin", times((view) => view.add("Cos", [view.input(0)]))],
  ["Cos", times((view) => view.add("Neg", [view.add("Sin", [view.input(0)])]))],
  ["Neg", (view) => [view.add("Neg", [view.upstream])]],
  ["Identity", passes],
  ["Dropout", passes],
  ["Cast", cast],
  ...["Sign", "Floor", "Ceil", "Round"].map((name) => [name, blocks] as const),
];
