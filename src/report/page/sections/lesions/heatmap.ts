/**
 * Classes x subclusters, coloured by the change of accuracy. One path for each colour in place of an element for each cell:
 * thousands of cells cost as little as ten.
 */
import type { Context } from "../../context.ts";
import { h, s } from "../../dom.ts";
import { percent, shorten } from "../../format.ts";
import { points } from "../scoreboard/columns.ts";
import { type LesionColumn, STEPS, stepOf } from "./changes.ts";

export interface Heatmap {
  readonly columns: readonly LesionColumn[];
  readonly labels: readonly number[];
  readonly limit: number;
  /** Whether columns of a layer stand together under its name. */
  readonly isByLayer: boolean;
}

export interface DrawnHeatmap {
  readonly element: HTMLElement;
  /** Frames the columns of a cluster; null = none. */
  frame(cluster: number | null): void;
}

interface Layout {
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Left edges of the columns. */
  readonly starts: readonly number[];
  readonly width: number;
  readonly height: number;
}

const GAP = 10;
const NARROWEST = 16;

function layOut({ className }: Context, { columns, labels, isByLayer }: Heatmap, width: number): Layout {
  const longest = Math.max(...labels.map((label) => className(label).length));
  const left = Math.max(56, Math.min(width < 520 ? 90 : 150, longest * 7 + 12));
  const gaps = columns.map((column, at): number =>
    isByLayer && at > 0 && column.layerNumber !== columns[at - 1]?.layerNumber ? GAP : 0,
  );
  const spaced = gaps.reduce((sum, gap) => sum + gap, 0);
  const room = (width - left - spaced - 4) / Math.max(1, columns.length);
  const cellWidth = Math.floor(Math.max(NARROWEST, Math.min(44, room)));
  let x = left;
  const starts = gaps.map((gap) => {
    x += gap;
    const start = x;
    x += cellWidth;
    return start;
  });
  const cellHeight = labels.length <= 20 ? 24 : 15;
  const top = 46;
  return {
    left,
    top,
    cellWidth,
    cellHeight,
    starts,
    width: x + 4,
    height: top + labels.length * cellHeight + 4,
  };
}

/** Draws it; pointing at a cell, or moving to it by arrow keys, tells its numbers; a click or Enter selects the cluster. */
export function drawHeatmap(context: Context, map: Heatmap, width: number): DrawnHeatmap {
  const layout = layOut(context, map, width);
  const svg = s(
    "svg",
    {
      width: layout.width,
      height: layout.height,
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: "img",
      "aria-label": nameOf(context, map),
      class: "heatmap",
    },
    cells(map, layout),
    headings(context, map, layout),
    classNames(context, map, layout),
  );
  const chosen = s("path", {
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 2,
  });
  const cursor = s("rect", {
    class: "cursor",
    width: layout.cellWidth,
    height: layout.cellHeight,
    fill: "none",
  });
  svg.append(chosen, cursor);
  // Names stay in sight while the columns scroll beneath them.
  const names = s(
    "svg",
    { width: layout.left - 2, height: layout.height, "aria-hidden": "true", class: "heatmap-names" },
    classNames(context, map, layout),
  );
  const tip = h("div", { class: "tip", role: "status", hidden: true });
  const scroll = h(
    "div",
    {
      class: "heatmap-scroll",
      tabindex: 0,
      role: "group",
      "aria-label": `${nameOf(context, map)} Arrow keys move, Enter selects.`,
    },
    svg,
    layout.width > width ? names : null,
  );
  const box = h("div", { class: "heatmap-box" }, scroll, tip);
  listen(context, map, layout, { svg, scroll, tip, cursor, box });
  return { element: box, frame: (cluster) => chosen.setAttribute("d", framePath(map, layout, cluster)) };
}

interface Parts {
  readonly svg: SVGSVGElement;
  readonly scroll: HTMLElement;
  readonly tip: HTMLElement;
  readonly cursor: SVGRectElement;
  readonly box: HTMLElement;
}

