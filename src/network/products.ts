/**
 * Rules of products of two computed values: attention. An attention head mixes its values over tokens by weights that
 * come from queries and keys. Values stay on their axis, so they are followed; queries and keys are summed with each
 * other, and no position of the product holds one of their units.
 */
import { alignRank, noUnits } from "./position-map.ts";
import { INPUT_LAYER, type NodeView, type Rule, type RuleResult, type UnitTerm } from "./unit-flow.ts";
import { addWeightNode } from "./weight-nodes.ts";

/** MatMul: with a constant side a layer, with two computed sides a product. */
export const matMul: Rule = (view) => {
  if (!view.isComputed(0) || !view.isComputed(1)) return addWeightNode(view);
  const ranks = [0, 1].map((i) => view.shape(i).length);
  if (ranks.some((rank) => rank < 2)) return { problem: "both sides are computed" };
  return passTerms(view, [0, 1], (side) => (ranks[side] as number) - (side === 0 ? 1 : 2));
};

/** The operator of opset 23: softmax(Q K') V, with heads on an axis of their own or side by side. */
export const attention: Rule = (view) => {
  const [values, made] = [view.shape(2), view.outputShape()];
  const isShared = values.length === 4 ? values[1] !== made[1] : values.at(-1) !== made.at(-1);
  if (isShared) return { problem: "heads that share their values are not followed" };
  if (view.flow(0).length > 0 || view.flow(1).length > 0) view.state.skip(view.node, SUMMED);
  return passTerms(view, [2], () => values.length - 2);
};

const SUMMED = "it sums products of units (queries and keys), which are not followed";

/** Units of the given inputs go on unless they lie along the axis that is summed over. */
function passTerms(
  view: NodeView,
  inputs: readonly number[],
  summedAxis: (input: number) => number,
): RuleResult {
  const rank = view.outputShape().length;
  const terms: UnitTerm[] = [];
  let isSummed = false;
  for (const input of inputs) {
    for (const term of view.flow(input)) {
      const isLost = term.map.dims[summedAxis(input)] !== 1;
      if (isLost) isSummed = true;
      if (isLost && term.source !== INPUT_LAYER) continue;
      const map = isLost ? noUnits(rank) : alignRank(term.map, rank);
      terms.push({ ...term, map, isOwn: false, isActivated: true, limit: null });
    }
  }
  if (isSummed) view.state.skip(view.node, SUMMED);
  return { flows: [terms], role: "mixing" };
}
