/** How the units of a subcluster spread over the populations of their layer; for its page. */
import { populationsOf, type UnitEntry } from "../../../populations-document.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { count, digits, percent, plural } from "../../format.ts";
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

export interface SpreadRow {
  /** -1 = in none. */
  readonly population: number;
  readonly units: number;
  /** Of the subcluster's units, and of the layer's. */
  readonly share: number;
  readonly layerShare: number;
}

/** Populations that the units are in, those of most units first. */
export function spreadOf(
  own: readonly UnitEntry[],
  all: readonly UnitEntry[],
  populationOf: (unit: UnitEntry) => number,
): SpreadRow[] {
  const tally = (units: readonly UnitEntry[]): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const unit of units) counts.set(populationOf(unit), (counts.get(populationOf(unit)) ?? 0) + 1);
    return counts;
  };
  const inLayer = tally(all);
  return [...tally(own)]
    .map(([population, units]) => ({
      population,
      units,
      share: units / own.length,
      layerShare: (inLayer.get(population) ?? 0) / all.length,
    }))
    .sort((a, b) => b.units - a.units || a.population - b.population);
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

/** What its units cost one by one, beside the layer's. */
export function impactSentence(own: readonly UnitEntry[], all: readonly UnitEntry[], kind: string): string {
  const impacts = (units: readonly UnitEntry[]): number[] =>
    units.flatMap(({ lesions }) => lesions[kind]?.lossImpact ?? []).sort((a, b) => a - b);
  const [mine, whole] = [impacts(own), impacts(all)];
  if (mine.length === 0) return `None of its units was lesioned by ${kind}.`;
  const tenth = Math.ceil(whole.length / 10);
  const least = whole[whole.length - tenth] ?? Infinity;
  const costly = mine.filter((impact) => impact >= least).length;
  return `Lesioned one by one (by ${kind}), its units add a loss of ${digits(median(mine), 2)} at the median, those of the layer ${digits(median(whole), 2)}; ${count(costly)} of its ${plural(mine.length, "unit")} ${costly === 1 ? "is" : "are"} among the costliest tenth of the layer.`;
}

function median(sorted: readonly number[]): number | null {
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
