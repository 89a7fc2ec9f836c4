/**
 * Rules of the operators that scale, shift and join units: batch norms and other normalisations, Add, Sub, Mul, Div.
 */
import { type ConstantArray, constantFloats } from "./constants.ts";
import { attributeOf } from "./model-graph.ts";
import { alignRank, expandTo, type PositionMap, scaleMap } from "./position-map.ts";
import {
  type Flow,
  type FlowState,
  INPUT_LAYER,
  type NodeView,
  type Rule,
  type RuleResult,
  type UnitTerm,
} from "./unit-flow.ts";

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

/**
 * A normalisation of every channel by itself. Where a channel holds several units it is a group norm in disguise
 * (Reshape, InstanceNormalization, Reshape is how PyTorch writes one) and mixes them.
 */
export const instanceNorm: Rule = (view) => {
  const gamma = constantFloats(view.state, view.node.input[1] ?? "");
  if (!gamma) return { problem: "its parameters are computed" };
  const isMixing = view.flow(0).some(({ map }) => map.dims.slice(2).some((size) => size > 1));
  return isMixing ? mixingNorm(view, gamma, 1) : scaleTerms(view, view.flow(0), gamma, 1);
};

/** Below opset 21 the learned scale has one entry for each group, from then on one for each channel. */
export const groupNorm: Rule = (view) => {
  const gamma = constantFloats(view.state, view.node.input[1] ?? "");
  if (!gamma) return { problem: "its parameters are computed" };
  const channels = view.shape(0)[1] as number;
  const perEntry = channels / gamma.values.length;
  const values = Float32Array.from(
    { length: channels },
    (_, c) => gamma.values[Math.floor(c / perEntry)] as number,
  );
  return mixingNorm(view, { dims: [channels], values }, 1);
};

/** A normalisation over the units of a value: the path of a layer ends here, its edges go on with the learned scale. */
function mixingNorm(view: NodeView, gamma: ConstantArray, axis: number | null): RuleResult {
  const passing = view.flow(0).map((term) => ({ ...term, isOwn: false }));
  const result = scaleTerms(view, passing, gamma, axis);
  return "problem" in result ? result : { ...result, role: "mixing" };
}

/** Normalises over the last axes, with a learned scale of their shape. */
export const layerNorm: Rule = (view) => {
  const gamma = constantFloats(view.state, view.node.input[1] ?? "");
  return gamma ? mixingNorm(view, gamma, null) : { problem: "its parameters are computed" };
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
    if (term.isOwn && !term.isActivated && moveToIncoming(view.state, term, map, factor)) return map;
    return scaleMap(map, factor);
  };
  const limitOf = ({ limit }: UnitTerm) =>
    limit !== null && factors.values.length === 1 ? limit * (factors.values[0] as number) : null;
  return {
    flows: [flow.map((term) => ({ ...term, map: change(term), limit: limitOf(term) }))],
    role: "affine",
  };
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

/** Add, Sub and Sum: a constant passes as a bias, computed values join their units. */
export const add: Rule = (view) => {
  const { constants, terms } = termsOf(view);
  const computed = view.node.input.length - constants.length;
  if (computed > 1) return joined(terms, (one, other) => one + other);
  const sign = view.node.opType === "Sub" && !view.isComputed(0) ? -1 : 1;
  const shiftOf = (limit: number | null) =>
    constants.reduce<number | null>(
      (sum, name) => {
        const values = constantFloats(view.state, name)?.values;
        return sum !== null && values?.length === 1 ? sum + (values[0] as number) : null;
      },
      limit === null ? null : sign * limit,
    );
  return { flows: [terms.map((term) => ({ ...term, limit: shiftOf(term.limit) }))], role: "affine" };
};

/** Max and Min: with a constant an activation function (Max(x, 0)), as is a choice between functions of one value. */
export const extremum: Rule = (view) => {
  const { constants, terms } = termsOf(view);
  if (view.node.input.length - constants.length > 1) return joined(terms, Math.max);
  return { flows: [terms.map((term) => ({ ...term, isActivated: true, limit: null }))], role: "activation" };
};

