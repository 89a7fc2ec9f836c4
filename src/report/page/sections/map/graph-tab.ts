/** The unit graph's tab: WebGL lives only while it is seen, and where there is none the tab says so. */
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { count, plural } from "../../format.ts";
import type { UnitGraphPicture } from "./unit-graph.ts";

export interface GraphTab {
  readonly panel: HTMLElement;
  show(): void;
  hide(): void;
  zoom(factor: number): void;
  reset(): void;
}

export function graphTab(context: Context): GraphTab {
  const { data, store } = context;
  const host = h("div", { class: "graph-host", role: "img", "aria-label": label(context) });
  let picture: UnitGraphPicture | null = null;
  let isWanted = false;
  const isSeen = (): boolean => isWanted && store.state.route.page === "overview";
  const update = async (): Promise<void> => {
    if (!isSeen()) {
      picture?.dispose();
      picture = null;
      return;
    }
    if (picture !== null) return;
    if (!hasWebGl()) {
      host.replaceChildren(noWebGl());
      return;
    }
    // Later, since the library touches WebGL as soon as it is loaded.
    const { unitGraph } = await import("./unit-graph.ts");
    if (!isSeen() || picture !== null) return;
    try {
      picture = unitGraph(context, host);
    } catch (error) {
      console.warn(error);
      host.replaceChildren(noWebGl());
    }
  };
  store.watch(() => void update());
  const { units, edges } = data.map;
  const panel = h(
    "figure",
    { class: "figure" },
    host,
    h(
      "figcaption",
      {},
      "Units lie near those they share heavy edges with; larger dots have more weight in all. ",
      `Drawn: ${count(units.layer.length)} of ${plural(units.total, "unit")}, and the heaviest `,
      `${count(edges.source.length)} of ${plural(edges.total, "edge")}; graph.gexf holds all. `,
      "Distances and gaps here are a drawing, not a measurement.",
    ),
  );
  return {
    panel,
    show() {
      isWanted = true;
      void update();
    },
    hide() {
      isWanted = false;
      void update();
    },
    zoom: (factor) => picture?.zoom(factor),
    reset: () => picture?.reset(),
  };
}

function label({ data }: Context): string {
  const { units, edges } = data.map;
  return `Unit graph: ${plural(units.layer.length, "unit")} and ${plural(edges.source.length, "edge")}, coloured by cluster. The layer map and the legend say the same in words.`;
}

function hasWebGl(): boolean {
  const canvas = h("canvas", {});
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return gl !== null;
}

const noWebGl = (): HTMLElement =>
  h(
    "p",
    { class: "empty" },
    "This browser has no WebGL, which draws the unit graph. Switch on hardware acceleration or WebGL in its settings, or open graph.gexf in a graph viewer. The layer map needs neither.",
  );
