import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

const titled = (opType: string, attributes: Attributes, shape: readonly number[], opset: number): string =>
  `${opType} of ${shape}: ${Object.entries(attributes).join(" ")} opset ${opset}`;

/** An operator with a scale and, but for RMS normalisation, a shift. */
const norm = (
  opType: string,
  shape: readonly number[],
  scale: readonly number[],
  attributes: Attributes,
  opset = 17,
): GradientCase => ({
  title: titled(opType, attributes, shape, opset),
  operands: [shape],
  draw(model, x) {
    const parameters = [model.floats("gamma", scale), model.floats("beta", scale)];
    const taken = opType === "RMSNormalization" ? parameters.slice(0, 1) : parameters;
    return model.node(opType, [x, ...taken], attributes);
  },
  opset,
});

const plain = (
  opType: string,
  shape: readonly number[],
  attributes: Attributes,
  opset = 17,
): GradientCase => ({
  title: titled(opType, attributes, shape, opset),
  operands: [shape],
  draw: (model, x) => model.node(opType, [x], attributes),
  opset,
});

/** A reduction whose axes are an attribute or, from some opset on, an input. */
const reduction = (
  opType: string,
  axes: readonly number[],
  keepdims: boolean,
  opset: number,
  rest: Partial<GradientCase> = {},
): GradientCase => ({
  title: `${titled(opType, { axes: axes.map(BigInt) }, [3, 2, 4], opset)}${keepdims ? " keepdims" : ""}`,
  operands: [[3, 2, 4]],
  draw(model, x) {
    const isInput = opset >= (opType === "ReduceSum" ? 13 : 18);
    const attributes = { keepdims: keepdims ? 1n : 0n };
    return isInput
      ? model.node(opType, [x, model.ints(axes)], attributes)
      : model.node(opType, [x], { ...attributes, axes: axes.map(BigInt) });
  },
  opset,
  ...rest,
});

const positive = { domain: (value: number) => Math.abs(value) + 0.5 };
const REDUCTIONS = [
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceL1",
  "ReduceL2",
  "ReduceSumSquare",
];

describe("gradients of reductions", () => {
  it.each([
    ...REDUCTIONS.flatMap((name) => [
      reduction(name, [2], true, 9),
      reduction(name, [1, -1], false, 13),
      reduction(name, [-2], true, 18),
    ]),
    ...["ReduceLogSum", "ReduceLogSumExp"].flatMap((name) => [
      reduction(name, [1, 3], false, 11, positive),
      reduction(name, [2], true, 18, positive),
    ]),
    plain("Softmax", [3, 4], { axis: 1n }, 11),
    plain("Softmax", [3, 4], { axis: 2n }, 11),
    plain("Softmax", [3, 4], {}, 13),
    plain("Softmax", [3, 4], { axis: 1n }, 13),
    plain("Softmax", [3, 4], {}, 21),
    plain("LogSoftmax", [3, 4], { axis: 1n }, 9),
    plain("LogSoftmax", [3, 4], { axis: -2n }, 17),
  ])("$title", checkGradients);
});

describe("gradients of normalisations", () => {
  it.each([
    ...[9, 14, 17].map(
      (opset): GradientCase => ({
        title: `BatchNormalization opset ${opset}`,
        operands: [[3, 2, 2]],
        draw: (model, x) => model.batchNorm(x, "norm", 3),
        opset,
      }),
    ),
    {
      title: "BatchNormalization of a dense layer",
      operands: [[3]],
      draw: (model, x) => model.batchNorm(x, "norm", 3),
    },
    norm("LayerNormalization", [3, 4], [4], {}),
    norm("LayerNormalization", [3, 4], [3, 4], { axis: 1n, epsilon: 0.1 }),
    norm("LayerNormalization", [3, 4], [4], { axis: -2n }),
    norm("RMSNormalization", [3, 4], [4], { epsilon: 0.1 }, 23),
    norm("RMSNormalization", [3, 4], [3, 4], { axis: 1n }, 23),
    norm("InstanceNormalization", [2, 3, 3], [2], { epsilon: 0.1 }, 9),
    norm("InstanceNormalization", [2, 5], [2], {}),
    norm("GroupNormalization", [4, 2, 3], [4], { num_groups: 2n }, 21),
    norm("GroupNormalization", [4, 5], [4], { num_groups: 4n, epsilon: 0.1 }, 21),
    norm("GroupNormalization", [4, 2, 3], [2], { num_groups: 2n }, 18),
    norm("LayerNormalization", [3, 4], [4], {}, 21),
    plain("LRN", [5, 2, 3], { size: 3n, alpha: 0.5, beta: 0.6, bias: 1.5 }),
    plain("LRN", [5, 2, 1], { size: 5n, alpha: 1 }),
  ])("$title", checkGradients);
});
