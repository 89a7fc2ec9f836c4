/** The patterns of one layer, or of a cluster's units in it. */
import type { PatternLayer } from "../../../patterns-document.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { plural } from "../../format.ts";
import { patternCards } from "./cards.ts";
import { classHeatmap } from "./class-heatmap.ts";
import { statements } from "./statements.ts";
import { inputNumbers, pictured, thumbnails } from "./thumbnails.ts";

export function layerDetail(
  context: Context,
  found: PatternLayer,
  className: (label: number) => string,
): HTMLElement {
  return h(
    "div",
    { class: "pattern-detail" },
    statements(found),
    found.patterns.length === 0
      ? h("p", { class: "empty" }, "No patterns here: every input stands by itself.")
      : patternCards(context, found, className),
    found.patterns.length > 0 && !hasPictures(context, found)
      ? h(
          "p",
          { class: "small soft" },
          "Inputs are named by their numbers in the data. Where inputs are images, brodmann patterns draws a sheet of them for each layer, into the folder pictures beside patterns.json.",
        )
      : null,
    classHeatmap(found, className),
    outliers(context, found, className),
  );
}

const hasPictures = (context: Context, { patterns }: PatternLayer): boolean =>
  patterns.some(({ exemplars, boundary }) => pictured(context, [...exemplars, ...boundary]).length > 0);

const MOST_OUTLIERS = 16;

function outliers(
  context: Context,
  { outliers: { inputs } }: PatternLayer,
  className: (label: number) => string,
): HTMLElement | null {
  if (inputs.length === 0) return null;
  const shown = inputs.slice(0, MOST_OUTLIERS);
  const wrong = inputs.filter(({ label, prediction }) => prediction !== undefined && prediction !== label);
  const told = inputs.some(({ prediction }) => prediction !== undefined)
    ? ` The network gets ${wrong.length} of them wrong.`
    : "";
  return h(
    "div",
    { class: "outliers" },
    h("h4", {}, "Inputs that fit least"),
    h("p", {}, `${plural(inputs.length, "input")} with the highest outlier scores.${told}`),
    thumbnails(context, shown, className) ??
      h("p", { class: "small soft" }, `${inputNumbers(shown)}${inputs.length > shown.length ? ", …" : ""}`),
  );
}
