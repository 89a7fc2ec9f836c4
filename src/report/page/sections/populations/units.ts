/** Units one by one: a layer and a kind of lesion to choose, two pictures, and a table of those that cost most. */
import type { PopulationsDocument } from "../../../populations-document.ts";
import { capped } from "../../capped.ts";
import { clusterChip } from "../../chip.ts";
import { labelledChoice } from "../../choice.ts";
import type { Context } from "../../context.ts";
import { dataTable } from "../../data-table.ts";
import { h } from "../../dom.ts";
import { decimals, digits } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { shorten } from "../../names.ts";
import { scatterPanels } from "./scatter.ts";
import { costSentence, withInterval } from "./sentences.ts";
import { clustersOfUnits, type UnitRow, unitRows } from "./unit-rows.ts";

const MOST_UNITS = 8;

export function unitsPart(
  context: Context,
  document: PopulationsDocument,
  kinds: readonly string[],
): HTMLElement {
  const clusterOf = clustersOfUnits(context);
  const layers = document.layers.map(({ name }) => name);
  const label = layerLabels(layers);
  const scatter = scatterPanels(context);
  const table = h("div");
  let [layer = "", kind = ""] = [layers[0], kinds[0]];
  const show = (): void => {
    const units = unitRows(document, { layer, kind }, clusterOf);
    scatter.show(units, layer, kind);
    table.replaceChildren(unitTable(context, units));
  };
  show();
  return h(
    "div",
    {},
    h("h3", {}, "Units"),
    h(
      "div",
      { class: "controls" },
      labelledChoice(
        "Layer",
        layers.map((name) => label(name, 40)),
        (at) => {
          layer = layers[at] ?? "";
          show();
        },
      ),
      kinds.length > 1
        ? labelledChoice("Lesioned by", kinds, (at) => {
            kind = kinds[at] ?? "";
            show();
          })
        : null,
    ),
    scatter.element,
    h("h4", {}, "Units that cost most"),
    table,
  );
}

function unitTable(context: Context, units: readonly UnitRow[]): HTMLElement {
  if (units.length === 0) return h("p", { class: "empty" }, "No unit of this layer was lesioned.");
  return h("div", {}, h("p", {}, costSentence(units)), rows(context, units));
}

function rows(context: Context, units: readonly UnitRow[]): HTMLElement {
  return capped(units, MOST_UNITS, "units", (shown) =>
    dataTable(
      "Units, those that cost most first",
      [
        { text: "unit" },
        { text: "cluster", isText: true },
        { text: "loss added", title: "By the lesion of this unit alone; 95 % interval over inputs" },
        { text: "accuracy lost", title: "Percentage points" },
        { text: "magnitude", title: "Mean absolute output" },
        { text: "AUROC", title: "How well its output sets its best class apart" },
        { text: "best class", isText: true },
        { text: "co-response", title: "Its population by response" },
        { text: "co-impact", title: "Its population by impact; – where its impact is not measurable" },
      ],
      shown.map((unit) => [
        unit.unit,
        unit.cluster === null ? "–" : clusterChip(context, unit.cluster),
        withInterval(unit.impact.lossImpact, unit.impact.lossInterval, 4),
        decimals(unit.impact.accuracyImpact === null ? null : 100 * unit.impact.accuracyImpact, 2),
        digits(unit.magnitude),
        decimals(unit.auroc, 2),
        unit.aurocClass === null ? "–" : shorten(context.className(unit.aurocClass), 24),
        population(unit.coResponse),
        population(unit.coImpact),
      ]),
    ),
  );
}

const population = (number: number | undefined): string =>
  number === undefined || number < 0 ? "–" : String(number);
