/** The network as a map: its layers with their areas, and its unit graph. */
import type { Context, Section } from "../context.ts";
import { h } from "../dom.ts";
import { figure } from "../figure.ts";
import { count, plural } from "../format.ts";
import { ZOOM_STEP } from "./map/gestures.ts";
import { graphTab } from "./map/graph-tab.ts";
import { bundleCounts, layerMap } from "./map/layer-map.ts";
import { legend } from "./map/legend.ts";
import { selectionPanel } from "./map/selection.ts";
import { tabs } from "./map/tabs.ts";

export const map: Section = {
  id: "map",
  title: "Map",
  render(context) {
    const { units } = context.data.map;
    if (units.layer.length === 0) return h("p", { class: "empty" }, "The graph has no units.");
    const layers = layerMap(context);
    const graph = graphTab(context);
    const reading = h("p", { class: "soft" }, introduction(context));
    const slider = bundleSlider(context, layers.showBundles);
    const pictures = tabs([
      {
        id: "layers",
        title: "Layers",
        panel: figure(layers.element, { name: "layer-map", caption: caption(context) }),
      },
      { id: "graph", title: "Unit graph", panel: graph.panel, onShow: graph.show, onHide: graph.hide },
    ]);
    const shown = () => (pictures.shown() === "layers" ? layers : graph);
    pictures.watch((id) => {
      if (slider !== null) slider.hidden = id !== "layers";
    });
    const buttons = h(
      "div",
      { class: "map-zoom", role: "group", "aria-label": "Zoom" },
      h("button", { type: "button", "aria-label": "Zoom in", onclick: () => shown().zoom(ZOOM_STEP) }, "+"),
      h(
        "button",
        { type: "button", "aria-label": "Zoom out", onclick: () => shown().zoom(1 / ZOOM_STEP) },
        "−",
      ),
      h("button", { type: "button", onclick: () => shown().reset() }, "reset"),
    );
    return h(
      "div",
      { class: "map" },
      reading,
      h("div", { class: "controls" }, pictures.bar, buttons, slider),
      pictures.panels,
      h("div", { class: "map-below" }, legend(context), selectionPanel(context)),
    );
  },
};

function introduction({ data }: Context): string {
  const { units } = data.map;
  const hidden = units.total - units.layer.length;
  return [
    "Every dot is a unit, every column a layer, every colour a cluster.",
    "A cluster's units in one layer stand together as an area: a subcluster.",
    hidden > 0
      ? `Shown are the ${count(units.layer.length)} best connected of ${plural(units.total, "unit")}.`
      : "",
  ].join(" ");
}

function caption(context: Context): string {
  const { data } = context;
  const { bundles } = data.map;
  const { next } = bundleCounts(context);
  const others = bundles.weight.length - next;
  const unlisted = bundles.total - bundles.weight.length;
  return [
    "Ribbons join areas of neighbouring layers, as wide as their share of the weight between the two layers;",
    "a selected cluster shows all of its own.",
    others > 0
      ? `The ${plural(others, "bundle")} within a layer or past a layer are drawn, dashed, for the selected cluster alone.`
      : "",
    unlisted > 0
      ? `${plural(unlisted, "lighter bundle")} are left out of the report and of those shares; graph.gexf holds every edge.`
      : "",
    "Drag to move; Ctrl and the wheel, or + and −, to zoom.",
  ].join(" ");
}

/** How many bundles are drawn; null where there are none. */
function bundleSlider(context: Context, show: (many: number) => void): HTMLElement | null {
  const { next, drawn } = bundleCounts(context);
  if (next === 0) return null;
  const said = h("output", {});
  const slider = h("input", {
    type: "range",
    min: 0,
    max: next,
    value: drawn,
    "aria-label": "Bundles drawn",
    oninput: () => {
      show(Number(slider.value));
      say();
    },
  });
  const say = (): void => {
    said.textContent = `strongest ${count(Number(slider.value))} of ${plural(next, "bundle")}`;
  };
  say();
  return h("label", { class: "map-slider" }, slider, said);
}
