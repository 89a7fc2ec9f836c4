import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { BrodmannError, messageOf } from "../../errors.ts";
import { byMeasure } from "../../scores/importance-measures.ts";
import type { Protocol } from "../../scores/nulls.ts";
import {
  combineRuns,
  type PaperTable,
  type RunMeasure,
  type TableMeasure,
  type TableRun,
} from "../../scores/paper-table.ts";
import { formatTableCsv, formatTableLatex, tableCells, tableColumns } from "../../scores/paper-table-text.ts";
import type { ScoreName } from "../../scores/scores.ts";
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
  const protocol = soleProtocol(found);
  checkReplicates(found, protocol);
  const table = combineRuns(protocol, found);
  const text = flags.json
    ? `${JSON.stringify({ schema: "brodmann/table/1", ...table }, (_, value) => (Number.isNaN(value) ? null : value))}\n`
    : formatAs(flags.format ?? "text", table);
  if (flags.out !== undefined) await writeText(flags.out, text);
  await printResult(text);
  if (flags.out !== undefined) terminal.say(`written: ${flags.out}`);
}

function formatAs(format: "text" | "csv" | "latex", table: PaperTable): string {
  if (format === "csv") return formatTableCsv(table);
  if (format === "latex") return formatTableLatex(table);
  const { protocol, rows, coherence } = table;
  const threshold = (name: string, critical: number | null) =>
    critical === null ? `${name}: nothing` : `${name}: p up to ${critical.toPrecision(3)}`;
  const significant = (family: string, { bh, by }: Pick<PaperTable, "bh" | "by">) =>
    `Significant at a false discovery rate of 5 % over the p-values of ${family}: ${threshold("BH (*)", bh)}; ${threshold("BY", by)}.`;
  return [
    formatTable(
      tableColumns(table),
      rows.map((row) => tableCells(table, row)),
    ),
    "",
    significant("importance", table),
    ...(coherence === null ? [] : [significant("coherence", coherence)]),
    protocol === "paper"
      ? "p: Fisher's over the subclusters, of several replicates Bates' distribution of their mean. It takes subclusters for independent."
      : "p: of labels permuted within the layers, of several replicates those of all together.",
    "",
  ].join("\n");
}

interface FoundRun extends TableRun {
  readonly folder: string;
  readonly modelHash: string;
  readonly protocol: Protocol;
}

/** The parts of `run.json` and `scores.json` that the table needs. */
interface RunFile {
  readonly inputs?: { readonly model?: { readonly path?: string; readonly sha256?: string } };
  readonly graph?: { readonly kind?: string; readonly scope?: string };
  readonly zeroWeightShare?: number;
}
interface ScoresFile {
  readonly schema?: string;
  readonly protocol?: string;
  readonly subclusters?: readonly Readonly<
    Partial<Record<ScoreName, { readonly effect?: Readonly<Record<string, number | null>> }>>
  >[];
  readonly network?: Readonly<Partial<Record<ScoreName, Readonly<Record<string, NetworkRowEntry>>>>>;
  readonly arrangements?: Readonly<Record<string, readonly (readonly number[])[]>>;
}

interface NetworkRowEntry {
  readonly fisherP?: number | null;
  readonly permutationP?: number | null;
  readonly fisherStatistic?: number | null;
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
  const { protocol, subclusters = [], arrangements = {} } = scores;
  const measure = (score: ScoreName, name: TableMeasure): RunMeasure => {
    const row = scores.network?.[score]?.[name];
    return {
      p: (protocol === "paper" ? row?.fisherP : row?.permutationP) ?? Number.NaN,
      fisherStatistic: row?.fisherStatistic ?? Number.NaN,
      effects: subclusters.flatMap((subcluster) => subcluster[score]?.effect?.[name] ?? []),
      arrangements: arrangements[name] ?? [],
    };
  };
  const [score, entropy] = [measure("coherence", "score"), measure("coherence", "entropy")];
  // A run without images has rows without numbers.
  const hasImages = !Number.isNaN(score.fisherStatistic);
  return {
    folder,
    modelHash: sha256,
    label: label ?? basename(path).replace(/\.onnx$/, ""),
    isPruned: (facts.zeroWeightShare ?? 0) >= PRUNED_SHARE,
    kind,
    scope,
    protocol,
    measures: {
      ...byMeasure((name) => measure("importance", name)),
      ...(hasImages ? { score, entropy } : {}),
    },
  } as FoundRun;
}

/** The protocol of all runs: p-values of two kinds make no table. */
function soleProtocol(runs: readonly FoundRun[]): Protocol {
  const [{ protocol, folder }] = runs as readonly [FoundRun, ...FoundRun[]];
  const other = runs.find((run) => run.protocol !== protocol);
  if (other === undefined) return protocol;
  throw new BrodmannError(
    "E_INPUT_RUN",
    `${other.folder}: found protocol ${other.protocol}, expected ${protocol} as in ${folder}`,
    { hint: "Make a table for each protocol." },
  );
}

/**
 * Replicates are different networks: the same one twice would count its evidence twice. By protocol strict they are tested
 * together, for which their files must hold the arrangements.
 */
function checkReplicates(runs: readonly FoundRun[], protocol: Protocol): void {
  const seen = new Map<string, string>();
  const first = new Map<string, FoundRun>();
  for (const run of runs) {
    const { folder, modelHash, label, isPruned, kind, scope } = run;
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
    const row = JSON.stringify([label, isPruned, kind, scope]);
    const replicate = first.get(row);
    first.set(row, run);
    if (protocol === "paper" || replicate === undefined) continue;
    for (const { folder: lacking, measures } of [replicate, run]) {
      if ((measures.loss?.arrangements.length ?? 0) > 0) continue;
      throw new BrodmannError(
        "E_INPUT_RUN",
        `${join(lacking, "scores.json")}: found no arrangements, expected those of every layer: replicates are tested together`,
        { hint: "Run brodmann analyze again: an older version has written it." },
      );
    }
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
