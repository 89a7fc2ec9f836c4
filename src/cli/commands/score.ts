import { BrodmannError } from "../../errors.ts";
import { scoreImportance } from "../../scores/importance.ts";
import { formatScores } from "../../scores/scores-file.ts";
import type { CommandContext } from "../command-context.ts";
import { checkScoreFlags, consumerNamed, openInputs, requireLabelled } from "../inputs.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { PartialScores } from "../partial-scores.ts";
import { readPartition } from "../read-partition.ts";
import { formatImportance } from "../results.ts";

/** `brodmann score MODEL --data D --partition p.json`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const { partition: partitionPath, out, protocol, shuffles, seed } = flags;
  const [model = ""] = positionals;
  checkScoreFlags(flags);
  if (partitionPath === undefined) {
    throw new BrodmannError("E_USAGE_PARTITION", "score: found no partition, expected --partition", {
      hint: "Make one with brodmann partition, or pass your own.",
    });
  }
  if (out !== undefined) await prepareFile(out, [model, flags.data, partitionPath]);
  const { partition, fileLabels } = await readPartition(partitionPath);
  const inputs = await openInputs(model, flags, terminal);
  const data = requireLabelled(inputs, "score");
  const partial = new PartialScores(out ?? null, { protocol, shuffles, seed });
  // Clusters appear in the scores under the labels that they have in the file.
  const inFile = <T extends { readonly cluster: number }>(score: T): T => ({
    ...score,
    cluster: fileLabels[score.cluster] ?? score.cluster,
  });
  const scores = await partial.keepOnInterrupt(() =>
    scoreImportance(inputs.network, data, partition, {
      protocol,
      shuffles,
      seed,
      consumer: consumerNamed(flags),
      signal,
      onProgress: terminal.progress,
      onLayer: (scored) => partial.add(scored.map(inFile)),
    }),
  );
  const labelled = { ...scores, subclusters: scores.subclusters.map(inFile) };
  const text = formatScores(labelled);
  if (out !== undefined) await writeText(out, text);
  terminal.endProgress();
  await printResult(flags.json ? text : formatImportance(labelled, data.classNames));
  if (out !== undefined) terminal.say(`written: ${out}`);
}
