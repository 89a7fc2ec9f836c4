/** The unit graph by WebGL, at the positions that the document brings. The only file that imports sigma. */
import { UndirectedGraph } from "graphology";
import { Sigma } from "sigma";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import type { Picture } from "./picture.ts";
import { unitLines } from "./texts.ts";
import { mixed, pageColours, watchTheme } from "./theme-colours.ts";
import { tooltip } from "./tooltip.ts";

export interface UnitGraphPicture extends Picture {
  /** Gives the graphics memory back. */
  dispose(): void;
}

/** Share of the page's ground that is mixed into what stands back. */
const FAINT = { edge: 0.6, crossing: 0.88, unit: 0.82 };

/** Draws into an element that is on the page. Throws where there is no WebGL. */
export function unitGraph(context: Context, host: HTMLElement): UnitGraphPicture {
  const { data, store, colour } = context;
  const { units, edges } = data.map;
  const tip = tooltip();
  const stage = h("div", { class: "graph-stage" });
  const element = h("div", { class: "graph-view" }, stage, tip.element);
  host.replaceChildren(element);
  const graph = new UndirectedGraph();
  const largest = units.degree.reduce((most, degree) => Math.max(most, degree), 0) || 1;
  const crowd = Math.min(1, Math.sqrt(1000 / units.layer.length));
  const [least, most] = [2 * crowd, 6 * crowd];
  units.cluster.forEach((cluster, place) => {
    const share = Math.sqrt((units.degree[place] as number) / largest);
    graph.addNode(place, {
      x: units.x[place],
      y: -(units.y[place] as number),
      size: least + (most - least) * share,
      cluster,
    });
  });
  // The lightest first, so that the heaviest lie on top.
  for (let edge = edges.source.length - 1; edge >= 0; edge--) {
    const [source, target] = [edges.source[edge] as number, edges.target[edge] as number];
    const ends = [units.cluster[source] as number, units.cluster[target] as number];
    graph.mergeUndirectedEdge(source, target, { ends, size: 0.6 });
  }
  let colours = pageColours();
  const sigma = new Sigma(graph, stage, {
    renderLabels: false,
    zIndex: true,
    minCameraRatio: 0.02,
    maxCameraRatio: 2,
    stagePadding: 24,
    allowInvalidContainer: true,
    defaultDrawNodeHover: (canvas, { x, y, size }) => {
      canvas.beginPath();
      canvas.arc(x, y, size + 2, 0, 2 * Math.PI);
      canvas.strokeStyle = colours.ink;
      canvas.lineWidth = 2;
      canvas.stroke();
    },
    nodeReducer: (_, { x, y, size, cluster }) => {
      const { selected } = store.state;
      const isBack = selected !== null && cluster !== selected;
      const own = colour(cluster);
      return {
        x,
        y,
        size,
        color: isBack ? mixed(own, colours.paper, FAINT.unit) : own,
        zIndex: isBack ? 0 : 1,
      };
    },
    edgeReducer: (_, { ends: [one, other], size }) => {
      const { selected } = store.state;
      if (selected !== null && one !== selected && other !== selected) return { hidden: true };
      const isWithin = one === other && one >= 0;
      const own = isWithin ? colour(one) : selected === null ? colours.soft : colour(selected);
      return { size, color: mixed(own, colours.paper, isWithin ? FAINT.edge : FAINT.crossing) };
    },
  });
  element.dataset.nodes = String(graph.order);
  element.dataset.edges = String(graph.size);
  sigma.on("enterNode", ({ node }) => {
    const { x, y } = sigma.graphToViewport(graph.getNodeAttributes(node) as { x: number; y: number });
    tip.show(unitLines(context, Number(node)), x, y);
  });
  sigma.on("leaveNode", () => tip.hide());
  sigma.on("clickNode", ({ node }) => {
    const cluster = units.cluster[Number(node)] ?? -1;
    if (cluster >= 0) store.select(cluster);
  });
  // Without Ctrl the wheel scrolls the page, as on the layer map.
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    },
    { capture: true },
  );
  let isOpen = true;
  store.watch(() => isOpen && sigma.refresh({ skipIndexation: true }));
  const unwatch = watchTheme(() => {
    colours = pageColours();
    sigma.refresh({ skipIndexation: true });
  });
  return {
    element,
    zoom: (factor) => void sigma.getCamera().animatedZoom({ factor }),
    reset: () => void sigma.getCamera().animatedReset(),
    dispose() {
      isOpen = false;
      unwatch();
      sigma.kill();
      element.remove();
    },
  };
}
