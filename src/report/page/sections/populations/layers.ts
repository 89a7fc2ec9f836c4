/** How many populations each layer has, and how many units matter alone. */
import type { PopulationsDocument } from "../../../populations-document.ts";
import { dataTable } from "../../data-table.ts";
import { h } from "../../dom.ts";
import { count, percent } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { shareBar } from "../../share-bar.ts";

export function layersTable({ layers, lesions = [] }: PopulationsDocument): HTMLElement {
  const label = layerLabels(layers.map(({ name }) => name));
  return dataTable(
    "Populations by layer",
    [
      { text: "layer", isText: true },
      { text: "units" },
      { text: "dead", title: "Units whose output is 0 for every input" },
      { text: "co-response populations" },
      ...(lesions.length === 0 ? [] : [{ text: "co-impact populations" }]),
      ...lesions.map((kind) => ({
        text: `no impact alone (${kind})`,
        title: `Living units whose lesion by ${kind} changes the loss of no class beyond noise`,
      })),
    ],
    layers.map(({ name, units, dead, coResponse, coImpact, lesions: own }) => [
      h("span", { title: name }, label(name, 28)),
      count(units),
      count(dead.length),
      count(coResponse),
      ...(lesions.length === 0 ? [] : [count(coImpact)]),
      ...lesions.map((kind) => {
        const without = own.find((lesion) => lesion.kind === kind)?.withoutLossImpact;
        const alive = units - dead.length;
        const share = without === undefined || alive === 0 ? null : without / alive;
        return h("span", { class: "with-bar" }, percent(share, 0), shareBar(share, "soft"));
      }),
    ]),
  );
}
