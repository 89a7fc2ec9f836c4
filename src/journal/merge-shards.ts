import { BrodmannError } from "../errors.ts";
import type { Shard } from "../network/lesions.ts";
import { COHERENCE_END, mergeCoherence } from "../scores/coherence.ts";
import { mergeImportance, SHARD_END } from "../scores/importance.ts";
import { SCORE_NAMES, type ScoreName, type Scores } from "../scores/scores.ts";
import { headerDifference, type JournalContent } from "./journal-file.ts";

/**
 * The scores of a run whose shards these are, in any order; the journal of a whole run that is complete is its only
 * shard. Throws `E_INPUT_SHARDS` where they belong to different runs, and where one is missing, there twice, or not
 * finished.
 *
 * @example
 * const scores = await mergeShards([await readJournal("one.jsonl"), await readJournal("two.jsonl")]);
 */
export async function mergeShards(journals: readonly JournalContent[]): Promise<Scores> {
  const names = scoresOf(journals);
  checkShards(journals, names);
  const shards = journals.map(({ records }) => records);
  return {
    importance: names.includes("importance") ? await mergeImportance(shards) : null,
    coherence: names.includes("coherence") ? await mergeCoherence(shards) : null,
  };
}

/** The record that finishes a shard of a score. */
const ENDS: Readonly<Record<ScoreName, string>> = { importance: SHARD_END, coherence: COHERENCE_END };

/** The scores that journals are of: as their header says, else those that have records. */
function scoresOf(journals: readonly JournalContent[]): readonly ScoreName[] {
  const named = journals[0]?.header.scores;
  if (Array.isArray(named)) return SCORE_NAMES.filter((name) => named.includes(name));
  const keys = journals.flatMap(({ records }) => [...records.keys()]);
  const found = SCORE_NAMES.filter((name) => keys.some((key) => key.startsWith(`${name}/`)));
  return found.length > 0 ? found : ["importance"];
}

function checkShards(journals: readonly JournalContent[], scored: readonly ScoreName[]): void {
  const [first] = journals;
  if (first === undefined) return;
  for (const { path, header } of journals) {
    const difference = headerDifference(header, first.header, ["shard"]);
    if (difference === null) continue;
    const { key, found, expected } = difference;
    throw shardError(
      `${path}: found a shard of another run (${key}: ${found}), expected one of that of ${first.path} (${key}: ${expected})`,
      "Merge the shards of one run only.",
    );
  }
  const whole = shardOf(first);
  const paths = new Map<number, string>();
  for (const journal of journals) {
    const { path, records } = journal;
    const { number, of } = shardOf(journal);
    if (of !== whole.of) {
      throw shardError(
        `${path}: found shard ${number}/${of}, expected one of ${whole.of} as ${first.path} is`,
        "Merge the shards of one run only.",
      );
    }
    const twin = paths.get(number);
    if (twin !== undefined) {
      throw shardError(
        `${path}: found shard ${number}/${of} a second time, expected each once (${twin} is the same one)`,
        "Name every shard once.",
      );
    }
    paths.set(number, path);
    if (of > 1 && scored.some((name) => !records.has(ENDS[name]))) {
      throw shardError(
        `${path}: found shard ${number}/${of} unfinished, expected a finished one`,
        "Continue it with the command that began it and --resume.",
      );
    }
  }
  const missing = Array.from({ length: whole.of }, (_, i) => i + 1).filter((number) => !paths.has(number));
  if (missing.length === 0) return;
  const names = missing.map((number) => `${number}/${whole.of}`).join(", ");
  throw shardError(
    `merge: found no shard ${names}, expected all ${whole.of}`,
    `Run it: the same command with --shard ${missing[0]}/${whole.of}.`,
  );
}

/** Which shard a journal is; a whole run is its only one. */
function shardOf({ header, path }: JournalContent): Shard {
  const { shard = null } = header;
  if (shard === null) return { number: 1, of: 1 };
  const { number, of } = shard as Partial<Shard>;
  if (Number.isSafeInteger(number) && Number.isSafeInteger(of)) return { number, of } as Shard;
  throw shardError(`${path}: found shard ${JSON.stringify(shard)}, expected a number and how many`, "");
}

function shardError(message: string, hint: string): BrodmannError {
  return new BrodmannError("E_INPUT_SHARDS", message, { hint });
}
