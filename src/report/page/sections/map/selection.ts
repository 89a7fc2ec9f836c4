/** What is selected, in words: the cluster's parts, layer by layer, with links to their pages. */
import { clusterChip, subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { count, digits, formatP, plural } from "../../format.ts";
import { importanceOf } from "./texts.ts";

export function selectionPanel(context: Context): HTMLElement {
  const panel = h("div", { class: "map-selection", "aria-live": "polite" });
  let shown: number | null | undefined;
  context.store.watch(({ selected }) => {
    if (selected === shown) return;
    shown = selected;
    panel.replaceChildren(selected === null ? hint() : describe(context, selected));
  });
  return panel;
}

const hint = (): HTMLElement =>
  h("p", { class: "soft" }, "No cluster is selected. Click an area, a dot or a number to see it everywhere.");

function describe(context: Context, cluster: number): HTMLElement {
  const { data, subclusters } = context;
  const { units } = data.map;
  const parts = data.graph.layers
    .map(({ name }, layer) => ({
      name,
      size: units.cluster.filter((one, place) => one === cluster && units.layer[place] === layer).length,
      entry: subclusters.find((one) => one.layer === name && one.cluster === cluster),
    }))
    .filter(({ size, entry }) => size > 0 || entry !== undefined);
  if (parts.length === 0) return h("p", { class: "soft" }, `There is no cluster ${cluster} on this map.`);
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const rows = parts.map(({ name, size, entry }) => {
    const found = entry === undefined ? null : importanceOf(entry);
    return h(
      "tr",
      {},
      h("td", {}, subclusterLink(context, name, cluster)),
      h("td", {}, count(size)),
      h("td", {}, formatP(found?.p)),
      h("td", {}, digits(found?.effect)),
    );
  });
  const measure = parts.flatMap(({ entry }) => (entry ? [importanceOf(entry)?.measure] : []))[0];
  const importance = measure === undefined ? "not scored" : `importance, by ${measure}`;
  return h(
    "div",
    {},
    h(
      "p",
      {},
      clusterChip(context, cluster),
      ` ${plural(total, "unit")} in ${plural(parts.length, "layer")}. `,
      h("span", { class: "soft" }, "Open a subcluster for its scores and what drives it."),
    ),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "group", "aria-label": `Subclusters of cluster ${cluster}` },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "subcluster"),
            h("th", { scope: "col" }, "units"),
            h("th", { scope: "col", title: `${importance}: chance of a random set being as important` }, "p"),
            h(
              "th",
              { scope: "col", title: `${importance}: how much more than random sets; 1 = the same` },
              "effect",
            ),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
}
