import { formatCsv } from "./csv.ts";
import type { Protocol } from "./nulls.ts";
import {
  criticalP,
  type MeasureCells,
  type PaperTable,
  type TableRow,
  tableMeasures,
} from "./paper-table.ts";

const KEYS: readonly string[] = ["pruned?", "network", "activations?", "local?"];
const P_NAMES: Readonly<Record<Protocol, string>> = { paper: "fisher_p", strict: "permutation_p" };
const UNDEFINED: MeasureCells = {
  p: Number.NaN,
  fisherStatistic: Number.NaN,
  effect: Number.NaN,
  effectError: Number.NaN,
};

const yesNo = (is: boolean): string => (is ? "yes" : "no");

/** A row's cells, each with the largest p that is significant. */
const cellsOf = (
  table: PaperTable,
  { measures }: TableRow,
): (MeasureCells & { readonly critical: number | null })[] =>
  tableMeasures(table).map(([name]) => ({
    ...(measures[name] ?? UNDEFINED),
    critical: criticalP(table, name),
  }));

/** The columns of the paper's tables (method note 8.1); effects with their errors in one. */
export function tableColumns(table: PaperTable): string[] {
  const measures = tableMeasures(table).flatMap(([, word]) => [
    `${P_NAMES[table.protocol]}_${word}`,
    `fisher_stat_${word}`,
    `effect_${word}`,
  ]);
  return [...KEYS, ...measures];
}

/** A row's cells for people; significant p-values carry a star. */
export function tableCells(table: PaperTable, row: TableRow): string[] {
  return cellsAs(table, row, { times: "x", plusMinus: "+-", star: "*", text: inOneLine });
}

/** The table as CSV, numbers in full; errors of effects have columns of their own, and so has the number of replicates. */
export function formatTableCsv(table: PaperTable): string {
  const columns = tableColumns(table).flatMap((name) =>
    name.startsWith("effect_") ? [name, `${name}_sem`] : [name],
  );
  const rows = table.rows.map((row) => [
    ...[yesNo(row.isPruned), row.label, yesNo(row.kind === "activations"), yesNo(row.scope === "local")],
    ...cellsOf(table, row).flatMap((cell) => [cell.p, cell.fisherStatistic, cell.effect, cell.effectError]),
    row.replicates,
  ]);
  return formatCsv([[...columns, "replicates"], ...rows]);
}

/** The table as a LaTeX tabular. */
export function formatTableLatex(table: PaperTable): string {
  const marks = { times: "$\\times$", plusMinus: "$\\pm$", star: "$^*$", text: escapeLatex };
  const columns = tableColumns(table);
  return [
    `\\begin{tabular}{llcc${"r".repeat(columns.length - KEYS.length)}}`,
    "\\hline",
    `${columns.map(escapeLatex).join(" & ")} \\\\`,
    "\\hline",
    ...table.rows.map((row) => `${cellsAs(table, row, marks).join(" & ")} \\\\`),
    "\\hline",
    "\\end{tabular}",
    "",
  ].join("\n");
}

interface Marks {
  readonly times: string;
  readonly plusMinus: string;
  readonly star: string;
  /** What becomes of a name. */
  text(name: string): string;
}

function cellsAs(table: PaperTable, row: TableRow, { times, plusMinus, star, text }: Marks): string[] {
  const { label, replicates } = row;
  const measures = cellsOf(table, row).flatMap(({ p, fisherStatistic, effect, effectError, critical }) => [
    `${significantDigits(p)}${critical !== null && p <= critical ? star : ""}`,
    fixed(fisherStatistic),
    Number.isNaN(effectError) ? fixed(effect) : `${fixed(effect)} ${plusMinus} ${fixed(effectError)}`,
  ]);
  return [
    yesNo(row.isPruned),
    replicates > 1 ? `${text(label)} ${times}${replicates}` : text(label),
    yesNo(row.kind === "activations"),
    yesNo(row.scope === "local"),
    ...measures,
  ];
}

const fixed = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : "-");

function significantDigits(p: number): string {
  if (!Number.isFinite(p)) return "-";
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}

const LATEX_WORDS: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
};

/** Names come from files: control characters and line breaks become spaces. */
const inOneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ");

/** Text that LaTeX prints as it is. */
function escapeLatex(text: string): string {
  return inOneLine(text).replace(
    /[\\~^<>|&%$#_{}]/g,
    (character) => LATEX_WORDS[character] ?? `\\${character}`,
  );
}
