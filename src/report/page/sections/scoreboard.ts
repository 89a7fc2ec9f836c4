/** The scoreboard: importance against coherence, as a picture and as a table. */
import type { ScoresDocument } from "../../scores-document.ts";
import { labelledChoice } from "../choice.ts";
import type { Context, Section } from "../context.ts";
import { h } from "../dom.ts";
import { figure } from "../figure.ts";
import { plural } from "../format.ts";
import { ADJUSTMENTS, type Adjustment, type MeasureChoice, measuresOf, type Scale } from "../measures.ts";
import { drawByWidth } from "../responsive.ts";
import { legend } from "./scoreboard/legend.ts";
import { showSelected } from "./scoreboard/movable.ts";
import { drawPicture } from "./scoreboard/picture.ts";
import { type Mark, marksOf, type PictureView } from "./scoreboard/places.ts";
import { type Row, rowsOf } from "./scoreboard/rows.ts";
import { caveats, countSentence, pictureCaption } from "./scoreboard/sentences.ts";
import { scoreTable } from "./scoreboard/table.ts";

export const scoreboard: Section = {
  id: "scoreboard",
  title: "Scoreboard",
  render(context) {
    const { scores } = context.data;
    if (scores === null || scores.subclusters.length === 0) return unscored(scores);
    return scored(context, scores);
  },
};

function unscored(scores: ScoresDocument | null): HTMLElement {
  return h(
    "p",
    { class: "empty" },
    scores === null
      ? "Nothing was scored: this run ended with the partition. Run brodmann analyze with data to see what the clusters do."
      : `No subcluster could be scored: all ${plural(scores.filtered, "subcluster")} are single units or nearly whole layers.`,
  );
}

const SCALES: readonly (readonly [Scale, string])[] = [
  ["z", "z: distance from random sets"],
  ["effect", "effect: share against random sets"],
  ["amount", "amounts"],
];

function scored(context: Context, scores: ScoresDocument): HTMLElement {
  const importances = measuresOf(scores, "importance");
  const coherences = measuresOf(scores, "coherence");
  let view: PictureView = {
    importance: importances[0] ?? null,
    coherence: coherences[0] ?? null,
    scale: "z",
    by: "q",
  };
  let rows: readonly Row[] = [];
  let marks: readonly Mark[] = [];
  const hasClasses = (scores.baseline?.classAccuracy ?? []).some((accuracy) => accuracy !== null);
  const table = scoreTable(context, hasClasses);
  const [counts, meanings, caption, keys] = [h("div"), h("div"), h("span"), h("div")];
  const box = h("div");
  const select = () => showSelected(box.querySelector("svg"), marks, context.store.state.selected);
  const redraw = drawByWidth(box, (width) => {
    const drawn = drawPicture(context, marks, view, width);
    showSelected(drawn.querySelector("svg"), marks, context.store.state.selected);
    return drawn;
  });
  const change = (changes: Partial<PictureView>): void => {
    view = { ...view, ...changes };
    rows = rowsOf(scores, view, context.layerNumber);
    marks = marksOf(rows, view);
    counts.replaceChildren(...countsOf(scores, view));
    meanings.replaceChildren(...meaningsOf(view));
    caption.textContent = pictureCaption(view, rows.length - marks.length);
    keys.replaceChildren(legend(view));
    table.update(rows, view, view.by);
    redraw();
  };
  change({});
  context.store.watch(select);
  return h(
    "div",
    { class: "scoreboard" },
    counts,
    h(
      "div",
      { class: "controls" },
      measureChoice("Importance", importances, (importance) => change({ importance })),
      measureChoice("Coherence", coherences, (coherence) => change({ coherence })),
      labelledChoice(
        "Shown as",
        SCALES.map(([, text]) => text),
        (at) => change({ scale: SCALES[at]?.[0] ?? "z" }),
      ),
      labelledChoice("Adjusted by", Object.values(ADJUSTMENTS), (at) =>
        change({ by: (Object.keys(ADJUSTMENTS) as Adjustment[])[at] ?? "q" }),
      ),
    ),
    meanings,
    keys,
    figure(box, { name: "scoreboard", caption }),
    h("h3", {}, "All subclusters"),
    table.element,
  );
}

function measureChoice(
  label: string,
  measures: readonly MeasureChoice[],
  onChoose: (measure: MeasureChoice | null) => void,
): HTMLElement | null {
  if (measures.length === 0) return null;
  const names = measures.map((measure) => measure.label);
  return labelledChoice(label, names, (at) => onChoose(measures[at] ?? null));
}

/** How many stand out, and how to read that. */
function countsOf(scores: ScoresDocument, { importance, coherence }: PictureView): HTMLElement[] {
  const shown = [importance, coherence].flatMap((measure) => {
    const row = measure && scores.network[measure.kind]?.[measure.name];
    return measure && row ? [[measure, row] as const] : [];
  });
  return [
    ...shown.map(([measure, row]) => h("p", { class: "count" }, countSentence(measure, row))),
    h(
      "details",
      { class: "small" },
      h("summary", {}, "What this means, and what was left out"),
      ...caveats(scores, shown).map((text) => h("p", {}, text)),
    ),
  ];
}

const meaningsOf = ({ importance, coherence }: PictureView): HTMLElement[] =>
  [importance, coherence].flatMap((measure) =>
    measure === null
      ? []
      : [
          h(
            "p",
            { class: "soft small" },
            h("strong", {}, measure.label),
            measure.kind === "importance" ? ` asks ${measure.meaning}.` : `: ${measure.meaning}.`,
          ),
        ],
  );
