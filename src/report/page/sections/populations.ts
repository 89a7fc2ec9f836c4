/** Functional populations: units that act alike, units whose lesions hurt alike, and what tells a unit's importance. */
import { populationsOf } from "../../populations-document.ts";
import type { Section } from "../context.ts";
import { h } from "../dom.ts";
import { agreementPart } from "./populations/agreement.ts";
import { claimChart } from "./populations/claim-chart.ts";
import { groupsPart } from "./populations/groups.ts";
import { layersTable } from "./populations/layers.ts";
import { pairsPart } from "./populations/pairs.ts";
import { relationTable } from "./populations/relations.ts";
import { claimSentence, introSentence, strongestSentence } from "./populations/sentences.ts";
import { unitsPart } from "./populations/units.ts";

export const populations: Section = {
  id: "populations",
  title: "Populations",
  render(context) {
    const document = populationsOf(context.data.populations);
    if (document === null) return null;
    const { claim = [], relations = [], agreements = [], lesions = [] } = document;
    const strongest = strongestSentence(claim);
    return h(
      "div",
      { class: "populations" },
      claim.length === 0 ? null : h("p", { class: "finding" }, claimSentence(claim)),
      strongest === null ? null : h("p", {}, strongest),
      h("p", { class: "soft" }, introSentence(document)),
      layersTable(document),
      claim.length === 0
        ? null
        : [h("h3", {}, "What tells a unit's importance?"), claimChart(claim), claimNote()],
      lesions.length === 0 ? null : unitsPart(context, document, lesions),
      relations.length === 0
        ? null
        : [
            h("h3", {}, "Rank correlations with the loss impact"),
            relationTable(relations, lesions),
            h(
              "p",
              { class: "small soft" },
              "Spearman's correlation over the units of a layer, with its 95 % bootstrap interval over units; bold: 0 lies outside it.",
            ),
          ],
      agreementPart(agreements),
      groupsPart(document),
      pairsPart(context, document),
      h("p", { class: "small soft" }, "Populations after Meyes et al. (our reconstruction)."),
    );
  },
};

const claimNote = (): HTMLElement =>
  h(
    "p",
    {},
    "Meyes et al. (2020, arXiv 2004.01254) state that neither magnitude, nor selectivity, nor the impact of a lesion alone tells how important a unit is. Here importance is the loss that a unit's lesion adds. Two cautions: a lesion by zero partly measures magnitude itself, since it moves strong units furthest; and a unit of low impact is not unimportant where others stand in for it.",
  );
