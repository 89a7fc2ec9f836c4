/** Whether units that act alike hurt alike, and whether either follows the weights. */
import type { AgreementEntry, ShuffleTest } from "../../../populations-document.ts";
import { dataTable } from "../../data-table.ts";
import { type Child, h } from "../../dom.ts";
import { count, decimals, formatP } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { agreementSentence, partitionName } from "./sentences.ts";

export function agreementPart(agreements: readonly AgreementEntry[]): HTMLElement | null {
  const [first] = agreements;
  if (first === undefined) return null;
  const layers = [...new Set(agreements.flatMap(({ layers: own }) => own.map(({ name }) => name)))];
  const label = layerLabels(layers);
  return h(
    "div",
    {},
    h("h3", {}, "Do they agree?"),
    h(
      "ul",
      { class: "statements" },
      agreements.map((agreement) => h("li", {}, agreementSentence(agreement))),
    ),
    dataTable(
      "Agreement of the populations and the partition",
      [
        { text: "layer", isText: true },
        ...agreements.map(({ partitions: [one, other] }) => ({
          text: `${partitionName(one)} / ${partitionName(other)}`,
        })),
      ],
      [
        [
          "all layers",
          ...agreements.map(({ overall }) => cell(overall?.ami, overall?.withinLayers.ami, true)),
        ],
        ...layers.map((name): Child[] => [
          h("span", { title: name }, label(name, 28)),
          ...agreements.map(({ layers: own }) => {
            const found = own.find((layer) => layer.name === name);
            return cell(found?.ami, found?.shuffled.ami);
          }),
        ]),
      ],
    ),
    h(
      "p",
      { class: "small soft" },
      `Adjusted mutual information (1 = the same, 0 = chance), and p against ${count(first.shuffles)} shufflings of labels within the layer; bold: p at most .05. Over all layers together some agreement comes from the layers alone: what shuffling within them gives stands in brackets.`,
    ),
  );
}

function cell(ami: number | null | undefined, test: ShuffleTest | undefined, hasChance = false): Child {
  if (ami === null || ami === undefined) return "–";
  const value = decimals(ami, 3);
  const p = test?.p ?? null;
  const chance = hasChance ? ` (${decimals(test?.mean, 3)})` : "";
  return [
    p !== null && p <= 0.05 ? h("strong", {}, value) : value,
    h("span", { class: "soft p" }, `${chance} p ${formatP(p)}`),
  ];
}
