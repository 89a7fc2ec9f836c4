/** The columns of the scoreboard: what is shown, sorted and saved of a row. No DOM. */
import { formatCsv } from "../../../../scores/csv.ts";
import { count, decimals, digits, formatP, percent } from "../../format.ts";
import type { Adjustment, MeasureChoice } from "../../measures.ts";
import type { Row, Shown } from "./rows.ts";

/** Headers stand in groups. */
export type ColumnGroup = "subcluster" | "lesion" | "importance" | "coherence";

export interface Column {
  readonly key: string;
  readonly group: ColumnGroup;
  readonly label: string;
  /** What the number says. */
  readonly title: string;
  readonly isText?: boolean;
  /** Whether the first click puts the largest on top. */
  readonly isLargestFirst?: boolean;
  /** What is sorted by, and saved where `saved` does not say otherwise. */
  value(row: Row): number | string | null;
  text(row: Row): string;
  /** Fields of the CSV file by their names. */
  saved?(row: Row): Readonly<Record<string, number | string | null>>;
}

/** The columns that a document has something for; the amounts of a column of `rows` have equally many decimals. */
export function columnsOf(
  rows: readonly Row[],
  { importance, coherence }: Shown,
  by: Adjustment,
  className: (label: number) => string,
  hasClasses: boolean,
): readonly Column[] {
  return [
    ...subclusterColumns,
    ...(importance === null ? [] : lesionColumns(rows, hasClasses, className)),
    ...(importance === null ? [] : verdictColumns(rows, importance, by)),
    ...(coherence === null ? [] : verdictColumns(rows, coherence, by)),
  ];
}

const subclusterColumns: readonly Column[] = [
  {
    key: "layer",
    group: "subcluster",
    label: "Layer",
    title: "The layer, in the order of the network. Opens the subcluster's page",
    isText: true,
    value: ({ layerNumber }) => layerNumber,
    text: ({ entry }) => entry.layer,
    saved: ({ entry }) => ({ layer: entry.layer }),
  },
  {
    key: "cluster",
    group: "subcluster",
    label: "Cluster",
    title: "The cluster that the subcluster is a part of",
    isText: true,
    value: ({ entry }) => entry.cluster,
    text: ({ entry }) => String(entry.cluster),
  },
  {
    key: "units",
    group: "subcluster",
    label: "Units",
    title: "Units of the subcluster",
    isLargestFirst: true,
    value: ({ entry }) => entry.units.length,
    text: ({ entry }) => count(entry.units.length),
    saved: ({ entry }) => ({ units: entry.units.length, layerUnits: entry.layerUnits }),
  },
];

function lesionColumns(
  rows: readonly Row[],
  hasClasses: boolean,
  className: (label: number) => string,
): readonly Column[] {
  const lossPlaces = placesOf(rows.map(({ entry }) => entry.importance?.lossIncrease ?? null));
  const loss: Column = {
    key: "lossIncrease",
    group: "lesion",
    label: "Loss change",
    title: "How much the loss rises without the subcluster, with its 95 % bootstrap interval over inputs",
    isLargestFirst: true,
    value: ({ entry }) => entry.importance?.lossIncrease ?? null,
    text: ({ entry }) => plus(entry.importance?.lossIncrease, lossPlaces),
    saved: ({ entry }) => ({
      lossIncrease: entry.importance?.lossIncrease ?? null,
      lossIncreaseLow: entry.importance?.intervals.lossIncrease[0] ?? null,
      lossIncreaseHigh: entry.importance?.intervals.lossIncrease[1] ?? null,
    }),
  };
  if (!hasClasses) return [loss];
  return [
    loss,
    {
      key: "accuracy",
      group: "lesion",
      label: "Accuracy",
      title: "Accuracy of the network without the subcluster",
      value: ({ entry }) => entry.importance?.accuracy ?? null,
      text: ({ entry }) => percent(entry.importance?.accuracy),
    },
    {
      key: "classRange",
      group: "lesion",
      label: "Range",
      title: "How unevenly the lesion hits the classes; a dash where the change is within the noise",
      isLargestFirst: true,
      value: ({ entry }) => entry.importance?.classRange ?? null,
      text: ({ entry }) => decimals(entry.importance?.classRange, 1),
    },
    {
      key: "worstClass",
      group: "lesion",
      label: "Most hurt (pp)",
      title: "The class whose accuracy falls most, and by how many percentage points",
      isText: true,
      value: ({ worst }) => worst?.change ?? null,
      text: ({ worst }) =>
        worst === null ? "–" : `${className(worst.label)} ${plus(100 * worst.change, 1)}`,
      saved: ({ worst }) => ({
        worstClass: worst === null ? "" : className(worst.label),
        worstClassChange: worst?.change ?? null,
      }),
    },
  ];
}

