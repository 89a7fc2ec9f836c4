import { s } from "../../dom.ts";
import type { MeasureRow } from "./measures.ts";
import { type Density, densityOf } from "./strip.ts";

const [WIDTH, HEIGHT] = [280, 46];
/** The line that the curve stands on, and its highest point. */
const [GROUND, TOP] = [38, 6];

/** The curve of random groups with the subcluster's amount as a mark; null where there are none. */
export function drawStrip({ label, spread, tail, format }: MeasureRow, colour: string): SVGElement | null {
  const { amount, quantiles } = spread;
  const found = densityOf(quantiles, amount);
  if (found === null) return null;
  const { low, high, median } = found;
  const place = (value: number): number => round((WIDTH * (value - low)) / (high - low));
  const told = `${label}: this subcluster ${format(amount)}, random groups about ${format(median)}, from ${format(quantiles[0] ?? null)} to ${format(quantiles.at(-1) ?? null)}`;
  const svg = s("svg", {
    class: "null-strip",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": told,
  });
  svg.append(s("title", {}, told), s("path", { class: "null", d: areaOf(found, place, low, high) }));
  if (amount !== null) {
    const [from, to] = tail === "upper" ? [amount, high] : [low, amount];
    svg.append(s("path", { class: "tail", d: areaOf(found, place, from, to) }));
  }
  svg.append(s("line", { class: "ground", x1: 0, x2: WIDTH, y1: GROUND, y2: GROUND }));
  if (low < 0 && high > 0) {
    svg.append(s("line", { class: "zero", x1: place(0), x2: place(0), y1: GROUND - 5, y2: GROUND + 5 }));
  }
  svg.append(
    s("line", { class: "median", x1: place(median), x2: place(median), y1: GROUND, y2: GROUND + 5 }),
  );
  if (amount !== null) {
    const x = place(amount);
    svg.append(
      s("line", { class: "mark", x1: x, x2: x, y1: TOP, y2: GROUND, style: `stroke:${colour}` }),
      s("circle", { class: "mark", cx: x, cy: TOP, r: 4.5, style: `fill:${colour}` }),
    );
  }
  return svg;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** The area under the curve from one amount to another. */
function areaOf({ x, density }: Density, place: (value: number) => number, from: number, to: number): string {
  const most = Math.max(...density);
  const height = (value: number): number => round(GROUND - ((GROUND - TOP - 2) * value) / most);
  const inner = x.flatMap((value, at) =>
    value > from && value < to ? [`L${place(value)} ${height(density[at] as number)}`] : [],
  );
  const edge = (value: number): string => `L${place(value)} ${height(heightAt(x, density, value))}`;
  return `M${place(from)} ${GROUND}${edge(from)}${inner.join("")}${edge(to)}L${place(to)} ${GROUND}Z`;
}

/** The curve between its points. */
function heightAt(x: readonly number[], density: readonly number[], value: number): number {
  const [first, last] = [x[0] as number, x.at(-1) as number];
  const at = ((value - first) / (last - first)) * (x.length - 1);
  const below = Math.max(0, Math.min(x.length - 2, Math.floor(at)));
  const [one, other] = [density[below] as number, density[below + 1] as number];
  return one + (at - below) * (other - one);
}
