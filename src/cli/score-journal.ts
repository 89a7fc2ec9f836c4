/** The journal of a command that scores: where it lies, and what tells which run it is of. */

import type { Dataset } from "../data/parse-dataset.ts";
import { sha256 } from "../data/read-bytes.ts";
import type { Engine } from "../engine.ts";
import { BrodmannError } from "../errors.ts";
import { type Journal, type JournalHeader, openJournal } from "../journal/journal-file.ts";
import { hashWeights } from "../network/hash-weights.ts";
import type { Shard } from "../network/lesions.ts";
import type { Network } from "../network/network.ts";
import { runtimeFacts } from "../runtime/session.ts";
import type { CoherenceOptions } from "../scores/coherence.ts";
import type { ImportanceOptions } from "../scores/importance.ts";
import type { ScoreName } from "../scores/scores.ts";
import { settingsOf } from "../scores/study.ts";
import { visualSettings } from "../scores/visual-coherence.ts";
import type { Flags } from "./flags.ts";
import { hashFile, versionOf } from "./run-file.ts";
import type { Terminal } from "./terminal.ts";

/** What a score's journal is told by. */
export interface ScoreRun {
  readonly modelPath: string;
  readonly network: Network;
  readonly data: Dataset;
  /** Text of the partition file. */
  readonly partition: string;
  /** Names of the clusters in the scores, where these are not their numbers. */
  readonly clusters: readonly number[] | null;
  readonly engine: Engine;
  readonly settings: ImportanceOptions & Pick<CoherenceOptions, "visual">;
  readonly scores: readonly ScoreName[];
  readonly shard: Shard | null;
}

/** `scores.jsonl` for `scores.json`; of a shard `scores.shard-1-of-3.jsonl`, or the place itself if it ends in .jsonl. */
export function journalPath(out: string, shard: Shard | null): string {
  if (shard === null) return out.replace(/(\.json)?$/, ".jsonl");
  if (out.endsWith(".jsonl")) return out;
  return out.replace(/(\.json)?$/, `.shard-${shard.number}-of-${shard.of}.jsonl`);
}

/** Opens the journal of a run, and says what becomes of one that is there; errors as `openJournal`. */
export async function openScoreJournal(
  path: string,
  run: ScoreRun,
  flags: Flags,
  terminal: Terminal,
): Promise<Journal> {
  const journal = await openJournal(path, await headerOf(run, flags), { isResumed: flags.resume === true });
  const { found } = journal;
  if (found === "replaced") {
    terminal.say(`journal: ${path} of an earlier run is replaced (--resume would have continued it)`);
  } else if (found !== null) {
    terminal.say(`journal: continuing ${path} (${found.continued} records)`);
  } else if (flags.resume === true) {
    terminal.say(`journal: found none at ${path}, starting from the beginning`);
  }
  return journal;
}

async function headerOf(run: ScoreRun, flags: Flags): Promise<JournalHeader> {
  const { network, data, engine, partition, clusters, shard } = run;
  const { source, classNames } = data;
  const settings = settingsOf(run.settings);
  const { protocol, shuffles, seed, lesion, compare, consumer, match, isSequential } = settings;
  const isInPage = engine.device === "chrome";
  return {
    version: await versionOf(),
    device: isInPage ? "chrome" : "cpu",
    // Without what was noticed on the way.
    runtime: isInPage ? { chrome: engine.facts.chrome } : { onnxRuntime: runtimeFacts().version },
    model: await hashFile(run.modelPath),
    // Weights may lie in files beside the model.
    weights: hashWeights(network),
    data: source.sha256,
    labels: source.labelsSha256,
    skip: source.skip,
    take: source.take,
    mean: flags.mean ?? null,
    std: flags.std ?? null,
    partition: sha256(new TextEncoder().encode(partition)),
    scores: run.scores,
    visual: run.scores.includes("coherence") ? visualSettings(network, run.settings.visual) : null,
    protocol,
    shuffles,
    seed,
    lesion: [lesion, ...compare],
    "lesion-at": consumer === null ? "output" : `consumer:${consumer}`,
    match,
    sequential: isSequential,
    shard,
    clusters,
    classes: classNames,
  };
}

/**
 * Runs `work`; when it is interrupted, the error that reaches people names the files that are kept, and says how the
 * run goes on.
 */
export async function namingKept<T>(
  kept: readonly string[],
  hint: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BrodmannError) || error.code !== "E_INTERRUPTED") throw error;
    const message = `interrupted; kept: ${kept.join(", ") || "nothing"}`;
    throw new BrodmannError("E_INTERRUPTED", message, { hint, cause: error });
  }
}

export const RESUME_HINT = "The same command with --resume continues.";
export const KEEP_HINT = "With --out, a run keeps what is done when it is interrupted.";
