import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

const pool = (
  opType: string,
  shape: readonly number[],
  attributes: Attributes,
  opset = 17,
): GradientCase => ({
  title: `${opType} of ${shape}: ${Object.entries(attributes).join(" ")} opset ${opset}`,
  operands: [shape],
  draw: (model, x) => model.node(opType, [x], attributes),
  opset,
});

const IMAGE = [2, 5, 6];
const SHAPES: readonly Attributes[] = [
  { kernel_shape: [2n, 2n], strides: [2n, 2n] },
  { kernel_shape: [3n, 2n] },
  { kernel_shape: [3n, 3n], strides: [2n, 2n], pads: [1n, 1n, 1n, 1n] },
  { kernel_shape: [3n, 3n], strides: [1n, 2n], pads: [0n, 1n, 2n, 0n] },
  { kernel_shape: [3n, 2n], strides: [2n, 4n], ceil_mode: 1n },
  { kernel_shape: [3n, 3n], strides: [2n, 2n], pads: [1n, 1n, 1n, 1n], ceil_mode: 1n },
  { kernel_shape: [2n, 3n], strides: [3n, 2n], auto_pad: "SAME_UPPER" },
  { kernel_shape: [2n, 3n], strides: [2n, 2n], auto_pad: "SAME_LOWER" },
  { kernel_shape: [2n, 2n], strides: [3n, 3n], auto_pad: "VALID" },
];
const DILATED: Attributes = {
  kernel_shape: [2n, 3n],
  strides: [2n, 1n],
  dilations: [3n, 2n],
  pads: [1n, 1n, 1n, 0n],
};

describe("gradients of pooling", () => {
  it.each([
    ...SHAPES.map((attributes) => pool("MaxPool", IMAGE, attributes)),
    pool("MaxPool", IMAGE, SHAPES[0] as Attributes, 9),
    pool("MaxPool", [2, 4, 6], SHAPES[0] as Attributes, 9),
    pool("MaxPool", [2, 4, 6], SHAPES[0] as Attributes, 13),
    pool("MaxPool", IMAGE, SHAPES[2] as Attributes, 9),
    pool("MaxPool", IMAGE, SHAPES[5] as Attributes, 22),
    pool("AveragePool", IMAGE, SHAPES[3] as Attributes, 9),
    pool("AveragePool", IMAGE, SHAPES[5] as Attributes, 22),
    pool("MaxPool", IMAGE, DILATED),
    pool("MaxPool", [2, 9], { kernel_shape: [3n], strides: [2n], pads: [1n, 0n] }),
    pool("MaxPool", [1, 3, 4, 3], {
      kernel_shape: [2n, 2n, 2n],
      strides: [1n, 2n, 1n],
      pads: [1n, 0n, 0n, 0n, 0n, 1n],
    }),
    ...SHAPES.map((attributes) => pool("AveragePool", IMAGE, attributes)),
    ...SHAPES.slice(2, 8).map((attributes) =>
      pool("AveragePool", IMAGE, { ...attributes, count_include_pad: 1n }),
    ),
    pool("AveragePool", IMAGE, DILATED, 19),
    pool("AveragePool", IMAGE, { ...DILATED, count_include_pad: 1n }, 19),
    pool("AveragePool", [2, 9], { kernel_shape: [3n], strides: [2n], pads: [1n, 0n] }),
    pool("AveragePool", [1, 3, 4, 3], { kernel_shape: [2n, 2n, 2n] }),
    ...SHAPES.slice(0, 4).map((attributes) => pool("LpPool", IMAGE, attributes)),
    pool("LpPool", IMAGE, { kernel_shape: [2n, 2n], p: 1n }),
    pool("LpPool", IMAGE, { kernel_shape: [2n, 2n], p: 3n }),
    pool("LpPool", IMAGE, DILATED, 18),
    pool("GlobalMaxPool", IMAGE, {}),
    pool("GlobalAveragePool", IMAGE, {}),
    pool("GlobalAveragePool", [2, 5], {}),
    pool("GlobalLpPool", IMAGE, {}),
    pool("GlobalLpPool", IMAGE, { p: 3n }),
  ])("$title", checkGradients);
});
