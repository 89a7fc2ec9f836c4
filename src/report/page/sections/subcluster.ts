import type { Context } from "../context.ts";
import { h } from "../dom.ts";

/** The page of one subcluster. */
export function subclusterPage(_context: Context, layer: string, cluster: number): HTMLElement {
  return h("article", {}, h("h1", { tabindex: -1 }, `${layer} · cluster ${cluster}`));
}
