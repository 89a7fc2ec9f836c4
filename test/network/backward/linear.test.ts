import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

/** A convolution of an operand by a constant kernel [units, inputs of a group, ...taps]. */
const conv = (
  shape: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
  rest: Partial<GradientCase> = {},
): GradientCase => ({
  title: `Conv ${kernel} of ${shape}: ${Object.entries(attributes).join(" ")} opset ${rest.opset ?? 17}`,
  operands: [shape],
  draw: (model, x) => model.node("Conv", [x, model.floats("w", kernel)], attributes),
  ...rest,
});

const convTranspose = (
  shape: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
): GradientCase => ({
  title: `ConvTranspose ${kernel} of ${shape}: ${Object.entries(attributes).join(" ")}`,
  operands: [shape],
  draw: (model, x) => model.node("ConvTranspose", [x, model.floats("w", kernel)], attributes),
});

describe("gradients of convolutions", () => {
  it.each([
    conv([2, 4, 5], [3, 2, 3, 3], {}),
    conv([2, 4, 5], [3, 2, 3, 3], {}, { opset: 9 }),
    conv([2, 4, 5], [3, 2, 3, 3], { strides: [2n, 1n] }, { opset: 22 }),
    conv([2, 4, 5], [3, 2, 3, 3], { pads: [1n, 1n, 1n, 1n] }),
    conv([2, 4, 5], [3, 2, 3, 2], { pads: [0n, 1n, 2n, 0n] }),
    conv([2, 4, 5], [3, 2, 1, 1], { pads: [1n, 0n, 0n, 2n] }),
    conv([2, 4, 5], [3, 2, 1, 1], { pads: [0n, 0n, 0n, 2n] }),
    conv([1, 7, 6], [2, 1, 3, 2], { dilations: [2n, 3n], pads: [2n, 1n, 1n, 0n] }),
    conv([4, 4, 4], [6, 2, 3, 3], { group: 2n, pads: [1n, 1n, 1n, 1n] }),
    conv([3, 4, 4], [3, 1, 3, 3], { group: 3n, pads: [1n, 1n, 1n, 1n] }),
    conv([2, 3, 5], [4, 1, 2, 3], { group: 2n, dilations: [1n, 2n] }),
    conv([2, 7, 8], [3, 2, 3, 3], { strides: [2n, 3n], pads: [1n, 1n, 1n, 1n] }),
    conv([2, 6, 6], [2, 2, 3, 3], { strides: [2n, 2n], pads: [1n, 1n, 1n, 1n] }),
    conv([2, 6, 7], [2, 2, 1, 1], { strides: [2n, 2n] }),
    conv([2, 8, 7], [4, 1, 3, 2], {
      strides: [3n, 2n],
      group: 2n,
      dilations: [2n, 1n],
      pads: [0n, 2n, 1n, 0n],
    }),
    conv([1, 5, 6], [2, 1, 3, 4], { auto_pad: "SAME_UPPER" }),
    conv([1, 5, 6], [2, 1, 3, 4], { auto_pad: "SAME_LOWER", strides: [2n, 2n] }),
    conv([1, 5, 6], [2, 1, 3, 4], { auto_pad: "SAME_UPPER", strides: [3n, 2n] }),
    conv([1, 5, 6], [2, 1, 3, 4], { auto_pad: "VALID" }),
    conv([2, 9], [3, 2, 3], { pads: [2n, 1n] }),
    conv([2, 9], [3, 2, 3], { strides: [2n], dilations: [2n] }),
    conv([1, 3, 4, 3], [2, 1, 2, 2, 2], { pads: [1n, 0n, 0n, 0n, 1n, 1n] }),
    conv([1, 3, 4, 3], [2, 1, 2, 2, 2], { strides: [1n, 2n, 1n] }),
    convTranspose([2, 3, 4], [2, 3, 3, 3], {}),
    convTranspose([2, 3, 4], [2, 3, 3, 3], {
      strides: [2n, 2n],
      pads: [1n, 1n, 1n, 1n],
      output_padding: [1n, 1n],
    }),
    convTranspose([2, 3, 4], [2, 1, 3, 3], {
      strides: [2n, 1n],
      group: 2n,
      dilations: [1n, 2n],
      pads: [1n, 0n, 0n, 2n],
    }),
    convTranspose([2, 3, 4], [2, 3, 3, 3], { strides: [2n, 2n], output_shape: [6n, 8n] }),
    convTranspose([2, 3, 4], [2, 3, 3, 3], { strides: [2n, 2n], auto_pad: "SAME_UPPER" }),
    convTranspose([2, 3, 4], [2, 3, 3, 3], { strides: [2n, 2n], output_padding: [1n, 1n] }),
    convTranspose([2, 5], [2, 1, 2], { strides: [3n] }),
  ])("$title", checkGradients);
});

