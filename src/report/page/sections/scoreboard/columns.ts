/** The columns of the scoreboard: what is shown, sorted and saved of a row. No DOM. */
import { formatCsv } from "../../../../scores/csv.ts";
import { count, digits, formatP, percent } from "../../format.ts";
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

/** The columns that a document has something for. */
export function columnsOf(
  { importance, coherence }: Shown,
  by: Adjustment,
  className: (label: number) => string,
  hasClasses: boolean,
): readonly Column[] {
  return [
    ...subclusterColumns,
    ...(importance === null ? [] : lesionColumns(hasClasses, className)),
    ...(importance === null ? [] : verdictColumns(importance, by)),
    ...(coherence === null ? [] : verdictColumns(coherence, by)),
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

function lesionColumns(hasClasses: boolean, className: (label: number) => string): readonly Column[] {
  const loss: Column = {
    key: "lossIncrease",
    group: "lesion",
    label: "Loss change",
    title: "How much the loss rises without the subcluster, with its 95 % bootstrap interval over inputs",
    isLargestFirst: true,
    value: ({ entry }) => entry.importance?.lossIncrease ?? null,
    text: ({ entry }) => withSign(entry.importance?.lossIncrease),
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
      text: ({ entry }) => digits(entry.importance?.classRange),
    },
    {
      key: "worstClass",
      group: "lesion",
      label: "Most hurt",
      title: "The class whose accuracy falls most, and by how many percentage points",
      isText: true,
      value: ({ worst }) => worst?.change ?? null,
      text: ({ worst }) => (worst === null ? "–" : `${className(worst.label)} ${points(worst.change)}`),
      saved: ({ worst }) => ({
        worstClass: worst === null ? "" : className(worst.label),
        worstClassChange: worst?.change ?? null,
      }),
    },
  ];
}

function verdictColumns({ kind, name, label, isShare }: MeasureChoice, by: Adjustment): readonly Column[] {
  const adjusted = by === "q" ? "BY" : "BH";
  const reading = (row: Row) => row[kind];
  return [
    {
      key: `${kind}Amount`,
      group: kind,
      label: kind === "importance" ? "Harm" : "Value",
      title: kind === "importance" ? `What is compared with random sets: ${label}` : `Coherence: ${label}`,
      isLargestFirst: true,
      value: (row) => reading(row)?.amount ?? null,
      text: (row) => (isShare ? points(reading(row)?.amount) : digits(reading(row)?.amount)),
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
      text: (row) => withSign(reading(row)?.z, 2),
      saved: (row) => ({ [`z_${name}`]: reading(row)?.z ?? null }),
    },
    {
      key: `${kind}Effect`,
      group: kind,
      label: "Effect",
      title: "2t / (t + r) against the mean r of random sets: 1 = no more than chance, 2 = all of it",
      isLargestFirst: true,
      value: (row) => reading(row)?.effect ?? null,
      text: (row) => digits(reading(row)?.effect),
      saved: (row) => ({ [`effect_${name}`]: reading(row)?.effect ?? null }),
    },
  ];
}

/** "+0.12", "−3". */
export function withSign(value: number | null | undefined, significant: number = 3): string {
  const text = digits(value, significant);
  return typeof value === "number" && value > 0 ? `+${text}` : text;
}

/** A share as percentage points with their sign: "−12.5 pp". */
export function points(share: number | null | undefined): string {
  return typeof share === "number" && Number.isFinite(share)
    ? `${withSign(Math.round(1000 * share) / 10)} pp`
    : "–";
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
