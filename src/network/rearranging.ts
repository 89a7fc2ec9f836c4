/**
 * Rules of the operators that move, pick and join positions: reshapes, transposes, Concat, Split, Gather, Slice, Pad.
 */
import { constantIntegers } from "./constants.ts";
import { integerAttribute, integersAttribute } from "./model-graph.ts";
import { gatherMap, noUnits, type PositionMap, reshapeMap, transposeMap } from "./position-map.ts";
import { joinTerms } from "./scaling.ts";
import {
  INPUT_LAYER,
  type NodeRole,
  type NodeView,
  type Rule,
  type RuleResult,
  type UnitTerm,
} from "./unit-flow.ts";

/**
 * Maps every term's positions; a null says that units would be mixed. The network's inputs may be: pixels are units
 * only where a dense layer reads them as they are, so their term goes on without units.
 */
export function mapTerms(
  view: NodeView,
  change: (map: PositionMap) => PositionMap | null,
  role: NodeRole,
  problem: string,
): RuleResult {
  const terms: UnitTerm[] = [];
  for (const term of view.flow(0)) {
    const map = change(term.map);
    if (map !== null) terms.push({ ...term, map });
    else if (term.source === INPUT_LAYER) terms.push({ ...term, map: noUnits(view.outputShape().length) });
    else return { problem };
  }
  return { flows: [terms], role };
}

/** With a batch of one input, folding the batch into another axis moves no unit; with more it repeats the units. */
export const reshape: Rule = (view) => {
  const isOneInput = (view.state.probe.fixedBatch ?? 1) === 1;
  const batchAxis = isOneInput ? -1 : view.batchAxis(0);
  return mapTerms(
    view,
    (map) => reshapeMap(map, view.shape(0), view.outputShape(), batchAxis),
    "shape",
    "the reshape folds units into the batch axis",
  );
};

export const transpose: Rule = (view) => {
  const rank = view.shape(0).length;
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const permutation = integersAttribute(view.node, "perm") ?? reversed;
  return mapTerms(view, (map) => transposeMap(map, permutation), "shape", "");
};

export const concat: Rule = (view) => {
  const shape = view.outputShape();
  const given = integerAttribute(view.node, "axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  const terms: UnitTerm[] = [];
  let offset = 0;
  view.node.input.forEach((_, i) => {
    const size = view.shape(i)[axis] as number;
    const from = Array.from({ length: shape[axis] as number }, (_, position) =>
      position >= offset && position < offset + size ? position - offset : -1,
    );
    for (const term of view.flow(i)) {
      terms.push({ ...term, map: gatherMap(term.map, axis, size, from), isOwn: false });
    }
    offset += size;
  });
  return { flows: [joinTerms(terms, (one, other) => one + other)], role: "mixing" };
};

export const split: Rule = (view) => {
  const shape = view.shape(0);
  const given = integerAttribute(view.node, "axis", 0);
  const axis = given < 0 ? given + shape.length : given;
  let offset = 0;
  const flows = view.node.output.map((_, i) => {
    const size = view.outputShape(i)[axis] ?? 0;
    const from = Array.from({ length: size }, (_, position) => position + offset);
    offset += size;
    return view
      .flow(0)
      .map((term) => ({ ...term, map: gatherMap(term.map, axis, shape[axis] as number, from) }));
  });
  return { flows, role: "mixing" };
};

/** Positions picked from a value; from a table of constants by computed numbers (an embedding) come new values. */
export const gather: Rule = (view) => {
  if (!view.isComputed(0)) {
    const term = { source: INPUT_LAYER, map: noUnits(view.outputShape().length) };
    return {
      flows: [[{ ...term, isOwn: false, isActivated: false, isPooled: false, limit: null }]],
      role: "mixing",
    };
  }
  const shape = view.shape(0);
  const given = integerAttribute(view.node, "axis", 0);
  const axis = given < 0 ? given + shape.length : given;
  const indices = constantIntegers(view.state, view.node.input[1] ?? "");
  if (indices === null) return { problem: "its indices are computed" };
  const size = shape[axis] as number;
  const picked = indices.map((i) => (i < 0 ? i + size : i));
  const isScalar = view.outputShape().length < shape.length;
  return mapTerms(
    view,
    (map) => {
      const taken = gatherMap(map, axis, size, picked);
      return isScalar ? { ...taken, dims: taken.dims.filter((_, other) => other !== axis) } : taken;
    },
    "mixing",
    "",
  );
};

/** Slice: starts, ends, axes and steps as attributes (below opset 10) or as inputs. */
export const slice: Rule = (view) => {
  const shape = view.shape(0);
  const [starts, ends, axes, steps] = ["starts", "ends", "axes", "steps"].map((name, i) =>
    integersGiven(view, name, i + 1),
  );
  if (!starts || !ends || axes === null || steps === null) return { problem: "its ranges are computed" };
  return mapTerms(
    view,
    (map) =>
      starts.reduce<PositionMap>((sliced, start, i) => {
        const given = axes?.[i] ?? i;
        const axis = given < 0 ? given + shape.length : given;
        const size = shape[axis] as number;
        return gatherMap(
          sliced,
          axis,
          size,
          slicedPositions(start, ends[i] as number, steps?.[i] ?? 1, size),
        );
      }, map),
    "mixing",
    "",
  );
};

/** The positions that start:end:step takes of an axis, with ONNX's clamping of ranges that reach beyond it. */
export function slicedPositions(start: number, end: number, step: number, size: number): number[] {
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number, low: number) => Math.min(most, Math.max(low, at < 0 ? at + size : at));
  const [first, last] = [clamp(start, 0), clamp(end, least)];
  const count = Math.max(0, Math.ceil((last - first) / step));
  return Array.from({ length: count }, (_, i) => first + i * step);
}

export const pad: Rule = (view) => {
  const shape = view.shape(0);
  const pads = integersGiven(view, "pads", 1);
  const axes = integersGiven(view, "axes", 3);
  if (!pads || axes === null) return { problem: "its pads are computed" };
  const padded = axes?.map((axis) => (axis < 0 ? axis + shape.length : axis)) ?? shape.map((_, axis) => axis);
  return mapTerms(
    view,
    (map) =>
      padded.reduce<PositionMap>((before, axis, i) => {
        const size = shape[axis] as number;
        const [front = 0, back = 0] = [pads[i], pads[i + padded.length]];
        // Along an axis that does not vary padding changes nothing, but for the channels of a layer's only unit.
        const isOnlyUnit = map.index.length === 1 && axis === 1;
        if ((map.dims[axis] === 1 && !isOnlyUnit) || (front === 0 && back === 0)) return before;
        const from = Array.from({ length: front + size + back }, (_, position) =>
          position >= front && position < front + size ? position - front : -1,
        );
        return gatherMap(before, axis, size, from);
      }, map),
    // Cropped channels are gone, as behind a Slice.
    pads.some((size) => size < 0) ? "mixing" : "spatial",
    "",
  );
};

/**
 * Integers that a node takes from an attribute (older operator sets) or from input `input`: undefined where it
 * has neither, null where they are computed from the data.
 */
export function integersGiven(
  view: NodeView,
  attribute: string,
  input: number,
): readonly number[] | undefined | null {
  const name = view.node.input[input] ?? "";
  return (
    integersAttribute(view.node, attribute) ?? (name === "" ? undefined : constantIntegers(view.state, name))
  );
}
