/** How a set of units lies among the populations and impacts of its layer. */
import type { UnitEntry } from "../../../populations-document.ts";
import { count, decimals, plural } from "../../format.ts";

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

/** What its units cost one by one, beside the layer's. */
export function impactSentence(own: readonly UnitEntry[], all: readonly UnitEntry[], kind: string): string {
  const impacts = (units: readonly UnitEntry[]): number[] =>
    units.flatMap(({ lesions }) => lesions[kind]?.lossImpact ?? []).sort((a, b) => a - b);
  const [mine, whole] = [impacts(own), impacts(all)];
  if (mine.length === 0) return `None of its units was lesioned by ${kind}.`;
  const tenth = Math.ceil(whole.length / 10);
  const least = whole[whole.length - tenth] ?? Infinity;
  const costly = mine.filter((impact) => impact >= least).length;
  return `Lesioned one by one (by ${kind}), its units add a loss of ${decimals(median(mine), 4)} at the median, those of the layer ${decimals(median(whole), 4)}; ${count(costly)} of its ${plural(mine.length, "unit")} ${costly === 1 ? "is" : "are"} among the costliest tenth of the layer.`;
}

function median(sorted: readonly number[]): number | null {
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
