import type { Context } from "../../context.ts";
import type { Subject } from "./subject.ts";

/** What patterns and populations say of a subcluster; nothing yet. */
export function furtherPart(_context: Context, _subject: Subject): HTMLElement | null {
  return null;
}
