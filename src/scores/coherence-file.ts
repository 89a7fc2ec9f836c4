/** Coherence in `scores.json` and `subclusters.csv`. */
import { bhAdjust, byAdjust } from "../statistics/multiplicity.ts";
import type { Coherence, SubclusterCoherence } from "./coherence.ts";
import {
  byCoherence,
  COHERENCE_MEASURES,
  COHERENCE_NAMES,
  type CoherenceName,
} from "./coherence-measures.ts";
import { type Json, numberOrNull, rowEntry, spreadEntry } from "./scores-json.ts";

/** Adjusted p-values over all subclusters, by measure: Benjamini-Yekutieli and Benjamini-Hochberg. */
export function adjustedCoherence(
  subclusters: readonly SubclusterCoherence[],
): Record<CoherenceName, { readonly by: Float64Array; readonly bh: Float64Array }> {
  return byCoherence((name) => {
    const ps = subclusters.map(({ verdicts }) => verdicts[name].p);
    return { by: byAdjust(ps), bh: bhAdjust(ps) };
  });
}

/** The `coherence` of every subcluster, in their order. */
export function coherenceEntries({ subclusters }: Coherence): Json[] {
  const adjusted = adjustedCoherence(subclusters);
  return subclusters.map((subcluster, number) => {
    const { values, verdicts } = subcluster;
    const byName = (value: (name: CoherenceName) => number) =>
      Object.fromEntries(COHERENCE_NAMES.map((name) => [name, numberOrNull(value(name))]));
    return {
      ...byName((name) => values[name]),
      p: byName((name) => verdicts[name].p),
      q: byName((name) => adjusted[name].by[number] ?? Number.NaN),
      bh: byName((name) => adjusted[name].bh[number] ?? Number.NaN),
      effect: byName((name) => verdicts[name].effect),
      difference: byName((name) => verdicts[name].difference),
      z: byName((name) => verdicts[name].z),
      nulls: byName((name) => verdicts[name].valid),
      nullSpread: Object.fromEntries(COHERENCE_NAMES.map((name) => [name, spreadEntry(verdicts[name])])),
      constantUnits: subcluster.constantUnits,
      undefinedUnits: subcluster.undefinedUnits,
      unitsWithoutImpact: subcluster.unitsWithoutImpact,
      unitsWithoutLossImpact: subcluster.unitsWithoutLossImpact,
      dispersion: numberOrNull(subcluster.dispersion),
      classAurocs: subcluster.classAurocs.map(numberOrNull),
      examples: subcluster.examples.map(({ input, label, activation }) => ({
        input,
        label,
        activation: numberOrNull(activation),
      })),
    };
  });
}

/** What all subclusters have in common: the inputs, and CKA between them, a row for each. */
export function coherenceEntry(coherence: Coherence): Json {
  const { inputs, jacobianInputs, visual, notMeasured, similarity, subclusters } = coherence;
  const count = subclusters.length;
  const rows =
    similarity &&
    subclusters.map((_, row) =>
      Array.from(similarity.subarray(row * count, (row + 1) * count), numberOrNull),
    );
  const { shape, ...others } = visual;
  const image = shape && [shape.channels, shape.height, shape.width];
  return { inputs, jacobianInputs, visual: { ...others, image }, notMeasured, similarity: rows };
}

/** Random sets that each subcluster is compared with. */
export function shufflesOf(name: CoherenceName, { shuffles, visual }: Coherence): number {
  return COHERENCE_MEASURES[name].needsImages ? visual.shuffles : shuffles;
}

/** The network's rows, each with what the measure asks and against how many random sets. */
export function coherenceRows(coherence: Coherence): Json {
  return Object.fromEntries(
    COHERENCE_NAMES.map((name) => {
      const { tail, meaning } = COHERENCE_MEASURES[name];
      const shuffles = shufflesOf(name, coherence);
      return [
        name,
        {
          ...rowEntry(coherence.network[name]),
          shuffles,
          tail,
          meaning: `the subcluster's units ${meaning}`,
        },
      ];
    }),
  );
}

/** Columns of `subclusters.csv`, the header first. */
export function coherenceColumns({ subclusters }: Coherence): (string | number)[][] {
  const adjusted = adjustedCoherence(subclusters);
  const names = COHERENCE_NAMES;
  const header = [
    ...names,
    ...names.map((name) => `p_${name}`),
    ...names.map((name) => `effect_${name}`),
    ...names.map((name) => `q_${name}`),
    ...names.map((name) => `bh_${name}`),
    ...["constantUnits", "undefinedUnits", "unitsWithoutImpact", "unitsWithoutLossImpact"],
    ...["dispersion", "topInputs"],
  ];
  const rows = subclusters.map((subcluster, number) => [
    ...names.map((name) => subcluster.values[name]),
    ...names.map((name) => subcluster.verdicts[name].p),
    ...names.map((name) => subcluster.verdicts[name].effect),
    ...names.map((name) => adjusted[name].by[number] ?? Number.NaN),
    ...names.map((name) => adjusted[name].bh[number] ?? Number.NaN),
    subcluster.constantUnits,
    subcluster.undefinedUnits,
    subcluster.unitsWithoutImpact ?? Number.NaN,
    subcluster.unitsWithoutLossImpact ?? Number.NaN,
    subcluster.dispersion,
    subcluster.examples.map(({ input }) => input).join(" "),
  ]);
  return [header, ...rows];
}
