/** How the units of a subcluster spread over the populations of their layer; for its page. */
import { populationsOf, type UnitEntry } from "../../../populations-document.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { percent, plural } from "../../format.ts";
import { impactSentence, spreadOf } from "./spread.ts";
import { clustersOfUnits } from "./unit-rows.ts";

const MOST_ROWS = 8;

/** Null where populations were not looked for in this layer. */
export function populationsOfSubcluster(
  context: Context,
  layer: string,
  cluster: number,
): HTMLElement | null {
  const document = populationsOf(context.data.populations);
  const units = document?.units.filter((unit) => unit.layer === layer) ?? [];
  if (document === null || units.length === 0) return null;
  const scored = context.subclusters.find((entry) => entry.layer === layer && entry.cluster === cluster);
  const clusterOf = clustersOfUnits(context);
  const members = new Set(
    scored?.units ?? units.filter(({ unit }) => clusterOf(layer, unit) === cluster).map(({ unit }) => unit),
  );
  if (members.size === 0) return null;
  const own = units.filter(({ unit }) => members.has(unit));
  const kinds = document.lesions ?? [];
  return h(
    "div",
    { class: "populations-of-subcluster" },
    h("h3", {}, "Its units among the populations"),
    kinds.map((kind) => h("p", {}, impactSentence(own, units, kind))),
    h(
      "div",
      { class: "grid" },
      spreadOver(
        "co-response",
        "Units that act alike over the inputs",
        own,
        units,
        ({ coResponse }) => coResponse,
      ),
      kinds.length === 0
        ? null
        : spreadOver(
            "co-impact",
            "Units whose lesions hurt the same classes",
            own,
            units,
            ({ coImpact }) => coImpact ?? -1,
          ),
    ),
  );
}

function spreadOver(
  kind: string,
  meaning: string,
  own: readonly UnitEntry[],
  all: readonly UnitEntry[],
  populationOf: (unit: UnitEntry) => number,
): HTMLElement {
  const rows = spreadOf(own, all, populationOf);
  const rest = rows.slice(MOST_ROWS);
  return h(
    "div",
    { class: "card" },
    h("h4", {}, `${kind} populations`),
    h("p", { class: "small soft" }, `${meaning}. The line marks the share of the whole layer.`),
    h(
      "ul",
      { class: "spread-list" },
      rows
        .slice(0, MOST_ROWS)
        .map(({ population, units, share, layerShare }) =>
          h(
            "li",
            {},
            h("span", {}, population < 0 ? "in none" : `population ${population}`),
            h(
              "span",
              { class: "share-bar marked", "aria-hidden": "true" },
              h("span", { style: `width:${(100 * share).toFixed(1)}%` }),
              h("i", { style: `left:${(100 * layerShare).toFixed(1)}%` }),
            ),
            h(
              "span",
              { class: "soft" },
              `${plural(units, "unit")}, ${percent(share, 0)} (layer ${percent(layerShare, 0)})`,
            ),
          ),
        ),
    ),
    rest.length === 0
      ? null
      : h(
          "p",
          { class: "small soft" },
          `and ${plural(
            rest.reduce((sum, { units }) => sum + units, 0),
            "unit",
          )} in ${plural(rest.length, "other population")}`,
        ),
  );
}
