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
  readonly width: number;
  readonly path: string;
}

const LEAST_WIDTH = 0.6;
/** Width of all bundles between two layers, of the map's height. */
const ALL_WIDTH = 0.4;

/** The bundles whose two ends are on the map, those of the largest share first. */
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
  return found.sort((one, other) => other.share - one.share || one.index - other.index);
}

const spanOf = (layers: number): Span => (layers === 0 ? "within" : layers === 1 ? "next" : "far");

/**
 * Curves of the given bundles. Where several end at one side of an area they stand one above the other, in the order of
 * their other ends, so that they cross least.
 */
export function curvesOf(layout: MapLayout, bundles: readonly Bundle[]): BundleCurve[] {
  const widths = bundles.map(({ share, from, to }) =>
    Math.max(LEAST_WIDTH, Math.min(ALL_WIDTH * layout.height * share, 0.9 * from.height, 0.9 * to.height)),
  );
  const starts = anchors(bundles, widths, ({ from }) => [from, "right"]);
  const ends = anchors(bundles, widths, ({ to, span }) => [to, span === "within" ? "right" : "left"]);
  return bundles.map((bundle, at) => ({
    ...bundle,
    width: round(widths[at] as number),
    path: pathOf(layout, bundle, starts[at] as number, ends[at] as number),
  }));
}

/** Heights at which bundles end at the sides of their areas. */
function anchors(
  bundles: readonly Bundle[],
  widths: readonly number[],
  endOf: (bundle: Bundle) => readonly [Area, "left" | "right"],
): number[] {
  const sides = new Map<string, number[]>();
  bundles.forEach((bundle, at) => {
    const [area, side] = endOf(bundle);
    const key = `${area.layer}/${area.cluster}/${side}`;
    const members = sides.get(key);
    if (members === undefined) sides.set(key, [at]);
    else members.push(at);
  });
  const heights = new Array<number>(bundles.length).fill(0);
  for (const members of sides.values()) {
    const [area] = endOf(bundles[members[0] as number] as Bundle);
    const otherOf = (at: number): Area => {
      const { from, to } = bundles[at] as Bundle;
      return from === area ? to : from;
    };
    members.sort((one, other) => middle(otherOf(one)) - middle(otherOf(other)) || one - other);
    const total = members.reduce((sum, at) => sum + (widths[at] as number), 0);
    // More than the side holds overlap evenly.
    const scale = Math.min(1, (0.9 * area.height) / total);
    let y = middle(area) - (scale * total) / 2;
    for (const at of members) {
      const step = scale * (widths[at] as number);
      heights[at] = y + step / 2;
      y += step;
    }
  }
  return heights;
}

const middle = ({ y, height }: Area): number => y + height / 2;
const round = (value: number): number => Math.round(value * 100) / 100;

function pathOf({ gap }: MapLayout, { from, to, span }: Bundle, start: number, end: number): string {
  const x1 = from.x + from.width;
  const [y1, y2] = [round(start), round(end)];
  if (span === "within") {
    const bend = round(x1 + Math.max(6, Math.min(60, 0.6 * gap)));
    return `M${round(x1)} ${y1}C${bend} ${y1} ${bend} ${y2} ${round(x1)} ${y2}`;
  }
  const half = round((x1 + to.x) / 2);
  return `M${round(x1)} ${y1}C${half} ${y1} ${half} ${y2} ${round(to.x)} ${y2}`;
}
