/** Cells that are pointed at, reached by arrow keys, and chosen. */
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { GAP, type Heatmap, type Layout } from "./heatmap-layout.ts";
import { tellCell } from "./heatmap-text.ts";

export interface Parts {
  readonly svg: SVGSVGElement;
  readonly scroll: HTMLElement;
  readonly tip: HTMLElement;
  readonly cursor: SVGRectElement;
  readonly box: HTMLElement;
}

export function listen(
  context: Context,
  map: Heatmap,
  layout: Layout,
  { svg, scroll, tip, cursor, box }: Parts,
): void {
  let at: readonly [number, number] | null = null;
  const go = (column: number, row: number): void => {
    at = [column, row];
    const x = layout.starts[column] ?? 0;
    const y = layout.top + row * layout.cellHeight;
    cursor.setAttribute("x", String(x));
    cursor.setAttribute("y", String(y));
    cursor.classList.add("shown");
    tip.hidden = false;
    const [name = "", ...lines] = tellCell(context, map, column, row);
    tip.replaceChildren(h("strong", {}, name), ...lines.map((line) => h("div", {}, line)));
    const left = x - scroll.scrollLeft;
    const isRight = left > box.clientWidth / 2;
    const beside = isRight ? left - tip.offsetWidth - 10 : left + layout.cellWidth + 10;
    tip.style.left = `${Math.max(0, Math.min(box.clientWidth - tip.offsetWidth, beside))}px`;
    tip.style.top = `${Math.max(0, y - tip.offsetHeight - 4)}px`;
  };
  const leave = (): void => {
    at = null;
    tip.hidden = true;
    cursor.classList.remove("shown");
  };
  const cellAt = (event: PointerEvent | MouseEvent): readonly [number, number] | null => {
    const frame = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const row = Math.floor((y - layout.top) / layout.cellHeight);
    const column = layout.starts.findLastIndex((start) => start <= x);
    const isInside =
      column >= 0 &&
      x < (layout.starts[column] ?? 0) + layout.cellWidth &&
      x - scroll.scrollLeft >= layout.left;
    return isInside && row < map.labels.length && y > 14 ? [column, Math.max(0, row)] : null;
  };
  const select = (column: number): void => context.store.select(map.columns[column]?.entry.cluster ?? null);
  svg.addEventListener("pointermove", (event) => {
    const cell = cellAt(event);
    if (cell === null) leave();
    else go(...cell);
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell !== null) select(cell[0]);
  });
  scroll.addEventListener("blur", leave);
  scroll.addEventListener("keydown", (event) => {
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowRight: [1, 0],
      ArrowLeft: [-1, 0],
      ArrowDown: [0, 1],
      ArrowUp: [0, -1],
    };
    const step = steps[event.key];
    if (step) {
      const [column, row] = at === null ? [0, 0] : [at[0] + step[0], at[1] + step[1]];
      const inside = Math.max(0, Math.min(map.columns.length - 1, column));
      const start = layout.starts[inside] ?? 0;
      if (start < scroll.scrollLeft + layout.left) scroll.scrollLeft = start - layout.left;
      if (start + layout.cellWidth > scroll.scrollLeft + scroll.clientWidth) {
        scroll.scrollLeft = start + layout.cellWidth + GAP - scroll.clientWidth;
      }
      go(inside, Math.max(0, Math.min(map.labels.length - 1, row)));
    } else if ((event.key === "Enter" || event.key === " ") && at !== null) select(at[0]);
    else return;
    event.preventDefault();
  });
}
