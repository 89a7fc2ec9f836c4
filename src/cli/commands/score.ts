import { BrodmannError } from "../../errors.ts";
import { scoreImportance } from "../../scores/importance.ts";
import { formatScores } from "../../scores/scores-file.ts";
import type { CommandContext } from "../commands.ts";
import { checkScores, openInputs, requireData } from "../inputs.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { PartialScores } from "../partial-scores.ts";
import { formatImportance } from "../results.ts";
import { readPartition } from "./partition.ts";

/** `brodmann score MODEL --data D --partition p.json`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  checkScores(flags);
  if (flags.partition === undefined) {
    throw new BrodmannError("E_USAGE_PARTITION", "score: found no partition, expected --partition", {
      hint: "Make one with brodmann partition, or pass your own.",
    });
  }
  if (flags.out !== undefined) await prepareFile(flags.out);
  const partition = await readPartition(flags.partition);
  const { network, data: found } = await openInputs(positionals[0] ?? "", flags, terminal);
  const data = requireData(found, "score");
  const partial = new PartialScores(flags.out ?? null, terminal);
  const scores = await partial.keepOnInterrupt(() =>
    scoreImportance(network, data, partition, {
      protocol: flags.protocol,
      shuffles: flags.shuffles,
      seed: flags.seed,
      signal,
      onProgress: terminal.progress,
      onLayer: partial.add,
    }),
  );
  const text = formatScores(scores);
  if (flags.out !== undefined) await writeText(flags.out, text);
  await printResult(flags.json ? text : formatImportance(scores, data.classNames));
}
