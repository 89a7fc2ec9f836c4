import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { BrodmannError, messageOf } from "../../errors.ts";
import {
  combineRuns,
  formatTableCsv,
  formatTableLatex,
  type PaperTable,
  type RunMeasure,
  SHORT_COLUMNS,
  shortCells,
  type TableRun,
} from "../../scores/paper-table.ts";
import { SCORES_SCHEMA } from "../../scores/scores-file.ts";
import type { CommandContext } from "../command-context.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { formatTable } from "../terminal.ts";

/** Share of weights that are zero from which a network counts as pruned. */
const PRUNED_SHARE = 0.5;

/** `brodmann table [LABEL=]RUN...`: runs of one label and partition are replicates. */
export async function run({ flags, positionals, terminal }: CommandContext): Promise<void> {
  if (flags.out !== undefined) await prepareFile(flags.out);
  const found = await Promise.all(positionals.map(readRun));
  checkReplicates(found);
  const table = combineRuns(found);
  const text = flags.json
    ? `${JSON.stringify({ schema: "brodmann/table/1", ...table }, (_, value) => (Number.isNaN(value) ? null : value))}\n`
    : formatAs(flags.format ?? "text", table, found);
  if (flags.out !== undefined) await writeText(flags.out, text);
  await printResult(text);
  if (flags.out !== undefined) terminal.say(`written: ${flags.out}`);
}

function formatAs(format: "text" | "csv" | "latex", table: PaperTable, runs: readonly TableRun[]): string {
  if (format === "csv") return formatTableCsv(table);
  if (format === "latex") return formatTableLatex(table);
  const { rows, bh, by } = table;
  const threshold = (name: string, critical: number | null) =>
    critical === null ? `${name}: nothing` : `${name}: p up to ${critical.toPrecision(3)}`;
  return [
    formatTable(
      SHORT_COLUMNS,
      rows.map((row) => shortCells(row, bh, "+-")),
    ),
    "",
    `Significant at a false discovery rate of 5 % over ${2 * rows.length} rows: ${threshold("BH (*)", bh)}; ${threshold("BY", by)}.`,
    "p: Fisher's over the subclusters, of several replicates Bates' distribution of their mean. It takes subclusters for independent.",
    ...(runs.some(({ protocol }) => protocol === "strict")
      ? ["Some runs follow protocol strict: their permutation p, in scores.json, is the one to go by."]
      : []),
    "",
  ].join("\n");
}

interface FoundRun extends TableRun {
  readonly folder: string;
  readonly modelHash: string;
}

/** The parts of `run.json` and `scores.json` that the table needs. */
interface RunFile {
  readonly inputs?: { readonly model?: { readonly path?: string; readonly sha256?: string } };
  readonly graph?: { readonly kind?: string; readonly scope?: string };
  readonly zeroWeightShare?: number;
}
interface ScoresFile {
  readonly schema?: string;
  readonly isPartial?: boolean;
  readonly protocol?: string;
  readonly subclusters?: readonly {
    readonly importance?: { readonly effect?: Readonly<Record<string, number | null>> };
  }[];
  readonly network?: {
    readonly importance?: Readonly<
      Record<string, { readonly fisherP?: number | null; readonly fisherStatistic?: number | null }>
    >;
  };
}

async function readRun(argument: string): Promise<FoundRun> {
  const [, label, folder = argument] = /^([^=/\\]+)=(.+)$/.exec(argument) ?? [];
  const facts = await readJson<RunFile>(folder, "run.json");
  const scores = await readJson<ScoresFile>(folder, "scores.json");
  const { kind, scope } = facts.graph ?? {};
  const { path = folder, sha256 = folder } = facts.inputs?.model ?? {};
  const rows = scores.network?.importance;
  const isKnown =
    scores.schema === SCORES_SCHEMA &&
    (kind === "weights" || kind === "activations") &&
    (scope === "global" || scope === "local") &&
    (scores.protocol === "strict" || scores.protocol === "paper");
  if (!isKnown || rows === undefined) {
    throw new BrodmannError(
      "E_INPUT_RUN",
      `${folder}: found no finished scores with the graph that they belong to, expected a folder that analyze wrote`,
      { hint: "Make it with brodmann analyze MODEL --data D --out DIR." },
    );
  }
  const measure = (name: string): RunMeasure => ({
    fisherP: rows[name]?.fisherP ?? Number.NaN,
    fisherStatistic: rows[name]?.fisherStatistic ?? Number.NaN,
    effects: (scores.subclusters ?? []).flatMap(({ importance }) => importance?.effect?.[name] ?? []),
  });
  return {
    folder,
    modelHash: sha256,
    label: label ?? basename(path).replace(/\.onnx$/, ""),
    isPruned: (facts.zeroWeightShare ?? 0) >= PRUNED_SHARE,
    kind,
    scope,
    protocol: scores.protocol,
    accuracy: measure("accuracy"),
    classRange: measure("classRange"),
  } as FoundRun;
}

/** Replicates are different networks: the same one twice would count its evidence twice. */
function checkReplicates(runs: readonly FoundRun[]): void {
  const seen = new Map<string, string>();
  for (const { folder, modelHash, label, kind, scope } of runs) {
    const key = JSON.stringify([modelHash, label, kind, scope]);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new BrodmannError(
        "E_INPUT_RUN",
        `${folder}: found the same network and partition as in ${other}, expected replicates to differ`,
        { hint: "Leave one of them out, or give it another label: LABEL=RUN." },
      );
    }
    seen.set(key, folder);
  }
}

async function readJson<T>(folder: string, name: string): Promise<T> {
  const path = join(folder, name);
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    throw new BrodmannError("E_INPUT_RUN", `${path}: ${messageOf(error)}`, {
      hint: "Name folders that brodmann analyze --out wrote.",
      cause: error,
    });
  }
}
