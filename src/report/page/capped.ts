/** Long lists open short, with a button for the rest. */
import { h } from "./dom.ts";
import { count } from "./format.ts";

/**
 * Draws the first `most` of a list by `draw`; a button draws all of it. `noun` is that of many.
 *
 * @example
 * capped(patterns, 12, "patterns", (shown) => h("ul", {}, shown.map(card)));
 */
export function capped<Item>(
  items: readonly Item[],
  most: number,
  noun: string,
  draw: (shown: readonly Item[]) => HTMLElement,
): HTMLElement {
  const box = h("div", { class: "capped" });
  const show = (isAll: boolean): void => {
    const shown = isAll ? items : items.slice(0, most);
    const text = isAll ? `show the first ${count(most)}` : `show all ${count(items.length)} ${noun}`;
    const more =
      items.length > most
        ? h("button", { class: "more", type: "button", onclick: () => show(!isAll) }, text)
        : null;
    const isFocused = box.contains(document.activeElement);
    box.replaceChildren(draw(shown), ...(more ? [more] : []));
    // The button was replaced: who pressed it by keyboard is still there.
    if (isFocused) more?.focus();
  };
  show(false);
  return box;
}
