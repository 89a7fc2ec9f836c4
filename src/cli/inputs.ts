import { basename } from "node:path";
import { loadDataset } from "../data/dataset.ts";
import type { Dataset } from "../data/parse-dataset.ts";
import { reshapeInputs } from "../data/reshape-inputs.ts";
import { BrodmannError } from "../errors.ts";
import { loadNetwork } from "../network/load-network.ts";
import { layerNamed, type Network, type NetworkOptions } from "../network/network.ts";
import { inputFeed } from "../network/network-input.ts";
import { classCount, countClasses } from "../network/outcomes.ts";
import { LESION_KINDS, type LesionKind } from "../network/replacement.ts";
import { withTask } from "../network/task.ts";
import type { CoherenceOptions } from "../scores/coherence.ts";
import type { ImportanceOptions } from "../scores/importance.ts";
import { SCORE_NAMES, type ScoreName } from "../scores/scores.ts";
import { checkSequential, checkShard, checkShuffles } from "../scores/study.ts";
import { checkVisualShuffles } from "../scores/visual-coherence.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** A network and, where `--data` is given, its inputs in the shape it reads. */
export interface OpenInputs {
  readonly network: Network;
  readonly data: Dataset | null;
  /** Shape of one input as it is stored; null without data. */
  readonly storedShape: readonly number[] | null;
}

/**
 * Loads the network and the data. Each may need the other: images of a folder are brought to the network's input
 * size, and a network with open sizes takes the data's.
 */
export async function openInputs(modelPath: string, flags: Flags, terminal: Terminal): Promise<OpenInputs> {
  const idle = (["skip", "take", "mean", "std"] as const).find((name) => flags[name] !== undefined);
  if (flags.data === undefined && idle !== undefined) {
    throw new BrodmannError(
      "E_USAGE_DATA",
      `--${idle}: found no inputs that it could act on, expected --data`,
      {
        hint: `Add --data inputs.npz, or leave --${idle} out.`,
      },
    );
  }
  const load = (inputShape?: readonly number[]) =>
    loadDataset(flags.data ?? "", {
      skip: flags.skip,
      take: flags.take,
      mean: flags.mean,
      std: flags.std,
      inputShape,
    });
  let network: Network;
  let data: Dataset | null = null;
  try {
    network = await openNetwork(modelPath);
    if (flags.data !== undefined) data = await load(network.inputShape);
  } catch (error) {
    const hasOpenSizes = error instanceof BrodmannError && error.code === "E_NETWORK_SHAPE";
    if (!hasOpenSizes || flags.data === undefined) throw error;
    data = await load();
    network = await openNetwork(modelPath, { inputShape: data.inputShape });
  }
  const consumer = consumerNamed(flags);
  if (consumer !== undefined) layerNamed(network, consumer);
  for (const { node, operator, reason } of network.skipped) {
    terminal.say(`not followed: ${node} (${operator}): ${reason}`);
  }
  if (data === null) return { network, data, storedShape: null };
  const { format, path, notes } = data.source;
  terminal.say(`data: ${data.count} inputs of shape ${data.inputShape.join("x")} from ${path} (${format})`);
  for (const note of notes) terminal.say(`data: ${note}`);
  const shaped = reshapeInputs(data, network.inputShape);
  // Refuses pixels in place of tokens before the long work.
  inputFeed(network.probe, shaped.batch(0, 1), 1);
  return { network, data: shaped, storedShape: data.inputShape };
}

/** Loads the network; errors from deep inside it, which know of no file, get the file's name. */
export async function openNetwork(path: string, options: NetworkOptions = {}): Promise<Network> {
  try {
    return await loadNetwork(path, options);
  } catch (error) {
    if (!(error instanceof BrodmannError) || error.message.includes(basename(path))) throw error;
    const message = `${path}: ${error.message.replace(/^network: /, "")}`;
    throw new BrodmannError(error.code, message, { hint: error.hint, cause: error.cause ?? error });
  }
}

