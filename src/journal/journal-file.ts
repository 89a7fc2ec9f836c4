/**
 * A journal: a file that a long run appends its results to as they come, so that it can be killed at any moment and
 * continued. JSON lines: a header, which tells of which run it is, and then one line for every record,
 * `{"key": ..., "value": ...}`; several values of one key belong together in their order.
 *
 * A record is handed to the system as soon as it is made, so it outlives the program; after a power cut the last
 * seconds may be missing. A last line without its line break was being written and does not count.
 */
import { appendFileSync, closeSync, openSync } from "node:fs";
import { open, rm, stat, truncate } from "node:fs/promises";
import { BrodmannError, messageOf } from "../errors.ts";
import type { RecordOptions, Records } from "../records.ts";
import { completeLines, decodeLine, encodeLine } from "./journal-lines.ts";

export const JOURNAL_SCHEMA = "brodmann/journal/1";

/** What a journal's run is told by: inputs and settings by name, none of them undefined. */
export type JournalHeader = Readonly<Record<string, unknown>>;

/** What is in a journal. */
export interface JournalContent {
  readonly path: string;
  readonly header: JournalHeader;
  readonly records: Records;
  /** Number of records. */
  readonly count: number;
  /** Length of the lines that count. */
  readonly bytes: number;
}

/** A journal that is being written; `earlier` and `onRecord` are what long calls take. */
export interface Journal extends RecordOptions {
  readonly path: string;
  readonly earlier: Records;
  readonly onRecord: (key: string, value: unknown) => void;
  /** What was done with a journal that was there: continued with so many records, replaced; null where there was none. */
  readonly found: { readonly continued: number } | "replaced" | null;
  close(): void;
  /** Closes the journal and removes the file. */
  remove(): Promise<void>;
}

/**
 * Opens the journal of a run. With `isResumed` one that is there is continued, if its header is this run's; without, it is
 * replaced. A file that is no journal is left alone.
 *
 * Throws `E_INPUT_JOURNAL` for a damaged journal, or of other inputs, `E_USAGE_RESUME` for one of other settings, and
 * `E_OUTPUT_FILE` where the file cannot be written or is another one.
 *
 * @example
 * const journal = await openJournal("scores.jsonl", { model: sha256, seed: 0 }, { isResumed: true });
 * const scores = await importance(network, digits, partition, journal);
 * await journal.remove();
 */
export async function openJournal(
  path: string,
  facts: JournalHeader,
  { isResumed = false }: { readonly isResumed?: boolean } = {},
): Promise<Journal> {
  const header = { schema: JOURNAL_SCHEMA, ...facts };
  const isThere = (await stat(path).catch(() => null)) !== null;
  const head = isThere ? await readHeader(path) : null;
  const content = head !== null && isResumed ? await readJournal(path) : null;
  if (content !== null) checkSameRun(content, header);
  let file: number;
  try {
    if (content !== null) await truncate(path, content.bytes);
    file = openSync(path, content === null ? "w" : "a");
  } catch (error) {
    throw outputError(path, error);
  }
  let isOpen = true;
  const append = (line: string) => {
    try {
      appendFileSync(file, line);
    } catch (error) {
      throw outputError(path, error);
    }
  };
  const close = () => {
    if (isOpen) closeSync(file);
    isOpen = false;
  };
  if (content === null) append(encodeLine(header));
  return {
    path,
    earlier: content?.records ?? new Map(),
    onRecord: (key, value) => append(encodeLine({ key, value })),
    found: content !== null ? { continued: content.count } : head !== null ? "replaced" : null,
    close,
    async remove() {
      close();
      await rm(path, { force: true });
    },
  };
}

/**
 * Reads a journal. Throws `E_INPUT_NOT_FOUND`, and `E_INPUT_JOURNAL` with the line that is none.
 *
 * @example
 * const { header, records } = await readJournal("scores.shard-1-of-3.jsonl");
 */
