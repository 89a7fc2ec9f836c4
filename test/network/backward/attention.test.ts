import { describe, it } from "vitest";
import type { AttributeValue } from "../../../src/runtime/onnx.ts";
import { checkGradients, type GradientCase } from "./differences.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

const attention = (
  operands: readonly (readonly number[])[],
  attributes: Attributes = {},
  mask: readonly number[] | null = null,
): GradientCase => ({
  title: `Attention of ${operands.join(" | ")}: ${Object.entries(attributes).join(" ")}${mask ? ", masked" : ""}`,
  operands,
  draw(model, ...parts) {
    const inputs = mask === null ? parts : [...parts, model.floats("mask", mask)];
    return model.node("Attention", inputs, attributes);
  },
  opset: 23,
});

const SIDE_BY_SIDE: Attributes = { q_num_heads: 2n, kv_num_heads: 2n };
const HEADS = [
  [2, 3, 4],
  [2, 5, 4],
  [2, 5, 3],
];

describe("gradients of attention", () => {
  it.each([
    attention(HEADS),
    attention(HEADS, { scale: 0.3 }),
    attention(HEADS, {}, [3, 5]),
    attention([HEADS[1], HEADS[1], HEADS[2]] as number[][], { is_causal: 1n }),
    attention([[4, 3, 2], ...[1, 2].map((width) => [2, 3, width + 1])] as number[][]),
    attention(
      [
        [3, 8],
        [3, 8],
        [3, 4],
      ],
      SIDE_BY_SIDE,
    ),
    attention(
      [
        [3, 8],
        [3, 4],
        [3, 2],
      ],
      { q_num_heads: 4n, kv_num_heads: 2n, is_causal: 1n },
    ),
    {
      title: "attention by products, with a causal mask by Where",
      operands: HEADS.map(() => [2, 4, 3]),
      draw(model, q, k, v) {
        const scores = model.node("MatMul", [q, model.node("Transpose", [k], { perm: [0n, 1n, 3n, 2n] })]);
        const ones = model.floats("ones", [4, 4], new Float32Array(16).fill(1));
        const lower = model.node("Cast", [model.node("Trilu", [ones], { upper: 0n })], { to: 9n });
        const masked = model.node("Where", [lower, scores, model.floats("far", [], [-1e4])]);
        return model.node("MatMul", [model.node("Softmax", [masked], { axis: -1n }), v]);
      },
    },
  ])("$title", checkGradients);
});