const gemm = (attributes: Attributes, shape: readonly number[], kernel: readonly number[]): GradientCase => ({
  title: `Gemm ${Object.entries(attributes).join(" ")}`,
  operands: [shape, [kernel.includes(5) ? 5 : 1]],
  draw: (model, x, bias) => model.node("Gemm", [x, model.floats("w", kernel), bias], attributes),
});

/** A product of two computed values, or of one with a constant on a side. */
const product = (
  left: readonly number[],
  right: readonly number[],
  constant?: "left" | "right",
): GradientCase => ({
  title: `MatMul of ${left} and ${right}${constant ? `, ${constant} constant` : ""}`,
  operands: constant ? [constant === "left" ? right : left] : [left, right],
  draw(model, one, other) {
    if (constant === "left") return model.node("MatMul", [model.floats("w", left), one]);
    if (constant === "right") return model.node("MatMul", [one, model.floats("w", right)]);
    return model.node("MatMul", [one, other]);
  },
});

describe("gradients of products", () => {
  it.each([
    gemm({}, [4], [4, 5]),
    gemm({ transB: 1n }, [4], [5, 4]),
    gemm({ transB: 1n, alpha: 0.5, beta: -2 }, [4], [5, 4]),
    {
      title: "Gemm with the batch behind: transA",
      operands: [[4]],
      draw(model, x) {
        const turned = model.node("Transpose", [x], { perm: [1n, 0n] });
        return model.node("Gemm", [turned, model.floats("w", [4, 5])], { transA: 1n, alpha: 2 });
      },
    },
    {
      title: "Gemm with the batch behind: transA and transB",
      operands: [[4]],
      draw(model, x) {
        const turned = model.node("Transpose", [x], { perm: [1n, 0n] });
        return model.node("Gemm", [turned, model.floats("w", [5, 4])], { transA: 1n, transB: 1n });
      },
    },
    ...["0", "1"].map(
      (transB): GradientCase => ({
        title: `Gemm with the input on the right: transB ${transB}`,
        operands: [[4]],
        draw(model, x) {
          const right = transB === "1" ? x : model.node("Transpose", [x], { perm: [1n, 0n] });
          return model.node("Gemm", [model.floats("w", [3, 4]), right], {
            transB: BigInt(transB),
            alpha: 0.7,
          });
        },
      }),
    ),
    {
      title: "Gemm with a computed bias for each row",
      operands: [[4], [5], [1]],
      draw(model, x, bias, number) {
        const rows = model.node("Gemm", [x, model.floats("w", [4, 5]), bias], { beta: 3 });
        return model.node("Gemm", [rows, model.floats("v", [5, 2]), number], { beta: 0.5 });
      },
    },
    product([3], [3, 2], "right"),
    product([2, 3], [3, 4], "right"),
    product([2, 2, 3], [3, 4], "right"),
    product([1, 2, 3], [2, 3, 4], "right"),
    product([3], [2, 3, 4], "right"),
    product([3], [3], "right"),
    product([2, 3], [3], "right"),
    product([2, 3, 4], [2, 4, 3], "left"),
    product([2, 3], [3, 4], "left"),
    product([5, 1, 2, 3], [3, 4], "left"),
    product([3], [3, 4], "left"),
    product([2, 3], [3, 4]),
    product([2, 2, 3], [2, 3, 4]),
    product([1, 2, 3], [2, 3, 4]),
    product([2, 2, 3], [1, 3, 4]),
  ])("$title", checkGradients);
});
