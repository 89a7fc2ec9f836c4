/** What lesions do: to each class, to classes against each other, and two together. */
import type { ScoresDocument } from "../../scores-document.ts";
import { choice } from "../choice.ts";
import type { Context, Section } from "../context.ts";
import { h } from "../dom.ts";
import { figure } from "../figure.ts";
import { count, plural } from "../format.ts";
import { drawByWidth } from "../responsive.ts";
import { classBars } from "./lesions/bars.ts";
import {
  byLayer,
  bySimilarity,
  type LesionColumn,
  lesionColumns,
  scaleOf,
  shownClasses,
} from "./lesions/changes.ts";
import { dissociationList, pairTable } from "./lesions/findings.ts";
import { type DrawnHeatmap, drawHeatmap } from "./lesions/heatmap.ts";
import { colourKey } from "./lesions/key.ts";
import { lossBars } from "./lesions/loss-bars.ts";

/** Classes in rows: more would be a wall. */
const MOST_CLASSES = 60;

export const lesions: Section = {
  id: "lesions",
  title: "Lesions",
  render(context) {
    const { scores } = context.data;
    if (scores === null) return null;
    const columns = lesionColumns(scores, context.layerNumber);
    if (columns.length === 0) return unlesioned();
    const { labels, left } = shownClasses(columns, MOST_CLASSES);
    return h(
      "div",
      { class: "lesions" },
      intro(scores),
      labels.length === 0 ? withoutClasses(context, columns) : withClasses(context, columns, labels, left),
      labels.length > 1 && scores.dissociations ? dissociationList(context, scores.dissociations) : null,
      scores.pairs && scores.pairs.length > 0 ? pairTable(context, scores.pairs) : null,
    );
  },
};

const unlesioned = (): HTMLElement =>
  h(
    "p",
    { class: "empty" },
    "No lesions: this run scored coherence alone. Run brodmann analyze with --scores importance,coherence to see what the network loses without each subcluster.",
  );

const LESIONS: Readonly<Record<string, string>> = {
  zero: "replaced by zero",
  mean: "replaced by their means over the inputs",
  resample: "replaced by what they are for other inputs",
};

function intro({ lesion, baseline, task }: ScoresDocument): HTMLElement {
  return h(
    "p",
    {},
    `In a lesion the outputs of a subcluster's units are ${LESIONS[lesion] ?? `replaced (${lesion})`}, and the network answers ${baseline ? `the same ${plural(baseline.inputs, task === "next-token" ? "text" : "input")}` : "the same inputs"} again. What it can no longer do is what these units were needed for.`,
  );
}

function withoutClasses(context: Context, columns: readonly LesionColumn[]): HTMLElement {
  const box = h("div");
  drawByWidth(box, (width) => lossBars(context, columns, width));
  return h(
    "div",
    {},
    h(
      "p",
      { class: "empty" },
      "This network's task has no classes, so there are no class accuracies. Below is what each lesion does to the loss.",
    ),
    figure(box, {
      name: "lesions",
      caption:
        "Change of the loss by each lesion, with its 95 % bootstrap interval over inputs. Right of 0 the network becomes worse.",
    }),
  );
}

function withClasses(
  context: Context,
  columns: readonly LesionColumn[],
  labels: readonly number[],
  left: number,
): HTMLElement {
  const { limit, beyond } = scaleOf(columns, labels);
  const orders = [byLayer(columns), bySimilarity(columns)];
  let isByLayer = true;
  const box = h("div");
  let drawn: DrawnHeatmap | null = null;
  const frame = (): void => drawn?.frame(context.store.state.selected);
  const redraw = drawByWidth(box, (width) => {
    const map = { columns: orders[isByLayer ? 0 : 1] ?? columns, labels, limit, isByLayer };
    drawn = drawHeatmap(context, map, width);
    frame();
    return drawn.element;
  });
  context.store.watch(frame);
  const order = choice(
    "Order of the columns",
    ["by layer, then cluster", "alike lesions side by side"],
    (at) => {
      isByLayer = at === 0;
      redraw();
    },
  );
  const clipped =
    beyond === 0
      ? ""
      : ` ${plural(beyond, "cell")} ${beyond === 1 ? "goes" : "go"} beyond the scale and ${beyond === 1 ? "has" : "have"} its strongest colour.`;
  const missing =
    left === 0
      ? ""
      : ` ${count(left)} more ${left === 1 ? "class that changes" : "classes that change"} less ${left === 1 ? "is" : "are"} not shown.`;
  return h(
    "div",
    {},
    h("div", { class: "controls" }, h("label", { class: "choice" }, "Columns", order)),
    colourKey(limit),
    figure(box, {
      name: "lesions",
      caption: `Every column is the lesion of a subcluster, every row a class: how its accuracy changes.${clipped}${missing} Numbers of clusters stand above the columns; ${count(columns.length)} in all.`,
    }),
    classBars(context, columns, labels),
  );
}
