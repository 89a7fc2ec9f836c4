/**
 * Importance in several parts, each in a process or on a machine of its own: every part runs a stretch of the lesions
 * and records what comes of them; the records of all parts make the scores.
 */
import type { Shard } from "../network/lesions.ts";
import type { Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import type { Partition } from "../partition/partition.ts";
import type { Records } from "../records.ts";
import { type Importance, type ImportanceOptions, importanceOf, stepsOf } from "./importance.ts";
import { keptSets } from "./keep-only.ts";
import {
  comparedPass,
  keptPass,
  type LesionPass,
  measureNetwork,
  nullPass,
  openLab,
  readMeasurements,
} from "./measurements.ts";
import { drawNullSets } from "./nulls.ts";
import { OverallProgress } from "./overall-progress.ts";
import { checkShard, openStudy, type ScoreSettings, type SurveyedLayer, surveyLayers } from "./study.ts";

/**
 * Runs one of several equal parts of the lesions that `scoreImportance` needs, for `mergeImportance`: nothing comes
 * back, all is recorded (`onRecord`). The first part also has what cannot be divided.
 *
 * Throws as `scoreImportance`, and `E_USAGE_SHARD` with sequential draws, each of which depends on those before.
 *
 * @example
 * await scoreImportanceShard(mlp, digits, partition, { number: 1, of: 3 }, { onRecord: journal.onRecord });
 */
export async function scoreImportanceShard(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  shard: Shard,
  options: ImportanceOptions = {},
): Promise<void> {
  const study = openStudy(network, data, partition, options);
  const { settings } = study;
  checkShard(shard, settings.isSequential);
  const layers = (await surveyLayers(study)).filter(({ tested }) => tested.length > 0);
  const steps = layers.reduce((total, layer) => total + stepsOf(layer, settings, data.count), 0);
  const progress = new OverallProgress(options, Math.round(steps / shard.of));
  if (shard.number === 1) {
    const measurements = await measureNetwork(study, options, options);
    try {
      for (const layer of layers) await measurements.subclusters(layer, { signal: options.signal });
      if (settings.protocol === "strict") await measurements.pairs({ signal: options.signal });
    } finally {
      await measurements.dispose();
    }
  }
  const lab = openLab(study, layers, options);
  try {
    for (const layer of layers) {
      for (const pass of dividedPasses(layer, settings)) await lab.run(pass, progress.next(), shard);
    }
  } finally {
    await lab.dispose();
  }
  if (options.earlier?.has(SHARD_END) !== true) options.onRecord?.(SHARD_END, true);
}

/** Recorded when a shard is complete. */
export const SHARD_END = "importance/end";

/**
 * The scores that the records of all shards of a run amount to: those of `scoreImportance`, to the last bit. Also
 * takes the records of one whole run. Throws `E_INPUT_JOURNAL` where some are missing.
 *
 * @example
 * const scores = await mergeImportance([one.earlier, two.earlier, three.earlier]);
 */
export async function mergeImportance(shards: readonly Records[]): Promise<Importance> {
  const all = new Map<string, unknown[]>();
  for (const [key, values] of shards.flatMap((records) => [...records])) {
    all.set(key, [...(all.get(key) ?? []), ...values]);
  }
  return importanceOf(await readMeasurements(all), {});
}

/** The passes of a layer whose lesions can be divided: what they are does not depend on any outcome. */
function dividedPasses(layer: SurveyedLayer, settings: ScoreSettings): LesionPass[] {
  const { protocol, shuffles, seed } = settings;
  const { bins } = layer;
  const hasKept = protocol === "strict" && layer.hasMeans;
  return [
    nullPass(layer, settings, 0, drawNullSets(layer, protocol, shuffles, seed, { bins })),
    ...settings.compare.map((kind) => comparedPass(layer, kind)),
    ...(hasKept ? keptSets(layer, seed, bins).map((sets, round) => keptPass(layer, round, sets)) : []),
  ];
}
