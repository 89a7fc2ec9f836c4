/**
 * `scores.json` and the tables that repeat it for spreadsheets (contract, "Files").
 */
import { byAdjust } from "../statistics/multiplicity.ts";
import type { Importance, ImportanceName, ImportanceOptions, SubclusterImportance } from "./importance.ts";
import { DEFAULT_SHUFFLES, IMPORTANCE_NAMES } from "./importance.ts";
import type { NetworkRow } from "./measures.ts";

export const SCORES_SCHEMA = "brodmann/scores/1";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** NaN and infinities have no place in JSON: undefined numbers are null. */
const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The content of `scores.json`, one subcluster a line; equal scores give equal bytes. */
export function formatScores(scores: Importance): string {
  const { baseline, protocol, seed, shuffles, inputs } = scores;
  const q = adjustedByMeasure(scores.subclusters);
  const entries = scores.subclusters.map((subcluster, number) =>
    subclusterEntry(subcluster, (name) => q[name][number] ?? Number.NaN),
  );
  return formatLines([
    ["schema", JSON.stringify(SCORES_SCHEMA)],
    ["protocol", JSON.stringify(protocol)],
    ["seed", JSON.stringify(seed)],
    ["shuffles", JSON.stringify(shuffles)],
    ["lesion", JSON.stringify("zero")],
    ["lesionAt", JSON.stringify(scores.consumer === null ? "output" : `consumer:${scores.consumer}`)],
    ["task", JSON.stringify(scores.task)],
    [
      "baseline",
      JSON.stringify({
        inputs,
        accuracy: numberOrNull(share(baseline.outcome.correct, baseline.classCounts)),
        classAccuracy: Array.from(baseline.classAccuracy, numberOrNull),
        loss: numberOrNull(baseline.outcome.loss),
        ...(scores.r2 === null ? {} : { r2: numberOrNull(scores.r2) }),
      }),
    ],
    ["subclusters", formatEntries(entries)],
    ["filtered", JSON.stringify(scores.filtered)],
    [
      "network",
      JSON.stringify({
        importance: Object.fromEntries(
          IMPORTANCE_NAMES.map((name) => [name, rowEntry(scores.network[name])]),
        ),
      }),
    ],
  ]);
}

/** Scores of the layers that an interrupted run has finished: verdicts, but no q-values and no network rows. */
export function formatPartialScores(
  subclusters: readonly SubclusterImportance[],
  settings: Pick<ImportanceOptions, "protocol" | "shuffles" | "seed"> = {},
): string {
  const { protocol = "strict", shuffles = DEFAULT_SHUFFLES[protocol], seed = 0 } = settings;
  return formatLines([
    ["schema", JSON.stringify(SCORES_SCHEMA)],
    ["isPartial", "true"],
    ["protocol", JSON.stringify(protocol)],
    ["seed", JSON.stringify(seed)],
    ["shuffles", JSON.stringify(shuffles)],
    ["lesion", JSON.stringify("zero")],
    ["subclusters", formatEntries(subclusters.map((subcluster) => subclusterEntry(subcluster, null)))],
  ]);
}

/** A list with a line for each of its entries. */
function formatEntries(entries: readonly Json[]): string {
  if (entries.length === 0) return "[]";
  return `[\n    ${entries.map((entry) => JSON.stringify(entry)).join(",\n    ")}\n  ]`;
}

/** An object of values that are JSON already, a line for each key. */
function formatLines(lines: readonly (readonly [string, string])[]): string {
  return `{\n${lines.map(([key, value]) => `  "${key}": ${value}`).join(",\n")}\n}\n`;
}

function share(correct: Int32Array, counts: Int32Array): number {
  const total = (values: Int32Array) => values.reduce((sum, value) => sum + value, 0);
  return total(correct) / total(counts);
}

/** Benjamini-Yekutieli q-values over all subclusters, by measure. */
function adjustedByMeasure(
  subclusters: readonly SubclusterImportance[],
): Record<ImportanceName, Float64Array> {
  const adjust = (name: ImportanceName) => byAdjust(subclusters.map(({ verdicts }) => verdicts[name].p));
  return { accuracy: adjust("accuracy"), classRange: adjust("classRange"), loss: adjust("loss") };
}

function subclusterEntry(
  { layer, cluster, units, layerUnits, damage, verdicts }: SubclusterImportance,
  q: ((name: ImportanceName) => number) | null,
): Json {
  const byName = (value: (name: ImportanceName) => number) =>
    Object.fromEntries(IMPORTANCE_NAMES.map((name) => [name, numberOrNull(value(name))]));
  return {
    layer,
    cluster,
    units: Array.from(units),
    layerUnits,
    importance: {
      accuracy: numberOrNull(damage.accuracy),
      classAccuracy: Array.from(damage.classAccuracy, numberOrNull),
      meanClassAccuracy: numberOrNull(damage.meanClassAccuracy),
      classRange: numberOrNull(damage.classRange),
      loss: numberOrNull(damage.loss),
      p: byName((name) => verdicts[name].p),
      ...(q === null ? {} : { q: byName(q) }),
      effect: byName((name) => verdicts[name].effect),
      difference: byName((name) => verdicts[name].difference),
      z: byName((name) => verdicts[name].z),
      nulls: byName((name) => verdicts[name].valid),
    },
  };
}

function rowEntry(row: NetworkRow): Json {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, numberOrNull(value)]));
}

/** `subclusters.csv`: one row per scored subcluster. */
export function formatSubclusterTable(scores: Importance): string {
  const names = IMPORTANCE_NAMES;
  const header = [
    ...[
      "layer",
      "cluster",
      "size",
      "layerUnits",
      "accuracy",
      "meanClassAccuracy",
      "classRange",
      "loss",
      "worstClass",
    ],
    ...names.map((name) => `p_${name}`),
    ...names.map((name) => `effect_${name}`),
  ];
  const rows = scores.subclusters.map(({ layer, cluster, units, layerUnits, damage, verdicts }) => [
    layer,
    cluster,
    units.length,
    layerUnits,
    damage.accuracy,
    damage.meanClassAccuracy,
    damage.classRange,
    damage.loss,
    worstClass(damage.classAccuracy, scores.baseline.classAccuracy) ?? "",
    ...names.map((name) => verdicts[name].p),
    ...names.map((name) => verdicts[name].effect),
  ]);
  return formatCsv([header, ...rows]);
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

/** Rows as CSV after RFC 4180; NaN becomes an empty field. */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number): string => {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
    // A leading = + - @ would run as a formula in a spreadsheet: names come from model files.
    const text = /^[=+\-@]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(field).join(",")}\n`).join("");
}
