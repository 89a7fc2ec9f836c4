/** How marks show what is significant: by their shape, so that colour is free for clusters. */
import { h, s } from "../../dom.ts";
import type { Standing } from "./places.ts";
import type { Shown } from "./rows.ts";

interface Shape {
  readonly symbol: "circle" | "triangle" | "diamond";
  /** Degrees. */
  readonly rotate: number;
  /** The same as a path of about 12 x 12 around 0. */
  readonly path: string;
}

const CIRCLE: Shape = { symbol: "circle", rotate: 0, path: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0Z" };
const RIGHT: Shape = { symbol: "triangle", rotate: 90, path: "M6,0L-4,-5.5V5.5Z" };
const UP: Shape = { symbol: "triangle", rotate: 0, path: "M0,-6L5.5,4H-5.5Z" };
const DIAMOND: Shape = { symbol: "diamond", rotate: 0, path: "M0,-7L5,0L0,7L-5,0Z" };

/** Triangles point along the axis on which a subcluster stands out. */
export function symbolsOf(isStrip: boolean): Readonly<Record<Standing, Shape>> {
  return { both: DIAMOND, important: RIGHT, coherent: isStrip ? RIGHT : UP, neither: CIRCLE };
}

/** What the shapes mean. */
export function legend({ importance, coherence }: Shown): HTMLElement {
  const shapes = symbolsOf(importance === null || coherence === null);
  const key = (standing: Standing, text: string): HTMLElement =>
    h(
      "li",
      {},
      s(
        "svg",
        { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" },
        s("path", {
          d: shapes[standing].path,
          fill: "currentColor",
          "fill-opacity": standing === "neither" ? 0.2 : 0.9,
          stroke: "currentColor",
        }),
      ),
      text,
    );
  return h(
    "ul",
    { class: "legend", "aria-label": "What the shapes mean" },
    importance && coherence ? key("both", "significant on both") : null,
    importance ? key("important", `significant importance (${importance.label})`) : null,
    coherence ? key("coherent", `significant coherence (${coherence.label})`) : null,
    key("neither", "no more than chance explains"),
    h("li", { class: "soft" }, "colour and number: cluster · size: units"),
  );
}
