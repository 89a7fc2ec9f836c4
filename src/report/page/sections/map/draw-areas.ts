/** Areas as elements: a ground that can be focused and pressed, and all its dots in one path. */
import type { Context } from "../../context.ts";
import { s } from "../../dom.ts";
import { type Area, dotAt, type MapLayout } from "./layout.ts";
import { areaLines } from "./texts.ts";

/** Of the distance between dots. */
const DOT = 0.74;

export interface AreaElement {
  readonly area: Area;
  readonly element: SVGGElement;
}

/** One group for each area; those of clusters are buttons. */
export function drawAreas(context: Context, layout: MapLayout): AreaElement[] {
  return layout.areas.map((area) => {
    const colour = context.colour(area.cluster);
    const isCluster = area.cluster >= 0;
    const element = s(
      "g",
      {
        class: isCluster ? "area" : "area is-unassigned",
        "data-cluster": area.cluster,
        "data-layer": area.layer,
        role: isCluster ? "button" : "img",
        tabindex: isCluster ? -1 : null,
        "aria-label": areaLines(context, area).join(", "),
      },
      s("rect", {
        class: "ground",
        x: area.x,
        y: area.y,
        width: area.width,
        height: area.height,
        rx: Math.min(0.5 * layout.pitch, 5),
        fill: colour,
        "vector-effect": "non-scaling-stroke",
      }),
      s("path", {
        class: "dots",
        d: dotsPath(layout, area),
        stroke: colour,
        "stroke-width": round(DOT * layout.pitch),
        "stroke-linecap": "round",
        fill: "none",
      }),
    );
    return { area, element };
  });
}

/** A stroke of no length for every dot: its round ends are the dot. A path for each dot would be too many elements. */
function dotsPath(layout: MapLayout, area: Area): string {
  return area.units
    .map((_, place) => {
      const { x, y } = dotAt(layout, area, place);
      return `M${round(x)} ${round(y)}h.01`;
    })
    .join("");
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** The area that an arrow key leads to: along the column, or to what lies beside in the next column that has areas. */
export function neighbour(areas: readonly Area[], from: Area, key: string): Area | null {
  const clusters = areas.filter(({ cluster }) => cluster >= 0);
  if (key === "ArrowUp" || key === "ArrowDown") {
    const column = clusters.filter(({ layer }) => layer === from.layer);
    return column[column.indexOf(from) + (key === "ArrowDown" ? 1 : -1)] ?? null;
  }
  if (key !== "ArrowLeft" && key !== "ArrowRight") return null;
  const step = key === "ArrowRight" ? 1 : -1;
  const layers = clusters.map(({ layer }) => layer).filter((layer) => (layer - from.layer) * step > 0);
  if (layers.length === 0) return null;
  const next = step > 0 ? Math.min(...layers) : Math.max(...layers);
  const distance = (area: Area): number => Math.abs(area.y + area.height / 2 - from.y - from.height / 2);
  return clusters
    .filter(({ layer }) => layer === next)
    .reduce((best, area) => (distance(area) < distance(best) ? area : best));
}