function listen(
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

/** One path for each colour, on the sheet of what does not change; crosses where a class has no inputs. */
function cells(
  { columns, labels, limit }: Heatmap,
  { starts, top, cellWidth, cellHeight }: Layout,
): SVGElement {
  const paths = new Map<number | null, string[]>();
  columns.forEach(({ changes }, column) => {
    labels.forEach((label, row) => {
      const change = changes[label] ?? null;
      const step = change === null ? null : stepOf(change, limit);
      const [x, y] = [starts[column] ?? 0, top + row * cellHeight];
      const cell =
        step === null
          ? `M${x + cellWidth / 2 - 2},${y + cellHeight / 2}h4`
          : `M${x},${y}h${cellWidth - 1}v${cellHeight - 1}h${1 - cellWidth}Z`;
      paths.set(step, [...(paths.get(step) ?? []), cell]);
    });
  });
  const all = [...paths].map(([step, path]) => s("path", { class: stepClass(step), d: path.join("") }));
  for (const [at, step] of [...paths.keys()].entries()) tint(all[at] as SVGElement, step);
  return s("g", {}, all);
}

const stepClass = (step: number | null): string =>
  step === null ? "absent" : step === 0 ? "flat" : step < 0 ? "fall" : "rise";

/** How strong a step's colour is. */
function tint(element: SVGElement, step: number | null): void {
  if (step !== null && step !== 0)
    element.setAttribute("fill-opacity", (0.1 + (0.9 * Math.abs(step)) / STEPS).toFixed(3));
}

/** Numbers of clusters with their colours; above them layers: names where they stand together, else numbers. */
function headings(context: Context, { columns, isByLayer }: Heatmap, layout: Layout): SVGElement {
  const { starts, top, cellWidth } = layout;
  const group = s("g", { class: "headings" });
  columns.forEach(({ entry }, at) => {
    const x = starts[at] ?? 0;
    group.append(
      s("rect", { x, y: top - 6, width: cellWidth - 1, height: 4, fill: context.colour(entry.cluster) }),
      s("text", { x: x + cellWidth / 2, y: top - 10, "text-anchor": "middle" }, entry.cluster),
    );
  });
  if (!isByLayer) {
    columns.forEach(({ layerNumber }, at) => {
      group.append(
        s(
          "text",
          { x: (starts[at] ?? 0) + cellWidth / 2, y: 14, "text-anchor": "middle", class: "soft" },
          layerNumber + 1,
        ),
      );
    });
    group.append(s("text", { x: layout.left - 8, y: 14, "text-anchor": "end", class: "soft" }, "layer"));
  } else {
    columns.forEach(({ entry, layerNumber }, at) => {
      if (layerNumber === columns[at - 1]?.layerNumber) return;
      const last = columns.findLastIndex((column) => column.layerNumber === layerNumber);
      const room = (starts[last] ?? 0) + cellWidth - (starts[at] ?? 0);
      group.append(
        s(
          "text",
          { x: starts[at] ?? 0, y: 14, class: "layer" },
          s("title", {}, entry.layer),
          shorten(entry.layer, Math.max(2, Math.floor(room / 6.6))),
        ),
      );
    });
  }
  group.append(
    s("text", { x: layout.left - 8, y: top - 10, "text-anchor": "end", class: "soft" }, "cluster"),
  );
  return group;
}

function classNames(
  { className }: Context,
  { labels }: Heatmap,
  { left, top, cellHeight }: Layout,
): SVGElement {
  return s(
    "g",
    { class: "class-names" },
    labels.map((label, row) =>
      s(
        "text",
        {
          x: left - 8,
          y: top + (row + 0.5) * cellHeight,
          "text-anchor": "end",
          "dominant-baseline": "central",
        },
        s("title", {}, className(label)),
        shorten(className(label), Math.floor((left - 10) / 6.8)),
      ),
    ),
  );
}

function framePath(
  { columns, labels }: Heatmap,
  { starts, top, cellWidth, cellHeight }: Layout,
  selected: number | null,
): string {
  return columns
    .map(({ entry }, at) =>
      entry.cluster === selected
        ? `M${starts[at]},${top - 6}h${cellWidth - 1}v${labels.length * cellHeight + 6}h${1 - cellWidth}Z`
        : "",
    )
    .join("");
}

function tellCell(
  context: Context,
  { columns, labels }: Heatmap,
  column: number,
  row: number,
): readonly string[] {
  const [found, label] = [columns[column], labels[row]];
  if (found === undefined || label === undefined) return [];
  const { entry, changes, isNoise } = found;
  const name = `class ${context.className(label)} · ${entry.layer} · cluster ${entry.cluster}`;
  const change = changes[label] ?? null;
  if (change === null) return [name, "no inputs of this class"];
  const before = context.data.scores?.baseline?.classAccuracy[label];
  return [
    name,
    `accuracy ${percent(before)} intact, ${percent(entry.importance?.classAccuracy[label])} without it`,
    `${points(change)}${isNoise[label] ? ", within the noise of so many inputs" : ""}`,
  ];
}

/** What it shows, and its strongest cell. */
function nameOf({ className }: Context, { columns, labels }: Heatmap): string {
  let strongest: { readonly column: LesionColumn; readonly label: number; readonly change: number } | null =
    null;
  for (const column of columns) {
    for (const label of labels) {
      const change = column.changes[label] ?? 0;
      if (Math.abs(change) > Math.abs(strongest?.change ?? 0)) strongest = { column, label, change };
    }
  }
  const found =
    strongest === null
      ? "no lesion changes any"
      : `the largest is ${points(strongest.change)} for class ${className(strongest.label)} without ${strongest.column.entry.layer} cluster ${strongest.column.entry.cluster}`;
  return `Change of ${labels.length} classes' accuracies by the lesions of ${columns.length} subclusters; ${found}.`;
}
