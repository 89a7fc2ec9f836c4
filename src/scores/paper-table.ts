/**
 * The paper's table (method note 8.1): one row per network and partition, its replicates combined. Runs by protocol
 * `paper` give the published columns; those by `strict` have the loss beside them and the joint permutation p in place of
 * Fisher's (8.2).
 */
import { batesCdf } from "../statistics/bates.ts";
import { bhThreshold, byThreshold } from "../statistics/multiplicity.ts";
import { combinedP } from "../statistics/permutation-p.ts";
import { rng } from "../statistics/rng.ts";
import type { ImportanceName } from "./importance-measures.ts";
import { PERMUTATIONS } from "./measures.ts";
import type { Protocol } from "./nulls.ts";

/** What the table has columns for: importance, and what images show of coherence. */
export type TableMeasure = ImportanceName | "score" | "entropy";

/** What the table takes from one run. */
export interface TableRun {
  readonly label: string;
  readonly isPruned: boolean;
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  /** Those that the run has. */
  readonly measures: Readonly<Partial<Record<TableMeasure, RunMeasure>>>;
}

export interface RunMeasure {
  /** The run's own p: Fisher's (paper), of permutations (strict). */
  readonly p: number;
  readonly fisherStatistic: number;
  /** Effects of the subclusters that have one. */
  readonly effects: readonly number[];
  /** Statistics of the arrangements of every layer, the true one first (strict). */
  readonly arrangements: readonly (readonly number[])[];
}

/** One measure of a row; effects with their standard error over subclusters. */
export interface MeasureCells {
  readonly p: number;
  readonly fisherStatistic: number;
  readonly effect: number;
  readonly effectError: number;
}

export interface TableRow {
  readonly label: string;
  readonly isPruned: boolean;
  readonly kind: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly replicates: number;
  /** The measures of the table. */
  readonly measures: Readonly<Partial<Record<TableMeasure, MeasureCells>>>;
}

/** Largest p of a family that is significant at a false discovery rate of 0.05; null where none is. */
interface Critical {
  readonly bh: number | null;
  readonly by: number | null;
}

/** The table; `bh` and `by` are those of importance, since rows of importance and of coherence are families of their own. */
export interface PaperTable extends Critical {
  readonly protocol: Protocol;
  readonly rows: readonly TableRow[];
  /** Null where no run has images: the table then has no columns for them. */
  readonly coherence: Critical | null;
}

/** A measure with its word in the columns. */
type Column = readonly [TableMeasure, string];

/** Measures of importance by protocol, with the paper's words for them: means and ranges of class accuracies. */
const IMPORTANCE_COLUMNS: Readonly<Record<Protocol, readonly Column[]>> = {
  paper: [
    ["accuracy", "means"],
    ["classRange", "ranges"],
  ],
  strict: [
    ["loss", "losses"],
    ["accuracy", "means"],
    ["classRange", "ranges"],
  ],
};

const COHERENCE_COLUMNS: readonly Column[] = [
  ["score", "score"],
  ["entropy", "entropy"],
];

/** The measures that a table has, in the order of their columns. */
export function tableMeasures({ protocol, coherence }: Pick<PaperTable, "protocol" | "coherence">): Column[] {
  return [...IMPORTANCE_COLUMNS[protocol], ...(coherence === null ? [] : COHERENCE_COLUMNS)];
}

/** The family's critical p of a measure, beyond which it is not significant. */
export function criticalP(table: PaperTable, name: TableMeasure): number | null {
  return COHERENCE_COLUMNS.some(([own]) => own === name) ? (table.coherence?.bh ?? null) : table.bh;
}

/**
 * Rows by label and partition, in the order in which the labels come, weights before activations and global before
 * local. Replicates by protocol `paper`: P = Bates' distribution of the mean Fisher p; effects over the subclusters of
 * all. By `strict`: the layers of all replicates are strata of one permutation test; effects within replicates, then
 * their mean. F = mean Fisher statistic.
 */
export function combineRuns(protocol: Protocol, runs: readonly TableRun[]): PaperTable {
  const groups = new Map<string, TableRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.label, run.isPruned, run.kind, run.scope]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const labels = [...new Set(runs.map(({ label }) => label))];
  const rows = [...groups.values()]
    .map((replicates) => rowOf(protocol, replicates))
    .sort(
      (a, b) =>
        labels.indexOf(a.label) - labels.indexOf(b.label) ||
        Number(a.isPruned) - Number(b.isPruned) ||
        Number(a.kind === "activations") - Number(b.kind === "activations") ||
        Number(a.scope === "local") - Number(b.scope === "local"),
    );
  const criticalOf = (columns: readonly Column[]): Critical => {
    const ps = rows.flatMap(({ measures }) => columns.map(([name]) => measures[name]?.p ?? Number.NaN));
    return { bh: bhThreshold(ps, 0.05), by: byThreshold(ps, 0.05) };
  };
  const hasImages = runs.some(({ measures }) => COHERENCE_COLUMNS.some(([name]) => measures[name]));
  return {
    protocol,
    rows,
    ...criticalOf(IMPORTANCE_COLUMNS[protocol]),
    coherence: hasImages ? criticalOf(COHERENCE_COLUMNS) : null,
  };
}

function rowOf(protocol: Protocol, replicates: readonly TableRun[]): TableRow {
  const [{ label, isPruned, kind, scope }] = replicates as readonly [TableRun, ...TableRun[]];
  const combine = protocol === "paper" ? publishedCells : strictCells;
  const cells = [...IMPORTANCE_COLUMNS[protocol], ...COHERENCE_COLUMNS].flatMap(([name]) => {
    const found = replicates.flatMap(({ measures }) => measures[name] ?? []);
    const defined = found.filter(({ p }) => !Number.isNaN(p));
    return found.length === 0 ? [] : [[name, combine(defined, name)]];
  });
  return {
    label,
    isPruned,
    kind,
    scope,
    replicates: replicates.length,
    measures: Object.fromEntries(cells),
  };
}

/** Method note 8.1, steps 5 and 6. */
function publishedCells(runs: readonly RunMeasure[]): MeasureCells {
  const [effect, effectError] = meanAndError(runs.flatMap(({ effects }) => effects));
  return {
    p: runs.length === 0 ? Number.NaN : batesCdf(meanOf(runs.map(({ p }) => p)), runs.length),
    fisherStatistic: meanOf(runs.map(({ fisherStatistic }) => fisherStatistic)),
    effect,
    effectError,
  };
}

/** Method note 8.2: one run keeps its p. */
function strictCells(runs: readonly RunMeasure[], name: TableMeasure): MeasureCells {
  const [only] = runs;
  const tables = runs.flatMap(({ arrangements }) => arrangements);
  const effects = runs.map((run) => meanAndError(run.effects)).filter(([mean]) => !Number.isNaN(mean));
  return {
    p:
      runs.length === 1 && only !== undefined
        ? only.p
        : combinedP(tables, PERMUTATIONS, rng(0, "permutation", "replicates", name)).p,
    fisherStatistic: meanOf(runs.map(({ fisherStatistic }) => fisherStatistic)),
    effect: meanOf(effects.map(([mean]) => mean)),
    effectError: meanOf(effects.map(([, error]) => error)),
  };
}

function meanAndError(values: readonly number[]): [number, number] {
  const mean = meanOf(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return [mean, Math.sqrt(variance / values.length)];
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
