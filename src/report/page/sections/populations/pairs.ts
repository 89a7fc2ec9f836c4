/** Two units lesioned together. */
import type { PopulationsDocument } from "../../../populations-document.ts";
import { capped } from "../../capped.ts";
import { clusterChip } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { dataTable } from "../../data-table.ts";
import { type Child, h } from "../../dom.ts";
import { count, digits } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { pairsSentence, withInterval } from "./sentences.ts";
import { changedInputs, STATES_EXPLAINED, stateBar } from "./states.ts";
import { clustersOfUnits } from "./unit-rows.ts";

const MOST_PAIRS = 8;

export function pairsPart(context: Context, { pairs = [] }: PopulationsDocument): HTMLElement | null {
  if (pairs.length === 0) return null;
  const sorted = [...pairs].sort((a, b) => Math.abs(b.synergy ?? 0) - Math.abs(a.synergy ?? 0));
  const most = Math.max(...pairs.map(({ states }) => changedInputs(states)));
  const label = layerLabels(pairs.map(({ layer }) => layer));
  const clusterOf = clustersOfUnits(context);
  return h(
    "div",
    {},
    h("h3", {}, "Two units together"),
    h("p", {}, pairsSentence(pairs)),
    capped(sorted, MOST_PAIRS, "pairs", (shown) =>
      dataTable(
        "Pairs of units, those that interact most first",
        [
          { text: "units", isText: true },
          { text: "clusters", isText: true },
          { text: "layer", isText: true },
          { text: "loss added" },
          {
            text: "beyond the sum",
            title: "Loss added less what each adds alone; 95 % interval over inputs",
          },
          { text: "lost" },
          { text: "only jointly" },
          { text: "gained" },
          { text: "" },
          { text: "kept" },
          { text: "never right" },
        ],
        shown.map(({ layer, units, lossImpact, synergy, interval, states }): Child[] => [
          units.join(" and "),
          [...new Set(units.map((unit) => clusterOf(layer, unit)))].map((cluster) =>
            cluster === null ? null : clusterChip(context, cluster),
          ),
          h("span", { title: layer }, label(layer, 24)),
          digits(lossImpact, 2),
          withInterval(synergy, interval, 4),
          count(states.lost),
          count(states["lost only jointly"]),
          count(states.gained),
          stateBar(states, most),
          count(states.kept),
          count(states["never right"]),
        ]),
      ),
    ),
    h("p", { class: "small soft" }, STATES_EXPLAINED),
  );
}
