/** Populations lesioned as a whole. */
import type { GroupEntry, PopulationsDocument } from "../../../populations-document.ts";
import { capped } from "../../capped.ts";
import { labelledChoice } from "../../choice.ts";
import { dataTable } from "../../data-table.ts";
import { type Child, h } from "../../dom.ts";
import { count, decimals, digits, formatP, plural } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { groupsSentence } from "./sentences.ts";
import { changedInputs, stateBar } from "./states.ts";

const MOST_GROUPS = 10;

export function groupsPart({ groups = [], shuffles, nullInputs }: PopulationsDocument): HTMLElement | null {
  if (groups.length === 0) return null;
  const kinds = [...new Set(groups.map(({ kind }) => kind))];
  const sorted = [...groups].sort((a, b) => (b.lossImpact ?? -Infinity) - (a.lossImpact ?? -Infinity));
  const most = Math.max(...groups.map(({ states }) => changedInputs(states)));
  const label = layerLabels(groups.map(({ layer }) => layer));
  const box = h("div");
  const show = (at: number): void => {
    const own = at === 0 ? sorted : sorted.filter(({ kind }) => kind === kinds[at - 1]);
    box.replaceChildren(capped(own, MOST_GROUPS, "populations", (shown) => groupTable(shown, most, label)));
  };
  show(0);
  return h(
    "div",
    {},
    h("h3", {}, "Populations lesioned as a whole"),
    h("p", {}, groupsSentence(groups)),
    kinds.length > 1
      ? h("div", { class: "controls" }, labelledChoice("Kind", ["all kinds", ...kinds], show))
      : null,
    box,
    h(
      "p",
      { class: "small soft" },
      `Effect and p against ${plural(shuffles ?? 0, "random set")} of as many units of the same layer, on ${plural(nullInputs ?? 0, "input")}; effect: 1 = as random sets, 2 = all of it, – where it is undefined since random sets lose nothing. No p: one unit, or nearly the whole layer. Co-impact populations are made of units whose lesions hurt, found on the same inputs: that they cost more than random units is no finding of its own; of co-response populations it is.`,
    ),
  );
}

function groupTable(
  groups: readonly GroupEntry[],
  most: number,
  label: (layer: string, letters: number) => string,
): HTMLElement {
  return dataTable(
    "Populations, those that cost most first",
    [
      { text: "population", isText: true },
      { text: "layer", isText: true },
      { text: "units" },
      { text: "loss added" },
      { text: "accuracy lost", title: "Percentage points" },
      { text: "effect", title: "Of the loss, against random sets" },
      { text: "p loss" },
      { text: "p accuracy" },
      {
        text: "beyond its units alone",
        title:
          "Accuracy lost together less what the units lose alone, summed, in points; 95 % interval over inputs",
      },
      { text: "lost", title: "Inputs that become wrong" },
      { text: "gained", title: "Inputs that become right" },
      { text: "" },
    ],
    groups.map(({ kind, population, layer, units, redundancy, against, states, ...group }): Child[] => [
      `${kind} ${population}`,
      h("span", { title: layer }, label(layer, 24)),
      count(units.length),
      digits(group.lossImpact),
      points(group.accuracyImpact),
      decimals(against?.loss.effect, 2),
      strongP(against?.loss.p),
      strongP(against?.accuracy.p),
      `${points(redundancy.accuracy)} [${points(redundancy.interval[0])}, ${points(redundancy.interval[1])}]`,
      count(states.lost + states["lost only jointly"]),
      count(states.gained),
      stateBar(states, most),
    ]),
  );
}

export const points = (share: number | null): string => decimals(share === null ? null : 100 * share, 1);

const strongP = (p: number | null | undefined): Child =>
  p != null && p <= 0.05 ? h("strong", {}, formatP(p)) : formatP(p);
