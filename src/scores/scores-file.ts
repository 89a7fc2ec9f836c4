/**
 * `scores.json` and the tables that repeat it for spreadsheets (contract, "Files").
 */
import { BrodmannError } from "../errors.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { bhAdjust, byAdjust } from "../statistics/multiplicity.ts";
import type { Coherence } from "./coherence.ts";
import { coherenceColumns, coherenceEntries, coherenceEntry, coherenceRows } from "./coherence-file.ts";
import { formatCsv } from "./csv.ts";
import type { SubclusterDissociation } from "./dissociations.ts";
import type { Importance, SubclusterImportance } from "./importance.ts";
import { IMPORTANCE_NAMES, type ImportanceName } from "./importance-measures.ts";
import type { KeepOnly } from "./keep-only.ts";
import type { KindAgreement } from "./kind-agreement.ts";
import type { Verdict } from "./measures.ts";
import type { PairInteraction } from "./pairs.ts";
import { formatEntries, formatLines, type Json, numberOrNull, rowEntry, spreadEntry } from "./scores-json.ts";

export const SCORES_SCHEMA = "brodmann/scores/1";

/**
 * The content of `scores.json`, one subcluster a line; equal scores give equal bytes. Importance and coherence are of the
 * same partition and settings; either may be left out.
 */
export function formatScores(importance: Importance | null, coherence: Coherence | null = null): string {
  const scores = importance ?? coherence;
  if (scores === null) throw new BrodmannError("E_INTERNAL_SCORES", "formatScores: found no scores");
  const { protocol, seed, shuffles, lesion, consumer, task, match, filtered } = scores;
  return formatLines([
    ["schema", JSON.stringify(SCORES_SCHEMA)],
    ["protocol", JSON.stringify(protocol)],
    ["seed", JSON.stringify(seed)],
    ["shuffles", JSON.stringify(shuffles)],
    ["lesion", JSON.stringify(lesion)],
    ["lesionAt", JSON.stringify(lesionAt(consumer))],
    ["task", JSON.stringify(task)],
    ["match", JSON.stringify(match)],
    ...(importance === null ? [] : drawLines(importance)),
    ["subclusters", formatEntries(subclusterEntries(importance, coherence))],
    ["filtered", JSON.stringify(filtered)],
    ...(importance === null ? [] : findingLines(importance)),
    ...(coherence === null ? [] : [["coherence", JSON.stringify(coherenceEntry(coherence))] as const]),
    ...arrangementLines(importance, coherence),
    [
      "network",
      JSON.stringify({
        ...(importance === null ? {} : { importance: importanceRows(importance) }),
        ...(coherence === null ? {} : { coherence: coherenceRows(coherence) }),
      }),
    ],
  ]);
}

/** Every subcluster with its scores, which come in the same order. */
function subclusterEntries(importance: Importance | null, coherence: Coherence | null): Json[] {
  const subclusters = importance?.subclusters ?? coherence?.subclusters ?? [];
  const adjusted = importance && adjustedByMeasure(importance.subclusters);
  const entries = coherence && coherenceEntries(coherence);
  return subclusters.map(({ layer, cluster, units, layerUnits }, number) => ({
    layer,
    cluster,
    units: Array.from(units),
    layerUnits,
    ...(importance === null || adjusted === null
      ? {}
      : {
          importance: importanceEntry(importance.subclusters[number] as SubclusterImportance, (name) => ({
            q: adjusted[name].by[number] ?? Number.NaN,
            bh: adjusted[name].bh[number] ?? Number.NaN,
          })),
        }),
    ...(entries === null ? {} : { coherence: entries[number] ?? null }),
  }));
}

/** How random sets of importance were drawn, and the intact network. */
function drawLines({ isSequential, commonDraws, inputs, baseline, r2 }: Importance): [string, string][] {
  return [
    ["sequential", JSON.stringify(isSequential)],
    ["commonDraws", JSON.stringify(commonDraws)],
    [
      "baseline",
      JSON.stringify({
        inputs,
        accuracy: numberOrNull(share(baseline.outcome.correct, baseline.classCounts)),
        classAccuracy: Array.from(baseline.classAccuracy, numberOrNull),
        loss: numberOrNull(baseline.outcome.loss),
        ...(r2 === null ? {} : { r2: numberOrNull(r2) }),
      }),
    ],
  ];
}