function verdictColumns(
  rows: readonly Row[],
  { kind, name, label, isShare }: MeasureChoice,
  by: Adjustment,
): readonly Column[] {
  const factor = isShare ? 100 : 1;
  const places = isShare ? 1 : placesOf(rows.map((row) => row[kind]?.amount ?? null));
  const adjusted = by === "q" ? "BY" : "BH";
  const reading = (row: Row) => row[kind];
  return [
    {
      key: `${kind}Amount`,
      group: kind,
      label: kind === "coherence" ? "Value" : isShare ? "Harm (pp)" : "Harm",
      title: kind === "importance" ? `What is compared with random sets: ${label}` : `Coherence: ${label}`,
      isLargestFirst: true,
      value: (row) => reading(row)?.amount ?? null,
      text: (row) => decimals(factor * (reading(row)?.amount ?? Number.NaN), places),
      saved: (row) => ({
        [name === "accuracy" ? "accuracyFall" : `${name}Amount`]: reading(row)?.amount ?? null,
      }),
    },
    {
      key: `${kind}P`,
      group: kind,
      label: "p",
      title: "Share of random sets of the same layer and size that do at least as much",
      value: (row) => reading(row)?.p ?? null,
      text: (row) => formatP(reading(row)?.p),
      saved: (row) => ({ [`p_${name}`]: reading(row)?.p ?? null }),
    },
    {
      key: `${kind}Q`,
      group: kind,
      label: `q (${adjusted})`,
      title: "p adjusted for the number of subclusters; at most .05 is called significant",
      value: (row) => reading(row)?.[by] ?? null,
      text: (row) => formatP(reading(row)?.[by]),
      saved: (row) => ({ [`${by}_${name}`]: reading(row)?.[by] ?? null }),
    },
    {
      key: `${kind}Z`,
      group: kind,
      label: "z",
      title: "Distance from the mean of the random sets, in their standard deviations",
      isLargestFirst: true,
      value: (row) => reading(row)?.z ?? null,
      text: (row) => plus(reading(row)?.z, 1),
      saved: (row) => ({ [`z_${name}`]: reading(row)?.z ?? null }),
    },
    {
      key: `${kind}Effect`,
      group: kind,
      label: "Effect",
      title: "2t / (t + r) against the mean r of random sets: 1 = no more than chance, 2 = all of it",
      isLargestFirst: true,
      value: (row) => reading(row)?.effect ?? null,
      text: (row) => decimals(reading(row)?.effect, 2),
      saved: (row) => ({ [`effect_${name}`]: reading(row)?.effect ?? null }),
    },
  ];
}

/** Decimals that give the largest of a column three digits. */
export function placesOf(values: readonly (number | null)[]): number {
  const largest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  return largest === 0 ? 0 : Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(largest))));
}

/** With so many decimals, and a plus where it is above 0. */
export function plus(value: number | null | undefined, places: number): string {
  const text = decimals(value, places);
  return typeof value === "number" && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** "+0.12", "−3". */
export function withSign(value: number | null | undefined, significant: number = 3): string {
  const text = digits(value, significant);
  return typeof value === "number" && value > 0 ? `+${text}` : text;
}

/** A share as percentage points with their sign: "−12.5 pp". */
export function points(share: number | null | undefined): string {
  return typeof share === "number" && Number.isFinite(share) ? `${plus(100 * share, 1)} pp` : "–";
}

/** The rows as a CSV file with all digits, a header first. */
export function scoreboardCsv(rows: readonly Row[], columns: readonly Column[]): string {
  const fields = (row: Row) =>
    Object.assign({}, ...columns.map(({ key, value, saved }) => saved?.(row) ?? { [key]: value(row) }));
  const [first] = rows;
  if (first === undefined) return "";
  const names = Object.keys(fields(first));
  const lines = rows.map((row) => {
    const found: Record<string, number | string | null> = fields(row);
    return names.map((name) => found[name] ?? "");
  });
  return formatCsv([names, ...lines]);
}
