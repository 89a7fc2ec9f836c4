/** The layer map: what is drawn of it, and how it answers to pointers, keys and the selection. */
import type { Context } from "../../context.ts";
import { h, s } from "../../dom.ts";
import { type Bundle, type BundleCurve, bundlesOf, curvesOf } from "./bundles.ts";
import { type AreaElement, drawAreas, neighbour } from "./draw-areas.ts";
import { bandHeight, clusterNumbers, type Labels, layerLabels } from "./draw-labels.ts";
import { listenForGestures } from "./gestures.ts";
import { dotAt, findAt, layOutMap, type MapLayout, type Size } from "./layout.ts";
import type { Picture } from "./picture.ts";
import { areaLines, bundleLines, mapLabel, unitLines } from "./texts.ts";
import { tooltip } from "./tooltip.ts";
import { boundedFactor, held, revealing, START, type View, zoomAt } from "./view.ts";

/** Of bundles that do not join neighbouring columns, drawn for the selected cluster. */
const MOST_FAR = 60;
/** Without movement, until the map is drawn sharp. */
const SETTLE_MS = 220;
/** Bundles without a slider's say: this many for each area, within reason. */
const BUNDLES_PER_AREA = 1.5;

export interface LayerMap extends Picture {
  /** Draws the strongest so many bundles between neighbouring layers; those of the selected cluster are drawn in any case. */
  showBundles(many: number): void;
}

/** How many bundles join neighbouring columns, and how many of them are drawn at first. */
export function bundleCounts({ data }: Context): { readonly next: number; readonly drawn: number } {
  const { fromLayer, toLayer } = data.map.bundles;
  const next = fromLayer.filter((from, at) => toLayer[at] === from + 1).length;
  const areas = new Set(data.map.units.layer.map((layer, at) => `${layer}/${data.map.units.cluster[at]}`))
    .size;
  return { next, drawn: Math.min(next, Math.max(20, Math.min(240, Math.round(BUNDLES_PER_AREA * areas)))) };
}

/** Everything that belongs to one width of the page; made anew when it changes. */
interface Drawing {
  readonly layout: MapLayout;
  readonly seen: Size;
  readonly band: number;
  readonly areas: readonly AreaElement[];
  readonly bundles: readonly Bundle[];
  readonly labels: readonly Labels[];
  readonly world: SVGGElement;
  readonly near: SVGGElement;
  readonly far: SVGGElement;
  readonly ring: SVGCircleElement;
}

