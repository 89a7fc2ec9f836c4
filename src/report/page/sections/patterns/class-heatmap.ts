/** Classes x patterns of one layer: how many inputs of each class are in each pattern. */
import type { PatternLayer } from "../../../patterns-document.ts";
import { h, s } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, percent, plural } from "../../format.ts";
import { shorten } from "../../names.ts";
import { type ClassGrid, classGrid } from "./class-grid.ts";

const CELL = { width: 38, height: 24 } as const;
const TOP = 40;

export function classHeatmap(found: PatternLayer, className: (label: number) => string): HTMLElement | null {
  const grid = classGrid(found);
  if (grid === null || grid.labels.length === 0) return null;
  const box = h(
    "div",
    { class: "class-heatmap scroll", tabindex: 0, role: "group", "aria-label": "Classes in patterns" },
    drawGrid(grid, found.layer, className),
  );
  const hidden = [
    grid.hiddenClasses > 0 ? plural(grid.hiddenClasses, "rarer class").replace(/classs$/, "classes") : "",
    grid.hiddenPatterns > 0 ? plural(grid.hiddenPatterns, "less persistent pattern") : "",
  ].filter((text) => text !== "");
  return figure(box, {
    name: "pattern-classes",
    caption: `Inputs of each class (rows) in each pattern (columns, the most persistent first). The stronger the colour, the larger the class's share of the pattern: a column with one strong cell is a pattern of one class.${hidden.length > 0 ? ` Not shown: ${hidden.join(", ")}.` : ""}`,
  });
}

function drawGrid(grid: ClassGrid, layer: string, className: (label: number) => string): SVGSVGElement {
  const { labels, columns } = grid;
  const names = labels.map((label) => shorten(className(label), 20));
  const left = Math.max(64, 12 + 7.5 * Math.max(...names.map(({ length }) => length)));
  const [width, height] = [left + columns.length * CELL.width + 2, TOP + labels.length * CELL.height + 2];
  return s(
    "svg",
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": `Classes in the patterns of ${layer}: ${columns
        .slice(0, 12)
        .map((column) => tellLargest(column, labels, className))
        .join("; ")}`,
    },
    s("text", { x: left - 8, y: TOP - 8, "text-anchor": "end", class: "soft" }, "pattern"),
    columns.map(({ pattern }, at) =>
      s(
        "text",
        { x: left + (at + 0.5) * CELL.width, y: TOP - 8, "text-anchor": "middle", class: "soft" },
        pattern,
      ),
    ),
    names.map((name, row) =>
      s(
        "text",
        { x: left - 8, y: TOP + (row + 0.5) * CELL.height, dy: "0.35em", "text-anchor": "end" },
        name,
      ),
    ),
    columns.map(({ pattern, size, counts }, column) =>
      counts.map((inputs, row) => {
        const [x, y] = [left + column * CELL.width, TOP + row * CELL.height];
        if (inputs === 0)
          return s("rect", {
            class: "none",
            x,
            y,
            width: CELL.width - 2,
            height: CELL.height - 2,
            rx: 3,
          });
        const share = inputs / size;
        return s(
          "g",
          {},
          s(
            "title",
            {},
            `${className(labels[row] ?? -1)} in pattern ${pattern}: ${plural(inputs, "input")} of ${count(size)}, ${percent(share, 0)}`,
          ),
          s("rect", {
            class: "some",
            x,
            y,
            width: CELL.width - 2,
            height: CELL.height - 2,
            rx: 3,
            // No stronger, so that letters on it stay readable in both themes.
            "fill-opacity": (0.08 + 0.44 * share).toFixed(3),
          }),
          s(
            "text",
            { x: x + CELL.width / 2 - 1, y: y + CELL.height / 2 - 1, dy: "0.35em", "text-anchor": "middle" },
            count(inputs),
          ),
        );
      }),
    ),
  );
}

function tellLargest(
  { pattern, size, counts }: ClassGrid["columns"][number],
  labels: readonly number[],
  className: (label: number) => string,
): string {
  const most = Math.max(...counts);
  return `pattern ${pattern}, ${percent(most / size, 0)} ${className(labels[counts.indexOf(most)] ?? -1)}`;
}
