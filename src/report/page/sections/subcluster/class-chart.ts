import { s } from "../../dom.ts";
import { decimals, percent } from "../../format.ts";
import type { ClassRow } from "./class-rows.ts";
import { signedPoints } from "./measures.ts";

const [LINE, HEAD, FOOT] = [24, 26, 4];

/** Bars of the changes, and dots of the AUROCs beside them. */
export function drawClasses(rows: readonly ClassRow[], width: number): SVGElement {
  const hasChange = rows.some(({ change }) => change !== null);
  const hasAuroc = rows.some(({ auroc }) => auroc !== null);
  const label = Math.min(0.26 * width, 14 + 7.2 * Math.max(...rows.map(({ name }) => name.length)));
  const room = width - label;
  const split = hasChange && hasAuroc ? label + 0.62 * room : hasChange ? width : label;
  const height = HEAD + LINE * rows.length + FOOT;
  const svg = s("svg", {
    class: "class-chart",
    viewBox: `0 0 ${width} ${height}`,
    width,
    role: "img",
    "aria-label": finding(rows),
  });
  if (hasChange) svg.append(...changes(rows, label + 8, split - 16, height));
  if (hasAuroc) svg.append(...aurocs(rows, split + 12, width - 44, height));
  rows.forEach(({ name }, at) => {
    const shown = name.length * 7.2 > label - 8 ? `${name.slice(0, Math.floor(label / 7.2) - 2)}…` : name;
    svg.append(s("text", { class: "name", x: label, y: middle(at) + 4 }, shown, s("title", {}, name)));
  });
  return svg;
}

const middle = (row: number): number => HEAD + LINE * (row + 0.5);

function* changes(
  rows: readonly ClassRow[],
  left: number,
  right: number,
  height: number,
): Generator<SVGElement> {
  const values = rows.map(({ change }) => change ?? 0);
  // Room for the numbers at the bars' ends.
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const ends = [left + (low < 0 ? 44 : 0), right - (high > 0 ? 44 : 0)] as const;
  const scale = (value: number): number =>
    high === low ? ends[1] : ends[0] + ((ends[1] - ends[0]) * (value - low)) / (high - low);
  const zero = scale(0);
  yield s("text", { class: "head", x: left, y: 12 }, "change of accuracy (points)");
  yield s("line", { class: "axis", x1: zero, x2: zero, y1: HEAD, y2: height - FOOT });
  for (const [at, { change, isNoise, before, after, name }] of rows.entries()) {
    if (change === null) continue;
    const to = scale(change);
    const kind = `${change < 0 ? "loss" : "gain"}${isNoise ? " noise" : ""}`;
    yield s(
      "rect",
      {
        class: `bar ${kind}`,
        x: Math.min(zero, to),
        y: middle(at) - 7,
        width: Math.max(change === 0 ? 0 : 1.5, Math.abs(to - zero)),
        height: 14,
        rx: 2,
      },
      s("title", {}, `${name}: ${percent(before)} intact, ${percent(after)} lesioned`),
    );
    const isLeft = change < 0;
    yield s(
      "text",
      {
        class: `value ${isLeft ? "before" : ""}`,
        x: (change === 0 ? zero : to) + (isLeft ? -5 : 5),
        y: middle(at) + 4,
      },
      change === 0 ? "0" : signedPoints(change),
    );
  }
}

function* aurocs(
  rows: readonly ClassRow[],
  left: number,
  right: number,
  height: number,
): Generator<SVGElement> {
  const scale = (value: number): number => left + (right - left) * value;
  yield s("text", { class: "head", x: left, y: 12 }, "AUROC");
  for (const at of [0, 0.5, 1]) {
    const isHalf = at === 0.5;
    yield s("line", {
      class: isHalf ? "axis" : "rim",
      x1: scale(at),
      x2: scale(at),
      y1: HEAD,
      y2: height - FOOT,
    });
  }
  for (const [at, { auroc }] of rows.entries()) {
    if (auroc === null) continue;
    yield s("line", { class: "stem", x1: scale(0.5), x2: scale(auroc), y1: middle(at), y2: middle(at) });
    yield s("circle", { class: "dot", cx: scale(auroc), cy: middle(at), r: 4.5 });
    yield s(
      "text",
      { class: "value", x: right + 8, y: middle(at) + 4 },
      decimals(auroc, 2).replace(/^0/, ""),
    );
  }
}

function finding(rows: readonly ClassRow[]): string {
  const worst = [...rows].sort((one, other) => (one.change ?? 0) - (other.change ?? 0))[0];
  const best = [...rows].sort((one, other) => (other.auroc ?? 0) - (one.auroc ?? 0))[0];
  const lost =
    worst === undefined || (worst.change ?? 0) >= 0
      ? "no class loses accuracy"
      : `class ${worst.name} changes most, by ${signedPoints(worst.change)} points`;
  const told =
    best === undefined || best.auroc === null
      ? ""
      : `; class ${best.name} is told best, AUROC ${decimals(best.auroc, 2)}`;
  return `Changes of class accuracies by the lesion: ${lost}${told}`;
}
