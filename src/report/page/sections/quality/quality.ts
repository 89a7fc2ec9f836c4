/** How far to trust the partition itself. */
import type { Context, Section } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { decimals } from "../../format.ts";
import { agreement } from "./agreement.ts";
import { nulls } from "./nulls.ts";
import { spectrum } from "./spectrum.ts";
import { stability } from "./stability.ts";

export const quality: Section = {
  id: "quality",
  title: "Partition",
  heading: "How far to trust the partition",
  render: draw,
};

function draw(context: Context): HTMLElement {
  const { quality: found, clusters } = context.data.partition;
  const panel = (title: string, content: Child) => h("div", { class: "panel" }, h("h3", {}, title), content);
  return h(
    "div",
    {},
    h(
      "p",
      {},
      `Every graph can be cut into ${clusters} clusters. These tell whether there was something to find`,
      found === null
        ? "."
        : `: the n-cut is ${decimals(found.ncut, 2)}, the modularity ${decimals(found.modularity, 3)}.`,
    ),
    h(
      "div",
      { class: "panels" },
      panel("Number of clusters", spectrum(context)),
      panel("More structure than chance?", nulls(context)),
      panel("Would it come out again?", stability(context)),
      panel("Does the other graph agree?", agreement(context)),
    ),
  );
}
