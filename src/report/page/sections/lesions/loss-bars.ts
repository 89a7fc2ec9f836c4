/** What each lesion costs, where there are no classes. */
import * as Plot from "@observablehq/plot";
import type { Context } from "../../context.ts";
import { digits, plural, shorten } from "../../format.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { withSign } from "../scoreboard/columns.ts";
import { byLayer, type LesionColumn } from "./changes.ts";

/** The rise of the loss by every lesion with its interval, by layer. */
export function lossBars(context: Context, columns: readonly LesionColumn[], width: number): SVGSVGElement {
  const sorted = byLayer(columns);
  const name = ({ entry }: LesionColumn) => `${entry.layer} · ${entry.cluster}`;
  const change = ({ entry }: LesionColumn) => entry.importance?.lossIncrease ?? Number.NaN;
  const interval = ({ entry }: LesionColumn) => entry.importance?.intervals.lossIncrease ?? [null, null];
  const marginLeft = Math.min(190, width * 0.36);
  const svg = Plot.plot({
    width,
    height: 20 * sorted.length + 50,
    marginLeft,
    marginRight: 20,
    style: { fontSize: "12px", background: "transparent" },
    x: {
      label: "change of the loss →",
      nice: true,
      ticks: Math.max(3, Math.floor(width / 120)),
      tickFormat: (value: number) => digits(value),
    },
    y: {
      domain: sorted.map((_, at) => at),
      label: null,
      tickSize: 0,
      tickFormat: (at: number) => shorten(sorted[at] ? name(sorted[at]) : "", Math.floor(marginLeft / 7)),
    },
    marks: [
      Plot.gridX({ strokeOpacity: 0.12 }),
      Plot.barX(sorted, {
        x: change,
        y: (_: LesionColumn, at: number) => at,
        fill: ({ entry }: LesionColumn) => context.colour(entry.cluster),
        insetTop: 3,
        insetBottom: 3,
        title: (column: LesionColumn) => `${name(column)}: ${withSign(change(column))}`,
      }),
      Plot.ruleY(sorted, {
        x1: (column: LesionColumn) => interval(column)[0] ?? Number.NaN,
        x2: (column: LesionColumn) => interval(column)[1] ?? Number.NaN,
        y: (_: LesionColumn, at: number) => at,
      }),
      Plot.ruleX([0]),
    ],
    color: { type: "identity" },
  }) as SVGSVGElement;
  const [worst] = [...sorted].sort((a, b) => change(b) - change(a));
  nameDrawing(
    svg,
    `Change of the loss by the lesions of ${plural(sorted.length, "subcluster")}${worst ? `; largest: ${name(worst)}, ${withSign(change(worst))}` : ""}`,
  );
  return svg;
}
