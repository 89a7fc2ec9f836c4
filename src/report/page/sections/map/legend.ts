/** All clusters with number, colour and size: a click selects one. */
import { clusterChip } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { count } from "../../format.ts";

/** From so many clusters on, numbers can be searched. */
const SEARCH_FROM = 24;

export function legend(context: Context): HTMLElement {
  const { cluster } = context.data.map.units;
  const sizes = new Map<number, number>();
  for (const one of cluster) sizes.set(one, (sizes.get(one) ?? 0) + 1);
  const clusters = [...sizes.keys()].filter((one) => one >= 0).sort((one, other) => one - other);
  const items = clusters.map((one) => ({
    cluster: one,
    element: h(
      "li",
      {},
      clusterChip(context, one),
      h("span", { class: "soft", title: "units" }, count(sizes.get(one))),
    ),
  }));
  const free = sizes.get(-1) ?? 0;
  const unassigned = h(
    "li",
    { class: "soft" },
    h(
      "span",
      {},
      h("span", { class: "swatch", style: `background:${context.colour(-1)}` }),
      `in no cluster ${count(free)}`,
    ),
  );
  const list = h(
    "ul",
    { class: "map-legend", "aria-label": "Clusters and their units", tabindex: 0 },
    items.map(({ element }) => element),
    free > 0 ? unassigned : null,
  );
  if (clusters.length <= SEARCH_FROM) return list;
  const search = h("input", {
    type: "search",
    inputmode: "numeric",
    placeholder: `cluster 0 to ${clusters.at(-1)}`,
    "aria-label": "Find a cluster by its number",
    oninput: () => {
      const text = search.value.replace(/\D/g, "");
      for (const { cluster: one, element } of items) {
        element.hidden = text !== "" && !String(one).startsWith(text);
      }
    },
  });
  return h("div", {}, h("p", { class: "controls" }, search), list);
}
