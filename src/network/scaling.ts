/**
 * Rules of the operators that scale, shift and join units: batch norms and other normalisations, Add, Sub, Mul, Div.
 */
import { type ConstantArray, constantFloats } from "./constants.ts";
import { attributeOf } from "./model-graph.ts";
import { alignRank, expandTo, type PositionMap, scaleMap } from "./position-map.ts";
import type { Flow, FlowState, NodeView, Rule, RuleResult, UnitTerm } from "./unit-flow.ts";

export const batchNorm: Rule = (view) => {
  const [gamma, variance] = [1, 4].map((i) => constantFloats(view.state, view.node.input[i] ?? ""));
  if (!gamma || !variance) return { problem: "its parameters are computed" };
  const epsilon = attributeOf(view.node, "epsilon")?.f ?? 1e-5;
  const factors = Float64Array.from(
    gamma.values,
    (value, channel) => Math.abs(value) / Math.sqrt((variance.values[channel] as number) + epsilon),
  );
  return scaleTerms(view, view.flow(0), { dims: [factors.length], values: factors }, 1);
};

export const instanceNorm: Rule = (view) => {
  const gamma = constantFloats(view.state, view.node.input[1] ?? "");
  if (!gamma) return { problem: "its parameters are computed" };
  return scaleTerms(view, view.flow(0), { dims: gamma.dims, values: gamma.values.map(Math.abs) }, 1);
};

/**
 * Multiplies units by constant factors. In front of the activation function, on the layer's own path, the factor
 * belongs to the layer's incoming edges; elsewhere to the edges of whoever reads (method note 3.3, 3.4).
 * `axis`: where the factors' first axis lies; null aligns at the last axis, as broadcasting does.
 */
function scaleTerms(
  view: NodeView,
  flow: Flow,
  factors: { readonly dims: readonly number[]; readonly values: ArrayLike<number> },
  axis: number | null,
): RuleResult {
  const rank = view.outputShape().length;
  const trailing = axis === null ? 0 : rank - axis - factors.dims.length;
  const dims = [...factors.dims, ...new Array<number>(Math.max(0, trailing)).fill(1)];
  const size = dims.reduce((total, extent) => total * extent, 1);
  const positions: PositionMap = alignRank(
    { dims, index: Int32Array.from({ length: size }, (_, i) => i), scale: null },
    rank,
  );
  const change = (term: UnitTerm): PositionMap => {
    const common = term.map.dims.map((extent, other) => Math.max(extent, positions.dims[other] as number));
    const map = expandTo(alignRank(term.map, rank), common);
    const at = expandTo(positions, common).index;
    const factor = (position: number) => Math.abs(factors.values[at[position] as number] as number);
    if (term.isOwn && !term.isActivated && moveToIncoming(view.state, term, map, factor)) return term.map;
    return scaleMap(map, factor);
  };
  return { flows: [flow.map((term) => ({ ...term, map: change(term) }))], role: "affine" };
}

/** Multiplies the layer's incoming scale; false where one unit would get several factors. */
function moveToIncoming(
  state: FlowState,
  term: UnitTerm,
  map: PositionMap,
  factor: (position: number) => number,
): boolean {
  const layer = state.layers[term.source];
  if (layer === undefined) return false;
  const factors = new Float64Array(layer.units).fill(Number.NaN);
  for (let position = 0; position < map.index.length; position++) {
    const unit = map.index[position] as number;
    if (unit < 0) continue;
    const known = factors[unit] as number;
    if (!Number.isNaN(known) && known !== factor(position)) return false;
    factors[unit] = factor(position);
  }
  const before = layer.incomingScale;
  layer.incomingScale = factors.map(
    (value, unit) => (Number.isNaN(value) ? 1 : value) * (before?.[unit] ?? 1),
  );
  return true;
}

