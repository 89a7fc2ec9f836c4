/** A share as a bar, beside the number that says the same. */
import { h } from "./dom.ts";

/** `share` of 1, cut to what a bar can show; nothing is drawn of what is undefined. */
export function shareBar(share: number | null, kind: "accent" | "soft" | "bad" = "accent"): HTMLElement {
  const width = Math.max(0, Math.min(1, share ?? 0));
  return h(
    "span",
    { class: `share-bar ${kind}`, "aria-hidden": "true" },
    h("span", { style: `width:${(100 * width).toFixed(1)}%` }),
  );
}
