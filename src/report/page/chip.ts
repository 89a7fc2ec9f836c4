/** A cluster's name with its colour; a click selects it everywhere. */
import type { Context } from "./context.ts";
import { h } from "./dom.ts";
import { subclusterAddress } from "./store.ts";

/** A button; it shows whether its cluster is selected. Where a header says what it is, the number may stand alone. */
export function clusterChip(
  { store, colour }: Context,
  cluster: number,
  text: string = `cluster ${cluster}`,
): HTMLElement {
  const chip = h(
    "button",
    {
      class: "chip",
      type: "button",
      "aria-label": `cluster ${cluster}`,
      onclick: () => store.select(cluster),
    },
    h("span", { class: "swatch", style: `background:${colour(cluster)}` }),
    text,
  );
  store.watch(({ selected }) => chip.setAttribute("aria-pressed", String(selected === cluster)));
  return chip;
}

/** A link to a subcluster's page. */
export function subclusterLink({ colour }: Context, layer: string, cluster: number): HTMLElement {
  return h(
    "a",
    { class: "subcluster-link", href: subclusterAddress(layer, cluster) },
    h("span", { class: "swatch", style: `background:${colour(cluster)}` }),
    `${layer} · ${cluster}`,
  );
}