/** Add and Sub: a constant passes as a bias, computed values join their units. */
export const add: Rule = (view) => {
  const rank = view.outputShape().length;
  const terms = [0, 1].flatMap((i) =>
    view.flow(i).map((term) => ({ ...term, map: alignRank(term.map, rank) })),
  );
  if (!view.isComputed(0) || !view.isComputed(1)) return { flows: [terms], role: "affine" };
  const joined = joinTerms(terms.map((term) => ({ ...term, isOwn: false })));
  return { flows: [joined], role: joined.length === 1 ? "activation" : "mixing" };
};

/** Sums terms that hold the same units of the same layer at the same positions. */
export function joinTerms(terms: readonly UnitTerm[]): UnitTerm[] {
  const joined: UnitTerm[] = [];
  for (const term of terms) {
    const at = joined.findIndex(
      (other) => other.source === term.source && holdSameUnits(other.map, term.map),
    );
    const other = joined[at];
    if (other === undefined) {
      joined.push(term);
      continue;
    }
    const scale = (map: PositionMap, position: number) => map.scale?.[position] ?? 1;
    const isUnscaled =
      other.map.scale === null && term.map.scale === null && other.isActivated !== term.isActivated;
    const map = isUnscaled
      ? other.map
      : scaleMap({ ...other.map, scale: null }, (i) => scale(other.map, i) + scale(term.map, i));
    joined[at] = { ...other, map, isActivated: other.isActivated || term.isActivated };
  }
  return joined;
}

function holdSameUnits(a: PositionMap, b: PositionMap): boolean {
  return (
    a.dims.length === b.dims.length &&
    a.dims.every((size, axis) => size === b.dims[axis]) &&
    a.index.every((unit, position) => unit === b.index[position])
  );
}

/** Mul and Div: constants scale; a value times a function of itself is an activation function (SiLU, Gelu). */
export const multiply: Rule = (view) => {
  const isDivision = view.node.opType === "Div";
  if (view.isComputed(0) && view.isComputed(1)) return gate(view);
  const computed = view.isComputed(0) ? 0 : 1;
  if (isDivision && computed === 1) return { problem: "a constant is divided by it" };
  const factors = constantFloats(view.state, view.node.input[1 - computed] ?? "");
  if (!factors) return { problem: "its constant factor is not a float array" };
  const values = isDivision ? factors.values.map((value) => 1 / value) : factors.values;
  return scaleTerms(view, view.flow(computed), { dims: factors.dims, values }, null);
};

function gate(view: NodeView): RuleResult {
  const rank = view.outputShape().length;
  const [left, right] = [0, 1].map((i) =>
    view.flow(i).map((term) => ({ ...term, map: alignRank(term.map, rank), isOwn: false })),
  ) as [UnitTerm[], UnitTerm[]];
  const [a, b] = [left[0], right[0]];
  const isSelfGated =
    left.length === 1 && right.length === 1 && a && b && a.source === b.source && holdSameUnits(a.map, b.map);
  if (isSelfGated) {
    const plain = a.isActivated && !b.isActivated ? b : a;
    return { flows: [[{ ...plain, isActivated: true }]], role: "activation" };
  }
  // A gate made elsewhere (squeeze-and-excitation) multiplies the larger value's units.
  const sizes = [0, 1].map((i) => view.shape(i).reduce((total, size) => total * size, 1));
  const isLeftGated = (sizes[0] as number) >= (sizes[1] as number);
  const [kept, gating] = isLeftGated ? [left, right] : [right, left];
  if (gating.length > 0) view.state.skip(view.node, "its gate's units are not connected to what they gate");
  return { flows: [kept.map((term) => ({ ...term, isActivated: true }))], role: "mixing" };
}

/** A normalisation over units: the path of a layer ends here, its edges go on with the learned scale. */
export const layerNorm: Rule = (view) => {
  const gamma = constantFloats(view.state, view.node.input[1] ?? "");
  const result: RuleResult = gamma
    ? scaleTerms(
        view,
        view.flow(0).map((term) => ({ ...term, isOwn: false })),
        absolute(gamma),
        null,
      )
    : { flows: [view.flow(0)], role: "mixing" };
  return "problem" in result ? result : { ...result, role: "mixing" };
};

const absolute = (array: ConstantArray): ConstantArray => ({
  dims: array.dims,
  values: array.values.map(Math.abs),
});