/**
 * Inputs and network fit for scores: the labels are classes of the network, and there are several. Told before the
 * long work. Throws `E_USAGE_DATA`, `E_INPUT_LABELS` and `E_NETWORK_OUTPUT`.
 */
export function requireLabelled({ network, data }: OpenInputs, command: string): Dataset {
  if (data === null) {
    throw new BrodmannError("E_USAGE_DATA", `${command}: found no inputs, expected --data`, {
      hint: "Pass labelled inputs: --data inputs.npz.",
    });
  }
  try {
    countClasses(data.labels, classCount(withTask(network, data)));
  } catch (error) {
    if (!(error instanceof BrodmannError)) throw error;
    const { path, labelsPath } = data.source;
    const { code, message, hint } = error;
    throw new BrodmannError(code, `${labelsPath ?? path}: ${message}`, { hint, cause: error });
  }
  return data;
}

/** The layer that `--lesion-at consumer:NAME` names; undefined for `output`. Throws `E_USAGE_LESION_AT`. */
export function consumerNamed({ "lesion-at": at = "output" }: Flags): string | undefined {
  if (at === "output") return undefined;
  const [, name] = /^consumer:(.+)$/.exec(at) ?? [];
  if (name !== undefined) return name;
  throw new BrodmannError(
    "E_USAGE_LESION_AT",
    `--lesion-at: found "${at}", expected output or consumer:NAME`,
    {
      hint: "Name a layer as `brodmann inspect MODEL` lists it: --lesion-at consumer:/1/Gemm.",
    },
  );
}

/** Refuses scores and numbers of random sets that do not exist, before the long work. */
export function checkScoreFlags(flags: Flags): void {
  const { protocol, shuffles, sequential, lesion, shard } = flags;
  checkShuffles(protocol, shuffles);
  checkVisualShuffles(flags["visual-shuffles"]);
  checkSequential(protocol, sequential);
  if (shard !== undefined) checkShard(shard, sequential);
  readLesions(lesion);
  consumerNamed(flags);
  scoreNames(flags);
}

/** The scores of `--scores NAME,NAME`, all by default. Throws `E_USAGE_SCORES` for unknown ones. */
export function scoreNames({ scores = SCORE_NAMES.join() }: Flags): readonly ScoreName[] {
  const words = scores.split(",").map((word) => word.trim());
  const unknown = words.find((word) => SCORE_NAMES.every((name) => name !== word));
  if (unknown === undefined) return SCORE_NAMES.filter((name) => words.includes(name));
  throw new BrodmannError(
    "E_USAGE_SCORES",
    `--scores: found "${unknown}", expected ${SCORE_NAMES.join(", ")} or both`,
    { hint: "Write --scores importance,coherence, or leave it out for both." },
  );
}

/** Options of all scores. */
type ScoreSettings = ImportanceOptions & Pick<CoherenceOptions, "visual">;

/** How scores are made, as the flags say. */
export function scoreSettings(flags: Flags): ScoreSettings {
  const { protocol, shuffles, seed, sequential, lesion, match, mean, std } = flags;
  const [first, ...compare] = readLesions(lesion);
  const consumer = consumerNamed(flags);
  const visual = { shuffles: flags["visual-shuffles"], imageShape: flags["image-shape"], mean, std };
  return {
    protocol,
    shuffles,
    seed,
    lesion: first,
    compare,
    consumer,
    isSequential: sequential,
    match,
    visual,
  };
}

/** The kinds of lesion of `--lesion KIND,KIND`. Throws `E_USAGE_LESION` for unknown ones. */
export function readLesions(text: string = "zero"): LesionKind[] {
  return text.split(",").map((word) => {
    const kind = LESION_KINDS.find((candidate) => candidate === word.trim());
    if (kind !== undefined) return kind;
    throw new BrodmannError(
      "E_USAGE_LESION",
      `--lesion: found "${word}", expected ${LESION_KINDS.join(", ")} or a list of them`,
      { hint: "Write --lesion zero,mean,resample to test the first and compare the others with it." },
    );
  });
}