/** The names of a node's constant inputs, and the units of all others at the rank of its output. */
function termsOf(view: NodeView): { readonly constants: string[]; readonly terms: UnitTerm[] } {
  const rank = view.outputShape().length;
  return {
    constants: view.node.input.filter((_, i) => !view.isComputed(i)),
    terms: view.node.input.flatMap((_, i) =>
      view.flow(i).map((term) => ({ ...term, map: alignRank(term.map, rank) })),
    ),
  };
}

function joined(terms: readonly UnitTerm[], combine: (one: number, other: number) => number): RuleResult {
  const own = terms.map((term) => ({ ...term, isOwn: false, limit: null }));
  const flow = joinTerms(own, combine);
  const kept = flow.filter((term) => !isStatistic(term, flow));
  return { flows: [kept], role: flow.length === 1 ? "activation" : "mixing" };
}

/** Whether a term is a sum over units that others hold still: the mean that a normalisation takes off, or divides by. */
function isStatistic(term: UnitTerm, others: readonly UnitTerm[]): boolean {
  return term.isPooled && others.some(({ source, isPooled }) => source === term.source && !isPooled);
}

/** Makes one term of terms that hold the same units of the same layer at the same positions. */
export function joinTerms(
  terms: readonly UnitTerm[],
  combine: (one: number, other: number) => number,
): UnitTerm[] {
  const joined: UnitTerm[] = [];
  for (const term of terms) {
    const at = joined.findIndex((other) => holdSameUnits(other, term));
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
      : scaleMap({ ...other.map, scale: null }, (i) => combine(scale(other.map, i), scale(term.map, i)));
    joined[at] = { ...other, map, isActivated: other.isActivated || term.isActivated };
  }
  return joined;
}

function holdSameUnits(one: UnitTerm, other: UnitTerm): boolean {
  const [a, b] = [one.map, other.map];
  return (
    one.source === other.source &&
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
  if (isDivision && computed === 1) {
    const terms = view.flow(1).map((term) => ({ ...term, isActivated: true, limit: null }));
    return { flows: [terms], role: "activation" };
  }
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
  const pairs = left.map((term) => [term, right.find((other) => holdSameUnits(term, other))] as const);
  if (left.length > 0 && left.length === right.length && pairs.every(([, other]) => other)) {
    return { flows: [pairs.map(([one, other]) => selfGated(one, other ?? one))], role: "activation" };
  }
  const passing = (terms: readonly UnitTerm[]) =>
    terms.map((term) => ({ ...term, isActivated: true, limit: null }));
  const sizes = [0, 1].map((i) => view.shape(i).reduce((total, size) => total * size, 1));
  const isBounded = (terms: readonly UnitTerm[]) => terms.some(({ limit }) => limit !== null);
  const isEven = sizes[0] === sizes[1] && isBounded(left) === isBounded(right);
  // Two layers multiplied as equals (SwiGLU): whoever reads the product reads both.
  if (isEven) return { flows: [joinTerms(passing([...left, ...right]), Math.max)], role: "mixing" };
  // A gate made elsewhere (squeeze-and-excitation) is the smaller or the bounded value; the other one's units go on.
  const isLeftGated = sizes[0] === sizes[1] ? isBounded(right) : (sizes[0] as number) > (sizes[1] as number);
  const [kept, gating] = isLeftGated ? [left, right] : [right, left];
  if (gating.some((term) => term.source !== INPUT_LAYER && !isStatistic(term, kept)))
    view.state.skip(view.node, "its gate's units are not connected to what they gate");
  return { flows: [passing(kept)], role: "mixing" };
}

/**
 * A value times a bounded function of itself: x * sigmoid(x), x * (1 + erf(x / sqrt 2)) / 2. For large sums that is
 * x times the function's limit, so the units go on with that factor, and Gelu has the same edges however it is written.
 */
function selfGated(one: UnitTerm, other: UnitTerm): UnitTerm {
  const [plain, bounded] = one.isActivated && !other.isActivated ? [other, one] : [one, other];
  const factor = Math.abs(bounded.limit ?? 1);
  const map = Number.isFinite(factor) && factor > 0 ? scaleMap(plain.map, () => factor) : plain.map;
  return { ...plain, map, isActivated: true, limit: null };
}
