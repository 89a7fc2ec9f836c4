import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

/** A function of single numbers. */
const unary = (
  opType: string,
  attributes: Attributes = {},
  rest: Partial<GradientCase> = {},
): GradientCase => ({
  title: `${opType} ${Object.entries(attributes).join(" ")} opset ${rest.opset ?? 17}`,
  operands: [[3, 4]],
  draw: (model, x) => model.node(opType, [x], attributes),
  ...rest,
});

const positive = { domain: (value: number) => Math.abs(value) + 0.5 };

describe("gradients of functions of single numbers", () => {
  it.each([
    unary("Relu", {}, { opset: 9 }),
    unary("Relu"),
    unary("Relu", {}, { opset: 21 }),
    unary("LeakyRelu"),
    unary("LeakyRelu", { alpha: 0.3 }),
    unary("ThresholdedRelu", { alpha: 0.2 }),
    unary("Elu"),
    unary("Elu", { alpha: 1.7 }),
    unary("Selu"),
    unary("Selu", { alpha: 1.2, gamma: 0.7 }),
    unary("Celu", { alpha: 0.6 }),
    unary("Gelu", {}, { opset: 20 }),
    unary("Gelu", { approximate: "tanh" }, { opset: 20 }),
    unary("Mish", {}, { opset: 18 }),
    unary("Swish", { alpha: 1.4 }, { opset: 24 }),
    unary("Sigmoid"),
    unary("HardSigmoid", { alpha: 0.9, beta: 0.45 }),
    unary("HardSwish", {}, { opset: 14, domain: (value) => 10 * value }),
    unary("Softplus"),
    unary("Softsign"),
    unary("Tanh"),
    unary("Erf"),
    unary("Exp"),
    unary("Log", {}, positive),
    unary("Sqrt", {}, positive),
    unary("Abs"),
    unary("Reciprocal", {}, positive),
    unary("Sin"),
    unary("Cos"),
    unary("Neg"),
    unary("Identity"),
    unary("Dropout"),
    unary("Cast", { to: 1n }),
    unary("Clip", { min: -0.4, max: 0.5 }, { opset: 9 }),
    {
      title: "Clip with limits as inputs",
      operands: [[3, 4]],
      draw: (model, x) =>
        model.node("Clip", [x, model.floats("low", [], [-0.4]), model.floats("high", [], [0.5])]),
    },
    {
      title: "Clip with an upper limit alone",
      operands: [[3, 4]],
      draw: (model, x) => model.node("Clip", [x, "", model.floats("high", [], [0.5])]),
    },
    {
      title: "PRelu with computed slopes",
      operands: [
        [2, 3, 2],
        [2, 1, 1],
      ],
      draw: (model, x, slope) => model.node("PRelu", [x, slope]),
    },
    {
      title: "PRelu with constant slopes",
      operands: [[2, 3, 2]],
      draw: (model, x) => model.node("PRelu", [x, model.floats("slope", [2, 1, 1], [0.3, -0.7])]),
    },
  ])("$title", checkGradients);
});

/** Two operands, the shapes of which are broadcast to one another. */
const binary = (opType: string, rest: Partial<GradientCase> = {}): GradientCase[] =>
  [
    { left: [3, 4], right: [3, 4] },
    { left: [3, 1], right: [1, 4] },
    { left: [1, 4], right: [3, 4] },
  ].map(({ left, right }) => ({
    title: `${opType} of ${left} and ${right} opset ${rest.opset ?? 17}`,
    operands: [left, right],
    draw: (model, one, other) => model.node(opType, [one, other]),
    ...rest,
  }));

describe("gradients of arithmetic", () => {
  it.each([
    ...["Add", "Sub", "Mul", "Sum", "Mean", "Max", "Min"].flatMap((name) => binary(name)),
    ...["Max", "Add"].flatMap((name) => binary(name, { opset: 9 })),
    ...["Div", "Pow"].flatMap((name) => binary(name, positive)),
    {
      title: "a value used twice, and three times",
      operands: [[5]],
      draw: (model, x) => model.node("Mul", [model.node("Mul", [x, x]), model.node("Tanh", [x])]),
    },
    {
      title: "Sub from a constant of lower rank",
      operands: [[2, 3]],
      draw: (model, x) => model.node("Sub", [model.floats("c", [3]), x]),
    },
    {
      title: "Mul with a constant of higher rank",
      operands: [[3]],
      draw: (model, x) => model.node("Mul", [x, model.floats("c", [2, 1, 3])]),
    },
    {
      title: "Pow with a constant exponent of negative numbers",
      operands: [[6]],
      draw: (model, x) => model.node("Pow", [x, model.floats("c", [], [3])]),
    },
    {
      title: "Max of three",
      operands: [[4], [4], [4]],
      draw: (model, ...parts) => model.node("Max", parts),
    },
    {
      title: "Where",
      operands: [
        [3, 4],
        [3, 1],
      ],
      draw(model, one, other) {
        const isLarge = model.node("Greater", [one, model.floats("zero", [], [0])]);
        return model.node("Where", [isLarge, one, other]);
      },
    },
  ])("$title", checkGradients);
});
