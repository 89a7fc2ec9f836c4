/**
 * Classes x subclusters, coloured by the change of accuracy. One path for each colour in place of an element for each cell:
 * thousands of cells cost as little as ten.
 */
import type { Context } from "../../context.ts";
import { h, s } from "../../dom.ts";
import { shorten } from "../../format.ts";
import { STEPS, stepOf } from "./changes.ts";
import { type Heatmap, type Layout, layOut } from "./heatmap-layout.ts";
import { listen } from "./heatmap-pointer.ts";
import { nameOf } from "./heatmap-text.ts";

export interface DrawnHeatmap {
  readonly element: HTMLElement;
  /** Frames the columns of a cluster; null = none. */
  frame(cluster: number | null): void;
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
