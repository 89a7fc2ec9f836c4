/** What magnitude and selectivity tell of impact: a rank correlation with its interval for each layer and kind of lesion. */
import * as Plot from "@observablehq/plot";
import type { ClaimEntry, Telling } from "../../../populations-document.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { drawByWidth } from "../../responsive.ts";
import { INDICATORS, strongestOf, TELLS, withInterval } from "./sentences.ts";

/** The table has all of them. */
const MOST_ROWS = 24;
const SHAPES = [
  { indicator: "magnitude", symbol: "circle", dy: -8 },
  { indicator: "selectivity", symbol: "square", dy: 0 },
  { indicator: "auroc", symbol: "triangle", dy: 8 },
] as const;

interface Row {
  readonly layer: string | null;
  readonly kind: string;
  readonly tellings: readonly Telling[];
}

export function claimChart(claim: readonly ClaimEntry[]): HTMLElement | null {
  const rows = claim.flatMap(({ layer, tellings }): Row[] =>
    [...new Set(tellings.map(({ lesion }) => lesion))].map((kind) => ({
      layer,
      kind,
      tellings: tellings.filter(({ lesion, rho }) => lesion === kind && rho !== null),
    })),
  );
  if (rows.length === 0) return null;
  const shown = rows.slice(0, MOST_ROWS);
  const box = h("div");
  drawByWidth(box, (width) => draw(shown, Math.min(width, 820)));
  const cut =
    shown.length < rows.length
      ? ` The first ${count(shown.length)} of ${count(rows.length)} rows; the table has all.`
      : "";
  return figure(box, {
    name: "importance-indicators",
    caption: `Spearman's correlation of a unit's magnitude (circles), class selectivity (squares) and AUROC (triangles) with the loss that its lesion adds, and their 95 % bootstrap intervals over units. In the bands at either end one quantity would tell the other. Behind each layer's name: what its units were replaced by.${cut}`,
  });
}

function draw(rows: readonly Row[], width: number): Element {
  const isNarrow = width < 520;
  const points = rows.flatMap(({ tellings }, at) => tellings.map((telling) => ({ ...telling, at })));
  const layerLabel = layerLabels(rows.flatMap(({ layer }) => layer ?? []));
  const label = (at: number): string => {
    const row = rows[at];
    return row
      ? `${row.layer === null ? "all layers" : layerLabel(row.layer, isNarrow ? 9 : 17)} · ${row.kind}`
      : "";
  };
  const strongest = strongestOf(points);
  const plot = Plot.plot({
    width,
    height: 74 + 34 * rows.length,
    marginLeft: isNarrow ? 118 : 190,
    marginTop: 24,
    marginBottom: 46,
    marginRight: 16,
    style: { fontSize: "13px", background: "transparent" },
    x: {
      domain: [-1, 1],
      label: isNarrow ? "Spearman's correlation" : "Spearman's correlation with loss impact",
      labelArrow: "none",
      labelAnchor: "center",
      ticks: isNarrow ? 4 : 8,
      grid: true,
    },
    y: { type: "band", domain: rows.map((_, at) => at), label: null, tickFormat: label, tickSize: 0 },
    marks: [
      Plot.rect(
        [
          { from: -1, to: -TELLS },
          { from: TELLS, to: 1 },
        ],
        { x1: "from", x2: "to", fill: "var(--good)", fillOpacity: 0.18 },
      ),
      Plot.ruleX([0], { strokeOpacity: 0.6 }),
      Plot.text([{ x: 1 }], {
        x: "x",
        frameAnchor: "top",
        dy: -10,
        textAnchor: "end",
        text: () => "would tell",
        fill: "var(--good)",
      }),
      SHAPES.flatMap(({ indicator, symbol, dy }) => {
        const own = points.filter((point) => point.indicator === indicator);
        return [
          Plot.ruleY(own, {
            y: "at",
            x1: ({ interval }: Telling) => interval[0],
            x2: ({ interval }: Telling) => interval[1],
            dy,
            strokeWidth: 1.5,
            strokeOpacity: 0.55,
          }),
          Plot.dot(own, {
            y: "at",
            x: "rho",
            dy,
            symbol,
            r: 4,
            fill: "var(--accent)",
            title: (telling: Telling & { at: number }) =>
              `${label(telling.at)}: ${INDICATORS[indicator]} ${withInterval(telling.rho, telling.interval)}`,
          }),
        ];
      }),
    ],
  });
  nameDrawing(
    plot,
    `What tells a unit's importance: the strongest of ${points.length} correlations is ${strongest ? `${INDICATORS[strongest.indicator]}, ${withInterval(strongest.rho, strongest.interval)}` : "undefined"}`,
  );
  return plot;
}
