/** Values against what chance gives: a bar from mean - 2 sd to mean + 2 sd, and the value as a dot. */
import * as Plot from "@observablehq/plot";
import { shorten } from "../../names.ts";
import { plotWidth } from "../../plot-width.ts";

export interface NullRow {
  readonly label: string;
  readonly value: number;
  readonly mean: number;
  readonly sd: number;
}

export function nullChart(
  rows: readonly NullRow[],
  { label, name }: { readonly label: string; readonly name: string },
): SVGSVGElement | HTMLElement {
  const at = rows.map((row, number) => ({ ...row, number }));
  const width = plotWidth(560);
  return Plot.plot({
    width,
    height: 58 + 34 * rows.length,
    marginLeft: Math.min(190, width * 0.42),
    marginRight: 20,
    marginBottom: 44,
    style: { fontSize: "13px", background: "transparent" },
    ariaLabel: name,
    x: {
      label,
      nice: true,
      ticks: width < 500 ? 3 : 4,
      grid: true,
      labelOffset: 34,
      labelAnchor: "left",
      labelArrow: "none",
    },
    y: {
      type: "band",
      label: null,
      domain: at.map(({ number }) => number),
      tickFormat: (number: number) => shorten(rows[number]?.label ?? "", width < 500 ? 18 : 26),
      tickSize: 0,
    },
    marks: [
      Plot.ruleY(at, {
        y: "number",
        x1: (row: NullRow) => row.mean - 2 * row.sd,
        x2: (row: NullRow) => row.mean + 2 * row.sd,
        strokeWidth: 10,
        strokeOpacity: 0.25,
        strokeLinecap: "round",
      }),
      Plot.tickX(at, { y: "number", x: "mean", strokeWidth: 1.5, insetTop: 9, insetBottom: 9 }),
      Plot.dot(at, {
        y: "number",
        x: "value",
        r: 6,
        fill: "var(--accent)",
        title: (row: NullRow) => `${row.label}: ${row.value}`,
      }),
    ],
  });
}
