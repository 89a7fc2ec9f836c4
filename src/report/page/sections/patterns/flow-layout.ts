/** Where the patterns of each layer and the ribbons between them lie; nothing here draws. */
import type { PatternFlowEntry } from "../../../patterns-document.ts";

/** No pattern. */
export const NONE = -1;

/** More would be a tangle: the largest patterns of a layer, the strongest ribbons between two layers. */
const MOST_PATTERNS = 24;
const MOST_LINKS = 40;
/** Times that patterns are put in the order of what they are joined with. */
const SWEEPS = 6;

export interface FlowNode {
  /** Place in the flow's layers. */
  readonly layer: number;
  readonly pattern: number;
  /** Inputs that are drawn: those in no pattern on either side are not. */
  readonly inputs: number;
  readonly y: number;
  readonly height: number;
}

export interface FlowRibbon {
  /** Numbers of nodes. */
  readonly from: number;
  readonly to: number;
  readonly inputs: number;
  readonly fromY: number;
  readonly toY: number;
  readonly height: number;
}

export interface FlowLayout {
  readonly nodes: readonly FlowNode[];
  readonly ribbons: readonly FlowRibbon[];
  /** Ribbons that there are, and inputs in those that are left out. */
  readonly total: number;
  readonly hiddenInputs: number;
  readonly drawnInputs: number;
}

type Link = readonly [number, number, number];

/**
 * Lays a flow out in a height of pixels. Patterns that are joined stand side by side as far as that goes; "in no pattern" is the
 * last of each layer, as high as what comes from patterns or goes to them.
 *
 * @example
 * const { nodes, ribbons } = layOutFlow(flow, { height: 420, gap: 8 });
 */
export function layOutFlow(
  { layers, links }: Pick<PatternFlowEntry, "layers" | "links">,
  { height, gap }: { readonly height: number; readonly gap: number },
): FlowLayout {
  const all = links.map((step) => step.filter(([from, to]) => from !== NONE || to !== NONE));
  const shownPatterns = layers.map((_, layer) => largest(all, layer));
  const shown = all.map((step, layer) =>
    step
      .filter(([from, to]) => shownPatterns[layer]?.has(from) && shownPatterns[layer + 1]?.has(to))
      .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
      .slice(0, MOST_LINKS),
  );
  const sizes = layers.map((_, layer) => sizesAt(shown, layer));
  const orders = orderPatterns(sizes, shown);
  const scale = Math.min(
    ...sizes
      .filter(({ size }) => size > 0)
      .map((own) => Math.max(1, height - gap * (own.size - 1)) / sum([...own.values()])),
  );
  const nodes: FlowNode[] = [];
  const numbers = new Map<string, number>();
  orders.forEach((order, layer) => {
    const heights = order.map((pattern) => (sizes[layer]?.get(pattern) ?? 0) * scale);
    let y = (height - sum(heights) - gap * Math.max(0, order.length - 1)) / 2;
    order.forEach((pattern, at) => {
      const own = heights[at] ?? 0;
      numbers.set(keyOf(layer, pattern), nodes.length);
      nodes.push({ layer, pattern, inputs: sizes[layer]?.get(pattern) ?? 0, y, height: own });
      y += own + gap;
    });
  });
  const ribbons = placeRibbons(shown, nodes, numbers, scale);
  const drawnInputs = sum(ribbons.map(({ inputs }) => inputs));
  return {
    nodes,
    ribbons,
    total: sum(all.map(({ length }) => length)),
    drawnInputs,
    hiddenInputs: sum(all.flat().map(([, , inputs]) => inputs)) - drawnInputs,
  };
}