/** What goes beyond single subclusters. */
function findingLines({ agreement, dissociations, pairs }: Importance): [string, string][] {
  return [
    ["agreement", JSON.stringify(agreement.map(agreementEntry))],
    ["dissociations", formatEntries(dissociations.map(dissociationEntry))],
    ["pairs", formatEntries(pairs.map(pairEntry))],
  ];
}

const importanceRows = ({ network }: Importance): Json =>
  Object.fromEntries(IMPORTANCE_NAMES.map((name) => [name, rowEntry(network[name])]));

/** Strict: the statistics of every layer's arrangements, so that replicates can be tested together. */
function arrangementLines(importance: Importance | null, coherence: Coherence | null): [string, string][] {
  const tables = Object.entries({ ...importance?.arrangements, ...coherence?.arrangements });
  if (tables.length === 0) return [];
  const entries = tables.map(([name, layers]) => [name, layers.map((table) => Array.from(table))]);
  return [["arrangements", JSON.stringify(Object.fromEntries(entries))]];
}

const lesionAt = (consumer: string | null = null): string =>
  consumer === null ? "output" : `consumer:${consumer}`;

function share(correct: Int32Array, counts: Int32Array): number {
  const total = (values: Int32Array) => values.reduce((sum, value) => sum + value, 0);
  return total(correct) / total(counts);
}

/** Adjusted p-values over all subclusters, by measure: Benjamini-Yekutieli and Benjamini-Hochberg. */
export function adjustedByMeasure(
  subclusters: readonly SubclusterImportance[],
): Record<ImportanceName, { readonly by: Float64Array; readonly bh: Float64Array }> {
  const adjust = (name: ImportanceName) => {
    const ps = subclusters.map(({ verdicts }) => verdicts[name].p);
    return { by: byAdjust(ps), bh: bhAdjust(ps) };
  };
  return { accuracy: adjust("accuracy"), classRange: adjust("classRange"), loss: adjust("loss") };
}

function importanceEntry(
  subcluster: SubclusterImportance,
  adjusted: (name: ImportanceName) => { readonly q: number; readonly bh: number },
): Json {
  const { damage, verdicts, intervals, profile } = subcluster;
  const byName = (value: (name: ImportanceName) => number) =>
    Object.fromEntries(IMPORTANCE_NAMES.map((name) => [name, numberOrNull(value(name))]));
  return {
    accuracy: numberOrNull(damage.accuracy),
    classAccuracy: Array.from(damage.classAccuracy, numberOrNull),
    meanClassAccuracy: numberOrNull(damage.meanClassAccuracy),
    classRange: numberOrNull(damage.classRange),
    loss: numberOrNull(damage.loss),
    lossIncrease: numberOrNull(damage.lossIncrease),
    intervals: {
      lossIncrease: intervalEntry(intervals.lossIncrease),
      meanClassAccuracyChange: intervalEntry(intervals.meanChange),
    },
    flipRate: numberOrNull(subcluster.flipRate),
    divergence: numberOrNull(subcluster.divergence),
    p: byName((name) => verdicts[name].p),
    q: byName((name) => adjusted(name).q),
    bh: byName((name) => adjusted(name).bh),
    effect: byName((name) => verdicts[name].effect),
    difference: byName((name) => verdicts[name].difference),
    z: byName((name) => verdicts[name].z),
    nulls: byName((name) => verdicts[name].valid),
    nullSpread: Object.fromEntries(IMPORTANCE_NAMES.map((name) => [name, spreadEntry(verdicts[name])])),
    drawn: subcluster.drawn,
    profile: {
      classDrop: Array.from(profile.drops, numberOrNull),
      specialisation: numberOrNull(profile.specialisation),
      gini: numberOrNull(profile.gini),
    },
    ...(subcluster.keepOnly === null ? {} : { keepOnly: keepOnlyEntry(subcluster.keepOnly) }),
    ...(subcluster.compared.size === 0 ? {} : { byLesion: comparedEntry(subcluster) }),
  };
}

const intervalEntry = ({ low, high }: Interval): Json => [numberOrNull(low), numberOrNull(high)];

function keepOnlyEntry({ damage, verdicts }: KeepOnly): Json {
  const each = (value: (verdict: Verdict) => number): Json => ({
    accuracy: numberOrNull(value(verdicts.accuracy)),
    loss: numberOrNull(value(verdicts.loss)),
  });
  return {
    lesion: "mean",
    accuracy: numberOrNull(damage.accuracy),
    meanClassAccuracy: numberOrNull(damage.meanClassAccuracy),
    loss: numberOrNull(damage.loss),
    p: each(({ p }) => p),
    z: each(({ z }) => z),
    nulls: each(({ valid }) => valid),
  };
}

