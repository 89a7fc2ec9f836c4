import type { Context } from "../../context.ts";
import { patternsOfSubcluster } from "../patterns/for-subcluster.ts";
import { populationsOfSubcluster } from "../populations/for-subcluster.ts";
import { part } from "./part.ts";
import type { Subject } from "./subject.ts";

/** What patterns and populations say of a subcluster; null where neither was found. */
export function furtherPart(context: Context, { layer, cluster }: Subject): HTMLElement | null {
  const found = [
    patternsOfSubcluster(context, layer, cluster),
    populationsOfSubcluster(context, layer, cluster),
  ].filter((element) => element !== null);
  return found.length === 0 ? null : part("further", "Patterns and populations", found);
}
