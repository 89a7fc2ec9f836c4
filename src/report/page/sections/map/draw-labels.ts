/** Names of layers and numbers of clusters: of one size at every zoom, shown where there is room. */
import type { Context } from "../../context.ts";
import { s } from "../../dom.ts";
import { count, plural } from "../../format.ts";
import { nameIn, shared } from "./layer-names.ts";
import type { Area, MapLayout } from "./layout.ts";
import type { View } from "./view.ts";

/** Below this room between columns, names of layers are slanted. */
const SLANT_BELOW = 62;
/** Room for slanted names, pixels along them. */
const SLANTED = 118;
const NUMBER_HEIGHT = 11;
const NUMBER_WIDTH = 22;

export interface Labels {
  readonly element: SVGGElement;
  /** Puts everything where a view has it. */
  place(view: View): void;
  /** Follows a view that is in motion, as far as that is cheap. */
  move(view: View): void;
}

/** Height of the names' band. */
export const bandHeight = (layout: MapLayout): number => (isCrowded(layout, 1) ? 106 : 46);

const isCrowded = (layout: MapLayout, zoom: number): boolean =>
  layout.columns.length > 1 && rooms(layout).some((room) => room * zoom < SLANT_BELOW);

/** Room of each column's name at zoom 1. */
function rooms({ columns, width }: MapLayout): number[] {
  const centres = columns.map((column) => column.x + column.width / 2);
  return centres.map((centre, at) => {
    const beside = [centres[at - 1], centres[at + 1]].flatMap((other) =>
      other === undefined ? [] : [Math.abs(other - centre)],
    );
    return Math.min(...beside, 2 * centre, 2 * (width - centre));
  });
}

/** Names of layers with their units, above the columns. */
export function layerLabels({ data }: Context, layout: MapLayout): Labels {
  const names = data.graph.layers.map(({ name }) => name);
  const common = shared(names);
  const room = rooms(layout);
  const bottom = bandHeight(layout) - 8;
  const labels = layout.columns.map((column) => {
    const { name = "", units = 0 } = data.graph.layers[column.layer] ?? {};
    const shown = column.units < units ? `${count(column.units)} of ${plural(units, "unit")}` : "";
    const all = shown === "" ? plural(units, "unit") : shown;
    const title = s("text", { class: "layer-name" });
    const size = s("text", { class: "layer-size" }, shown === "" ? all : `${all} shown`);
    const element = s("g", {}, s("title", {}, `${name}, ${all}`), title, size);
    return { column, name, units, title, size, element };
  });
  const element = s(
    "g",
    { class: "layer-names" },
    labels.map((label) => label.element),
  );
  let drawnAt = 0;
  const place = ({ zoom, left }: View): void => {
    element.setAttribute("transform", `translate(${left} 0)`);
    if (zoom === drawnAt) return;
    drawnAt = zoom;
    const isSlanted = isCrowded(layout, zoom);
    labels.forEach(({ column, name, units, title, size, element: label }, at) => {
      const x = (column.x + column.width / 2) * zoom;
      label.setAttribute("transform", `translate(${x} ${bottom})${isSlanted ? " rotate(-52)" : ""}`);
      const width = isSlanted ? SLANTED - 34 : (room[at] as number) * zoom - 10;
      const text = nameIn(width, name, common);
      title.textContent = isSlanted ? `${text} · ${count(units)}` : text;
      title.setAttribute("y", isSlanted ? "0" : "-18");
      for (const one of [title, size]) one.setAttribute("text-anchor", isSlanted ? "start" : "middle");
      toggle(size, !isSlanted && (size.textContent?.length ?? 0) * 6.6 < (room[at] as number) * zoom);
    });
  };
  return { element, place, move: place };
}

/** Numbers of clusters to the left of their areas. */
export function clusterNumbers(layout: MapLayout): Labels {
  const numbers = layout.areas
    .filter(({ cluster }) => cluster >= 0)
    .map((area) => ({
      area,
      element: s(
        "text",
        { class: "number", "data-cluster": area.cluster, "text-anchor": "end", "paint-order": "stroke" },
        area.cluster,
      ),
    }));
  const element = s(
    "g",
    { class: "numbers", "aria-hidden": "true" },
    numbers.map((number) => number.element),
  );
  let drawnAt = 0;
  return {
    element,
    place({ zoom, left, top }) {
      element.style.transform = "";
      element.setAttribute("transform", `translate(${left} ${top})`);
      if (zoom === drawnAt) return;
      drawnAt = zoom;
      for (const { area, element: number } of numbers) {
        toggle(number, hasRoom(area, zoom));
        number.setAttribute("x", String(area.x * zoom - 5));
        number.setAttribute("y", String((area.y + area.height / 2) * zoom + 4.5));
      }
    },
    // While the map zooms they are hidden.
    move({ left, top }) {
      element.style.transform = `translate(${left}px, ${top}px)`;
    },
  };
}

const hasRoom = ({ height, left }: Area, zoom: number): boolean =>
  height * zoom >= NUMBER_HEIGHT && left * zoom >= NUMBER_WIDTH;

// An attribute, so that a saved picture hides it as well.
const toggle = (element: Element, isShown: boolean): void => {
  if (isShown) element.removeAttribute("display");
  else element.setAttribute("display", "none");
};
