/** Gradient of the operator Attention of opset 23: y = softmax(scale Q K' + mask) V, heads apart. */
import { attributeOf, integerAttribute } from "../model-graph.ts";
import {
  alongAxis,
  type GradientRule,
  type GradientView,
  reduce,
  refuse,
  reshapeTo,
} from "./gradient-view.ts";

const LAST_TWO = [0n, 1n, 3n, 2n];

/** An operand with heads on axis 1, and how to get its gradient back to the operand's own form. */
interface Heads {
  readonly value: string;
  readonly sizes: readonly number[];
  back(gradient: string): string;
}

const attention: GradientRule = (view) => {
  const { node } = view;
  if (node.input.slice(4).some((name) => name !== "")) refuse(node, "a cache of past keys", "none");
  if (view.isWanted(3)) refuse(node, "a mask that depends on the input", "a constant one");
  if ((attributeOf(node, "softcap")?.f ?? 0) !== 0) refuse(node, "softcap", "none");
  const queryHeads = headCount(view, 0, "q_num_heads");
  const [q, k, v] = [
    splitHeads(view, 0, view.input(0), queryHeads, queryHeads),
    splitHeads(view, 1, view.input(1), headCount(view, 1, "kv_num_heads"), queryHeads),
    splitHeads(view, 2, view.input(2), headCount(view, 2, "kv_num_heads"), queryHeads),
  ] as const;
  const [queries = 1, width = 1] = q.sizes.slice(2);
  const keys = k.sizes[2] as number;
  const scale = view.scalar(attributeOf(node, "scale")?.f ?? 1 / Math.sqrt(width));
  const times = (one: string, other: string) => view.add("MatMul", [one, other]);
  const turned = (value: string) => view.add("Transpose", [value], { perm: LAST_TWO });
  let scores = view.add("Mul", [times(q.value, turned(k.value)), scale]);
  const mask = maskOf(view, queries, keys);
  if (mask !== null) scores = view.add("Add", [scores, mask]);
  const shares = view.add("Softmax", [scores], { axis: -1n });
  const upstream = headsOfOutput(view, queryHeads);
  const slopes = times(upstream, turned(v.value));
  const weighted = view.add("Mul", [shares, slopes]);
  const total = reduce(view, "ReduceSum", weighted, [3]);
  const bent = view.add("Sub", [weighted, view.add("Mul", [shares, total])]);
  const scaledBack = view.add("Mul", [bent, scale]);
  return [
    view.isWanted(0) ? q.back(times(scaledBack, k.value)) : null,
    view.isWanted(1) ? k.back(times(turned(scaledBack), q.value)) : null,
    view.isWanted(2) ? v.back(times(turned(shares), upstream)) : null,
  ];
};

/** Heads of an operand: an axis of its own, or side by side on the last one. */
function headCount(view: GradientView, i: number, attribute: string): number {
  const { sizes } = view.shape(i);
  return sizes.length === 4 ? (sizes[1] as number) : integerAttribute(view.node, attribute, 1);
}

/** The operand as [batch, heads, tokens, width]; heads that several query heads share are repeated for them. */
function splitHeads(view: GradientView, i: number, name: string, heads: number, queryHeads: number): Heads {
  const shape = view.shape(i);
  const isFlat = shape.sizes.length === 3;
  const [rows = 1, tokens = 1, all = 1] = shape.sizes;
  const [length, width] = isFlat ? [tokens, all / heads] : (shape.sizes.slice(2) as [number, number]);
  const perm = [0n, 2n, 1n, 3n];
  const apart = { sizes: [rows, length, heads, width], batchAxis: shape.batchAxis };
  const own = isFlat ? view.add("Transpose", [reshapeTo(view, name, apart)], { perm }) : name;
  const matrix = (isBackward: boolean) => {
    const [from, to] = isBackward ? [queryHeads, heads] : [heads, queryHeads];
    const values = Float32Array.from({ length: from * to }, (_, at) => {
      const [one, other] = [Math.floor(at / to), at % to];
      const [query, key] = isBackward ? [one, other] : [other, one];
      return Math.floor((query * heads) / queryHeads) === key ? 1 : 0;
    });
    return { from, to, values };
  };
  const isShared = heads !== queryHeads;
  return {
    value: isShared ? alongAxis(view, own, 4, 1, matrix(false)) : own,
    sizes: [rows, queryHeads, length, width],
    back(gradient) {
      const summed = isShared ? alongAxis(view, gradient, 4, 1, matrix(true)) : gradient;
      return isFlat ? reshapeTo(view, view.add("Transpose", [summed], { perm }), shape) : summed;
    },
  };
}

/** What comes in, with heads on axis 1. */
function headsOfOutput(view: GradientView, heads: number): string {
  const { sizes, batchAxis } = view.outputShape();
  const [rows = 1, tokens = 1, all = 1] = sizes;
  if (sizes.length === 4) return view.upstream;
  const apart = reshapeTo(view, view.upstream, { sizes: [rows, tokens, heads, all / heads], batchAxis });
  return view.add("Transpose", [apart], { perm: [0n, 2n, 1n, 3n] });
}

/** What is added to the scores: the node's own mask, booleans turned to 0 and far below 0, and that of causality. */
function maskOf(view: GradientView, queries: number, keys: number): string | null {
  const FAR_BELOW = -1e30;
  const parts: string[] = [];
  if ((view.node.input[3] ?? "") !== "") {
    const isFloat = view.constant(3) !== null;
    const mask = view.input(3);
    parts.push(isFloat ? mask : view.add("Where", [mask, view.scalar(0), view.scalar(FAR_BELOW)]));
  }
  if (integerAttribute(view.node, "is_causal", 0) === 1) {
    const values = Float32Array.from({ length: queries * keys }, (_, at) =>
      at % keys > Math.floor(at / keys) ? FAR_BELOW : 0,
    );
    parts.push(view.floats([queries, keys], values));
  }
  const [first, second] = parts;
  return first === undefined || second === undefined ? (first ?? null) : view.add("Add", parts);
}

export const ATTENTION_RULES: readonly (readonly [string, GradientRule])[] = [["Attention", attention]];
