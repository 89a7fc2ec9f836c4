/** The document of a report from the files of an analysis. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import { readGraph } from "../graph/graph-file.ts";
import { fitPartition, parsePartition } from "../partition/partition-file.ts";
import { SCORES_SCHEMA } from "../scores/scores-file.ts";
import { makeReport } from "./make-report.ts";
import { slimPopulations } from "./populations-document.ts";
import type { ReportData } from "./report-data.ts";
import { readPictures } from "./run-pictures.ts";
import type { ScoresDocument } from "./scores-document.ts";

/**
 * Reads a folder that `analyze` wrote, also that of a run that was interrupted: graph.npz and partition.json are needed, what
 * else is there is shown. Throws `E_INPUT_...` for files that are missing or damaged.
 *
 * @example
 * await writeFile("run/report.html", await renderReport(await readRun("run")));
 */
export async function readRun(folder: string): Promise<ReportData> {
  const graph = await readGraph(join(folder, "graph.npz"));
  const partitionPath = join(folder, "partition.json");
  const file = parsePartition(await readText(partitionPath), partitionPath);
  const partition = fitPartition(file.partition, graph.layers);
  const scores = await readJson(join(folder, "scores.json"), SCORES_SCHEMA);
  if (scores !== null) assertScores(scores, join(folder, "scores.json"));
  const run = await readJson(join(folder, "run.json"), "brodmann/run/1");
  const inputs = record(run?.inputs);
  const model = record(inputs?.model)?.path;
  const classNames = record(inputs?.data)?.classNames;
  const populations = await readJson(join(folder, "populations.json"), "brodmann/populations/1");
  return makeReport({
    name: typeof model === "string" ? basename(model) : basename(folder),
    graph,
    partition,
    scores: scores as unknown as ScoresDocument | null,
    classNames: Array.isArray(classNames) ? classNames.map(String) : null,
    pictures: await readPictures(folder),
    run,
    files: await listFiles(folder),
    patterns: await readJson(join(folder, "patterns.json"), "brodmann/patterns/1"),
    populations: populations && slimPopulations(populations),
  });
}

/** What the page cannot do without; other parts are looked at when they are drawn. */
function assertScores(scores: Readonly<Record<string, unknown>>, path: string): void {
  if (Array.isArray(scores.subclusters) && record(scores.network) !== undefined) return;
  throw new BrodmannError("E_INPUT_FORMAT", `${path}: found no subclusters or no network, expected both`, {
    hint: "Write it again by `brodmann analyze`.",
  });
}

/** Files of the folder itself, without the report that is to be written. */
async function listFiles(folder: string): Promise<ReportData["files"]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && entry.name !== "report.html")
    .map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sizeBytes: (await stat(join(folder, name))).size })),
  );
}

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new BrodmannError("E_INPUT_FILE", `${path}: cannot be read (${messageOf(cause)})`, {
      hint: "Name a folder that `brodmann analyze --out` wrote.",
      cause,
    });
  });
}

/** A file of the given schema; null where there is none. */
async function readJson(path: string, schema: string): Promise<Readonly<Record<string, unknown>> | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new BrodmannError("E_INPUT_FILE", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Check that it is a file that you may read.",
      cause: error,
    });
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new BrodmannError("E_INPUT_FORMAT", `${path}: found no JSON (${messageOf(cause)})`, {
      hint: "Write it again by `brodmann analyze`.",
      cause,
    });
  }
  const content = record(found);
  if (content?.schema !== schema) {
    throw new BrodmannError(
      "E_INPUT_FORMAT",
      `${path}: found schema ${JSON.stringify(content?.schema)}, expected ${schema}`,
      {
        hint: "Write it again by `brodmann analyze`.",
      },
    );
  }
  return content;
}
