/** What patterns say of one subcluster; for its page. */
import { patternsOf } from "../../../patterns-document.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { patternCards } from "./cards.ts";
import { classNaming } from "./class-names.ts";
import { statements } from "./statements.ts";

const MOST_CARDS = 4;

/** The patterns of a subcluster's units alone; null where these were not looked for. */
export function patternsOfSubcluster(context: Context, layer: string, cluster: number): HTMLElement | null {
  const document = patternsOf(context.data.patterns);
  const found = document?.layers.find((entry) => entry.layer === layer && entry.cluster === cluster);
  if (document == null || found === undefined) return null;
  return h(
    "div",
    { class: "patterns-of-subcluster" },
    h("h3", {}, "Inputs that it treats alike"),
    statements(found),
    found.patterns.length === 0
      ? null
      : patternCards(context, found, classNaming(document, context), MOST_CARDS),
  );
}
