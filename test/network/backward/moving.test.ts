import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

/** A node that takes the operand, then constants of integers. */
const moved = (
  opType: string,
  shape: readonly number[],
  constants: readonly (readonly number[])[],
  attributes: Attributes = {},
  opset = 17,
): GradientCase => ({
  title: `${opType} of ${shape}: ${constants.join(" | ")} ${Object.entries(attributes).join(" ")} opset ${opset}`,
  operands: [shape],
  draw: (model, x) => model.node(opType, [x, ...constants.map((values) => model.ints(values))], attributes),
  opset,
});

const gathered = (indices: readonly number[], dims: readonly number[], axis: bigint): GradientCase => ({
  title: `Gather ${indices} as [${dims}] on axis ${axis}`,
  operands: [[3, 4]],
  draw: (model, x) => model.node("Gather", [x, model.ints(indices, dims)], { axis }),
});

const padded = (pads: readonly number[], mode: string, opset: number): GradientCase => ({
  title: `Pad ${pads} ${mode} opset ${opset}`,
  operands: [[4, 5]],
  draw: (model, x) =>
    opset >= 11
      ? model.node("Pad", [x, model.ints(pads)], { mode })
      : model.node("Pad", [x], { mode, pads: pads.map(BigInt) }),
  opset,
});

describe("gradients of operators that move positions", () => {
  it.each([
    moved("Reshape", [3, 4], [[-1, 2, 6]]),
    moved("Reshape", [3, 4], [[0, -1]]),
    moved("Reshape", [3, 4], [[-1, 4]]),
    moved("Flatten", [3, 4], []),
    moved("Flatten", [3, 4], [], { axis: 2n }),
    moved("Squeeze", [3, 1, 4], [], { axes: [2n] }, 11),
    moved("Squeeze", [3, 1, 4], [[2]]),
    moved("Unsqueeze", [3, 4], [], { axes: [1n, -1n] }, 11),
    moved("Unsqueeze", [3, 4], [[1, -1]]),
    moved("Transpose", [3, 4], []),
    moved("Transpose", [3, 4, 2], [], { perm: [2n, 0n, 3n, 1n] }),
    moved("Expand", [3, 1], [[1, 3, 4]]),
    moved("Expand", [3], [[2, 1, 1]]),
    moved("Tile", [2, 3], [[1, 3, 2]]),
    moved("Slice", [5, 4], [], { starts: [1n, -3n], ends: [4n, 1000n], axes: [1n, 2n] }, 9),
    moved("Slice", [5, 4], [[1], [4], [1]]),
    moved(
      "Slice",
      [5, 4],
      [
        [0, 1],
        [99999, 3],
      ],
    ),
    moved(
      "Slice",
      [7, 4],
      [
        [1, -1],
        [7, -9],
        [1, 2],
        [3, -2],
      ],
    ),
    gathered([1], [], 1n),
    gathered([-1], [1], 2n),
    gathered([1, 2], [2], 2n),
    gathered([2, 0, 2, -1], [2, 2], 1n),
    padded([0, 1, 2, 0, 0, 1], "constant", 9),
    padded([0, 1, 2, 0, 0, 1], "constant", 21),
    padded([0, 1, 2, 0, 0, 1], "constant", 17),
    padded([0, 1, -2, 0, -1, 1], "constant", 17),
    padded([0, 1, 2, 0, 3, 1], "reflect", 17),
    padded([0, 1, 2, 0, 3, 1], "edge", 17),
    padded([0, 1, 2, 0, 3, 1], "wrap", 19),
    {
      title: "Pad of given axes",
      operands: [[3, 4]],
      draw: (model, x) => model.node("Pad", [x, model.ints([1, 2]), "", model.ints([-1])]),
      opset: 18,
    },
    {
      title: "Concat of channels and a constant",
      operands: [
        [2, 3],
        [4, 3],
      ],
      draw(model, one, other) {
        const squares = model.node("Mul", [other, other]);
        return model.node("Concat", [one, squares, model.node("Tanh", [one])], { axis: 1n });
      },
    },
    {
      title: "Concat of the last axis",
      operands: [
        [2, 3],
        [2, 1],
      ],
      draw: (model, one, other) => model.node("Concat", [one, other], { axis: -1n }),
    },
    ...[11, 13, 18].map(
      (opset): GradientCase => ({
        title: `Split opset ${opset}`,
        operands: [[5, 2]],
        draw(model, x) {
          const outputs = { outputs: ["first", "second"] };
          if (opset < 13) model.node("Split", [x], { axis: 1n, split: [2n, 3n] }, outputs);
          else model.node("Split", [x, model.ints([2, 3])], { axis: 1n }, outputs);
          const whole = model.node("Concat", [model.node("Tanh", ["second"]), "first"], { axis: 1n });
          return model.node("Mul", [whole, whole]);
        },
        opset,
      }),
    ),
    {
      title: "Split with a part that nothing reads",
      operands: [[4, 2]],
      draw(model, x) {
        model.node("Split", [x], { axis: 1n, num_outputs: 2n }, { outputs: ["first", "second"] });
        return model.node("Tanh", ["second"]);
      },
      opset: 18,
    },
    {
      title: "Trilu",
      operands: [[3, 4]],
      draw: (model, x) => model.node("Trilu", [x, model.ints([1], [])], { upper: 0n }),
    },
    moved("DepthToSpace", [8, 2, 3], [], { blocksize: 2n }),
    moved("DepthToSpace", [8, 2, 3], [], { blocksize: 2n, mode: "CRD" }),
    moved("SpaceToDepth", [2, 4, 6], [], { blocksize: 2n }),
    {
      title: "CumSum",
      operands: [[3, 4]],
      draw: (model, x) => model.node("CumSum", [x, model.ints([1], [])], { reverse: 1n }),
    },
    {
      title: "CumSum, exclusive",
      operands: [[3, 4]],
      draw: (model, x) => model.node("CumSum", [x, model.ints([-1], [])], { exclusive: 1n }),
    },
  ])("$title", checkGradients);
});