export function layerMap(context: Context): LayerMap {
  const { store, data } = context;
  const svg = s("svg", { class: "layer-map", role: "group", "aria-label": mapLabel(context) });
  const tip = tooltip();
  const element = h(
    "div",
    // Takes the focus from a press of the pointer, so that keys zoom after it.
    { class: "map-view", tabindex: -1, "data-units": data.map.units.layer.length },
    svg,
    tip.element,
  );
  let many = bundleCounts(context).drawn;
  let drawing: Drawing | null = null;
  let view: View = START;
  let tabbed = 0;

  /**
   * While it moves, the map is a layer that the browser shifts without drawing it again; a moment later it is drawn once, sharp,
   * and its place stands in attributes, which saved files keep.
   */
  const settle = (): void => {
    if (drawing === null) return;
    const { world, labels } = drawing;
    svg.classList.remove("is-moving", "is-zooming");
    world.style.transform = "";
    world.setAttribute("transform", `translate(${view.left} ${view.top}) scale(${view.zoom})`);
    for (const one of labels) one.place(view);
  };
  let settling: ReturnType<typeof setTimeout> | undefined;

  const apply = (next: View, isAtOnce: boolean = false): void => {
    if (drawing === null) return;
    const before = view;
    view = held(next, drawing.layout, drawing.seen);
    element.dataset.zoom = view.zoom.toFixed(3);
    element.classList.toggle("is-zoomed", view.zoom > 1);
    clearTimeout(settling);
    if (isAtOnce) {
      settle();
      return;
    }
    svg.classList.add("is-moving");
    if (view.zoom !== before.zoom) svg.classList.add("is-zooming");
    drawing.world.style.transform = `translate(${view.left}px, ${view.top}px) scale(${view.zoom})`;
    for (const labels of drawing.labels) labels.move(view);
    settling = setTimeout(settle, SETTLE_MS);
  };

  /** Draws bundles, and brings out what belongs to the selected cluster. */
  const mark = (): void => {
    if (drawing === null) return;
    const { layout, bundles, near, far } = drawing;
    const { selected } = store.state;
    const isOfSelected = ({ from, to }: Bundle): boolean =>
      selected !== null && (from.cluster === selected || to.cluster === selected);
    const next = bundles.filter(({ span }) => span === "next");
    const ribbons = next.filter((bundle, rank) => rank < many || isOfSelected(bundle));
    const lines = bundles.filter((one) => one.span !== "next" && isOfSelected(one)).slice(0, MOST_FAR);
    near.replaceChildren(...curvesOf(layout, ribbons).map((curve) => drawBundle(context, curve)));
    far.replaceChildren(...curvesOf(layout, lines).map((curve) => drawBundle(context, curve)));
    svg.classList.toggle("has-selection", selected !== null);
    const ofCluster = svg.querySelectorAll<SVGElement>("[data-cluster], [data-bundle]");
    for (const one of ofCluster) {
      const { cluster, from, to } = one.dataset;
      const isSelected = selected !== null && [cluster, from, to].includes(String(selected));
      one.classList.toggle("is-selected", isSelected);
      if (one.getAttribute("role") === "button") one.setAttribute("aria-pressed", String(isSelected));
    }
  };

  const draw = (width: number): void => {
    const most = Math.round(Math.max(400, Math.min(620, 0.5 * width)));
    const layout = layOutMap(data.map.units, data.graph.layers.length, { width, height: most });
    const { height } = layout;
    const band = bandHeight(layout);
    const areas = drawAreas(context, layout);
    const numbers = clusterNumbers(layout);
    const names = layerLabels(context, layout);
    const near = s("g", { class: "bundles" });
    const far = s("g", { class: "bundles is-far" });
    const ring = s("circle", { class: "ring", r: 0.5 * layout.pitch, display: "none", fill: "none" });
    const world = s(
      "g",
      { class: "world" },
      near,
      far,
      areas.map((area) => area.element),
      ring,
    );
    svg.setAttribute("viewBox", `0 0 ${width} ${height + band}`);
    svg.setAttribute("width", String(width));
    svg.setAttribute("height", String(height + band));
    svg.replaceChildren(
      s("clipPath", { id: "map-clip" }, s("rect", { y: 0, width, height })),
      s("g", { transform: `translate(0 ${band})`, "clip-path": "url(#map-clip)" }, world, numbers.element),
      names.element,
    );
    const bundles = bundlesOf(layout, data.map.bundles);
    drawing = {
      layout,
      seen: { width, height },
      band,
      areas,
      bundles,
      labels: [numbers, names],
      world,
      near,
      far,
      ring,
    };
    tabbed = Math.max(
      0,
      areas.findIndex(({ area }) => area.cluster >= 0),
    );
    areas[tabbed]?.element.setAttribute("tabindex", "0");
    mark();
    apply(START, true);
  };

  const zoom = (factor: number, x?: number, y?: number): void => {
    if (drawing === null) return;
    const { seen, band, layout } = drawing;
    const bounded = boundedFactor(view, factor, layout, seen);
    apply(zoomAt(view, bounded, x ?? seen.width / 2, y === undefined ? seen.height / 2 : y - band));
  };

  /** What lies at a point of the view. */
  const find = ({ layout, band }: Drawing, x: number, y: number) =>
    y < band ? null : findAt(layout, (x - view.left) / view.zoom, (y - band - view.top) / view.zoom);

  const bundleAt = (target: EventTarget | null): Bundle | undefined => {
    const index = target instanceof SVGElement ? target.dataset.bundle : undefined;
    return index === undefined ? undefined : drawing?.bundles.find((one) => one.index === Number(index));
  };

  listenForGestures(element, {
    zoom,
    reset: () => apply(START),
    pan: (x, y) => apply({ ...view, left: view.left + x, top: view.top + y }),
    point(event, x, y) {
      if (drawing === null) return;
      const { layout, ring } = drawing;
      const found = event === null ? null : find(drawing, x, y);
      const bundle = found === null && event !== null ? bundleAt(event.target) : undefined;
      ring.setAttribute("display", "none");
      if (found !== null && found.place !== null) {
        const dot = dotAt(layout, found.area, found.place);
        ring.setAttribute("cx", String(dot.x));
        ring.setAttribute("cy", String(dot.y));
        ring.removeAttribute("display");
        const [heading = "", ...facts] = unitLines(context, found.area.units[found.place] as number);
        const [, ...rest] = areaLines(context, found.area);
        tip.show([heading, ...facts, `subcluster: ${rest.join(", ")}`], x, y);
      } else if (found !== null) tip.show(areaLines(context, found.area), x, y);
      else if (bundle !== undefined) tip.show(bundleLines(context, bundle), x, y);
      else tip.hide();
    },
    click(event, x, y) {
      if (drawing === null) return;
      const cluster = find(drawing, x, y)?.area.cluster ?? bundleAt(event.target)?.from.cluster ?? -1;
      if (cluster >= 0) store.select(cluster);
      else if (store.state.selected !== null) store.select(null);
    },
  });

  const focused = (event: Event): AreaElement | undefined =>
    drawing?.areas.find((one) => one.element === event.target);
  element.addEventListener("keydown", (event) => {
    const from = focused(event);
    if (event.key === "Escape" && store.state.selected !== null) store.select(null);
    if (from === undefined || drawing === null || event.shiftKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      store.select(from.area.cluster);
    }
    const to = neighbour(drawing.layout.areas, from.area, event.key);
    const next = drawing.areas.find(({ area }) => area === to);
    if (event.key.startsWith("Arrow")) event.preventDefault();
    if (next === undefined) return;
    drawing.areas[tabbed]?.element.setAttribute("tabindex", "-1");
    tabbed = drawing.areas.indexOf(next);
    next.element.setAttribute("tabindex", "0");
    apply(revealing(view, next.area, drawing.seen), true);
    next.element.focus();
  });
  element.addEventListener("focusin", (event) => {
    const at = focused(event);
    if (at === undefined || drawing === null || !at.element.matches(":focus-visible")) return;
    apply(revealing(view, at.area, drawing.seen), true);
    const { x, y, width } = at.area;
    tip.show(
      areaLines(context, at.area),
      (x + width) * view.zoom + view.left,
      y * view.zoom + view.top + drawing.band,
    );
  });
  element.addEventListener("focusout", () => tip.hide());

  // The width is known when the page shows the map.
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0 && width !== drawing?.seen.width) draw(width);
  }).observe(element);
  store.watch(mark);
  return {
    element,
    zoom: (factor) => zoom(factor),
    reset: () => apply(START),
    showBundles(strongest) {
      many = strongest;
      mark();
    },
  };
}

function drawBundle({ colour }: Context, { index, from, to, width, path }: BundleCurve): SVGElement {
  const own = colour(from.cluster);
  return s("path", {
    class: width === null ? "bundle" : "bundle is-line",
    "data-bundle": index,
    "data-from": from.cluster,
    "data-to": to.cluster,
    d: path,
    fill: width === null ? own : "none",
    stroke: own,
    // Steep ribbons would vanish without an edge.
    "stroke-width": width ?? 0.5,
    "stroke-dasharray": width === null ? null : "6 4",
  });
}
