/** Curves between areas, as wide as their share of the weight between their two layers. */
import type { UnitMap } from "../../../unit-map.ts";
import type { Area, MapLayout } from "./layout.ts";

/** Between neighbouring layers; between layers further apart; within one layer. */
export type Span = "next" | "far" | "within";

export interface Bundle {
  /** Number in `UnitMap.bundles`. */
  readonly index: number;
  readonly from: Area;
  readonly to: Area;
  readonly span: Span;
  readonly weight: number;
  /** Of the weight of all listed bundles between the two layers: layers of many inputs have weights of another size. */
  readonly share: number;
}

export interface BundleCurve extends Bundle {
  readonly path: string;
  /** Of a line; null = the path is the outline of a ribbon. */
  readonly width: number | null;
}

const LEAST_WIDTH = 0.6;
/** Width of all bundles between two layers, of the map's height. */
const ALL_WIDTH = 0.4;
/** Of an area's side, what ribbons may take. */
const SIDE = 0.94;
/** How far lines within a layer bend out, at most. */
const MOST_BEND = 60;

/** The bundles whose two ends are on the map: the strongest of every two layers, then their second strongest, and so on. */
export function bundlesOf(layout: MapLayout, bundles: UnitMap["bundles"]): Bundle[] {
  const areas = new Map(layout.areas.map((area) => [`${area.layer}/${area.cluster}`, area]));
  const sums = new Map<string, number>();
  const pairOf = (index: number): string => `${bundles.fromLayer[index]}/${bundles.toLayer[index]}`;
  bundles.weight.forEach((weight, index) => {
    sums.set(pairOf(index), (sums.get(pairOf(index)) ?? 0) + weight);
  });
  const found = bundles.weight.flatMap((weight, index) => {
    const from = areas.get(`${bundles.fromLayer[index]}/${bundles.fromCluster[index]}`);
    const to = areas.get(`${bundles.toLayer[index]}/${bundles.toCluster[index]}`);
    if (from === undefined || to === undefined) return [];
    const share = weight / (sums.get(pairOf(index)) || 1);
    return [{ index, from, to, span: spanOf(to.layer - from.layer), weight, share }];
  });
  const ranks = new Map<string, number>();
  return found
    .sort((one, other) => other.share - one.share || one.index - other.index)
    .map((bundle) => {
      const pair = pairOf(bundle.index);
      const rank = ranks.get(pair) ?? 0;
      ranks.set(pair, rank + 1);
      return { bundle, rank };
    })
    .sort((one, other) => one.rank - other.rank)
    .map(({ bundle }) => bundle);
}

const spanOf = (layers: number): Span => (layers === 0 ? "within" : layers === 1 ? "next" : "far");

/**
 * Curves of the given bundles: ribbons between neighbouring layers, lines elsewhere. Where several end at one side of an area
 * they stand one above the other, in the order of their other ends, so that they cross least; what is wider than the side
 * becomes narrower towards it.
 */
export function curvesOf(layout: MapLayout, bundles: readonly Bundle[]): BundleCurve[] {
  const widths = bundles.map(({ share }) => Math.max(LEAST_WIDTH, ALL_WIDTH * layout.height * share));
  const starts = endsOf(bundles, widths, ({ from }) => [from, "right"]);
  const ends = endsOf(bundles, widths, ({ to, span }) => [to, span === "within" ? "right" : "left"]);
  return bundles.map((bundle, at) => {
    const [start, end] = [starts[at] as End, ends[at] as End];
    if (bundle.span === "next") return { ...bundle, path: ribbon(bundle, start, end), width: null };
    return {
      ...bundle,
      path: line(layout, bundle, start.y, end.y),
      width: round(Math.min(start.width, end.width, 4)),
    };
  });
}

/** Where a bundle ends at an area's side: its middle, and how wide it is there. */
interface End {
  readonly y: number;
  readonly width: number;
}

function endsOf(
  bundles: readonly Bundle[],
  widths: readonly number[],
  sideOf: (bundle: Bundle) => readonly [Area, "left" | "right"],
): End[] {
  const sides = new Map<string, number[]>();
  bundles.forEach((bundle, at) => {
    const [area, side] = sideOf(bundle);
    const key = `${area.layer}/${area.cluster}/${side}`;
    const members = sides.get(key);
    if (members === undefined) sides.set(key, [at]);
    else members.push(at);
  });
  const ends: End[] = [];
  for (const members of sides.values()) {
    const [area] = sideOf(bundles[members[0] as number] as Bundle);
    const otherOf = (at: number): Area => {
      const { from, to } = bundles[at] as Bundle;
      return from === area ? to : from;
    };
    members.sort((one, other) => middle(otherOf(one)) - middle(otherOf(other)) || one - other);
    const total = members.reduce((sum, at) => sum + (widths[at] as number), 0);
    const scale = Math.min(1, (SIDE * area.height) / total);
    let y = middle(area) - (scale * total) / 2;
    for (const at of members) {
      const width = scale * (widths[at] as number);
      ends[at] = { y: y + width / 2, width };
      y += width;
    }
  }
  return ends;
}

const middle = ({ y, height }: Area): number => y + height / 2;
const round = (value: number): number => Math.round(value * 100) / 100;

/** The outline of a band from one side to another. */
function ribbon({ from, to }: Bundle, start: End, end: End): string {
  const [x1, x2] = [round(from.x + from.width), round(to.x)];
  const half = round((x1 + x2) / 2);
  const [top1, low1] = [round(start.y - start.width / 2), round(start.y + start.width / 2)];
  const [top2, low2] = [round(end.y - end.width / 2), round(end.y + end.width / 2)];
  return `M${x1} ${top1}C${half} ${top1} ${half} ${top2} ${x2} ${top2}V${low2}C${half} ${low2} ${half} ${low1} ${x1} ${low1}Z`;
}

function line({ gap, width }: MapLayout, { from, to, span }: Bundle, start: number, end: number): string {
  const x1 = round(from.x + from.width);
  const [y1, y2] = [round(start), round(end)];
  if (span === "within") {
    // A curve reaches three quarters of the way to the points that bend it.
    const room = Math.min(MOST_BEND, gap > 0 ? 0.6 * gap : MOST_BEND, (width - x1) / 0.8);
    const bend = round(x1 + Math.max(6, room));
    return `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x1} ${y2}`;
  }
  const half = round((x1 + to.x) / 2);
  return `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${round(to.x)} ${y2}`;
}