export async function readJournal(path: string): Promise<JournalContent> {
  let header: JournalHeader | null = null;
  const records = new Map<string, unknown[]>();
  let [number, bytes] = [0, 0];
  for await (const { line, end } of completeLines(path)) {
    number++;
    bytes = end;
    if (header === null) {
      header = headerIn(line);
      if (header === null) break;
      continue;
    }
    const { key, value } = recordIn(line, `${path}, line ${number}`);
    const values = records.get(key);
    if (values === undefined) records.set(key, [value]);
    else values.push(value);
  }
  if (header !== null) return { path, header, records, count: number - 1, bytes };
  throw new BrodmannError(
    "E_INPUT_JOURNAL",
    `${path}: found no journal, expected a first line of ${JOURNAL_SCHEMA}`,
    {
      hint: "Give a journal (.jsonl) that brodmann score has written.",
    },
  );
}

/** The first key in which two headers differ, with both values; null where they are the same. */
export function headerDifference(
  found: JournalHeader,
  expected: JournalHeader,
  except: readonly string[] = [],
): { readonly key: string; readonly found: string; readonly expected: string } | null {
  const words = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const key = keys.find((name) => !except.includes(name) && words(found[name]) !== words(expected[name]));
  return key === undefined ? null : { key, found: words(found[key]), expected: words(expected[key]) };
}

/** What is no setting of the command but what it was given to work on and with. */
const INPUT_KEYS = ["schema", "version", "runtime", "model", "weights", "data", "labels", "partition"];

function checkSameRun({ path, header: found }: JournalContent, expected: JournalHeader): void {
  // As the file has it: what JSON makes of the values.
  const difference = headerDifference(found, decodeLine(encodeLine(expected)) as JournalHeader);
  if (difference === null) return;
  const { key } = difference;
  throw new BrodmannError(
    INPUT_KEYS.includes(key) ? "E_INPUT_JOURNAL" : "E_USAGE_RESUME",
    `${path}: found the journal of another run (${key}: ${difference.found}), expected that of this command (${key}: ${difference.expected})`,
    { hint: "Continue it with the command that began it, or leave out --resume to start afresh." },
  );
}

/** The header of a journal that is there; null where nothing of it, or not all, was written. */
async function readHeader(path: string): Promise<JournalHeader | null> {
  for await (const { line } of completeLines(path)) {
    const header = headerIn(line);
    if (header !== null) return header;
    throw foreign(path);
  }
  const { size } = await stat(path);
  if (size > 0 && !(await beginsLikeJournal(path))) throw foreign(path);
  return null;
}

async function beginsLikeJournal(path: string): Promise<boolean> {
  const start = Buffer.from(encodeLine({ schema: JOURNAL_SCHEMA }).slice(0, -2));
  const found = Buffer.alloc(start.length);
  const file = await open(path);
  try {
    const { bytesRead } = await file.read(found, 0, found.length, 0);
    return found.subarray(0, bytesRead).equals(start.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function foreign(path: string): BrodmannError {
  return new BrodmannError(
    "E_OUTPUT_FILE",
    `${path}: found a file that is no journal, expected the place of one`,
    { hint: "Name another --out, or move the file away: a run writes its journal there." },
  );
}

function headerIn(line: string): JournalHeader | null {
  try {
    const value = decodeLine(line);
    const isHeader =
      typeof value === "object" && value !== null && "schema" in value && value.schema === JOURNAL_SCHEMA;
    return isHeader ? (value as JournalHeader) : null;
  } catch {
    return null;
  }
}

function recordIn(line: string, where: string): { readonly key: string; readonly value: unknown } {
  let found = line.length > 60 ? `${line.slice(0, 60)}...` : line;
  try {
    const value = decodeLine(line);
    if (typeof value === "object" && value !== null && "key" in value && "value" in value) {
      if (typeof value.key === "string") return { key: value.key, value: value.value };
    }
  } catch (error) {
    found = `${found} (${messageOf(error)})`;
  }
  throw new BrodmannError(
    "E_INPUT_JOURNAL",
    `${where}: found ${found}, expected a record {"key": ..., "value": ...}`,
    { hint: "The file is damaged: restore it from a copy, or leave out --resume to start afresh." },
  );
}

function outputError(path: string, error: unknown): BrodmannError {
  return new BrodmannError("E_OUTPUT_FILE", `${path}: cannot be written (${messageOf(error)})`, {
    hint: "Name an --out that exists and where you may write; the journal lies beside it.",
    cause: error,
  });
}
