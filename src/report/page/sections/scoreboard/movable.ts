/** Marks of a drawing that can be pointed at, reached by arrow keys, and chosen. */
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import type { Mark } from "./places.ts";

type Drawn = SVGElement & { readonly __data__?: number };

/**
 * The drawing with a box that tells what is pointed at. Its marks are one stop of the tab key: arrows go from left to right,
 * Enter selects the cluster.
 */
export function movable(
  { store }: Context,
  svg: SVGSVGElement,
  marks: readonly Mark[],
  tell: (mark: Mark) => readonly string[],
): HTMLElement {
  const drawn = [...svg.querySelectorAll<Drawn>(".marks > *")];
  const spreads = [...svg.querySelectorAll<Drawn>(".spread > *")];
  const tip = h("div", { class: "tip", role: "status", hidden: true });
  const box = h("div", { class: "marks-box" }, svg, tip);
  const markOf = ({ __data__: at }: Drawn): Mark | undefined => marks[at ?? -1];
  const ordered = [...drawn].sort((a, b) => (markOf(a)?.x.value ?? 0) - (markOf(b)?.x.value ?? 0));
  const point = (element: Drawn | null): void => {
    for (const each of [...drawn, ...spreads]) {
      each.classList.toggle("pointed", element !== null && each.__data__ === element.__data__);
    }
    const mark = element && markOf(element);
    tip.hidden = !mark;
    if (!element || !mark) return;
    const [name = "", ...lines] = tell(mark);
    tip.replaceChildren(h("strong", {}, name), ...lines.map((line) => h("div", {}, line)));
    place(tip, element, box);
  };
  ordered.forEach((element, at) => {
    const mark = markOf(element);
    if (mark === undefined) return;
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", at === 0 ? "0" : "-1");
    element.setAttribute("aria-label", tell(mark).join(". "));
    const go = (to: number): void => {
      const next = ordered[Math.max(0, Math.min(ordered.length - 1, to))];
      element.setAttribute("tabindex", "-1");
      next?.setAttribute("tabindex", "0");
      next?.focus();
    };
    element.addEventListener("pointerenter", () => point(element));
    element.addEventListener("pointerleave", () => point(null));
    element.addEventListener("focus", () => point(element));
    element.addEventListener("blur", () => point(null));
    element.addEventListener("click", () => store.select(mark.row.entry.cluster));
    element.addEventListener("keydown", (event) => {
      const { key } = event;
      if (key === "Enter" || key === " ") store.select(mark.row.entry.cluster);
      else if (key === "ArrowRight" || key === "ArrowUp") go(at + 1);
      else if (key === "ArrowLeft" || key === "ArrowDown") go(at - 1);
      else if (key === "Home") go(0);
      else if (key === "End") go(ordered.length - 1);
      else return;
      event.preventDefault();
    });
  });
  return box;
}

/** Marks the selected cluster's marks; the others step back. */
export function showSelected(svg: Element | null, marks: readonly Mark[], selected: number | null): void {
  if (svg === null) return;
  const has = selected !== null && marks.some(({ row }) => row.entry.cluster === selected);
  svg.classList.toggle("has-selection", has);
  for (const element of svg.querySelectorAll<Drawn>(".marks > *, .numbers > *, .spread > *")) {
    const isChosen = has && marks[element.__data__ ?? -1]?.row.entry.cluster === selected;
    element.classList.toggle("chosen", isChosen);
    if (element.getAttribute("role") === "button") element.setAttribute("aria-pressed", String(isChosen));
  }
}

/** Beside the mark, within the box. */
function place(tip: HTMLElement, mark: Element, box: HTMLElement): void {
  const [at, frame] = [mark.getBoundingClientRect(), box.getBoundingClientRect()];
  const left = at.left - frame.left + at.width / 2;
  const isRight = left > frame.width / 2;
  tip.style.left = `${Math.max(0, Math.min(frame.width - tip.offsetWidth, isRight ? left - tip.offsetWidth - 14 : left + 14))}px`;
  tip.style.top = `${Math.max(0, at.top - frame.top - tip.offsetHeight - 8)}px`;
}
