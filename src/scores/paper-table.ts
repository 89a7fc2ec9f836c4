/**
 * The paper's table (method note 8.1): one row per network and partition, its replicates combined.
 */
import { batesCdf } from "../statistics/bates.ts";
import { bhThreshold, byThreshold } from "../statistics/multiplicity.ts";
import { formatCsv } from "./scores-file.ts";

/** Effects of one measure: their mean over the subclusters of all replicates, and its standard error. */
export interface MeasureCells {
  readonly p: number;
  readonly fisherStatistic: number;
  readonly effect: number;
  readonly effectError: number;
}

/** What the table takes from one run. */
export interface TableRun {
  readonly label: string;
  readonly isPruned: boolean;
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly protocol: "strict" | "paper";
  readonly accuracy: RunMeasure;
  readonly classRange: RunMeasure;
}

export interface RunMeasure {
  /** Fisher's p of the run. */
  readonly fisherP: number;
  readonly fisherStatistic: number;
  /** Effects of the subclusters that have one. */
  readonly effects: readonly number[];
}

export interface TableRow {
  readonly label: string;
  readonly isPruned: boolean;
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly replicates: number;
  readonly accuracy: MeasureCells;
  readonly classRange: MeasureCells;
}

export interface PaperTable {
  readonly rows: readonly TableRow[];
  /** Largest p of the table that is significant at a false discovery rate of 0.05; null where none is. */
  readonly bh: number | null;
  readonly by: number | null;
}

/**
 * Rows by label and partition, in the order in which the labels come, weights before activations and global before
 * local. Replicates: P = Bates' distribution of the mean Fisher p, F = mean Fisher statistic.
 */
export function combineRuns(runs: readonly TableRun[]): PaperTable {
  const groups = new Map<string, TableRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.label, run.isPruned, run.kind, run.scope]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const labels = [...new Set(runs.map(({ label }) => label))];
  const rows = [...groups.values()]
    .map(rowOf)
    .sort(
      (a, b) =>
        labels.indexOf(a.label) - labels.indexOf(b.label) ||
        Number(a.isPruned) - Number(b.isPruned) ||
        Number(a.kind === "activations") - Number(b.kind === "activations") ||
        Number(a.scope === "local") - Number(b.scope === "local"),
    );
  const ps = rows.flatMap(({ accuracy, classRange }) => [accuracy.p, classRange.p]);
  return { rows, bh: bhThreshold(ps, 0.05), by: byThreshold(ps, 0.05) };
}

function rowOf(replicates: readonly TableRun[]): TableRow {
  const [{ label, isPruned, kind, scope }] = replicates as readonly [TableRun, ...TableRun[]];
  const cells = (measure: "accuracy" | "classRange"): MeasureCells => {
    const defined = replicates.map((run) => run[measure]).filter(({ fisherP }) => !Number.isNaN(fisherP));
    const effects = defined.flatMap((run) => run.effects);
    const effect = meanOf(effects);
    const variance = effects.reduce((sum, value) => sum + (value - effect) ** 2, 0) / (effects.length - 1);
    return {
      p:
        defined.length === 0
          ? Number.NaN
          : batesCdf(meanOf(defined.map(({ fisherP }) => fisherP)), defined.length),
      fisherStatistic: meanOf(defined.map(({ fisherStatistic }) => fisherStatistic)),
      effect,
      effectError: Math.sqrt(variance / effects.length),
    };
  };
  return {
    label,
    isPruned,
    kind,
    scope,
    replicates: replicates.length,
    accuracy: cells("accuracy"),
    classRange: cells("classRange"),
  };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** The columns of the paper's tables, with the number of replicates behind the network. */
export const TABLE_COLUMNS: readonly string[] = [
  "pruned",
  "network",
  "replicates",
  "activations",
  "local",
  "fisher_p_means",
  "fisher_stat_means",
  "effect_means",
  "effect_means_sem",
  "fisher_p_ranges",
  "fisher_stat_ranges",
  "effect_ranges",
  "effect_ranges_sem",
];

const yesNo = (is: boolean): string => (is ? "yes" : "no");

/** The table as CSV, numbers in full. */
export function formatTableCsv({ rows }: PaperTable): string {
  const cells = rows.map((row) => [
    ...[yesNo(row.isPruned), row.label, row.replicates],
    ...[yesNo(row.kind === "activations"), yesNo(row.scope === "local")],
    ...[row.accuracy, row.classRange].flatMap(({ p, fisherStatistic, effect, effectError }) => [
      p,
      fisherStatistic,
      effect,
      effectError,
    ]),
  ]);
  return formatCsv([TABLE_COLUMNS, ...cells]);
}

/** The header and cells of a row for people: effects with their errors in one column. */
export const SHORT_COLUMNS: readonly string[] = [
  "pruned?",
  "network",
  "activations?",
  "local?",
  "fisher_p_means",
  "fisher_stat_means",
  "effect_means",
  "fisher_p_ranges",
  "fisher_stat_ranges",
  "effect_ranges",
];

/** A row's cells as text; significant p-values carry a star. */
export function shortCells(row: TableRow, critical: number | null, plusMinus: string): string[] {
  const { label, replicates, accuracy, classRange } = row;
  return [
    yesNo(row.isPruned),
    replicates > 1 ? `${label} x${replicates}` : label,
    yesNo(row.kind === "activations"),
    yesNo(row.scope === "local"),
    ...[accuracy, classRange].flatMap(({ p, fisherStatistic, effect, effectError }) => [
      `${significantDigits(p)}${critical !== null && p <= critical ? "*" : ""}`,
      fixed(fisherStatistic),
      Number.isNaN(effect) ? "-" : `${fixed(effect)} ${plusMinus} ${fixed(effectError)}`,
    ]),
  ];
}

const fixed = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : "-");

function significantDigits(p: number): string {
  if (!Number.isFinite(p)) return "-";
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}

/** The table as a LaTeX tabular. */
export function formatTableLatex({ rows, bh }: PaperTable): string {
  const escaped = (text: string) => text.replace(/[&%$#_{}]/g, "\\$&");
  const lines = rows.map((row) => `${shortCells(row, bh, "$\\pm$").map(latexCell).join(" & ")} \\\\`);
  return [
    `\\begin{tabular}{ll${"c".repeat(2)}${"r".repeat(6)}}`,
    "\\hline",
    `${SHORT_COLUMNS.map(escaped).join(" & ")} \\\\`,
    "\\hline",
    ...lines,
    "\\hline",
    "\\end{tabular}",
    "",
  ].join("\n");

  /** `$\pm$` stays as it is; everything else is text. */
  function latexCell(cell: string): string {
    return cell.split("$\\pm$").map(escaped).join("$\\pm$");
  }
}