/** The same numbers by the further kinds of lesion. */
function comparedEntry({ compared }: SubclusterImportance): Json {
  const entries = Array.from(compared, ([kind, damage]) => [
    kind,
    {
      accuracy: numberOrNull(damage.accuracy),
      meanClassAccuracy: numberOrNull(damage.meanClassAccuracy),
      loss: numberOrNull(damage.loss),
      lossIncrease: numberOrNull(damage.lossIncrease),
    },
  ]);
  return Object.fromEntries(entries);
}

const agreementEntry = ({ kinds, accuracy, loss }: KindAgreement): Json => ({
  kinds,
  accuracy: numberOrNull(accuracy),
  loss: numberOrNull(loss),
});

const dissociationEntry = (found: SubclusterDissociation): Json => ({
  layer: found.layer,
  clusters: found.clusters,
  classes: found.classes,
  strength: numberOrNull(found.strength),
  p: numberOrNull(found.p),
  q: numberOrNull(found.q),
});

const pairEntry = (pair: PairInteraction): Json => ({
  subclusters: pair.subclusters.map(({ layer, cluster }) => ({ layer, cluster })),
  lossIncrease: numberOrNull(pair.lossIncrease),
  synergy: numberOrNull(pair.synergy),
  interval: intervalEntry(pair.interval),
  lostOnlyTogether: numberOrNull(pair.lostOnlyTogether),
});

/** `subclusters.csv`: one row per scored subcluster. */
export function formatSubclusterTable(
  importance: Importance | null,
  coherence: Coherence | null = null,
): string {
  const subclusters = importance?.subclusters ?? coherence?.subclusters ?? [];
  const tables = [
    [
      ["layer", "cluster", "size", "layerUnits"],
      ...subclusters.map(({ layer, cluster, units, layerUnits }) => [
        layer,
        cluster,
        units.length,
        layerUnits,
      ]),
    ],
    ...(importance === null ? [] : [importanceColumns(importance)]),
    ...(coherence === null ? [] : [coherenceColumns(coherence)]),
  ];
  const [first = []] = tables;
  return formatCsv(first.map((_, row) => tables.flatMap((table) => table[row] ?? [])));
}

/** The columns of importance, the header first. */
function importanceColumns(scores: Importance): (string | number)[][] {
  const names = IMPORTANCE_NAMES;
  const header = [
    ...["accuracy", "meanClassAccuracy", "classRange", "loss", "worstClass"],
    ...names.map((name) => `p_${name}`),
    ...names.map((name) => `effect_${name}`),
    ...names.map((name) => `q_${name}`),
    ...names.map((name) => `bh_${name}`),
    ...["lossIncrease", "lossIncreaseLow", "lossIncreaseHigh", "flipRate", "divergence"],
    ...["specialisation", "keptAccuracy", "keptLoss", "p_keptAccuracy", "p_keptLoss", "drawn"],
  ];
  const adjusted = adjustedByMeasure(scores.subclusters);
  const rows = scores.subclusters.map((subcluster, number) => {
    const { damage, verdicts, intervals, keepOnly } = subcluster;
    return [
      damage.accuracy,
      damage.meanClassAccuracy,
      damage.classRange,
      damage.loss,
      worstClass(damage.classAccuracy, scores.baseline.classAccuracy) ?? "",
      ...names.map((name) => verdicts[name].p),
      ...names.map((name) => verdicts[name].effect),
      ...names.map((name) => adjusted[name].by[number] ?? Number.NaN),
      ...names.map((name) => adjusted[name].bh[number] ?? Number.NaN),
      damage.lossIncrease,
      intervals.lossIncrease.low,
      intervals.lossIncrease.high,
      subcluster.flipRate,
      subcluster.divergence,
      subcluster.profile.specialisation,
      keepOnly?.damage.accuracy ?? Number.NaN,
      keepOnly?.damage.loss ?? Number.NaN,
      keepOnly?.verdicts.accuracy.p ?? Number.NaN,
      keepOnly?.verdicts.loss.p ?? Number.NaN,
      subcluster.drawn,
    ];
  });
  return [header, ...rows];
}

/** The class whose accuracy falls most, or null where none falls. */
export function worstClass(classAccuracy: Float64Array, intact: Float64Array): number | null {
  let worst: number | null = null;
  let most = 0;
  classAccuracy.forEach((accuracy, c) => {
    const drop = (intact[c] as number) - accuracy;
    if (drop > most) {
      most = drop;
      worst = c;
    }
  });
  return worst;
}
