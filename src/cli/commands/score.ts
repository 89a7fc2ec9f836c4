import { BrodmannError } from "../../errors.ts";
import type { Importance } from "../../scores/importance.ts";
import { formatScores } from "../../scores/scores-file.ts";
import type { CommandContext } from "../command-context.ts";
import { openScoringDevice } from "../device.ts";
import { checkScoreFlags, openInputs, requireLabelled, scoreSettings } from "../inputs.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { PartialScores } from "../partial-scores.ts";
import { readPartition } from "../read-partition.ts";
import { formatImportance } from "../results.ts";

/** `brodmann score MODEL --data D --partition p.json`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const { partition: partitionPath, out } = flags;
  const [model = ""] = positionals;
  checkScoreFlags(flags);
  const settings = scoreSettings(flags);
  if (partitionPath === undefined) {
    throw new BrodmannError("E_USAGE_PARTITION", "score: found no partition, expected --partition", {
      hint: "Make one with brodmann partition, or pass your own.",
    });
  }
  if (out !== undefined) await prepareFile(out, [model, flags.data, partitionPath]);
  const { partition, fileLabels } = await readPartition(partitionPath);
  const inputs = await openInputs(model, flags, terminal);
  const data = requireLabelled(inputs, "score");
  const partial = new PartialScores(out ?? null, settings);
  // Clusters appear in the scores under the labels that they have in the file.
  const inFile = <T extends { readonly cluster: number }>(score: T): T => ({
    ...score,
    cluster: fileLabels[score.cluster] ?? score.cluster,
  });
  const engine = await openScoringDevice(flags, terminal);
  const scores = await partial
    .keepOnInterrupt(() =>
      engine.importance(inputs.network, data, partition, {
        ...settings,
        signal,
        onProgress: terminal.progress,
        onLayer: (scored) => partial.add(scored.map(inFile)),
      }),
    )
    .finally(() => engine.dispose());
  const labelled = relabelled(scores, inFile);
  const text = formatScores(labelled);
  if (out !== undefined) await writeText(out, text);
  terminal.endProgress();
  await printResult(flags.json ? text : formatImportance(labelled, data.classNames));
  if (out !== undefined) terminal.say(`written: ${out}`);
}

/** The scores with every cluster's name changed. */
function relabelled(
  scores: Importance,
  rename: <T extends { readonly cluster: number }>(named: T) => T,
): Importance {
  const nameOf = (cluster: number) => rename({ cluster }).cluster;
  return {
    ...scores,
    subclusters: scores.subclusters.map(rename),
    dissociations: scores.dissociations.map((found) => ({
      ...found,
      clusters: [nameOf(found.clusters[0]), nameOf(found.clusters[1])],
    })),
    pairs: scores.pairs.map((pair) => ({
      ...pair,
      subclusters: [rename(pair.subclusters[0]), rename(pair.subclusters[1])],
    })),
  };
}