const keyOf = (layer: number, pattern: number): string => `${layer} ${pattern}`;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Inputs of each pattern of a layer: what comes in or what goes out, whichever is more. */
function sizesAt(links: readonly (readonly Link[])[], layer: number): Map<number, number> {
  const into = new Map<number, number>();
  const out = new Map<number, number>();
  for (const [, to, inputs] of links[layer - 1] ?? []) into.set(to, (into.get(to) ?? 0) + inputs);
  for (const [from, , inputs] of links[layer] ?? []) out.set(from, (out.get(from) ?? 0) + inputs);
  const patterns = [...new Set([...into.keys(), ...out.keys()])].sort((a, b) => a - b);
  return new Map(
    patterns.map((pattern) => [pattern, Math.max(into.get(pattern) ?? 0, out.get(pattern) ?? 0)]),
  );
}

function largest(links: readonly (readonly Link[])[], layer: number): Set<number> {
  const sorted = [...sizesAt(links, layer)]
    .filter(([pattern]) => pattern !== NONE)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return new Set([NONE, ...sorted.slice(0, MOST_PATTERNS).map(([pattern]) => pattern)]);
}

/** Patterns of each layer by the mean place of what they are joined with, forwards and backwards in turns. */
function orderPatterns(
  sizes: readonly ReadonlyMap<number, number>[],
  links: readonly (readonly Link[])[],
): number[][] {
  const orders = sizes.map((own) => [...own.keys()].filter((pattern) => pattern !== NONE));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForwards = sweep % 2 === 0;
    for (let step = 1; step < orders.length; step++) {
      const layer = isForwards ? step : orders.length - 1 - step;
      const beside = isForwards ? layer - 1 : layer + 1;
      const joined = isForwards ? links[layer - 1] : links[layer];
      const places = new Map(orders[beside]?.map((pattern, at) => [pattern, at]));
      const means = new Map(
        orders[layer]?.map((pattern, at) => [
          pattern,
          meanPlace(pattern, joined ?? [], places, isForwards) ?? at,
        ]),
      );
      orders[layer]?.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0) || a - b);
    }
  }
  return orders.map((order, layer) => (sizes[layer]?.has(NONE) ? [...order, NONE] : order));
}

function meanPlace(
  pattern: number,
  links: readonly Link[],
  places: ReadonlyMap<number, number>,
  isForwards: boolean,
): number | null {
  let [weight, total] = [0, 0];
  for (const [from, to, inputs] of links) {
    const [own, other] = isForwards ? [to, from] : [from, to];
    const place = places.get(other);
    if (own !== pattern || place === undefined) continue;
    weight += inputs;
    total += inputs * place;
  }
  return weight === 0 ? null : total / weight;
}

/** Ribbons leave and reach a node in the order of where they lead, so that they do not cross at it. */
function placeRibbons(
  links: readonly (readonly Link[])[],
  nodes: readonly FlowNode[],
  numbers: ReadonlyMap<string, number>,
  scale: number,
): FlowRibbon[] {
  const ribbons = links.flatMap((step, layer) =>
    step.map(([from, to, inputs]) => ({
      from: numbers.get(keyOf(layer, from)) ?? 0,
      to: numbers.get(keyOf(layer + 1, to)) ?? 0,
      inputs,
    })),
  );
  const leave = offsets(ribbons, "from", "to", nodes, scale);
  const reach = offsets(ribbons, "to", "from", nodes, scale);
  return ribbons.map((ribbon, at) => ({
    ...ribbon,
    fromY: leave[at] ?? 0,
    toY: reach[at] ?? 0,
    height: ribbon.inputs * scale,
  }));
}

function offsets(
  ribbons: readonly { readonly from: number; readonly to: number; readonly inputs: number }[],
  end: "from" | "to",
  other: "from" | "to",
  nodes: readonly FlowNode[],
  scale: number,
): number[] {
  const places = new Array<number>(ribbons.length).fill(0);
  const next = nodes.map(({ y }) => y);
  const sorted = ribbons
    .map((ribbon, at) => ({ ribbon, at }))
    .sort((a, b) => a.ribbon[other] - b.ribbon[other]);
  for (const { ribbon, at } of sorted) {
    const node = ribbon[end];
    const y = next[node] ?? 0;
    places[at] = y;
    next[node] = y + ribbon.inputs * scale;
  }
  return places;
}
