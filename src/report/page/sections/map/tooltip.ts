/** A small box of lines beside the pointer, within the bounds of its view. */
import { h } from "../../dom.ts";
import type { Lines } from "./texts.ts";

export interface Tooltip {
  readonly element: HTMLElement;
  /** At a point of the element that holds the tooltip. */
  show(lines: Lines, x: number, y: number): void;
  hide(): void;
}

const DISTANCE = 14;

/** What it says is also the accessible name of what it belongs to, so it is hidden from screen readers. */
export function tooltip(): Tooltip {
  const element = h("div", { class: "map-tooltip", "aria-hidden": "true", hidden: true });
  return {
    element,
    show(lines, x, y) {
      element.replaceChildren(...lines.map((line, at) => h(at === 0 ? "strong" : "span", {}, line)));
      element.hidden = false;
      const { clientWidth = 0, clientHeight = 0 } = element.parentElement ?? {};
      const { offsetWidth, offsetHeight } = element;
      const left = x + DISTANCE + offsetWidth > clientWidth ? x - DISTANCE - offsetWidth : x + DISTANCE;
      const top = Math.min(y + DISTANCE, clientHeight - offsetHeight - 4);
      element.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
    },
    hide() {
      element.hidden = true;
    },
  };
}
