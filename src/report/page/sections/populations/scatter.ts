/** Units of a layer: magnitude and selectivity against what their lesions do. */
import * as Plot from "@observablehq/plot";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, decimals, digits } from "../../format.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { drawByWidth } from "../../responsive.ts";
import type { UnitRow } from "./unit-rows.ts";

/** Dots that a browser draws at once; those of the largest impacts. */
const MOST_DOTS = 3000;

interface Panel {
  readonly name: string;
  readonly label: string;
  readonly value: (unit: UnitRow) => number | null;
  readonly caption: string;
}

const PANELS: readonly Panel[] = [
  {
    name: "magnitude-impact",
    label: "magnitude (mean absolute output)",
    value: ({ magnitude }) => magnitude,
    caption: "How strongly a unit answers on average, against what the network loses without it.",
  },
  {
    name: "selectivity-impact",
    label: "selectivity (AUROC of its best class)",
    value: ({ auroc }) => auroc,
    caption:
      "How well a unit's output sets one class apart (0.5 = not at all, 1 = perfectly), against the same.",
  },
];

export interface Scatter {
  readonly element: HTMLElement;
  /** Draws other units. */
  show(units: readonly UnitRow[], layer: string, kind: string): void;
}

/** Two pictures side by side; a click on a unit selects its cluster. */
export function scatterPanels(context: Context): Scatter {
  let shown: { units: readonly UnitRow[]; layer: string; kind: string } = { units: [], layer: "", kind: "" };
  const panels = PANELS.map((panel) => {
    const box = h("div", { class: "unit-scatter" });
    const redraw = drawByWidth(box, (width) => {
      const drawn = draw(context, panel, shown, width);
      mark(drawn, context.store.state.selected);
      return drawn;
    });
    context.store.watch(({ selected }) => mark(box, selected));
    return { box, redraw, panel };
  });
  const left = h("p", { class: "small soft" });
  return {
    element: h(
      "div",
      {},
      h(
        "div",
        { class: "unit-panels" },
        panels.map(({ box, panel: { name, caption } }) => figure(box, { name, caption })),
      ),
      left,
    ),
    show(units, layer, kind) {
      shown = { units: units.slice(0, MOST_DOTS), layer, kind };
      left.textContent = `A dot is a unit in the colour of its cluster, grey where it is in none; the line is the 95 % interval of its loss impact. Point at a dot for its name; a click selects its cluster.${
        units.length > MOST_DOTS
          ? ` The ${count(MOST_DOTS)} units of the largest impact out of ${count(units.length)}.`
          : ""
      }`;
      for (const { redraw } of panels) redraw();
    },
  };
}

/** What is not of the selected cluster steps back. */
function mark(box: Element, selected: number | null): void {
  for (const dot of box.querySelectorAll("[data-cluster]")) {
    dot.classList.toggle("away", selected !== null && dot.getAttribute("data-cluster") !== String(selected));
  }
}

function draw(
  { colour, className, store }: Context,
  { label, value, name }: Panel,
  shown: { readonly units: readonly UnitRow[]; readonly layer: string; readonly kind: string },
  width: number,
): Element {
  const units = shown.units.filter((unit) => value(unit) !== null && unit.impact.lossImpact !== null);
  const tell = (unit: UnitRow): string =>
    [
      `${unit.layer} unit ${unit.unit}${unit.cluster === null ? "" : ` · cluster ${unit.cluster}`}`,
      `loss ${signed(unit.impact.lossImpact)} [${digits(unit.impact.lossInterval[0], 2)}, ${digits(unit.impact.lossInterval[1], 2)}]`,
      `accuracy ${signed(-100 * (unit.impact.accuracyImpact ?? 0))} points`,
      `magnitude ${digits(unit.magnitude)}, AUROC ${decimals(unit.auroc, 2)}${unit.aurocClass === null ? "" : ` for ${className(unit.aurocClass)}`}`,
      `co-response ${unit.coResponse < 0 ? "–" : unit.coResponse}, co-impact ${(unit.coImpact ?? -1) < 0 ? "–" : unit.coImpact}`,
    ].join("\n");
  const plot = Plot.plot({
    width,
    height: Math.min(340, Math.max(260, width * 0.62)),
    marginLeft: 56,
    marginBottom: 48,
    style: { fontSize: "13px", background: "transparent" },
    x: { label, labelArrow: "none", labelAnchor: "center", nice: true, ticks: width < 460 ? 4 : 6 },
    y: {
      label: `loss added by the lesion (${shown.kind})`,
      labelArrow: "none",
      grid: true,
      nice: true,
      ticks: 6,
    },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.6 }),
      Plot.ruleX(units, {
        x: value,
        y1: ({ impact }: UnitRow) => impact.lossInterval[0],
        y2: ({ impact }: UnitRow) => impact.lossInterval[1],
        strokeOpacity: units.length > 400 ? 0.06 : 0.16,
      }),
      Plot.dot(units, {
        x: value,
        y: ({ impact }: UnitRow) => impact.lossImpact,
        r: units.length > 400 ? 3 : 4,
        fill: ({ cluster }: UnitRow) => (cluster === null ? "var(--soft)" : colour(cluster)),
        fillOpacity: 0.85,
        stroke: "var(--paper)",
        strokeWidth: 0.5,
        className: "unit-dots",
      }),
      Plot.tip(
        units,
        Plot.pointer({
          x: value,
          y: ({ impact }: UnitRow) => impact.lossImpact,
          title: tell,
          fill: "var(--paper)",
          stroke: "var(--line)",
          fontSize: 13,
          lineWidth: 24,
        }),
      ),
    ],
  });
  plot.querySelectorAll(".unit-dots circle, circle.unit-dots").forEach((dot, at) => {
    dot.setAttribute("data-cluster", String(units[at]?.cluster ?? ""));
  });
  nameDrawing(
    plot,
    `${name === "magnitude-impact" ? "Magnitude" : "Selectivity"} and loss impact of ${units.length} units of ${shown.layer}, lesions by ${shown.kind}; the table below lists them.`,
  );
  plot.addEventListener("click", () => {
    const unit = plot.value as UnitRow | null;
    if (unit?.cluster != null) store.select(unit.cluster);
  });
  return plot;
}

const signed = (value: number | null): string => `${(value ?? 0) > 0 ? "+" : ""}${digits(value, 2)}`;
