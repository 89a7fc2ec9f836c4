/** The change of each class's accuracy, a small picture for each subcluster. */
import * as Plot from "@observablehq/plot";
import { subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { plural, shorten } from "../../format.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { points } from "../scoreboard/columns.ts";
import { byLayer, type LesionColumn } from "./changes.ts";

/** Small pictures, and classes in each. */
const MOST = 6;
const MOST_CLASSES = 16;

/** The subclusters to show: the selected cluster's, or those whose lesions cost most loss. */
export function barColumns(
  columns: readonly LesionColumn[],
  selected: number | null,
): readonly LesionColumn[] {
  const own = columns.filter(({ entry }) => entry.cluster === selected);
  if (own.length > 0) return byLayer(own);
  const loss = ({ entry }: LesionColumn) => entry.importance?.lossIncrease ?? Number.NEGATIVE_INFINITY;
  return [...columns].sort((a, b) => loss(b) - loss(a)).slice(0, 3);
}

/** Pictures of the selection, kept up to date with it. */
export function classBars(
  context: Context,
  columns: readonly LesionColumn[],
  labels: readonly number[],
): HTMLElement {
  const box = h("div");
  context.store.watch(({ selected }) => {
    const found = barColumns(columns, selected);
    const isSelected = found.some(({ entry }) => entry.cluster === selected);
    const shown = found.slice(0, MOST);
    const changes = shown.flatMap((column) => labels.map((label) => 100 * (column.changes[label] ?? 0)));
    const range = [Math.min(-1, ...changes), Math.max(1, ...changes)] as const;
    box.replaceChildren(
      h("h3", {}, isSelected ? `What cluster ${selected} does for each class` : "The lesions that cost most"),
      h(
        "p",
        { class: "soft" },
        isSelected
          ? `Change of each class's accuracy without the cluster's part in a layer${found.length > MOST ? `, the first ${MOST} of ${plural(found.length, "layer")}` : ""}.`
          : "Change of each class's accuracy without the subcluster. Select a cluster to see its own.",
        " Pale bars are within the noise of so many inputs.",
      ),
      h(
        "div",
        { class: "grid" },
        shown.map((column) => smallBars(context, column, labels, range)),
      ),
    );
  });
  return box;
}

function smallBars(
  context: Context,
  column: LesionColumn,
  labels: readonly number[],
  range: readonly [number, number],
): HTMLElement {
  const { layer, cluster, importance } = column.entry;
  const strength = (label: number) => Math.abs(column.changes[label] ?? 0);
  const shown = [...labels]
    .sort((a, b) => strength(b) - strength(a))
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
  const svg = Plot.plot({
    width: 300,
    height: 22 * shown.length + 34,
    marginLeft: 14 + 7 * Math.min(12, Math.max(...shown.map((label) => context.className(label).length))),
    marginRight: 14,
    marginTop: 4,
    style: { fontSize: "11px", background: "transparent" },
    x: {
      domain: [...range],
      nice: true,
      label: null,
      ticks: 3,
      tickFormat: (value: number) => String(value).replace("-", "−"),
    },
    y: {
      domain: [...shown],
      label: null,
      tickSize: 0,
      tickFormat: (label: number) => shorten(context.className(label), 12),
    },
    marks: [
      Plot.barX(shown, {
        x: (label: number) => 100 * (column.changes[label] ?? 0),
        y: (label: number) => label,
        fill: (label: number) => ((column.changes[label] ?? 0) < 0 ? "var(--fall)" : "var(--rise)"),
        fillOpacity: (label: number) => (column.isNoise[label] ? 0.35 : 1),
        insetTop: 2,
        insetBottom: 2,
      }),
      Plot.ruleX([0]),
    ],
    color: { type: "identity" },
    opacity: { type: "identity" },
  });
  const worst = shown.reduce(
    (a, b) => ((column.changes[b] ?? 0) < (column.changes[a] ?? 0) ? b : a),
    shown[0] ?? 0,
  );
  nameDrawing(
    svg,
    `Change of each class's accuracy without ${layer} cluster ${cluster}; most hurt: ${context.className(worst)}, ${points(column.changes[worst])}`,
  );
  return h(
    "div",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      subclusterLink(context, layer, cluster),
      h("span", { class: "soft small" }, plural(column.entry.units.length, "unit")),
    ),
    svg,
    h(
      "div",
      { class: "soft small" },
      `percentage points${importance ? `; mean ${points((importance.meanClassAccuracy ?? 0) - meanOf(context))}` : ""}`,
    ),
  );
}

function meanOf({ data }: Context): number {
  const known = (data.scores?.baseline?.classAccuracy ?? []).flatMap((value) =>
    value === null ? [] : [value],
  );
  return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
}
