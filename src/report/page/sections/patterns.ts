/** Neural activation patterns: sets of inputs that a layer, or a cluster of its units, treats alike. */
import { type PatternLayer, patternsOf } from "../../patterns-document.ts";
import { labelledChoice } from "../choice.ts";
import type { Context, Section } from "../context.ts";
import { h } from "../dom.ts";
import { layerLabels } from "../layer-labels.ts";
import { classNaming } from "./patterns/class-names.ts";
import { layerDetail } from "./patterns/detail.ts";
import { flowPart } from "./patterns/flow.ts";
import { depthFigure, layerTable } from "./patterns/overview.ts";
import { findingSentence, methodSentence, wholeLayers } from "./patterns/sentences.ts";

export const patterns: Section = {
  id: "patterns",
  title: "Patterns",
  render(context) {
    const document = patternsOf(context.data.patterns);
    if (document === null) return null;
    const className = classNaming(document, context);
    const layers = wholeLayers(document);
    const { element, show } = detailPart(context, document.layers, className);
    return h(
      "div",
      { class: "patterns" },
      h("p", { class: "finding" }, findingSentence(layers)),
      h("p", { class: "soft" }, methodSentence(document)),
      layers.length === 0
        ? null
        : layerTable(layers, (at) => {
            const found = layers[at];
            if (found) show(found);
          }),
      depthFigure(layers),
      element,
      document.flow === null ? null : flowPart(document.flow, document, className),
    );
  },
};

/** The patterns of one layer or cluster, which a list chooses; at first the layer whose patterns agree best with the classes. */
function detailPart(
  context: Context,
  layers: readonly PatternLayer[],
  className: (label: number) => string,
): { readonly element: HTMLElement; show(found: PatternLayer): void } {
  const heading = h("h3", { tabindex: -1 });
  const box = h("div");
  const draw = (found: PatternLayer | undefined): void => {
    if (found === undefined) return;
    heading.textContent = `Patterns of ${nameOf(found)}`;
    box.replaceChildren(layerDetail(context, found, className));
  };
  const label = layerLabels(layers.map(({ layer }) => layer));
  const first = firstShown(layers);
  const choice = labelledChoice(
    "Patterns of",
    layers.map(
      (found) =>
        `${label(found.layer, 40)}${found.cluster === undefined ? "" : ` · cluster ${found.cluster}`}`,
    ),
    (at) => draw(layers[at]),
    first,
  );
  draw(layers[first]);
  return {
    element: h(
      "div",
      { class: "pattern-layer" },
      heading,
      layers.length > 1 ? h("div", { class: "controls" }, choice) : null,
      box,
    ),
    show(found) {
      const select = choice.querySelector("select");
      if (select) select.selectedIndex = layers.indexOf(found);
      draw(found);
      heading.scrollIntoView();
      heading.focus({ preventScroll: true });
    },
  };
}

const nameOf = ({ layer, cluster }: PatternLayer): string =>
  cluster === undefined ? layer : `cluster ${cluster} in ${layer}`;

/** A whole layer with discrete patterns where there is one; of several the one that agrees best with the classes. */
function firstShown(layers: readonly PatternLayer[]): number {
  const worth = ({ cluster, continuum, ami, noise }: PatternLayer): number =>
    (cluster === undefined ? 4 : 0) + (continuum.length === 0 ? 2 : 0) + (ami?.withNoise ?? 1 - (noise ?? 1));
  const worths = layers.map(worth);
  return Math.max(0, worths.indexOf(Math.max(...worths)));
}
