/** A picture with its caption, and a button that saves it as an SVG file. */
import { type Child, h } from "./dom.ts";
import { saveFile } from "./save-file.ts";

export interface FigureOptions {
  /** Names the file and, with the caption, what a screen reader says. */
  readonly name: string;
  readonly caption: Child;
  /** What is told where there is nothing to draw. */
  readonly isEmpty?: string | false;
}

/** Wraps a drawing (an SVG element, or one that holds an SVG). */
export function figure(drawing: Element | null, { name, caption, isEmpty }: FigureOptions): HTMLElement {
  if (drawing === null || isEmpty) {
    return h(
      "figure",
      { class: "figure" },
      h("p", { class: "empty" }, isEmpty || "Nothing to draw."),
      h("figcaption", {}, caption),
    );
  }
  nameDrawing(drawing);
  const save = h(
    "button",
    {
      class: "save",
      type: "button",
      "aria-label": `Save ${name} as SVG`,
      onclick: () => saveSvg(drawing, name),
    },
    "SVG",
  );
  return h(
    "figure",
    { class: "figure" },
    h("div", { class: "drawing" }, drawing),
    h("figcaption", {}, caption, " ", save),
  );
}

/**
 * Plot names the groups of its marks ("rule"), which no role of theirs allows, and no listener wants: the drawing has a name
 * of its own, and is one picture unless something in it can be used.
 */
function nameDrawing(drawing: Element): void {
  const pictures = drawing instanceof SVGSVGElement ? [drawing] : drawing.querySelectorAll("svg");
  for (const svg of pictures) {
    for (const group of svg.querySelectorAll("g[aria-label]:not([role])"))
      group.removeAttribute("aria-label");
    const isUsed = svg.querySelector("a, [tabindex], [role]") !== null;
    if (svg.hasAttribute("aria-label") && !svg.hasAttribute("role") && !isUsed)
      svg.setAttribute("role", "img");
  }
}

/** Properties that style sheets give to drawings and that a file of its own needs. */
const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "opacity",
  "fill-opacity",
  "stroke-opacity",
  "font-family",
  "font-size",
  "font-weight",
  "color",
];

function saveSvg(drawing: Element, name: string): void {
  const svg = drawing instanceof SVGSVGElement ? drawing : drawing.querySelector("svg");
  if (svg === null) return;
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const targets = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  [svg, ...svg.querySelectorAll<SVGElement>("*")].forEach((element, at) => {
    const style = getComputedStyle(element);
    for (const key of STYLES) targets[at]?.style.setProperty(key, style.getPropertyValue(key));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const text = new XMLSerializer().serializeToString(copy);
  saveFile(`${name}.svg`, "image/svg+xml", text);
}
