import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

const resized = (
  shape: readonly number[],
  scales: readonly number[],
  attributes: Attributes,
  opset = 17,
): GradientCase => ({
  title: `Resize of ${shape} by ${scales}: ${Object.entries(attributes).join(" ")} opset ${opset}`,
  operands: [shape],
  draw(model, x) {
    const factors = model.floats("scales", [scales.length], scales);
    return model.node("Resize", opset < 11 ? [x, factors] : [x, "", factors], attributes);
  },
  opset,
});

const IMAGE = [2, 3, 4];
const COORDINATES = [
  "half_pixel",
  "asymmetric",
  "align_corners",
  "pytorch_half_pixel",
  "half_pixel_symmetric",
];

describe("gradients of Resize", () => {
  it.each([
    ...COORDINATES.flatMap((coordinate_transformation_mode) =>
      ["nearest", "linear", "cubic"].map((mode) =>
        resized(IMAGE, [1, 1, 2, 1.5], { mode, coordinate_transformation_mode }, 19),
      ),
    ),
    ...["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"].map((nearest_mode) =>
      resized(IMAGE, [1, 1, 2, 0.5], { nearest_mode }),
    ),
    resized(IMAGE, [1, 1, 0.7, 1], { mode: "linear" }),
    resized(IMAGE, [1, 1, 2, 2], { mode: "cubic", cubic_coeff_a: -0.5, exclude_outside: 1n }),
    resized(IMAGE, [1, 1, 2, 3], {}, 10),
    resized(IMAGE, [1, 1, 0.6, 0.5], {}, 10),
    resized(IMAGE, [1, 1, 2, 2], { mode: "linear" }, 10),
    {
      title: "Resize to sizes",
      operands: [IMAGE],
      draw(model, x) {
        const first = model.node("Shape", [x]);
        const batch = model.node("Slice", [first, model.ints([0]), model.ints([2])]);
        const sizes = model.node("Concat", [batch, model.ints([5, 7])], { axis: 0n });
        return model.node("Resize", [x, "", "", sizes], { mode: "linear" });
      },
    },
    {
      title: "Upsample",
      operands: [IMAGE],
      draw: (model, x) => model.node("Upsample", [x, model.floats("scales", [4], [1, 1, 2, 3])]),
      opset: 9,
    },
  ])("$title", checkGradients);
});
