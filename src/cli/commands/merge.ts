import { readJournal } from "../../journal/journal-file.ts";
import { mergeShards } from "../../journal/merge-shards.ts";
import { formatScores } from "../../scores/scores-file.ts";
import { withLabels } from "../cluster-names.ts";
import type { CommandContext } from "../command-context.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { formatScoreTables } from "../score-tables.ts";

/** `brodmann merge SHARD.jsonl... --out scores.json`. */
export async function run({ flags, positionals, terminal }: CommandContext): Promise<void> {
  const { out } = flags;
  if (out !== undefined) await prepareFile(out, positionals);
  const journals = [];
  for (const path of positionals) journals.push(await readJournal(path));
  // Of one run, so the names of any of them serve.
  const { clusters = null, classes = null } = journals[0]?.header ?? {};
  const scores = withLabels(await mergeShards(journals), clusters as number[] | null);
  const text = formatScores(scores.importance, scores.coherence);
  if (out !== undefined) await writeText(out, text);
  await printResult(flags.json ? text : formatScoreTables(scores, classes as string[] | null));
  if (out !== undefined) terminal.say(`written: ${out}`);
}
