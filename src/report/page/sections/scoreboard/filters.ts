/** What narrows the table down. */

import { choice } from "../../choice.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { type Filter, NO_FILTER } from "./rows.ts";

/** Filters of layer, cluster, significance and words; tells each change. */
export function filterControls(
  { subclusters, data }: Context,
  onChange: (filter: Filter) => void,
): readonly HTMLElement[] {
  let filter = NO_FILTER;
  const change = (changes: Partial<Filter>): void => {
    filter = { ...filter, ...changes };
    onChange(filter);
  };
  const scored = new Set(subclusters.map(({ layer }) => layer));
  const layers = data.graph.layers.map(({ name }) => name).filter((name) => scored.has(name));
  const clusters = [...new Set(subclusters.map(({ cluster }) => cluster))].sort((a, b) => a - b);
  const layer = choice("Layer", ["all layers", ...layers], (at) => change({ layer: layers[at - 1] ?? null }));
  const cluster = choice("Cluster", ["all clusters", ...clusters.map((each) => `cluster ${each}`)], (at) =>
    change({ cluster: clusters[at - 1] ?? null }),
  );
  const only = h("input", { type: "checkbox", id: "scoreboard-significant" });
  only.addEventListener("change", () => change({ isSignificantOnly: only.checked }));
  const text = h("input", { type: "search", placeholder: "find a name", "aria-label": "Find a name" });
  text.addEventListener("input", () => change({ text: text.value }));
  return [
    text,
    layer,
    cluster,
    h("label", { class: "check", for: "scoreboard-significant" }, only, "only significant"),
  ];
}
