import { scorePartition } from "../../analyze.ts";
import { BrodmannError } from "../../errors.ts";
import type { Journal } from "../../journal/journal-file.ts";
import { formatScores } from "../../scores/scores-file.ts";
import { visualSettings } from "../../scores/visual-coherence.ts";
import { withLabels } from "../cluster-names.ts";
import type { CommandContext } from "../command-context.ts";
import { openScoringDevice } from "../device.ts";
import { checkScoreFlags, openInputs, requireLabelled, scoreNames, scoreSettings } from "../inputs.ts";
import { prepareFile, printResult, writeText } from "../output.ts";
import { readPartition } from "../read-partition.ts";
import { journalPath, KEEP_HINT, namingKept, openScoreJournal, RESUME_HINT } from "../score-journal.ts";
import { formatScoreTables } from "../score-tables.ts";

/** `brodmann score MODEL --data D --partition p.json`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const { partition: partitionPath, shard = null } = flags;
  const [model = ""] = positionals;
  checkScoreFlags(flags);
  const settings = scoreSettings(flags);
  const scores = scoreNames(flags);
  if (partitionPath === undefined) {
    throw new BrodmannError("E_USAGE_PARTITION", "score: found no partition, expected --partition", {
      hint: "Make one with brodmann partition, or pass your own.",
    });
  }
  const out = flags.out ?? (shard === null ? undefined : "scores.json");
  if (flags.resume && out === undefined) {
    throw new BrodmannError(
      "E_USAGE_RESUME",
      "--resume: found no --out, expected that of the run to continue",
      {
        hint: "Add --out scores.json: the journal lies beside it.",
      },
    );
  }
  const place = out === undefined ? null : journalPath(out, shard);
  const inputFiles = [model, flags.data, partitionPath];
  if (out !== undefined && shard === null) await prepareFile(out, inputFiles);
  if (place !== null) await prepareFile(place, inputFiles);
  const { text: partitionText, partition, fileLabels } = await readPartition(partitionPath);
  const inputs = await openInputs(model, flags, terminal);
  const data = requireLabelled(inputs, "score");
  // Refuses a shape that does not fit before the long work.
  if (scores.includes("coherence")) visualSettings(inputs.network, settings.visual);
  const engine = await openScoringDevice(flags, terminal);
  let journal: Journal | null = null;
  try {
    if (place !== null) {
      const run = {
        modelPath: model,
        network: inputs.network,
        data,
        partition: partitionText,
        clusters: fileLabels,
        engine,
        settings,
        scores,
        shard,
      };
      journal = await openScoreJournal(place, run, flags, terminal);
    }
    const options = {
      ...settings,
      signal,
      onProgress: terminal.progress,
      earlier: journal?.earlier,
      onRecord: journal?.onRecord,
    };
    const kept = place === null ? [] : [place];
    const hint = place === null ? KEEP_HINT : RESUME_HINT;
    if (shard !== null) {
      await namingKept(kept, hint, async () => {
        if (scores.includes("importance")) {
          await engine.importanceShard(inputs.network, data, partition, shard, options);
        }
        if (scores.includes("coherence")) {
          await engine.coherenceShard(inputs.network, data, partition, shard, options);
        }
      });
      terminal.endProgress();
      if (flags.json) await printResult(JSON.stringify({ journal: place, shard }));
      terminal.say(`written: ${place} (shard ${shard.number}/${shard.of}; brodmann merge makes the scores)`);
      return;
    }
    const found = await namingKept(kept, hint, () =>
      scorePartition(inputs.network, data, partition, engine, scores, options),
    );
    for (const reason of found.coherence?.notMeasured ?? []) terminal.say(`not measured: ${reason}`);
    const named = withLabels(found, fileLabels);
    const text = formatScores(named.importance, named.coherence);
    if (out !== undefined) await writeText(out, text);
    terminal.endProgress();
    await printResult(flags.json ? text : formatScoreTables(named, data.classNames));
    // All that it holds is in the scores now.
    await journal?.remove();
    if (out !== undefined) terminal.say(`written: ${out}`);
  } finally {
    journal?.close();
    await engine.dispose();
  }
}
